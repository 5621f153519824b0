#include "gather.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "vectors.h"

namespace theano::gather {

namespace {

using std::int64_t;
using std::uint64_t;

// Offsets that are worked out before items there are read.
constexpr int64_t kBlock = 256;

// Whether a position is one of an axis, from its end if it is negative: it counts from the start then.
inline bool is_within(int64_t &position, int64_t length) {
    position += position < 0 ? length : 0;
    return static_cast<uint64_t>(position) < static_cast<uint64_t>(length);
}

// -- where rows begin: of a position, the bytes in front of its row --------------------------------

// `find` tells whether there is such a row; `find_counted` does so where no position is negative, and
// `kCounted` is true if none can be.

template <class T>
struct Single {
    static constexpr bool kCounted = std::is_unsigned_v<T>;
    const T *items;
    int64_t length, stride;

    bool find(int64_t k, int64_t &offset) const {
        auto position = static_cast<int64_t>(items[k]);
        const bool within = is_within(position, length);
        offset = position * stride;
        return within;
    }
    bool find_counted(int64_t k, int64_t &offset) const {
        const auto position = static_cast<int64_t>(items[k]);
        offset = position * stride;
        return static_cast<uint64_t>(position) < static_cast<uint64_t>(length);
    }
};

// Of rows that lie side by side, of so many bytes.
template <class T, int64_t kBytes>
struct Near {
    static constexpr bool kCounted = Single<T>::kCounted;
    Single<T> any;

    bool find(int64_t k, int64_t &offset) const { return any.find(k, offset); }
    bool find_counted(int64_t k, int64_t &offset) const {
        return Single<T>{any.items, any.length, kBytes}.find_counted(k, offset);
    }
};

template <class T>
struct Pair {
    static constexpr bool kCounted = Single<T>::kCounted;
    Single<T> one, two;

    bool find(int64_t k, int64_t &offset) const {
        int64_t more = 0;
        const bool within = one.find(k, offset) && two.find(k, more);
        offset += more;
        return within;
    }
    bool find_counted(int64_t k, int64_t &offset) const {
        int64_t more = 0;
        const bool within = one.find_counted(k, offset) && two.find_counted(k, more);
        offset += more;
        return within;
    }
};

struct Found {
    static constexpr bool kCounted = true;
    const int64_t *offsets;
    int64_t first;

