// For every processor, and once more each for those with AVX2 and with AVX-512.
#include "scatter_loops.h"

#include "vectors.h"

// Longer vectors would often lie on two lines of the cache.
#if defined(__AVX512F__)
#define TH_FUNCTIONS functions_avx512
#define TH_BYTES 32
#elif defined(__AVX2__)
#define TH_FUNCTIONS functions_fma
#define TH_BYTES 32
#else
#define TH_FUNCTIONS functions_plain
#define TH_BYTES 16
#endif

namespace theano::scatter {

namespace {

using std::int64_t;

struct Set {
    template <class T>
    static TH_INLINE T of(const T &, const T &item) {
        return item;
    }
};

struct Sum {
    template <class T>
    static TH_INLINE T of(const T &old, const T &item) {
        return static_cast<T>(old + item);
    }
};

struct Either {
    template <class T>
    static TH_INLINE T of(const T &old, const T &item) {
        return static_cast<T>(old | item);
    }
};

template <class Change, class T>
TH_INLINE void change(char *to, const T &item) {
    T old;
    __builtin_memcpy(&old, to, sizeof(T));
    old = Change::of(old, item);
    __builtin_memcpy(to, &old, sizeof(T));
}

// What a row is changed by: items side by side, or one for all.
template <class T>
struct Items {
    const char *from;

    template <int kBytes>
    TH_INLINE auto vector(int64_t at) const {
        typename Vectors<T, kBytes>::Vector items;
        __builtin_memcpy(&items, from + at, kBytes);
        return items;
    }
};

template <class T>
struct OneItem {
    T item;

    explicit OneItem(const char *from) { __builtin_memcpy(&item, from, sizeof(T)); }
    template <int kBytes>
    TH_INLINE auto vector(int64_t) const {
        return item - typename Vectors<T, kBytes>::Vector{};
    }
};

// A row of so many bytes, known before, in vectors of at most `kBytes`.
template <class Change, int kBytes, int kRow, class Source>
TH_INLINE void change_row(char *to, const Source &source, int64_t at = 0) {
    if constexpr (kRow < kBytes) {
        change_row<Change, kBytes / 2, kRow>(to, source, at);
    } else {
        change<Change>(to + at, source.template vector<kBytes>(at));
        if constexpr (kRow > kBytes) change_row<Change, kBytes, kRow - kBytes>(to, source, at + kBytes);
    }
}

// What is left of a row: fewer bytes than two vectors of `kBytes`, the least of which has one item.
template <class Change, int kLeast, int kBytes, class Source>
TH_INLINE void change_rest(char *to, const Source &source, int64_t at, int64_t nbytes) {
    if constexpr (kBytes >= kLeast) {
        const int64_t part = (nbytes - at) & kBytes;
        if (part) change<Change>(to + at, source.template vector<kBytes>(at));
        change_rest<Change, kLeast, kBytes / 2>(to, source, at + part, nbytes);
    }
}

// `kLength`: how many items a row has; 0: as it says.
template <class Change, class T, class Source, int kLength = 0>
void change_rows(const Rows &rows) {
    constexpr int kSize = sizeof(T);
    const int64_t nbytes = rows.length * kSize, whole = nbytes & -TH_BYTES;
    const int64_t count = rows.count, pitch = rows.pitch, *const offsets = rows.offsets;
    const char *y = rows.y;
    char *const out = rows.out;
    for (int64_t k = 0; k < count; ++k, y += pitch) {
        char *const to = out + offsets[k];
        const Source source{y};
        if constexpr (kLength > 0) {
            change_row<Change, TH_BYTES, kLength * kSize>(to, source);
        } else {
            for (int64_t at = 0; at < whole; at += TH_BYTES)
                change<Change>(to + at, source.template vector<TH_BYTES>(at));
            change_rest<Change, kSize, TH_BYTES / 2>(to, source, whole, nbytes);
        }
    }
}

template <class Change, class T>
void packed(const Rows &rows) {
    switch (rows.length) {
        case 1:
            return change_rows<Change, T, Items<T>, 1>(rows);
        case 2:
            return change_rows<Change, T, Items<T>, 2>(rows);
        case 3:
            return change_rows<Change, T, Items<T>, 3>(rows);
        case 4:
            return change_rows<Change, T, Items<T>, 4>(rows);
        case 8:
            return change_rows<Change, T, Items<T>, 8>(rows);
        default:
            return change_rows<Change, T, Items<T>>(rows);
    }
}

template <class Change, class T>
void apart(const Rows &rows) {
    for (int64_t k = 0; k < rows.count; ++k) {
        char *to = rows.out + rows.offsets[k];
        const char *from = rows.y + k * rows.pitch;
        for (int64_t j = 0; j < rows.length; ++j, to += rows.out_step, from += rows.y_step)
            change_row<Change, sizeof(T), sizeof(T)>(to, Items<T>{from});
    }
}

template <class Change, class T>
constexpr Loops kLoops{packed<Change, T>, change_rows<Change, T, OneItem<T>>, apart<Change, T>};

template <class T>
TH_INLINE int64_t offset_of(const Line &line, int64_t at) {
    T item;
    __builtin_memcpy(&item, line.items + at, sizeof(T));
    const auto position = static_cast<int64_t>(item);
    return (position + (position < 0 ? line.length : 0)) * line.stride;
}

// By value: what is written might be what is read.
template <class T>
void add_of(const Line line, int64_t *offsets) {
    constexpr int64_t kSize = sizeof(T);
    if (line.step == kSize)
        for (int64_t k = 0; k < line.count; ++k) offsets[k] += offset_of<T>(line, k * kSize);
    else
        for (int64_t k = 0; k < line.count; ++k) offsets[k] += offset_of<T>(line, k * line.step);
}

void add_offsets(const Line &line, int64_t *offsets) {
    switch (line.type) {
        case 1:
            return add_of<std::int8_t>(line, offsets);
        case 2:
            return add_of<std::int16_t>(line, offsets);
        case 4:
            return add_of<std::int32_t>(line, offsets);
        case -1:
            return add_of<std::uint8_t>(line, offsets);
        case -2:
            return add_of<std::uint16_t>(line, offsets);
        case -4:
            return add_of<std::uint32_t>(line, offsets);
        default:
            return add_of<int64_t>(line, offsets);
    }
}

}  // namespace

// Halves are added by what is compiled once.
const Functions TH_FUNCTIONS{
    {kLoops<Set, std::uint8_t>, kLoops<Set, std::uint16_t>, kLoops<Set, std::uint32_t>,
     kLoops<Set, std::uint64_t>, kLoops<Sum, std::uint8_t>, kLoops<Sum, std::uint16_t>,
     kLoops<Sum, std::uint32_t>, kLoops<Sum, std::uint64_t>, kLoops<Either, std::uint8_t>,
     kLoops<Sum, float>, kLoops<Sum, double>, {}},
    add_offsets};

}  // namespace theano::scatter
