// Derivatives that cost less than the products and solutions they are written with.
#pragma once

#include "lapack_call.h"

namespace theano::lapack {

template <class T>
T conjugate_of(const T &x) {
    if constexpr (is_complex<T>) return std::conj(x);
    else return x;
}

// The tangent of a small lower triangle L whose product L L^H has the tangent in `out`, in place;
// rows of both lie `leading` items apart. The rows of Cholesky's method, differentiated.
template <class T>
void small_cholesky_tangent(const T *l, T *out, std::int64_t n, std::int64_t leading) {
    for (std::int64_t i = 0; i < n; ++i) {
        const T *own = l + i * leading;
        T *row = out + i * leading;
        for (std::int64_t j = 0; j <= i; ++j) {
            const T *other = l + j * leading, *slope = out + j * leading;
            T rest = row[j];
            for (std::int64_t k = 0; k < j; ++k)
                rest -= row[k] * conjugate_of(other[k]) + own[k] * conjugate_of(slope[k]);
            if (j < i) row[j] = (rest - own[j] * conjugate_of(slope[j])) / conjugate_of(other[j]);
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

// The rows of a factor one after the other: where it lies, or a copy.
template <class T>
struct FactorRows {
    const bool together;
    Work<T> copied;
    const T *items;
    explicit FactorRows(const View &factor)
        : together(factor.across == sizeof(T) && factor.down == factor.rows * factor.across),
          copied(together ? 0 : factor.size()),
          items(together ? factor.as<T>() : copied.get()) {
        if (!together && copied) factor.rows_first(copied.get());
    }
};

// From L and the tangent of L L^H, of which the lower triangle is read, to that of L. By columns of
// blocks, after I. Murray, arXiv:1602.07527: most of the work are products.
template <class T, class I>
std::int64_t cholesky_tangent(std::int64_t, const View *v) {
    constexpr std::int64_t wide = 24;
    std::int64_t n = v[0].rows, info_all = 0;
    const FactorRows<T> factor(v[0]);
    // Two rows of blocks, conjugated, where that makes a difference.
    Work<T> turned(is_complex<T> ? 2 * wide * n : 0);
    if (!factor.copied || !turned) return kNoMemory;
    const T *l = factor.items;
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

// From the cotangent of a small lower triangle L, in place, to that of L L^H, of which the lower
// triangle is read; rows of both lie `leading` items apart. The rows of Cholesky's method,
// differentiated, from the last to the first.
template <class T>
void small_cholesky_cotangent(const T *l, T *out, std::int64_t n, std::int64_t leading) {
    for (std::int64_t i = n - 1; i >= 0; --i) {
        const T *own = l + i * leading;
        T *row = out + i * leading;
        const Real<T> diagonal = std::real(own[i]);
        Real<T> sum = std::real(row[i]);
        for (std::int64_t r = i + 1; r < n; ++r) {
            T &item = out[r * leading + i];
            item /= diagonal;
            sum -= std::real(conjugate_of(l[r * leading + i]) * item);
        }
        const Real<T> slope = sum / diagonal;
        for (std::int64_t k = 0; k < i; ++k) row[k] -= slope * own[k];
        for (std::int64_t r = i + 1; r < n; ++r) {
            T *below = out + r * leading;
            const T *other = l + r * leading;
            const T item = below[i], turned = conjugate_of(item);
            for (std::int64_t k = 0; k < i; ++k) {
                below[k] -= item * own[k];
                row[k] -= turned * other[k];
            }
        }
        row[i] = slope / 2;
    }
}

// The same for any size, with room for n * n items: of the halves of L = (A 0; C D), first that of D.
template <class T, class I>
void cholesky_cotangent_in(const T *l, T *out, std::int64_t n, std::int64_t leading, T *room) {
    constexpr std::int64_t kSmall = 32;
    if (n <= kSmall) return small_cholesky_cotangent(l, out, n, leading);
    const std::int64_t first = (n / 2 + 15) / 16 * 16, second = n - first;
    const T *c = l + first * leading, *d = c + first;
    T *g_c = out + first * leading, *g_d = g_c + first;
    cholesky_cotangent_in<T, I>(d, g_d, second, leading, room);
    // D D^H is what C C^H was taken from.
    for (std::int64_t i = 0; i < second; ++i) {
        for (std::int64_t j = 0; j < i; ++j) {
            const T item = g_d[i * leading + j];
            room[i * second + j] = item;
            room[j * second + i] = conjugate_of(item);
        }
        room[i * (second + 1)] = T(2) * g_d[i * (leading + 1)];
    }
    blas::gemm<T>(second, first, second, T(-1), {room, second, false}, {c, leading, false}, T(1), g_c,
                  leading);
    // X A = C; the rows of these are the columns of Fortran.
    I size = static_cast<I>(first), count = static_cast<I>(second), info = 0;
    I ld = static_cast<I>(leading);
    call<T>(trtrs, "U", "N", "N", &size, &count, l, &ld, g_c, &ld, &info);
    const T *turned = g_c;
    std::int64_t turned_leading = leading;
    if constexpr (is_complex<T>) {
        for (std::int64_t i = 0; i < second; ++i)
            std::transform(g_c + i * leading, g_c + i * leading + first, room + i * first,
                           conjugate_of<T>);
        turned = room;
        turned_leading = first;
    }
    blas::gemm<T>(first, first, second, T(-1), {turned, turned_leading, true}, {c, leading, false},
                  T(1), out, leading);
    cholesky_cotangent_in<T, I>(l, out, first, leading, room);
}

// The place of the first zero on the diagonal, from 1; 0 if there is none.
template <class T>
std::int64_t zero_on_diagonal(const T *l, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
        if (l[i * (n + 1)] == T(0)) return i + 1;
    }
    return 0;
}

// From L and the cotangent of L, of which the lower triangle is read, to that of L L^H.
template <class T, class I>
std::int64_t cholesky_cotangent(std::int64_t, const View *v) {
    const std::int64_t n = v[0].rows, most = (n + 32) / 2;
    const FactorRows<T> factor(v[0]);
    Work<T> room(most * most);
    if (!factor.copied || !room) return kNoMemory;
    const T *l = factor.items;
    T *out = v[2].as<T>();
    v[1].rows_first(out);
    const std::int64_t info = zero_on_diagonal(l, n);
    if (info == 0) cholesky_cotangent_in<T, I>(l, out, n, n, room.get());
    clear_triangle(out, n, true);
    return info;
}

}  // namespace theano::lapack
