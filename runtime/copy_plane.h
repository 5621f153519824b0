// Planes of items: rows and columns, copied in the way that suits how they lie.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "row_copies.h"
#include "vectors.h"

namespace theano::copies {

// Bytes from one row, and from one item of a row, to the next: of what is read (`down`, `across`) and of
// what is written.
struct Plane {
    std::int64_t rows, down, out_down, columns, across, out_across;
};

using CopyPlane = void (*)(const Plane &plane, const char *x, char *out);

namespace {

using std::int64_t;

template <class T>
T load(const char *from) {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
}

template <class T>
void store(char *to, T value) {
    std::memcpy(to, &value, sizeof(T));
}

// Rows whose items lie side by side in both.
template <class T>
void copy_rows(const Plane &plane, const char *x, char *out) {
    copy_rows_of_bytes({x, plane.down, plane.columns * static_cast<int64_t>(sizeof(T)), plane.rows, out, plane.out_down});
}

template <class T>
void copy_each(const Plane &plane, const char *x, char *out) {
    for (int64_t i = 0; i < plane.rows; ++i, x += plane.down, out += plane.out_down) {
        const char *from = x;
        char *to = out;
        TH_UNROLL
        for (int64_t j = 0; j < plane.columns; ++j, from += plane.across, to += plane.out_across)
            store(to, load<T>(from));
    }
}

// Rows of which each is one item.
template <class T>
void fill_rows(const Plane &plane, const char *x, char *out) {
    constexpr int64_t item = sizeof(T);
    for (int64_t i = 0; i < plane.rows; ++i, x += plane.down, out += plane.out_down) {
        const T value = load<T>(x);
        for (int64_t j = 0; j < plane.columns; ++j) store(out + j * item, value);
    }
}

// Vectors of 16 bytes, of items whose bits are moved; larger items are as vectors of one.
template <class T, bool kMany = (sizeof(T) < 16)>
struct Lanes {
    static constexpr int kLanes = 1;
};

template <class T>
struct Lanes<T, true> {
    static constexpr int kLanes = 16 / sizeof(T);
    typedef T Vector __attribute__((vector_size(16)));

    static Vector load(const char *from) {
        Vector x;
        std::memcpy(&x, from, 16);
        return x;
    }
    static void store(char *to, Vector x) { std::memcpy(to, &x, 16); }

    // The items of the first halves of two vectors in turn, and those of the second halves.
    static TH_INLINE Vector low(Vector x, Vector y) {
        if constexpr (kLanes == 2) return TH_SHUFFLE(x, y, Vector, 0, 2);
        else if constexpr (kLanes == 4) return TH_SHUFFLE(x, y, Vector, 0, 4, 1, 5);
        else if constexpr (kLanes == 8) return TH_SHUFFLE(x, y, Vector, 0, 8, 1, 9, 2, 10, 3, 11);
        else
            return TH_SHUFFLE(x, y, Vector, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    }
    static TH_INLINE Vector high(Vector x, Vector y) {
        if constexpr (kLanes == 2) return TH_SHUFFLE(x, y, Vector, 1, 3);
        else if constexpr (kLanes == 4) return TH_SHUFFLE(x, y, Vector, 2, 6, 3, 7);
        else if constexpr (kLanes == 8) return TH_SHUFFLE(x, y, Vector, 4, 12, 5, 13, 6, 14, 7, 15);
        else
            return TH_SHUFFLE(x, y, Vector, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
};

#if defined(__x86_64__)
template <class T>
__attribute__((target("avx2"))) inline __m256i backwards(__m256i x) {
    if constexpr (sizeof(T) == 8) return _mm256_permute4x64_epi64(x, 0x1b);
    if constexpr (sizeof(T) == 4) return _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0));
    const __m128i half = sizeof(T) == 2 ? _mm_setr_epi8(14, 15, 12, 13, 10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1)
                                        : _mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm256_permute4x64_epi64(_mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(half)), 0x4e);
}
#endif

// Rows whose items lie side by side, the last one first, from column `begin` on.
template <class T>
void turn_rest(const Plane &plane, const char *x, char *out, int64_t begin) {
    constexpr int64_t item = sizeof(T);
    for (int64_t i = 0; i < plane.rows; ++i, x += plane.down, out += plane.out_down)
        for (int64_t j = begin; j < plane.columns; ++j) store(out + j * item, load<T>(x - j * item));
}

template <class T>
void turn_rows(const Plane &plane, const char *x, char *out) {
    turn_rest<T>(plane, x, out, 0);
}

#if defined(__x86_64__)
template <class T>
__attribute__((target("avx2"))) void turn_rows_avx2(const Plane &plane, const char *x, char *out) {
    constexpr int64_t kBytes = 32, item = sizeof(T), n = kBytes / item;
    const int64_t whole = plane.columns / n * n;
    for (int64_t i = 0; i < plane.rows; ++i) {
        const char *from = x + i * plane.down + item - kBytes;
        char *to = out + i * plane.out_down;
        for (int64_t j = 0; j < whole; j += n, from -= kBytes, to += kBytes) {
            const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
            _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), backwards<T>(v));
        }
    }
    turn_rest<T>(plane, x, out, whole);
}
#endif

