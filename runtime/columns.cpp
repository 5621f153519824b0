#include "columns.h"

#include <algorithm>
#include <cstring>

#include "processor.h"
#include "vectors.h"

namespace theano::columns {

namespace {

using std::int64_t;

// Positions whose offsets are worked out at once.
constexpr int64_t kBlock = 256;

template <class T>
void add_offsets(const Work &work, int64_t first, int64_t count, int64_t *offsets) {
    const T *positions = reinterpret_cast<const T *>(work.positions) + first;
    for (int64_t j = 0; j < count; ++j) {
        const auto position = static_cast<int64_t>(positions[j]);
        offsets[j] = (position + (position < 0 ? work.length : 0)) * work.stride;
    }
}

void offsets_of(const Work &work, int64_t first, int64_t count, int64_t *offsets) {
    switch (work.type) {
        case 0:
            for (int64_t j = 0; j < count; ++j) {
                const int64_t at = first + j;
                offsets[j] = at / work.together * work.stride + at % work.together * work.step;
            }
            return;
        case 1:
            return add_offsets<std::int8_t>(work, first, count, offsets);
        case 2:
            return add_offsets<std::int16_t>(work, first, count, offsets);
        case 4:
            return add_offsets<std::int32_t>(work, first, count, offsets);
        case -1:
            return add_offsets<std::uint8_t>(work, first, count, offsets);
        case -2:
            return add_offsets<std::uint16_t>(work, first, count, offsets);
        case -4:
            return add_offsets<std::uint32_t>(work, first, count, offsets);
        default:
            return add_offsets<int64_t>(work, first, count, offsets);
    }
}

// Rows that lie so many bytes apart, from `x` on, and where what is taken of them is written.
struct Rows {
    const char *x;
    int64_t stride, count;
    char *out, *limit;
};

struct Words2 {
    std::uint64_t words[2];
};

// `kCount`: how many items there are of each row; 0: `count`.
template <class T, int kCount>
void copy_some(const Rows &rows, const int64_t *offsets, int64_t count, int64_t pitch) {
    int64_t own[kCount + 1];
    std::copy(offsets, offsets + kCount, own);
    const int64_t *const from = kCount ? own : offsets;
    const char *x = rows.x;
    char *out = rows.out;
    for (int64_t i = 0; i < rows.count; ++i, x += rows.stride, out += pitch) {
        TH_UNROLL
        for (int64_t j = 0; j < (kCount ? kCount : count); ++j)
            std::memcpy(out + j * static_cast<int64_t>(sizeof(T)), x + from[j], sizeof(T));
    }
}

template <class T>
void copy_items(const Rows &rows, const int64_t *offsets, int64_t count, int64_t pitch) {
    switch (count) {
        case 1:
            return copy_some<T, 1>(rows, offsets, count, pitch);
        case 2:
            return copy_some<T, 2>(rows, offsets, count, pitch);
        case 3:
            return copy_some<T, 3>(rows, offsets, count, pitch);
        case 4:
            return copy_some<T, 4>(rows, offsets, count, pitch);
        default:
            return copy_some<T, 0>(rows, offsets, count, pitch);
    }
}

void copy_sized(const Work &work, const Rows &rows, const int64_t *offsets, int64_t count) {
    const int64_t pitch = work.count * work.itemsize;
    switch (work.itemsize) {
        case 1:
            return copy_items<std::uint8_t>(rows, offsets, count, pitch);
        case 2:
            return copy_items<std::uint16_t>(rows, offsets, count, pitch);
        case 4:
            return copy_items<std::uint32_t>(rows, offsets, count, pitch);
        case 8:
            return copy_items<std::uint64_t>(rows, offsets, count, pitch);
        default:
            return copy_items<Words2>(rows, offsets, count, pitch);
    }
}

#if defined(__x86_64__)
// How items of some rows at once are brought to their places in a vector; `together`: of none.
struct Pick {
    void (*take)(const Picked &, const Groups &);
    int64_t together = 0, from;
    Picked picked;

