#include "copy.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "columns.h"
#include "copy_plane.h"
#include "joins.h"
#include "processor.h"

namespace theano {

namespace copies {

namespace {

struct Item16 {
    std::uint64_t halves[2];
};
struct Item32 {
    std::uint64_t quarters[4];
};

int64_t size_of(int64_t step) { return step < 0 ? -step : step; }

// What is copied from `x` to `out`. Axes of one item are dropped, and neighbours merged along which
// both go on as along one.
struct Box {
    int64_t itemsize;
    const char *x;
    char *out;
    int count = 0;
    Axis axes[kMostDimensions];

    Box(int64_t itemsize, const char *x, char *out) : itemsize(itemsize), x(x), out(out) {}

    void add(Axis axis) {
        if (axis.length == 1) return;
        if (count > 0) {
            Axis &last = axes[count - 1];
            if (last.from == axis.length * axis.from && last.to == axis.length * axis.to) {
                last = {last.length * axis.length, axis.from, axis.to};
                return;
            }
        }
        axes[count++] = axis;
    }

    int64_t items(int first = 0) const {
        int64_t n = 1;
        for (int i = first; i < count; ++i) n *= axes[i].length;
        return n;
    }

    // Whether what is written lies in C order, from an axis on.
    bool writes_in_order(int first = 0) const {
        int64_t step = itemsize;
        for (int i = count - 1; i >= first; step *= axes[i].length, --i)
            if (axes[i].to != step) return false;
        return true;
    }

    void move(int axis, int64_t steps) {
        x += steps * axes[axis].from;
        out += steps * axes[axis].to;
    }

    // What is at one place along the first axis.
    Box inside(int64_t place) const {
        Box box(itemsize, x + place * axes[0].from, out + place * axes[0].to);
        box.count = count - 1;
        std::copy(axes + 1, axes + count, box.axes);
        return box;
    }

