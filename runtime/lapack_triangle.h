// Triangular systems with many right sides, which need none of LAPACK.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>

#include "lapack_call.h"
#include "processor.h"
#include "triangle.h"

namespace theano::lapack {

// Blocks of columns that are moved together: memory gives and takes rows in longer pieces.
constexpr std::int64_t kBlocks = 8;

template <class T>
triangle::Solve<T> *triangle_loop() {
#if defined(__x86_64__)
    if (has_avx512()) return triangle::solve_avx512<T>();
    if (has_fma()) return triangle::solve_fma<T>();
#endif
    return triangle::solve_plain<T>();
}

template <class T>
const T &item_of(const View &a, std::int64_t row, std::int64_t column) {
    return *reinterpret_cast<const T *>(a.data + row * a.down + column * a.across);
}

// A call takes longer than copying so little, hence a length that is known where it can be.
template <class T>
void copy_piece(void *to, const void *from, std::int64_t count) {
    const std::int64_t bytes = count * static_cast<std::int64_t>(sizeof(T));
    if (bytes == triangle::kBytes) std::memcpy(to, from, triangle::kBytes);
    else std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

// Moves columns of `b` from `first` on between memory and blocks, one for each kBytes of a row: `count`
// in all. In blocks the last row comes first, unless they are of a lower triangle's.
template <class T, class F>
void each_piece(const View &b, bool lower, std::int64_t first, std::int64_t count, T *x, F move) {
    constexpr std::int64_t kWidth = triangle::kBytes / sizeof(T);
    for (std::int64_t row = 0; row < b.rows; ++row) {
        const std::int64_t place = lower ? row : b.rows - 1 - row;
        for (std::int64_t done = 0; done < count; done += kWidth) {
            T *const block = x + done * b.rows + place * kWidth;
            move(b.data + row * b.down + (first + done) * b.across, block,
                 std::min(kWidth, count - done));
        }
    }
}

template <class T>
void take_columns_of(const View &b, bool lower, std::int64_t first, std::int64_t count, T *x) {
    constexpr std::int64_t kWidth = triangle::kBytes / sizeof(T), item = sizeof(T);
    if (b.across == item) {
        each_piece(b, lower, first, count, x, [](const char *from, T *to, std::int64_t some) {
            copy_piece<T>(to, from, some);
            std::fill(to + some, to + kWidth, T(0));
        });
        return;
    }
    for (std::int64_t column = 0; column < (count + kWidth - 1) / kWidth * kWidth; ++column) {
        T *to = x + column / kWidth * kWidth * b.rows + column % kWidth;
        const char *from = b.data + (first + column) * b.across;
        for (std::int64_t row = 0; row < b.rows; ++row) {
            T &place = to[(lower ? row : b.rows - 1 - row) * kWidth];
            place = column < count ? *reinterpret_cast<const T *>(from + row * b.down) : T(0);
        }
    }
}

// Whether it was solved; LAPACK takes systems that are singular, or nearly so, and other shapes.
template <class T>
bool solve_many_columns(const View &a, const View &b, const View &out, bool lower) {
    const std::int64_t n = a.rows;
    if (n == 0 || n > triangle::kMostRows || b.columns < triangle::kFewestColumns) return false;
    constexpr std::int64_t kWidth = triangle::kBytes / sizeof(T);
    const std::int64_t together = std::min(kBlocks, (b.columns + kWidth - 1) / kWidth);
    Work<T> factors(n * n), inverse(n), rows((n * together + 1) * kWidth);
    if (!factors || !inverse || !rows) return false;
    for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t mine = lower ? i : n - 1 - i;
        const T diagonal = item_of<T>(a, mine, mine);
        inverse.get()[i] = 1 / diagonal;
        if (!std::isnormal(diagonal) || !std::isnormal(inverse.get()[i])) return false;
        for (std::int64_t j = 0; j < i; ++j)
            factors.get()[i * n + j] = -item_of<T>(a, mine, lower ? j : n - 1 - j);
    }
    auto address = reinterpret_cast<std::uintptr_t>(rows.get());
    T *const x = rows.get() + (-address % 64) / sizeof(T);
    triangle::Solve<T> *const loop = triangle_loop<T>();
    for (std::int64_t first = 0; first < b.columns; first += together * kWidth) {
        const std::int64_t count = std::min(together * kWidth, b.columns - first);
        take_columns_of(b, lower, first, count, x);
        loop(factors.get(), inverse.get(), n, x, (count + kWidth - 1) / kWidth);
        each_piece(out, lower, first, count, x, [](char *to, const T *from, std::int64_t some) {
            copy_piece<T>(to, from, some);
        });
    }
    return true;
}

}  // namespace theano::lapack