// A square of as many rows as a vector has lanes: `x` column by column, `out` row by row.
template <class T>
TH_INLINE void turn_square(const char *x, int64_t across, char *out, int64_t out_down) {
    using L = Lanes<T>;
    if constexpr (L::kLanes == 1) {
        store(out, load<T>(x));
    } else {
        constexpr int n = L::kLanes;
        typename L::Vector a[n], b[n];
        TH_UNROLL for (int i = 0; i < n; ++i) a[i] = L::load(x + i * across);
        // Halves are interleaved as often as turns all lanes to their places.
        TH_UNROLL for (int step = 1; step < n; step *= 2) {
            TH_UNROLL for (int i = 0; i < n / 2; ++i) {
                b[2 * i] = L::low(a[i], a[i + n / 2]);
                b[2 * i + 1] = L::high(a[i], a[i + n / 2]);
            }
            TH_UNROLL for (int i = 0; i < n; ++i) a[i] = b[i];
        }
        TH_UNROLL for (int i = 0; i < n; ++i) L::store(out + i * out_down, a[i]);
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) inline __m256i load_32(const char *from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
}

__attribute__((target("avx2"))) inline void store_32(char *to, __m256i x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), x);
}

// The same in vectors of 32 bytes, of two or four items.
template <class T>
__attribute__((target("avx2"))) inline void turn_square_avx2(const char *x, int64_t across, char *out,
                                                             int64_t out_down) {
    const __m256i a = load_32(x), b = load_32(x + across);
    if constexpr (sizeof(T) == 16) {
        store_32(out, _mm256_permute2x128_si256(a, b, 0x20));
        store_32(out + out_down, _mm256_permute2x128_si256(a, b, 0x31));
    } else {
        const __m256i c = load_32(x + 2 * across), d = load_32(x + 3 * across);
        const __m256i ab = _mm256_unpacklo_epi64(a, b), cd = _mm256_unpacklo_epi64(c, d);
        const __m256i next_ab = _mm256_unpackhi_epi64(a, b), next_cd = _mm256_unpackhi_epi64(c, d);
        store_32(out, _mm256_permute2x128_si256(ab, cd, 0x20));
        store_32(out + out_down, _mm256_permute2x128_si256(next_ab, next_cd, 0x20));
        store_32(out + 2 * out_down, _mm256_permute2x128_si256(ab, cd, 0x31));
        store_32(out + 3 * out_down, _mm256_permute2x128_si256(next_ab, next_cd, 0x31));
    }
}
#endif

// Bytes of the columns of `x` that are read together, which are lines of a cache, and how many of them. Rows so far
// apart are in the same places of a cache.
constexpr int64_t kLine = 64, kTogether = 256, kSamePlace = 1024;

