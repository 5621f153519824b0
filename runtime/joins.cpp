#include "joins.h"

#include <algorithm>
#include <cstring>

#include "processor.h"
#include "row_copies.h"

namespace theano::joins {

namespace {

using std::int64_t;

// Bytes of the result that are written part by part: a part of the first-level cache.
constexpr int64_t kBlock = 1 << 13;

const Part *parts_of(const Work &work) { return reinterpret_cast<const Part *>(&work + 1); }

void copy_parts(const Work &work, int64_t begin, int64_t end) {
    const int64_t block = std::max<int64_t>(1, kBlock / std::max<int64_t>(1, work.pitch));
    for (; begin < end; begin += block) {
        char *out = work.out + begin * work.pitch;
        for (int64_t j = 0; j < work.parts; ++j) {
            const Part &part = parts_of(work)[j];
            copy_rows_of_bytes({part.x + begin * part.stride, part.stride, part.nbytes,
                                std::min(block, end - begin), out, work.pitch});
            out += part.nbytes;
        }
    }
}

#if defined(__x86_64__)
// How many rows are merged in a vector; 0: none.
int64_t rows_together(const Work &work, int64_t word) {
    if (work.pitch > kVector || work.pitch == 0 || work.parts > kMostMerged) return 0;
    int64_t together = kVector / work.pitch;
    for (int64_t j = 0; j < work.parts; ++j) {
        const Part &part = parts_of(work)[j];
        if (part.stride < 0 || part.stride % word != 0 || part.nbytes % word != 0) return 0;
        if (part.stride > 0) together = std::min(together, (kVector - part.nbytes) / part.stride + 1);
    }
    return together;
}

// Where the words of some rows of a part lie, and go to, `before` bytes into the first row.
template <int kWord>
Source source_of(const Work &work, const Part &part, int64_t before, int64_t together) {
    Source source;
    source.written = 0;
    source.span = (together - 1) * part.stride + part.nbytes;
    source.step = together * part.stride;
    std::memset(source.numbers, 0, kVector);
    const int64_t words = part.nbytes / kWord, pitch = work.pitch / kWord, stride = part.stride / kWord;
    const std::uint64_t row = words < kVector ? (1ull << words) - 1 : ~0ull;
    int64_t place = before / kWord, from = 0;
    for (int64_t i = 0; i < together; ++i, place += pitch, from += stride) {
        source.written |= row << place;
        for (int64_t j = 0; j < words; ++j) source.numbers[place + j] = static_cast<unsigned char>(from + j);
    }
    return source;
}

// How many of `count` groups end so that `nbytes` from the place of each are before an end.
int64_t groups_within(int64_t count, int64_t step, int64_t nbytes, int64_t end) {
    if (step == 0) return count;
    return end < nbytes ? 0 : std::min(count, (end - nbytes) / step + 1);
}

// Which rows, from `begin` on, are left.
int64_t merge(const Work &work, int64_t begin, int64_t end) {
    static const bool wide = has_avx512(), any_bytes = wide && has_picked_bytes();
    const int64_t together = wide ? rows_together(work, any_bytes ? 1 : 2) : 0, rows = end - begin;
    if (together == 0 || rows < together) return begin;
    Groups groups;
    groups.parts = 0;
    groups.count = rows / together;
    groups.nbytes = together * work.pitch;
    groups.out = work.out + begin * work.pitch;
    groups.half = true;
    alignas(kVector) char one_row[kMostMerged][kVector];
    int64_t before = 0;
    for (int64_t j = 0; j < work.parts; ++j) {
        const Part &part = parts_of(work)[j];
        if (part.nbytes == 0) continue;
        Source &source = groups.sources[groups.parts] =
            any_bytes ? source_of<1>(work, part, before, together) : source_of<2>(work, part, before, together);
        source.x = part.x + begin * part.stride;
        if (part.stride == 0) {
            char *const row = one_row[groups.parts];
            std::memcpy(row, part.x, static_cast<std::size_t>(part.nbytes));
            source.x = row;
        }
        groups.half = groups.half && source.span <= kVector / 2;
        before += part.nbytes;
        ++groups.parts;
    }
    groups.whole = groups_within(groups.count, groups.nbytes, kVector, rows * work.pitch);
    for (int64_t j = 0; j < work.parts; ++j) {
        const Part &part = parts_of(work)[j];
        const int64_t there = (rows - 1) * part.stride + part.nbytes;
        groups.whole = groups_within(groups.whole, together * part.stride, groups.half ? kVector / 2 : kVector, there);
    }
    any_bytes ? merge_bytes_vbmi(groups) : merge_words_avx512(groups);
    return begin + groups.count * together;
}
#endif

}  // namespace

void join_rows(int64_t *args, int64_t begin, int64_t end) {
    const Work &work = *reinterpret_cast<const Work *>(args);
#if defined(__x86_64__)
    begin = merge(work, begin, end);
#endif
    copy_parts(work, begin, end);
}

}  // namespace theano::joins