    bool find_counted(int64_t k, int64_t &offset) const {
        offset = offsets[k - first];
        return true;
    }
};

// -- how a row is copied ---------------------------------------------------------------------------

template <class T>
struct Item {
    static void copy(char *to, const char *from, int64_t) { std::memcpy(to, from, sizeof(T)); }
};

struct Nothing {
    static void copy(char *, const char *, int64_t) {}
};

struct Words2 {
    uint64_t words[2];
};

// Whole parts of the size of T, and the last of them, which may overlap the one before.
template <class T, bool kTwo>
struct Parts {
    static void copy(char *to, const char *from, int64_t nbytes) {
        T part;
        const int64_t last = nbytes - static_cast<int64_t>(sizeof(T));
        for (int64_t at = 0; at < last; at += sizeof(T)) {
            std::memcpy(&part, from + at, sizeof(T));
            std::memcpy(to + at, &part, sizeof(T));
            if (kTwo) break;
        }
        std::memcpy(&part, from + last, sizeof(T));
        std::memcpy(to + last, &part, sizeof(T));
    }
};

// Long rows, as the C library copies them on this processor.
struct Long {
    static constexpr int64_t kLeast = 512;
    static void copy(char *to, const char *from, int64_t nbytes) {
        std::memcpy(to, from, static_cast<std::size_t>(nbytes));
    }
};

// -- loops -----------------------------------------------------------------------------------------

template <class T>
Single<T> single(const Positions &p, const T *) {
    return {static_cast<const T *>(p.items), p.length, p.stride};
}

struct Range {
    int64_t begin, end;
    int64_t pitch;  // bytes from one result to the next
};

// By value: what is written might overlap what there are addresses of.
template <class Copy, class Where>
bool copy_rows(Where where, const char *x, char *out, int64_t nbytes, Range range) {
    out += range.begin * range.pitch;
    int64_t k = range.begin, offset;
    while (k < range.end) {
        const int64_t stop = Where::kCounted ? range.end : std::min(range.end, k + kBlock);
        TH_UNROLL
        for (; k < stop; ++k, out += range.pitch) {
            if (!where.find_counted(k, offset)) {
                if constexpr (Where::kCounted) return false;
                break;
            }
            Copy::copy(out, x + offset, nbytes);
        }
        // What may count from the end has no jumps, which would be guessed wrongly.
        if constexpr (!Where::kCounted)
            for (; k < stop; ++k, out += range.pitch) {
                if (!where.find(k, offset)) return false;
                Copy::copy(out, x + offset, nbytes);
            }
    }
    return true;
}

template <class T, class Where>
bool copy_items(const Where &where, const char *x, char *out, const Range &range) {
    return copy_rows<Item<T>>(where, x, out, sizeof(T), range);
}

template <class T, class P>
bool copy_items(const Single<P> &where, const char *x, char *out, const Range &range) {
    if (where.stride != sizeof(T)) return copy_rows<Item<T>>(where, x, out, sizeof(T), range);
    return copy_rows<Item<T>>(Near<P, sizeof(T)>{where}, x, out, sizeof(T), range);
}

template <class Where>
bool copy_sized(const Where &where, const char *x, char *out, int64_t nbytes, const Range &range) {
    switch (nbytes) {
        case 0:
            return copy_rows<Nothing>(where, x, out, nbytes, range);
        case 1:
            return copy_items<char>(where, x, out, range);
        case 2:
            return copy_items<std::uint16_t>(where, x, out, range);
        case 4:
            return copy_items<std::uint32_t>(where, x, out, range);
        case 8:
            return copy_items<uint64_t>(where, x, out, range);
        default:
            break;
    }
    if (nbytes < 4) return copy_rows<Parts<std::uint16_t, true>>(where, x, out, nbytes, range);
    if (nbytes < 8) return copy_rows<Parts<std::uint32_t, true>>(where, x, out, nbytes, range);
    if (nbytes <= 16) return copy_rows<Parts<uint64_t, true>>(where, x, out, nbytes, range);
    if (nbytes <= 32) return copy_rows<Parts<Words2, true>>(where, x, out, nbytes, range);
    if (nbytes < Long::kLeast) return copy_rows<Parts<Words2, false>>(where, x, out, nbytes, range);
    return copy_rows<Long>(where, x, out, nbytes, range);
}

// The axes that are taken whole: those in front, and the bytes side by side that the others hold.
struct Whole {
    const Axis *axes;
    int64_t count, nbytes;
};

Whole whole_of(const Work &work, const Axis *axes) {
    if (work.row == 0) return {axes, 0, 0};
    Whole whole{axes, work.axes, work.itemsize};
    for (; whole.count > 0; --whole.count) {
        const Axis &last = axes[whole.count - 1];
        if (last.length != 1 && last.stride != whole.nbytes) break;
        whole.nbytes *= last.length;
    }
    return whole;
}

template <class Where>
bool copy_axes(const Where &where, const Whole &whole, int64_t axis, int64_t row, const char *x,
               char *out, const Range &range) {
    if (axis == whole.count) return copy_sized(where, x, out, whole.nbytes, range);
    const auto [length, stride] = whole.axes[axis];
    for (int64_t i = 0; i < length; ++i)
        if (!copy_axes(where, whole, axis + 1, row / length, x + i * stride, out + i * (row / length), range))
            return false;
    return true;
}

// -- positions of any type -------------------------------------------------------------------------

// Calls `visit` with the items of an array of positions.
template <class Visit>
void with_items(const Positions &p, const Visit &visit) {
    switch (p.type) {
        case 1:
            return visit(static_cast<const std::int8_t *>(p.items));
        case 2:
            return visit(static_cast<const std::int16_t *>(p.items));
        case 4:
            return visit(static_cast<const std::int32_t *>(p.items));
        case -1:
            return visit(static_cast<const std::uint8_t *>(p.items));
        case -2:
            return visit(static_cast<const std::uint16_t *>(p.items));
        case -4:
            return visit(static_cast<const std::uint32_t *>(p.items));
        default:
            return visit(static_cast<const int64_t *>(p.items));
    }
}

bool add_offsets(const Positions &p, int64_t first, int64_t count, int64_t *offsets) {
    bool within = true;
    with_items(p, [&](const auto *items) {
        for (int64_t k = 0; k < count; ++k) {
            auto position = static_cast<int64_t>(items[first + k]);
            within &= is_within(position, p.length);
            offsets[k] += position * p.stride;
        }
    });
    return within;
}

bool take_found(const Work &work, const Positions *positions, const Whole &whole, const Range &range) {
    for (int64_t first = range.begin; first < range.end; first += kBlock) {
        int64_t offsets[kBlock] = {};
        const Range block{first, std::min(first + kBlock, range.end), range.pitch};
        for (int64_t i = 0; i < work.arrays; ++i)
            if (!add_offsets(positions[i], first, block.end - first, offsets)) return false;
        copy_axes(Found{offsets, first}, whole, 0, work.row, work.x, work.out, block);
    }
    return true;
}

// Several threads may write the same.
void note_bounds(const Work &work, const Positions *positions) {
    for (int64_t i = 0; i < work.arrays; ++i)
        with_items(positions[i], [&](const auto *items) {
            const auto [least, largest] = std::minmax_element(items, items + work.count);
            __atomic_store_n(work.bounds + 2 * i, static_cast<int64_t>(*least), __ATOMIC_RELAXED);
            __atomic_store_n(work.bounds + 2 * i + 1, static_cast<int64_t>(*largest), __ATOMIC_RELAXED);
        });
}

}  // namespace

void take(int64_t *args, int64_t begin, int64_t end) {
    const Work &work = *reinterpret_cast<const Work *>(args);
    const auto *positions = reinterpret_cast<const Positions *>(&work + 1);
    const Whole whole = whole_of(work, reinterpret_cast<const Axis *>(positions + work.arrays));
    const Range range{begin, end, work.row};
    const auto copy = [&](const auto &where) {
        return copy_axes(where, whole, 0, work.row, work.x, work.out, range);
    };
    bool within = true;
    if (work.arrays > 2 || (work.arrays == 2 && positions[0].type != positions[1].type))
        within = take_found(work, positions, whole, range);
    else
        with_items(positions[0], [&](const auto *items) {
            const auto one = single(positions[0], items);
            within = work.arrays == 1 ? copy(one) : copy(Pair<std::decay_t<decltype(*items)>>{one, single(positions[1], items)});
        });
    if (!within) note_bounds(work, positions);
}

}  // namespace theano::gather
