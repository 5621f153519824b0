// The inner loops of products with packed matrices, for one kind of vectors.
//
// Everything here is private to the file that includes it, and calls built-in functions only: that
// file is compiled for some processors, and code of its own must not be linked into code for all.
#pragma once

#include "panels.h"

namespace theano {
namespace panels {

namespace {

// `kRows` rows, each of `kVectors` vectors of `kBytes` bytes, are summed at a time.
template <class T, int kBytes, int kVectors, int kRows>
struct Tile {
    typedef T Vector __attribute__((vector_size(kBytes)));
    static constexpr int kLanes = kBytes / sizeof(T), kWidth = kLanes * kVectors;

    // The first `left` columns of a panel belong to the matrix.
    static void sums(const Work &work, const T *panel, const T *x, T *out, std::int64_t left) {
        const std::int64_t leading = work.leading / static_cast<std::int64_t>(sizeof(T));
        const std::int64_t terms = work.terms, columns = work.columns;
        const auto bytes = static_cast<unsigned long>(left) * sizeof(T);
        const bool whole = left >= kWidth;
        T part[kWidth] = {};
        Vector sum[kRows][kVectors] = {};
        if (work.added) {
            for (int r = 0; r < kRows; ++r) {
                if (!whole) __builtin_memcpy(part, out + r * columns, bytes);
                const T *from = whole ? out + r * columns : part;
                for (int v = 0; v < kVectors; ++v) {
                    // Through a variable of its own, sums stay in registers.
                    Vector value;
                    __builtin_memcpy(&value, from + v * kLanes, sizeof value);
                    sum[r][v] = value;
                }
            }
        }
        for (std::int64_t term = 0; term < terms; ++term) {
            Vector row[kVectors];
            for (int v = 0; v < kVectors; ++v)
                __builtin_memcpy(&row[v], panel + term * kWidth + v * kLanes, sizeof(Vector));
            for (int r = 0; r < kRows; ++r) {
                const T factor = x[r * leading + term];
                for (int v = 0; v < kVectors; ++v) sum[r][v] = row[v] * factor + sum[r][v];
            }
        }
        for (int r = 0; r < kRows; ++r) {
            T *to = whole ? out + r * columns : part;
            for (int v = 0; v < kVectors; ++v) {
                const Vector value = sum[r][v];
                __builtin_memcpy(to + v * kLanes, &value, sizeof value);
            }
            if (!whole) __builtin_memcpy(out + r * columns, part, bytes);
        }
    }
};

// The rows [first, last) of a panel's columns of the result.
template <class T, int kBytes, int kVectors, int kRows>
void multiply_rows(const Work &work, std::int64_t panel, std::int64_t first, std::int64_t last) {
    const std::int64_t column = panel * Tile<T, kBytes, kVectors, 1>::kWidth;
    const T *packed = reinterpret_cast<const T *>(work.packed) + column * work.terms;
    auto sums = [&](auto tile, std::int64_t row) {
        tile.sums(work, packed, reinterpret_cast<const T *>(work.source + row * work.leading),
                  reinterpret_cast<T *>(work.out) + row * work.columns + column,
                  work.columns - column);
    };
    std::int64_t row = first;
    for (; row + kRows <= last; row += kRows) sums(Tile<T, kBytes, kVectors, kRows>{}, row);
    if constexpr (kRows > 4) {
        for (; row + 4 <= last; row += 4) sums(Tile<T, kBytes, kVectors, 4>{}, row);
    }
    for (; row < last; ++row) sums(Tile<T, kBytes, kVectors, 1>{}, row);
}

}  // namespace

}  // namespace panels
}  // namespace theano