    Pick(const Work &work, const int64_t *offsets, int64_t stride) {
        static const bool wide = has_avx512(), any_bytes = wide && has_picked_bytes();
        const auto [least, largest] = std::minmax_element(offsets, offsets + work.count);
        const int64_t span = *largest - *least + work.itemsize, nbytes = work.count * work.itemsize;
        const int64_t most = std::max(span, nbytes);
        const bool words = (work.itemsize | work.stride | work.step | stride) % kWord == 0;
        // Of rows far apart, no more lines of the cache are read than needed.
        const int64_t away = stride < 0 ? -stride : stride;
        const bool apart = away == 0 || away + span > kVector;
        const bool few = most <= kShort && (apart || !(words || any_bytes));
        if (!wide || most > kVector || !(few || words || any_bytes)) return;
        take = few ? pick_few_avx512 : words ? pick_words_avx512 : pick_bytes_vbmi;
        const int64_t vector = few ? kShort : kVector, part = few || !words ? 1 : kWord;
        together = std::min(vector / nbytes, away > 0 ? (vector - span) / away + 1 : 1);
        picked.span = span + (together - 1) * away;
        // Of rows the other way round, the last one lies in front.
        from = *least + (stride < 0 ? (together - 1) * stride : 0);
        std::memset(picked.numbers, 0, kVector);
        const int64_t parts = work.itemsize / part;
        unsigned char *number = picked.numbers;
        for (int64_t row = 0; row < together; ++row) {
            for (int64_t j = 0; j < work.count; ++j) {
                const int64_t at = (offsets[j] - from + row * stride) / part;
                for (int64_t k = 0; k < parts; ++k) *number++ = static_cast<unsigned char>(at + k);
            }
        }
    }

    // What is left of the rows.
    Rows run(const Work &work, Rows rows) const {
        const int64_t nbytes = together * work.count * work.itemsize, count = rows.count / together;
        const int64_t step = together * rows.stride, vector = take == pick_few_avx512 ? kShort : kVector;
        // What lies between rows is there to be read; behind the last one in memory, nothing is.
        const int64_t away = step < 0 ? -step : step, there = (count - 1) * away + picked.span;
        const int64_t reads = there < vector || away == 0 ? 0 : std::min(count, (there - vector) / away + 1);
        const int64_t room = rows.limit - rows.out - vector;
        const int64_t writes = room < 0 ? 0 : std::min(count, room / nbytes + 1);
        const char *x = rows.x + from;
        // Of rows the other way round, the first ones are read carefully.
        const int64_t first = step < 0 ? std::min(count - reads, count) : 0;
        take(picked, Groups{x, step, first, 0, rows.out, nbytes});
        const int64_t whole = std::max<int64_t>(0, (step < 0 ? writes : std::min(reads, writes)) - first);
        take(picked, Groups{x + first * step, step, count - first, whole, rows.out + first * nbytes, nbytes});
        rows.x += count * together * rows.stride;
        rows.out += count * nbytes;
        rows.count -= count * together;
        return rows;
    }
};
#endif

// Calls `visit` with rows of the range that lie one stride apart, along the last axis in front.
template <class Visit>
void with_rows(const Work &work, int64_t begin, int64_t end, const Visit &visit) {
    const Axis *axes = reinterpret_cast<const Axis *>(&work + 1);
    const int64_t pitch = work.count * work.itemsize;
    const auto [length, stride] = axes[work.axes - 1];
    for (int64_t row = begin; row < end;) {
        const int64_t place = row % length, count = std::min(end - row, length - place);
        const char *x = work.x + place * stride;
        int64_t rest = row / length;
        for (int64_t a = work.axes - 2; a >= 0; rest /= axes[a].length, --a)
            x += rest % axes[a].length * axes[a].stride;
        visit(Rows{x, stride, count, work.out + row * pitch, work.out + end * pitch});
        row += count;
    }
}

}  // namespace

void take_columns(int64_t *args, int64_t begin, int64_t end) {
    const Work &work = *reinterpret_cast<const Work *>(args);
    for (int64_t first = 0; first < work.count; first += kBlock) {
        int64_t offsets[kBlock];
        const int64_t count = std::min(kBlock, work.count - first);
        offsets_of(work, first, count, offsets);
#if defined(__x86_64__)
        if (count == work.count) {
            const Axis &front = reinterpret_cast<const Axis *>(&work + 1)[work.axes - 1];
            if (const Pick pick(work, offsets, front.stride); pick.together > 0) {
                with_rows(work, begin, end, [&](const Rows &rows) {
                    copy_sized(work, pick.run(work, rows), offsets, count);
                });
                continue;
            }
        }
#endif
        with_rows(work, begin, end, [&](Rows rows) {
            rows.out += first * work.itemsize;
            copy_sized(work, rows, offsets, count);
        });
    }
}

}  // namespace theano::columns