    // Calls `act` with each place along so many axes.
    template <class Act>
    void for_each(int before, Act act) const {
        if (before <= 0) return act(x, out);
        int64_t index[kMostDimensions];
        std::fill_n(index, before, 0);
        const char *from = x;
        char *to = out;
        while (true) {
            act(from, to);
            int i = before - 1;
            for (; i >= 0 && ++index[i] == axes[i].length; --i) {
                index[i] = 0;
                from -= (axes[i].length - 1) * axes[i].from;
                to -= (axes[i].length - 1) * axes[i].to;
            }
            if (i < 0) return;
            from += axes[i].from;
            to += axes[i].to;
        }
    }
};

// The axis along which places are nearest to each other, of those along which they are apart; the last one
// where there are several.
int nearest(const Box &box, int64_t Axis::*step) {
    int best = box.count - 1;
    for (int i = box.count - 2; i >= 0; --i) {
        const int64_t own = size_of(box.axes[i].*step), other = size_of(box.axes[best].*step);
        if (own != 0 && (other == 0 || own < other)) best = i;
    }
    return best;
}

using columns::kVector;
// Bytes of a row whose items lie side by side for which a vector of its own is too long; and of a step between
// items of which a vector reads several.
constexpr int64_t kShortRow = 32, kNear = 24;
// Rows, or items one step apart, for which to find out how several of them are brought to their places in a
// vector.
constexpr int64_t kMany = 64;

// The words of `take_columns`.
struct Picked {
    columns::Work work;
    columns::Axis axes[kMostDimensions];
};

// Items that are near each other, several of which a vector reads: of all rows at once where these are written side
// by side, since how they are brought to their places takes as long to find out as some hundred items.
template <class T>
void pick_rows(const Plane &plane, const char *x, char *out) {
    constexpr int64_t item = sizeof(T);
    const int64_t together = plane.out_down == plane.columns * item ? plane.rows : 1;
    for (int64_t i = 0; i < plane.rows; i += together, x += plane.down, out += plane.out_down) {
        Picked picked;
        picked.work = {2, item, 1, 0, 1, item, 1, 0, x, nullptr, out};
        picked.axes[0] = {together, plane.down};
        picked.axes[1] = {plane.columns, plane.across};
        columns::take_columns(reinterpret_cast<int64_t *>(&picked), 0, together * plane.columns);
    }
}

// Rows of few items, of which each lies in a column.
template <class T>
void join_columns(const Plane &plane, const char *x, char *out) {
    struct {
        joins::Work work;
        joins::Part parts[joins::kMostMerged];
    } joined;
    joined.work = {plane.columns, plane.out_down, out};
    for (int64_t j = 0; j < plane.columns; ++j) joined.parts[j] = {sizeof(T), plane.down, x + j * plane.across};
    joins::join_rows(reinterpret_cast<int64_t *>(&joined), 0, plane.rows);
}

template <class T>
CopyPlane way_of(const Plane &plane) {
    static const bool wide = has_avx512();
    constexpr int64_t item = sizeof(T);
    if (plane.out_across != item) return copy_each<T>;
    if (plane.across == item) return copy_rows<T>;
    if (plane.across == 0) return fill_rows<T>;
#if defined(__x86_64__)
    if constexpr (item <= 8) {
        if (plane.across == -item && has_fma()) return turn_rows_avx2<T>;
    }
#endif
    if (plane.across == -item) return turn_rows<T>;
    if (plane.down == item) {
        const bool few = plane.columns <= joins::kMostMerged && plane.columns * item <= kVector / 2;
        if (wide && few && plane.rows >= kMany && plane.out_down == plane.columns * item) return join_columns<T>;
        if (plane.rows >= Lanes<T>::kLanes) return turn_plane<T>;
    }
    const bool near = size_of(plane.across) <= kNear && plane.columns >= kMany;
    return wide && near && item <= 8 ? pick_rows<T> : copy_each<T>;
}

template <class T>
void copy_planes(Box &box) {
    if (box.count == 0) return store(box.out, load<T>(box.x));
    const int last = box.count - 1;
    // Rows are along the axis that is written along, and planes along the one that is read along, too.
    const auto bring = [&](int axis, int place) {
        std::rotate(box.axes + axis, box.axes + axis + 1, box.axes + place + 1);
    };
    bring(nearest(box, &Axis::to), last);
    if (const int near = nearest(box, &Axis::from); near != last) {
        bring(near, last - 1);
        if (Axis &axis = box.axes[last - 1]; axis.from < 0) {
            box.move(last - 1, axis.length - 1);
            axis = {axis.length, -axis.from, -axis.to};
        }
    }
    const Axis row = box.axes[last], front = last > 0 ? box.axes[last - 1] : Axis{1, 0, 0};
    const Plane plane{front.length, front.from, front.to, row.length, row.from, row.to};
    const CopyPlane copy = way_of<T>(plane);
    box.for_each(last - 1, [&](const char *x, char *out) { copy(plane, x, out); });
}

// Bytes of a vector, and of all copies of a block: more of them are rows, which are filled faster.
constexpr int64_t kPart = 16, kFewCopied = 128;

#if defined(__x86_64__)
// Of blocks side by side, as many as there are places for all their copies in a vector; how many are
// done. What a vector has behind its copies, the next one writes anew.
__attribute__((target("ssse3"))) int64_t repeat_short(char *to, const char *from, int64_t n, int64_t times,
                                                      int64_t block) {
    const int64_t many = kPart / (block * times);
    alignas(kPart) std::uint8_t places[kPart];
    for (int64_t i = 0; i < kPart; ++i)
        places[i] = static_cast<std::uint8_t>(i / (block * times) * block + i % block);
    const __m128i moves = _mm_load_si128(reinterpret_cast<const __m128i *>(places));
    int64_t done = 0;
    for (; (n - done) * block >= kPart && (n - done) * block * times >= kPart; done += many) {
        const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from + done * block));
        _mm_storeu_si128(reinterpret_cast<__m128i *>(to + done * block * times), _mm_shuffle_epi8(x, moves));
    }
    return done;
}
#endif

// Blocks from `i` on as parts of a known length; what a part has behind its block, the next one writes
// anew, but for the last.
template <int kBytes>
int64_t repeat_parts(char *to, const char *from, int64_t i, int64_t n, int64_t apart, int64_t times, int64_t block) {
    for (const int64_t end = n - (kBytes - 1) / block; i < end; ++i) {
        char part[kBytes];
        std::memcpy(part, from + i * apart, kBytes);
        for (int64_t j = 0; j < times; ++j) std::memcpy(to + (i * times + j) * block, part, kBytes);
    }
    return i;
}

// Blocks of bytes, `apart` from one to the next, each so many times.
void copy_repeated(char *to, const char *from, int64_t n, int64_t apart, int64_t times, int64_t block) {
    int64_t i = 0;
#if defined(__x86_64__)
    if (apart == block && block * times <= kPart && __builtin_cpu_supports("ssse3"))
        i = repeat_short(to, from, n, times, block);
#endif
    if (apart >= block) {
        if (block <= kPart) i = repeat_parts<kPart>(to, from, i, n, apart, times, block);
        else if (block <= 2 * kPart) i = repeat_parts<2 * kPart>(to, from, i, n, apart, times, block);
    }
    for (; i < n; ++i) {
        for (int64_t j = 0; j < times; ++j)
            std::memcpy(to + (i * times + j) * block, from + i * apart, static_cast<std::size_t>(block));
    }
}

// Copies what is repeated one after the other, if few bytes are: items, or short rows; whether it did.
bool copy_few_repeated(Box &box) {
    const bool row = box.count > 1 && box.axes[box.count - 1].from == box.itemsize;
    const int axis = box.count - 1 - row;
    if (axis < 0 || box.axes[axis].from != 0 || !box.writes_in_order(std::max(0, axis - 1))) return false;
    const int64_t block = box.itemsize * (row ? box.axes[axis + 1].length : 1), times = box.axes[axis].length;
    if (times * block > kFewCopied) return false;
    const Axis before = axis > 0 ? box.axes[axis - 1] : Axis{1, block, 0};
    box.for_each(axis - 1, [&](const char *x, char *out) {
        copy_repeated(out, x, before.length, before.from, times, block);
    });
    return true;
}

void copy_box(Box &box) {
    if (copy_few_repeated(box)) return;
    switch (box.itemsize) {
        case 1:
            return copy_planes<std::uint8_t>(box);
        case 2:
            return copy_planes<std::uint16_t>(box);
        case 4:
            return copy_planes<std::uint32_t>(box);
        case 8:
            return copy_planes<std::uint64_t>(box);
        case 16:
            return copy_planes<Item16>(box);
        case 32:
            return copy_planes<Item32>(box);
        default:
            break;  // INVARIANT: no numeric type of NumPy's has another size
    }
}

// Copies items [first, last) in the order of the axes.
void copy_range(Box &box, int64_t first, int64_t last) {
    if (first >= last) return;
    const int64_t inner = box.items(1);
    if (first == 0 && (box.count == 0 || last == inner * box.axes[0].length)) return copy_box(box);
    const int64_t begin = first / inner, end = last / inner, before = first % inner, behind = last % inner;
    if (before == 0 && behind == 0) {
        box.move(0, begin);
        box.axes[0].length = end - begin;
        return copy_box(box);
    }
    if (begin == end) {
        Box part = box.inside(begin);
        return copy_range(part, before, behind);
    }
    if (before) {
        Box part = box.inside(begin);
        copy_range(part, before, inner);
    }
    if (behind) {
        Box part = box.inside(end);
        copy_range(part, 0, behind);
    }
    copy_range(box, (begin + (before > 0)) * inner, end * inner);
}

// How many axes of a box are those of a row whose items a vector picks, of several rows: its last one or two, or
// none.
int picked_axes(const Box &box) {
    static const bool wide = has_avx512();
    if (!wide || box.itemsize > 16 || box.count < 2) return 0;
    const Axis &last = box.axes[box.count - 1], &front = box.axes[box.count - 2];
    const int64_t item = box.itemsize, n = last.length, step = last.from;
    if (n > kVector || step == 0 || !box.writes_in_order()) return 0;
    const int64_t rows = box.items() / n;
    if (rows < kMany) return 0;
    const bool turned = box.count > 2 && front.from == item && step > item;
    if (turned && n * front.length <= kVector && rows / front.length >= kMany) return 2;
    const bool near = step != item && n * item <= kVector && size_of((n - 1) * step) + item <= kVector;
    return near || (step == item && n * item <= kShortRow) ? 1 : 0;
}

// Copies those of items [first, last) that are whole rows by vectors which pick them, and what is before
// these; returns the first item that is left.
int64_t copy_picked(const Box &box, int64_t first, int64_t last) {
    const int own = picked_axes(box), fronts = box.count - own;
    if (own == 0) return first;
    Picked picked;
    const Axis row = box.axes[fronts], within = own == 2 ? box.axes[fronts + 1] : Axis{1, 0, 0};
    const int64_t count = row.length * within.length;
    picked.work = {fronts,        box.itemsize, count, 0,       row.length, row.from,
                   within.length, within.from,  box.x, nullptr, box.out};
    for (int i = 0; i < fronts; ++i) picked.axes[i] = {box.axes[i].length, box.axes[i].from};
    const int64_t begin = (first + count - 1) / count, end = last / count;
    if (begin >= end) return first;
    columns::take_columns(reinterpret_cast<int64_t *>(&picked), begin, end);
    Box before = box;
    copy_range(before, first, begin * count);
    return end * count;
}

void copy_all(Box &box, int64_t first, int64_t last) {
    // INVARIANT: where something is copied, no axis has length 0.
    if (first >= last) return;
    // Most often, nothing lies between the items.
    if (box.count == 1 && box.axes[0].from == box.itemsize && box.axes[0].to == box.itemsize) {
        const auto nbytes = static_cast<std::size_t>((last - first) * box.itemsize);
        std::memcpy(box.out + first * box.itemsize, box.x + first * box.itemsize, nbytes);
        return;
    }
    copy_range(box, copy_picked(box, first, last), last);
}

}  // namespace

void copy(int64_t *args, int64_t begin, int64_t end) {
    const Work &work = *reinterpret_cast<const Work *>(args);
    const Axis *axes = reinterpret_cast<const Axis *>(&work + 1);
    Box box(work.itemsize, work.x, work.out);
    for (int64_t i = 0; i < work.axes; ++i) box.add(axes[i]);
    copy_all(box, begin * work.step, end * work.step);
}

}  // namespace copies

void copy_strided(std::int64_t ndim, const std::int64_t *shape, const std::int64_t *strides,
                  std::size_t itemsize, void *destination, const void *source) {
    copies::Axis axes[kMostDimensions];
    const auto item = static_cast<std::int64_t>(itemsize);
    std::int64_t step = item;
    for (std::int64_t i = ndim - 1; i >= 0; step *= shape[i], --i) {
        if (shape[i] <= 0) return;
        axes[i] = {shape[i], strides[i], step};
    }
    copies::Box box(item, static_cast<const char *>(source), static_cast<char *>(destination));
    for (std::int64_t i = 0; i < ndim; ++i) box.add(axes[i]);
    copies::copy_all(box, 0, box.items());
}

}  // namespace theano
