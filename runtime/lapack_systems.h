// Linear systems: Cholesky's factor, solutions, inverses, determinants.
#pragma once

#include "lapack_call.h"
#include "lapack_triangle.h"

namespace theano::lapack {

// The rows of C are the columns of Fortran: the lower triangle in one is the upper in the other, of
// the transpose, and transposing a Hermitian matrix conjugates it: so no copy need be transposed.
template <class T, class I>
std::int64_t cholesky(std::int64_t flags, const View *v) {
    const View &a = v[0], &out = v[1];
    bool lower = flags & TH_LOWER;
    T *l = out.as<T>();
    a.rows_first(l);
    I n = static_cast<I>(a.rows), ld = at_least_one<I>(n), info = 0;
    call<T>(potrf, lower ? "U" : "L", &n, l, &ld, &info);
    if (info > 0 && (flags & TH_NAN)) {
        std::fill(l, l + out.size(), T(std::numeric_limits<Real<T>>::quiet_NaN()));
        return 0;
    }
    clear_triangle(l, n, lower);
    return info;
}

// Solves in `out` with `solve(b, columns, leading)`, which takes columns; a single one lies in
// `out` already.
template <class T, class F>
std::int64_t solve_columns(const View &b, const View &out, F solve) {
    if (b.columns == 1) {
        b.rows_first(out.as<T>());
        return solve(out.as<T>());
    }
    Work<T> columns(b.size());
    if (!columns) return kNoMemory;
    b.columns_first(columns.get());
    std::int64_t info = solve(columns.get());
    out.take_columns(columns.get(), b.rows);
    return info;
}

// P A = L U: the columns of both factors, and LAPACK's pivots.
template <class T, class I>
struct Factor {
    I n;
    T *columns;
    I *pivots;

    explicit operator bool() const { return columns && pivots; }
    I leading() const { return at_least_one<I>(n); }

    std::int64_t compute() const {
        I size = n, ld = leading(), info = 0;
        call<T>(getrf, &size, &size, columns, &ld, pivots, &info);
        return info;
    }

    // The place of the first zero pivot, from 1; 0 if there is none.
    std::int64_t singular() const {
        for (std::int64_t i = 0; i < n; ++i) {
            if (columns[i * (n + 1)] == T(0)) return i + 1;
        }
        return 0;
    }

    std::int64_t solve(const char *form, const View &b, const View &out) const {
        I size = n, k = static_cast<I>(b.columns), ld = leading(), info = 0;
        return solve_columns<T>(b, out, [&](T *x) {
            call<T>(getrs, form, &size, &k, columns, &ld, pivots, x, &ld, &info);
            return info;
        });
    }

    // Puts the inverse in the place of the factors.
    std::int64_t invert() const {
        I order = n, ld = leading(), info = 0, size = -1;
        T answer(0);
        call<T>(getri, &order, columns, &ld, pivots, &answer, &size, &info);
        Work<T> work(asked(answer));
        if (!work) return kNoMemory;
        size = static_cast<I>(asked(answer));
        call<T>(getri, &order, columns, &ld, pivots, work.get(), &size, &info);
        return info;
    }

