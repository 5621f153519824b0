// Factorisations: LU, QR, singular values and eigenvalues.
#pragma once

#include "lapack_call.h"

namespace theano::lapack {

// Writes L (m, k), U (k, n) and, for each row of L U, which row of A it is.
template <class T, class I>
std::int64_t lu(std::int64_t, const View *v) {
    const View &a = v[0], &lower = v[1], &upper = v[2];
    Work<T> both(a.size());
    Work<I> pivots(lower.columns);
    if (!both || !pivots) return kNoMemory;
    a.columns_first(both.get());
    I m = static_cast<I>(a.rows), n = static_cast<I>(a.columns), ld = at_least_one<I>(m), info = 0;
    if (a.size()) call<T>(getrf, &m, &n, both.get(), &ld, pivots.get(), &info);
    if (info < 0) return info;
    lower.take_columns(both.get(), m);
    upper.take_columns(both.get(), m);
    std::int64_t k = lower.columns;
    for (std::int64_t i = 0; i < m; ++i) {
        T *row = lower.as<T>() + i * k;
        if (i < k) row[i] = T(1);
        for (std::int64_t j = i + 1; j < k; ++j) row[j] = T(0);
    }
    for (std::int64_t i = 0; i < k; ++i)
        std::fill_n(upper.as<T>() + i * n, std::min<std::int64_t>(i, n), T(0));
    auto *rows = v[3].as<std::int64_t>();
    for (std::int64_t i = 0; i < m; ++i) rows[i] = i;
    for (std::int64_t i = 0; i < k; ++i) std::swap(rows[i], rows[pivots.get()[i] - 1]);
    return 0;
}

// Eigenvalues, and with TH_VECTORS eigenvectors, of a Hermitian matrix.
template <class T, class I>
std::int64_t eigh(std::int64_t flags, const View *v) {
    using D = Wide<T>;
    const View &a = v[0];
    bool vectors = flags & TH_VECTORS;
    const char *job = vectors ? "V" : "N", *triangle = flags & TH_LOWER ? "L" : "U";
    Work<D> x(a.size());
    Result<Real<T>> values(v[1]);
    if (!x || !values || !widen<T>(a, true, x.get())) return kNoMemory;
    for (std::int64_t j = 0; j < a.columns; ++j) {
        const D *read = x.get() + j * a.rows;
        if (flags & TH_LOWER ? !all_finite(read + j, a.rows - j) : !all_finite(read, j + 1))
            return kNotFinite;
    }
    I n = static_cast<I>(a.rows), ld = at_least_one<I>(n), info = 0, query = -1, integers = 0;
    double *w = values.get(), reals(0);
    D answer(0);
    auto step = [&](D *work, I *size, double *real_work, I *real_size, I *whole, I *whole_size) {
        if constexpr (is_complex<T>)
            call<D>(heevd, job, triangle, &n, x.get(), &ld, w, work, size, real_work, real_size,
                    whole, whole_size, &info);
        else
            call<D>(heevd, job, triangle, &n, x.get(), &ld, w, work, size, whole, whole_size,
                    &info);
    };
    step(&answer, &query, &reals, &query, &integers, &query);
    if (info != 0) return info;
    I size = static_cast<I>(asked(answer)), real_size = static_cast<I>(asked(reals));
    Work<D> work(size);
    Work<double> real_work(real_size);
    Work<I> whole(integers);
    if (!work || !real_work || !whole) return kNoMemory;
    step(work.get(), &size, real_work.get(), &real_size, whole.get(), &integers);
    values.keep();
    return vectors && !take_columns<T>(v[2], x.get(), n) ? kNoMemory : info;
}

// The columns of A are given to LAPACK, as NumPy does: the signs of U and V are then NumPy's.
template <class T, class I>
std::int64_t svd(std::int64_t flags, const View *v) {
    using D = Wide<T>;
    const View &a = v[0];
    bool vectors = flags & TH_VECTORS;
    const char *job = !vectors ? "N" : flags & TH_FULL ? "A" : "S";
    std::int64_t small = std::min(a.rows, a.columns), large = std::max(a.rows, a.columns);
    if (small == 0) {
        if (!vectors) return 0;
        for (int i : {1, 3}) {
            std::fill_n(v[i].as<T>(), v[i].size(), T(0));
            for (std::int64_t j = 0; j < std::min(v[i].rows, v[i].columns); ++j)
                v[i].as<T>()[j * (v[i].columns + 1)] = T(1);
        }
        return 0;
    }
    Work<D> x(a.size());
    Result<Real<T>> values(v[vectors ? 2 : 1]);
    Work<I> whole(8 * small);
    std::int64_t per_vector = 5 * small + std::max(5 * small, 2 * large + 2 * small) + 8;
    Work<double> reals(is_complex<T> ? small * per_vector : 1);
    if (!x || !values || !whole || !reals || !widen<T>(a, true, x.get())) return kNoMemory;
    if (!all_finite(x.get(), a.size())) return kNotFinite;
    I m = static_cast<I>(a.rows), n = static_cast<I>(a.columns), ldu = m, info = 0, size = -1;
    I ldvt = static_cast<I>(!vectors ? 1 : v[3].rows);
    Work<D> left(vectors ? v[1].size() : 1), right(vectors ? v[3].size() : 1);
    if (!left || !right) return kNoMemory;
    D *u = left.get(), *vt = right.get();
    double *s = values.get();
    auto step = [&](D *work) {
        if constexpr (is_complex<T>)
            call<D>(gesdd, job, &m, &n, x.get(), &m, s, u, &ldu, vt, &ldvt, work, &size,
                    reals.get(), whole.get(), &info);
        else
            call<D>(gesdd, job, &m, &n, x.get(), &m, s, u, &ldu, vt, &ldvt, work, &size,
                    whole.get(), &info);
    };
    D answer(0);
    step(&answer);
    if (info != 0) return info;
    Work<D> work(asked(answer));
    if (!work) return kNoMemory;
    size = static_cast<I>(asked(answer));
    step(work.get());
    values.keep();
    bool all = !vectors || (take_columns<T>(v[1], u, m) && take_columns<T>(v[3], vt, ldvt));
    return all ? info : kNoMemory;
}

// V diag(1/s) U^H; as in NumPy, singular values below 1e-15 of the largest count as 0.
template <class T, class I>
std::int64_t pinv(std::int64_t, const View *v) {
    const View &a = v[0];
    std::int64_t m = a.rows, n = a.columns, k = std::min(m, n);
    if (k == 0) return 0;
    Work<T> u(m * k), vh(k * n);
    Work<Real<T>> s(k);
    if (!u || !vh || !s) return kNoMemory;
    auto view = [](auto *data, std::int64_t rows, std::int64_t columns) {
        return View{reinterpret_cast<char *>(data), rows, columns, 0, 0};
    };
    const View parts[4] = {a, view(u.get(), m, k), view(s.get(), k, 1), view(vh.get(), k, n)};
    std::int64_t info = svd<T, I>(TH_VECTORS, parts);
    if (info != 0) return info;
    if constexpr (is_complex<T>) {
        for (std::int64_t i = 0; i < m * k; ++i) u.get()[i] = std::conj(u.get()[i]);
        for (std::int64_t i = 0; i < k * n; ++i) vh.get()[i] = std::conj(vh.get()[i]);
    }
    Real<T> least = Real<T>(1e-15) * s.get()[0];
    for (std::int64_t i = 0; i < k; ++i) {
        Real<T> factor = s.get()[i] > least ? 1 / s.get()[i] : Real<T>(0);
        for (std::int64_t j = 0; j < n; ++j) vh.get()[i * n + j] *= factor;
    }
    const blas::Operand<T> left{vh.get(), n, true}, right{u.get(), k, true};
    blas::gemm<T>(n, m, k, T(1), left, right, T(0), v[1].as<T>(), m);
    return 0;
}

// What LAPACK leaves of A: its columns, and the factors of Householder's reflections.
template <class T, class I>
std::int64_t qr_raw(std::int64_t, const View *v) {
    const View &a = v[0];
    T *x = v[1].as<T>(), *tau = v[2].as<T>(), answer(0);
    a.columns_first(x);
    I m = static_cast<I>(a.rows), n = static_cast<I>(a.columns), ld = at_least_one<I>(m), info = 0;
    I size = -1;
    call<T>(geqrf, &m, &n, x, &ld, tau, &answer, &size, &info);
    if (info != 0) return info;
    size = static_cast<I>(asked(answer));
    Work<T> work(size);
    if (!work) return kNoMemory;
    call<T>(geqrf, &m, &n, x, &ld, tau, work.get(), &size, &info);
    return info;
}

// Q (m, k) and R (k, n); with TH_FULL Q is (m, m) and R (m, n); without TH_VECTORS only R.
template <class T, class I>
std::int64_t qr(std::int64_t flags, const View *v) {
    const View &a = v[0], &r = v[flags & TH_VECTORS ? 2 : 1];
    std::int64_t small = std::min(a.rows, a.columns);
    std::int64_t wide = std::max(a.columns, flags & TH_FULL ? a.rows : small);
    Work<T> x(a.rows * wide), tau(small);
    if (!x || !tau) return kNoMemory;
    a.columns_first(x.get());
    I m = static_cast<I>(a.rows), n = static_cast<I>(a.columns), ld = at_least_one<I>(m), info = 0;
    I size = -1, k = static_cast<I>(small);
    I columns = static_cast<I>(flags & TH_FULL ? a.rows : small);
    T answer(0), other(0);
    call<T>(geqrf, &m, &n, x.get(), &ld, tau.get(), &answer, &size, &info);
    if (info == 0 && (flags & TH_VECTORS))
        call<T>(ungqr, &m, &columns, &k, x.get(), &ld, tau.get(), &other, &size, &info);
    if (info != 0) return info;
    size = static_cast<I>(std::max(asked(answer), asked(other)));
    Work<T> work(size);
    if (!work) return kNoMemory;
    call<T>(geqrf, &m, &n, x.get(), &ld, tau.get(), work.get(), &size, &info);
    r.take_columns(x.get(), m);
    for (std::int64_t i = 0; i < r.rows; ++i)
        std::fill_n(r.as<T>() + i * n, std::min<std::int64_t>(i, n), T(0));
    if (!(flags & TH_VECTORS) || info != 0) return info;
    call<T>(ungqr, &m, &columns, &k, x.get(), &ld, tau.get(), work.get(), &size, &info);
    v[1].take_columns(x.get(), m);
    return info;
}

}  // namespace theano::lapack
