// The loops of triangle.h for vectors of one width.
#pragma once

#include "triangle.h"
#include "vectors.h"

namespace theano::triangle {

namespace {

// Solves for some rows, of which those before `row` are known.
template <class T, int kVector, int kRows>
TH_INLINE void solve_rows(const T *factors, const T *inverse, std::int64_t n, T *x, std::int64_t row) {
    using Vectors = Vectors<T, kVector>;
    using Vector = typename Vectors::Vector;
    constexpr std::int64_t kWidth = kBytes / sizeof(T);
    // So many vectors that their sums stay in registers.
    constexpr std::int64_t kTogether = 2 * Vectors::kLanes;
    const T *const mine = factors + row * n;
    for (std::int64_t column = 0; column < kWidth; column += kTogether) {
        T *const at = x + column;
        Vector sums[kRows][2];
        TH_UNROLL for (int r = 0; r < kRows; ++r) {
            sums[r][0] = Vectors::load(at + (row + r) * kWidth);
            sums[r][1] = Vectors::load(at + (row + r) * kWidth + Vectors::kLanes);
        }
        for (std::int64_t j = 0; j < row; ++j) {
            const Vector one = Vectors::load(at + j * kWidth);
            const Vector two = Vectors::load(at + j * kWidth + Vectors::kLanes);
            TH_UNROLL for (int r = 0; r < kRows; ++r) {
                const Vector factor = mine[r * n + j] - Vector{};
                Vectors::add_product(sums[r][0], factor, one);
                Vectors::add_product(sums[r][1], factor, two);
            }
        }
        TH_UNROLL for (int r = 0; r < kRows; ++r) {
            TH_UNROLL for (int s = 0; s < r; ++s) {
                const Vector factor = mine[r * n + row + s] - Vector{};
                Vectors::add_product(sums[r][0], factor, sums[s][0]);
                Vectors::add_product(sums[r][1], factor, sums[s][1]);
            }
            TH_UNROLL for (int part = 0; part < 2; ++part) {
                sums[r][part] *= inverse[row + r] - Vector{};
                Vectors::store(at + (row + r) * kWidth + part * Vectors::kLanes, sums[r][part]);
            }
        }
    }
}

template <class T, int kVector>
void solve(const T *factors, const T *inverse, std::int64_t n, T *x, std::int64_t blocks) {
    constexpr int kRows = 4;
    const std::int64_t block = n * static_cast<std::int64_t>(kBytes / sizeof(T));
    T *const end = x + blocks * block;
    std::int64_t row = 0;
    for (; row + kRows <= n; row += kRows) {
        for (T *at = x; at < end; at += block)
            solve_rows<T, kVector, kRows>(factors, inverse, n, at, row);
    }
    for (; row < n; ++row) {
        for (T *at = x; at < end; at += block)
            solve_rows<T, kVector, 1>(factors, inverse, n, at, row);
    }
}

}  // namespace

}  // namespace theano::triangle