    // The sign of the permutation, and `use(item)` for each pivot.
    template <class F>
    T sign(F use) const {
        T result(1);
        for (I i = 0; i < n; ++i) {
            if (pivots[i] != i + 1) result = -result;
            use(columns[i * (n + 1)]);
        }
        return result;
    }
};

template <class T, class I>
std::int64_t solve(std::int64_t, const View *v) {
    const View &a = v[0];
    Work<T> columns(a.size());
    Work<I> pivots(a.rows);
    Factor<T, I> factor{static_cast<I>(a.rows), columns.get(), pivots.get()};
    if (!factor) return kNoMemory;
    a.columns_first(factor.columns);
    std::int64_t info = factor.compute();
    return info != 0 ? info : factor.solve("N", v[1], v[2]);
}

template <class T, class I>
std::int64_t solve_positive(std::int64_t flags, const View *v) {
    const View &a = v[0], &b = v[1];
    Work<T> l(a.size());
    if (!l) return kNoMemory;
    a.columns_first(l.get());
    const char *triangle = flags & TH_LOWER ? "L" : "U";
    I n = static_cast<I>(a.rows), k = static_cast<I>(b.columns), ld = at_least_one<I>(n), info = 0;
    call<T>(potrf, triangle, &n, l.get(), &ld, &info);
    if (info != 0) return info;
    return solve_columns<T>(b, v[2], [&](T *x) {
        call<T>(potrs, triangle, &n, &k, l.get(), &ld, x, &ld, &info);
        return info;
    });
}

// A triangular matrix is read where it lies, rows or columns first.
template <class T, class I>
std::int64_t solve_triangular(std::int64_t flags, const View *v) {
    constexpr std::int64_t item = sizeof(T);
    const View &a = v[0], &b = v[1];
    if constexpr (!is_complex<T>) {
        if (solve_many_columns<T>(a, b, v[2], flags & TH_LOWER)) return 0;
    }
    std::int64_t n_ = a.rows;
    auto leads = [&](std::int64_t far, std::int64_t near) {
        return near == item && far % item == 0 && far / item >= std::max<std::int64_t>(n_, 1) &&
               blas::fits(far / item, 1, 1);
    };
    bool by_columns = leads(a.across, a.down), by_rows = !by_columns && leads(a.down, a.across);
    Work<T> copied(by_columns || by_rows ? 0 : a.size());
    if (!copied) return kNoMemory;
    const T *data = a.as<T>();
    std::int64_t leading = (by_columns ? a.across : a.down) / item;
    if (!by_columns && !by_rows) {
        a.columns_first(copied.get());
        data = copied.get();
        leading = n_;
    }
    bool lower = flags & TH_LOWER;
    I n = static_cast<I>(n_), k = static_cast<I>(b.columns), ld = at_least_one<I>(n);
    I lda = at_least_one<I>(leading), info = 0;
    return solve_columns<T>(b, v[2], [&](T *x) {
        call<T>(trtrs, lower != by_rows ? "L" : "U", by_rows ? "T" : "N", "N", &n, &k, data, &lda, x,
                &ld, &info);
        return info;
    });
}

// The inverse of the transpose is the transpose of the inverse.
template <class T, class I>
std::int64_t inverse(std::int64_t, const View *v) {
    Work<I> pivots(v[0].rows);
    Factor<T, I> factor{static_cast<I>(v[0].rows), v[1].as<T>(), pivots.get()};
    if (!factor) return kNoMemory;
    v[0].rows_first(factor.columns);
    std::int64_t info = factor.compute();
    return info != 0 ? info : factor.invert();
}

template <class T>
int exponent_of(const T &x) {
    int exponent = 0;
    std::frexp(std::max(std::abs(std::real(x)), std::abs(std::imag(x))), &exponent);
    return exponent;
}

template <class T>
T scaled(const T &x, int by) {
    if constexpr (is_complex<T>) return {std::ldexp(x.real(), by), std::ldexp(x.imag(), by)};
    else return std::ldexp(x, by);
}

// A number whose exponent is kept apart, so that only a result itself overflows.
template <class T>
struct Far {
    T product = T(1);
    std::int64_t exponent = 0;

    T times(const T &item) const {
        constexpr std::int64_t far = 1 << 20;
        int own = exponent_of(item);
        std::int64_t all = std::clamp(exponent + own, -far, far);
        return scaled(product * scaled(item, -own), static_cast<int>(all));
    }
};

template <class T, class I>
Far<T> far_det(const Factor<T, I> &factor) {
    T product(1);
    std::int64_t exponent = 0;
    T sign = factor.sign([&](const T &item) {
        int own = exponent_of(item);
        product *= scaled(item, -own);
        int more = exponent_of(product);
        product = scaled(product, -more);
        exponent += own + more;
    });
    return {sign * product, exponent};
}

template <class T, class I>
void write_det(const Factor<T, I> &factor, const View &out) {
    *out.as<T>() = far_det(factor).times(T(1));
}

template <class T, class I>
void write_slogdet(const Factor<T, I> &factor, const View &phase_out, const View &logarithm_out) {
    T phase(1);
    Real<T> logarithm = 0;
    T sign = factor.sign([&](const T &item) {
        Real<T> size = std::abs(item);
        phase *= size == 0 ? T(0) : item / size;
        logarithm += std::log(size);
    });
    *phase_out.as<T>() = phase * sign;
    *logarithm_out.as<Real<T>>() = logarithm;
}

// Of the transpose, whose determinant is the same.
template <class T, class I, class F>
std::int64_t with_factor(const View &a, F use) {
    Work<T> columns(a.size());
    Work<I> pivots(a.rows);
    Factor<T, I> factor{static_cast<I>(a.rows), columns.get(), pivots.get()};
    if (!factor) return kNoMemory;
    a.rows_first(factor.columns);
    std::int64_t info = factor.compute();
    if (info < 0) return info;
    use(factor);
    return 0;
}

template <class T, class I>
std::int64_t det(std::int64_t, const View *v) {
    return with_factor<T, I>(v[0], [&](const Factor<T, I> &f) { write_det(f, v[1]); });
}

template <class T, class I>
std::int64_t slogdet(std::int64_t, const View *v) {
    return with_factor<T, I>(v[0], [&](const Factor<T, I> &f) { write_slogdet(f, v[1], v[2]); });
}

// The columns of the factors and the pivots as arrays of the graph, for several uses.
template <class T, class I>
std::int64_t keep_factor(std::int64_t, const View *v) {
    const View &a = v[0];
    Work<I> pivots(a.rows);
    Factor<T, I> factor{static_cast<I>(a.rows), v[1].as<T>(), pivots.get()};
    if (!factor) return kNoMemory;
    a.columns_first(factor.columns);
    std::int64_t info = factor.compute();
    std::copy_n(factor.pivots, a.rows, v[2].as<std::int64_t>());
    return std::min<std::int64_t>(info, 0);
}

// A kept factor; its columns are copied if they will be written to, or lie apart.
template <class T, class I>
struct Kept {
    Work<T> copied;
    Work<I> pivots;
    Factor<T, I> factor;

