// Forward derivatives that cost less than the products and solutions they are written with.
#pragma once

#include "lapack_call.h"

namespace theano::lapack {

// The tangent of a small lower triangle L whose product L L^H has the tangent in `out`, in place;
// rows of both lie `leading` items apart. The rows of Cholesky's method, differentiated.
template <class T>
void small_cholesky_tangent(const T *l, T *out, std::int64_t n, std::int64_t leading) {
    auto conjugate = [](const T &x) {
        if constexpr (is_complex<T>) return std::conj(x);
        else return x;
    };
    for (std::int64_t i = 0; i < n; ++i) {
        const T *own = l + i * leading;
        T *row = out + i * leading;
        for (std::int64_t j = 0; j <= i; ++j) {
            const T *other = l + j * leading, *slope = out + j * leading;
            T rest = row[j];
            for (std::int64_t k = 0; k < j; ++k)
                rest -= row[k] * conjugate(other[k]) + own[k] * conjugate(slope[k]);
            if (j < i) row[j] = (rest - own[j] * conjugate(slope[j])) / conjugate(other[j]);
            else row[j] = std::real(rest) / (Real<T>(2) * std::real(own[j]));
        }
        std::fill(row + i + 1, row + n, T(0));
    }
}

template <class T>
void conjugate_rows(const T *from, T *to, std::int64_t rows, std::int64_t columns,
                    std::int64_t leading) {
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < columns; ++j)
            to[i * leading + j] = std::conj(from[i * leading + j]);
    }
}

// From L and the tangent of L L^H, of which the lower triangle is read, to that of L. By columns of
// blocks, after I. Murray, arXiv:1602.07527: most of the work are products.
template <class T, class I>
std::int64_t cholesky_tangent(std::int64_t, const View *v) {
    constexpr std::int64_t item = sizeof(T), wide = 24;
    const View &factor = v[0];
    std::int64_t n = factor.rows, info_all = 0;
    bool together = factor.across == item && factor.down == n * item;
    // Two rows of blocks, conjugated, where that makes a difference.
    Work<T> copied(together ? 0 : n * n), turned(is_complex<T> ? 2 * wide * n : 0);
    if (!copied || !turned) return kNoMemory;
    const T *l = factor.as<T>();
    if (!together) {
        factor.rows_first(copied.get());
        l = copied.get();
    }
    T *out = v[2].as<T>();
    v[1].rows_first(out);
    for (std::int64_t at = 0; at < n; at += wide) {
        std::int64_t w = std::min(wide, n - at), rest = n - at - w, below = (at + w) * n;
        const T *l_rows = l + at * n, *slopes = out + at * n;
        T *block = out + at * n + at;
        if (at > 0) {
            const T *l_turned = l_rows, *slopes_turned = slopes;
            if constexpr (is_complex<T>) {
                conjugate_rows(l_rows, turned.get(), w, at, n);
                conjugate_rows(slopes, turned.get() + wide * n, w, at, n);
                l_turned = turned.get();
                slopes_turned = turned.get() + wide * n;
            }
            blas::gemm<T>(n - at, w, at, T(-1), {slopes, n, false}, {l_turned, n, true}, T(1),
                          block, n);
            blas::gemm<T>(n - at, w, at, T(-1), {l_rows, n, false}, {slopes_turned, n, true}, T(1),
                          block, n);
        }
        small_cholesky_tangent(l_rows + at, block, w, n);
        if (rest == 0) continue;
        const T *block_turned = block;
        if constexpr (is_complex<T>) {
            conjugate_rows(block, turned.get(), w, w, n);
            block_turned = turned.get();
        }
        T *panel = out + below + at;
        blas::gemm<T>(rest, w, w, T(-1), {l + below + at, n, false}, {block_turned, n, true}, T(1),
                      panel, n);
        // X L^H = B is conj(L) X^T = B^T; the rows of these are the columns of Fortran.
        I size = static_cast<I>(w), count = static_cast<I>(rest), ld = static_cast<I>(n), info = 0;
        call<T>(trtrs, "U", "C", "N", &size, &count, l_rows + at, &ld, panel, &ld, &info);
        if (info > 0 && info_all == 0) info_all = at + info;
    }
    clear_triangle(out, n, true);
    return info_all;
}

}  // namespace theano::lapack