// A line of each of some columns: squares of `n` rows, which `turn` turns, so many columns after each other.
template <class T, int64_t n, int64_t kColumns, class Turn>
TH_INLINE void turn_columns(const char *x, int64_t across, char *out, int64_t out_down, int64_t rows, int64_t columns,
                            const Turn &turn) {
    constexpr int64_t item = sizeof(T);
    for (int64_t j0 = 0; j0 < columns; j0 += kColumns) {
        const int64_t j1 = kColumns == n ? j0 + n : std::min(columns, j0 + kColumns);
        // Lines of as many columns are more than processors foresee.
        for (int64_t j = j0; j < j1; ++j) __builtin_prefetch(x + rows * item + j * across);
        for (int64_t i = 0; i < rows; i += n)
            for (int64_t j = j0; j < j1; j += n)
                turn(x + i * item + j * across, across, out + i * out_down + j * item, out_down);
    }
}

// Of large items, and where rows push each other out of the cache, these are written by lines.
template <class T, int64_t n, class Turn>
TH_INLINE void turn_strip(const char *x, int64_t across, char *out, int64_t out_down, int64_t rows, int64_t columns,
                          const Turn &turn) {
    if (sizeof(T) >= 8 || out_down % kSamePlace == 0)
        return turn_columns<T, n, kLine / sizeof(T)>(x, across, out, out_down, rows, columns, turn);
    turn_columns<T, n, n>(x, across, out, out_down, rows, columns, turn);
}

using TurnStrip = void (*)(const char *x, int64_t across, char *out, int64_t out_down, int64_t rows, int64_t columns);

template <class T>
void turn_strip_plain(const char *x, int64_t across, char *out, int64_t out_down, int64_t rows, int64_t columns) {
    turn_strip<T, Lanes<T>::kLanes>(x, across, out, out_down, rows, columns, turn_square<T>);
}

#if defined(__x86_64__)
template <class T>
__attribute__((target("avx2"))) void turn_strip_avx2(const char *x, int64_t across, char *out, int64_t out_down,
                                                     int64_t rows, int64_t columns) {
    turn_strip<T, 32 / sizeof(T)>(x, across, out, out_down, rows, columns, turn_square_avx2<T>);
}
#endif

// What lies column by column, written row by row; squares have `n` rows.
template <class T>
void turn_plane_by(const Plane &plane, const char *x, char *out, int64_t n, TurnStrip strip) {
    constexpr int64_t item = sizeof(T), high = kLine / item;
    const int64_t rows = plane.rows / n * n, columns = plane.columns / n * n;
    for (int64_t j = 0; j < columns; j += kTogether) {
        for (int64_t i = 0; i < rows; i += high)
            strip(x + i * item + j * plane.across, plane.across, out + i * plane.out_down + j * item, plane.out_down,
                  std::min(high, rows - i), std::min(kTogether, columns - j));
    }
    Plane rest = plane;
    rest.columns = plane.columns - columns;
    if (rest.columns) copy_each<T>(rest, x + columns * plane.across, out + columns * item);
    rest = plane;
    rest.rows = plane.rows - rows;
    rest.columns = columns;
    if (rest.rows) copy_each<T>(rest, x + rows * item, out + rows * plane.out_down);
}

template <class T>
void turn_plane(const Plane &plane, const char *x, char *out) {
#if defined(__x86_64__)
    if constexpr (sizeof(T) == 8 || sizeof(T) == 16) {
        static const bool wide = has_fma();
        constexpr int64_t n = 32 / sizeof(T);
        if (wide && plane.rows >= n && plane.columns >= n)
            return turn_plane_by<T>(plane, x, out, n, turn_strip_avx2<T>);
    }
#endif
    turn_plane_by<T>(plane, x, out, Lanes<T>::kLanes, turn_strip_plain<T>);
}

}  // namespace

}  // namespace theano::copies