    static bool together(const View &f) {
        constexpr std::int64_t item = sizeof(T);
        return f.rows <= 1 || (f.across == item && f.down == f.columns * item);
    }

    Kept(const View *v, bool writes)
        : copied(writes || !together(v[0]) ? v[0].size() : 0),
          pivots(v[0].rows),
          factor{static_cast<I>(v[0].rows), copied.get(), pivots.get()} {
        if (!factor) return;
        if (writes || !together(v[0])) v[0].rows_first(factor.columns);
        else factor.columns = v[0].as<T>();
        for (std::int64_t i = 0; i < v[0].rows; ++i) {
            std::int64_t pivot;
            std::memcpy(&pivot, v[1].data + i * v[1].down, sizeof pivot);
            factor.pivots[i] = static_cast<I>(pivot);
        }
    }
};

template <class T, class I>
std::int64_t factor_solve(std::int64_t flags, const View *v) {
    Kept<T, I> kept(v, false);
    if (!kept.factor) return kNoMemory;
    std::int64_t info = kept.factor.singular();
    return info != 0 ? info : kept.factor.solve(flags & TH_ADJOINT ? "C" : "N", v[2], v[3]);
}

template <class T, class I>
std::int64_t factor_inverse(std::int64_t, const View *v) {
    Kept<T, I> kept(v, true);
    if (!kept.factor) return kNoMemory;
    std::int64_t info = kept.factor.singular();
    if (info == 0) info = kept.factor.invert();
    v[2].take_columns(kept.factor.columns, v[2].rows);
    return info;
}

template <class T, class I>
std::int64_t factor_det(std::int64_t, const View *v) {
    Kept<T, I> kept(v, false);
    if (!kept.factor) return kNoMemory;
    write_det(kept.factor, v[2]);
    return 0;
}

template <class T, class I>
std::int64_t factor_slogdet(std::int64_t, const View *v) {
    Kept<T, I> kept(v, false);
    if (!kept.factor) return kNoMemory;
    write_slogdet(kept.factor, v[2], v[3]);
    return 0;
}

// The errors that a small pivot brings into the determinant and the inverse cancel in their
// product, as G. W. Stewart shows ("On the adjugate matrix", 1998): a pivot of 0 may be any small
// number.
template <class T, class I>
std::int64_t factor_adjugate(std::int64_t, const View *v) {
    Kept<T, I> kept(v, true);
    const Factor<T, I> &factor = kept.factor;
    if (!factor) return kNoMemory;
    Real<T> largest = 0;
    std::int64_t count = v[0].size();
    for (std::int64_t i = 0; i < count; ++i)
        largest = std::max(largest, std::abs(factor.columns[i]));
    if (largest == 0) {
        std::fill_n(v[2].as<T>(), count, T(count == 1 ? 1 : 0));
        return 0;
    }
    for (I i = 0; i < factor.n; ++i) {
        T &item = factor.columns[i * (factor.n + 1)];
        if (item == T(0)) item = largest * std::numeric_limits<Real<T>>::epsilon();
    }
    Far<T> det = far_det(factor);
    std::int64_t info = factor.invert();
    for (std::int64_t i = 0; i < count; ++i) factor.columns[i] = det.times(factor.columns[i]);
    v[2].take_columns(factor.columns, v[2].rows);
    return info;
}

}  // namespace theano::lapack
