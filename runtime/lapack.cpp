#include "lapack.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <mutex>
#include <type_traits>

#include "blas.h"
#include "copy.h"
#include "matmul.h"
#include "numpy_api.h"
#include "threads.h"

namespace theano::lapack {

namespace {

enum Name { potrf, potrs, getrf, getrs, getri, trtrs, heevd, gesdd, geqrf, ungqr, kNames };

struct Spelled {
    const char *real, *complex;
};
constexpr Spelled kSpelled[kNames] = {
    {"potrf", "potrf"}, {"potrs", "potrs"}, {"getrf", "getrf"}, {"getrs", "getrs"},
    {"getri", "getri"}, {"trtrs", "trtrs"}, {"syevd", "heevd"}, {"gesdd", "gesdd"},
    {"geqrf", "geqrf"}, {"orgqr", "ungqr"},
};
constexpr const char *kTypes = "sdcz";

struct Library {
    bool found = false;
    int integer_bits = 32;
    void *routines[kNames][4] = {};

    bool complete() const {
        for (auto &row : routines) {
            if (!std::all_of(row, row + 4, [](void *p) { return p != nullptr; })) return false;
        }
        return true;
    }
};

struct Spelling {
    const char *prefix, *suffix;
    int integer_bits;
};
// As in blas.cpp, for Fortran's interface.
constexpr Spelling kSpellings[] = {
    {"scipy_", "_64_", 64}, {"", "_64_", 64}, {"", "$NEWLAPACK$ILP64", 64},
    {"scipy_", "_", 32},    {"", "_64", 64},  {"", "$NEWLAPACK", 32},
    {"", "_", 32},
};

const char *routine_name(int name, int type) {
    return type >= blas::c ? kSpelled[name].complex : kSpelled[name].real;
}

bool try_spelling(const Spelling &spelling, Library &into) {
    Library made;
    made.integer_bits = spelling.integer_bits;
    for (int name = 0; name < kNames; ++name) {
        for (int type = blas::s; type <= blas::z; ++type) {
            std::string symbol = std::string(spelling.prefix) + kTypes[type] +
                                 routine_name(name, type) + spelling.suffix;
            made.routines[name][type] = blas::numpy_symbol(symbol.c_str());
            if (!made.routines[name][type]) return false;
        }
    }
    made.found = true;
    into = made;
    return true;
}

Library &library() {
    static Library *instance = [] {
        auto *made = new Library;
        for (const Spelling &spelling : kSpellings) {
            if (try_spelling(spelling, *made)) break;
        }
        return made;
    }();
    return *instance;
}

// Fortran takes every argument by its address.
template <class T, class... Arguments>
void call(Name name, Arguments... arguments) {
    using F = void(Arguments...);
    reinterpret_cast<F *>(library().routines[name][blas::TypeOf<T>::value])(arguments...);
}

template <class T>
struct RealOf {
    using type = T;
};
template <class T>
struct RealOf<std::complex<T>> {
    using type = T;
};
template <class T>
using Real = typename RealOf<T>::type;
template <class T>
constexpr bool is_complex = !std::is_same_v<T, Real<T>>;

// INVARIANT: LAPACK numbers its complaints from 1, and its arguments from -1.
constexpr std::int64_t kNoMemory = std::numeric_limits<std::int64_t>::min();

// One matrix of a stack (a vector: one column; a number: 1 by 1).
struct View {
    char *data;
    std::int64_t rows, columns, down, across;

    // The items one after another, rows first (C) or columns first (Fortran).
    template <class T>
    void rows_first(T *to) const {
        const std::int64_t shape[2] = {rows, columns}, strides[2] = {down, across};
        copy_strided(2, shape, strides, sizeof(T), to, data);
    }
    template <class T>
    void columns_first(T *to) const {
        const std::int64_t shape[2] = {columns, rows}, strides[2] = {across, down};
        copy_strided(2, shape, strides, sizeof(T), to, data);
    }
    // INVARIANT: `from` has columns of `rows` items, and this view is C-contiguous.
    template <class T>
    void take_columns(const T *from, std::int64_t leading) const {
        constexpr std::int64_t item = sizeof(T);
        const std::int64_t shape[2] = {rows, columns}, strides[2] = {item, leading * item};
        copy_strided(2, shape, strides, sizeof(T), data, from);
    }
    template <class T>
    T *as() const {
        return reinterpret_cast<T *>(data);
    }
    std::int64_t size() const { return rows * columns; }
};

// Working memory; throws nothing, `ok` tells.
template <class T>
class Work {
  public:
    explicit Work(std::int64_t count) {
        memory_ = static_cast<T *>(scratch_.get(std::max<std::int64_t>(count, 1), sizeof(T)));
    }
    T *get() const { return memory_; }
    explicit operator bool() const { return memory_ != nullptr; }

  private:
    Scratch scratch_;
    T *memory_;
};

template <class I>
I at_least_one(std::int64_t n) {
    return static_cast<I>(std::max<std::int64_t>(n, 1));
}

// What a workspace query answers: a count as a floating-point number.
template <class T>
std::int64_t asked(const T &answer) {
    return static_cast<std::int64_t>(std::real(answer)) + 1;
}

template <class T>
void clear_triangle(T *a, std::int64_t n, bool above) {
    for (std::int64_t i = 0; i < n; ++i) {
        if (above) std::fill(a + i * n + i + 1, a + i * n + n, T(0));
        else std::fill(a + i * n, a + i * n + i, T(0));
    }
}

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
        call<T>(trtrs, lower != by_rows ? "L" : "U", by_rows ? "T" : "N",
                flags & TH_UNIT ? "U" : "N", &n, &k, data, &lda, x, &ld, &info);
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
        : copied(writes || !together(v[0]) ? v[0].size() : 0), pivots(v[0].rows),
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

// The errors that a small pivot brings into the determinant and the inverse cancel in their product,
// as G. W. Stewart shows ("On the adjugate matrix", 1998): a pivot of 0 may be any small number.
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

template <class T>
bool gemm_operand(const View &a, Scratch &scratch, blas::Operand<T> &out) {
    constexpr std::int64_t item = sizeof(T);
    auto leads = [&](std::int64_t far, std::int64_t near, std::int64_t count) {
        return near == item && far % item == 0 && far / item >= std::max<std::int64_t>(count, 1) &&
               blas::fits(far / item, 1, 1);
    };
    if (leads(a.down, a.across, a.columns)) {
        out = {a.as<T>(), a.down / item, false};
        return true;
    }
    if (leads(a.across, a.down, a.rows)) {
        out = {a.as<T>(), a.across / item, true};
        return true;
    }
    T *copy = static_cast<T *>(scratch.get(a.size(), sizeof(T)));
    if (!copy) return false;
    a.rows_first(copy);
    out = {copy, a.columns, false};
    return true;
}

template <class T, class I>
std::int64_t stack_product(std::int64_t, const View *v) {
    const View &out = v[2];
    if (out.size() == 0) return 0;
    if (v[0].columns == 0) {
        std::fill_n(out.as<T>(), out.size(), T(0));
        return 0;
    }
    Scratch one, two;
    blas::Operand<T> a, b;
    if (!gemm_operand(v[0], one, a) || !gemm_operand(v[1], two, b)) return kNoMemory;
    blas::gemm<T>(out.rows, out.columns, v[0].columns, T(1), a, b, T(0), out.as<T>(), out.columns);
    return 0;
}

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
    const View &a = v[0];
    bool vectors = flags & TH_VECTORS;
    const char *job = vectors ? "V" : "N", *triangle = flags & TH_LOWER ? "L" : "U";
    Work<T> x(a.size());
    if (!x) return kNoMemory;
    a.columns_first(x.get());
    I n = static_cast<I>(a.rows), ld = at_least_one<I>(n), info = 0, query = -1, integers = 0;
    auto *w = v[1].as<Real<T>>();
    T answer(0);
    Real<T> reals(0);
    auto step = [&](T *work, I *size, Real<T> *real_work, I *real_size, I *whole, I *whole_size) {
        if constexpr (is_complex<T>)
            call<T>(heevd, job, triangle, &n, x.get(), &ld, w, work, size, real_work, real_size,
                    whole, whole_size, &info);
        else
            call<T>(heevd, job, triangle, &n, x.get(), &ld, w, work, size, whole, whole_size,
                    &info);
    };
    step(&answer, &query, &reals, &query, &integers, &query);
    if (info != 0) return info;
    I size = static_cast<I>(asked(answer)), real_size = static_cast<I>(asked(reals));
    Work<T> work(size);
    Work<Real<T>> real_work(real_size);
    Work<I> whole(integers);
    if (!work || !real_work || !whole) return kNoMemory;
    step(work.get(), &size, real_work.get(), &real_size, whole.get(), &integers);
    if (vectors) v[2].take_columns(x.get(), n);
    return info;
}

// A = U S V^H means A^T = conj(V) S U^T: of the rows, read as columns, LAPACK's U is our V^H.
template <class T, class I>
std::int64_t svd(std::int64_t flags, const View *v) {
    const View &a = v[0];
    bool vectors = flags & TH_VECTORS;
    const char *job = !vectors ? "N" : flags & TH_FULL ? "A" : "S";
    auto *s = v[vectors ? 2 : 1].as<Real<T>>();
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
    Work<T> x(a.size());
    Work<I> whole(8 * small);
    std::int64_t per_vector = 5 * small + std::max(5 * small, 2 * large + 2 * small) + 8;
    Work<Real<T>> reals(is_complex<T> ? small * per_vector : 1);
    if (!x || !whole || !reals) return kNoMemory;
    a.rows_first(x.get());
    I m = static_cast<I>(a.columns), n = static_cast<I>(a.rows), ldu = m, info = 0, size = -1;
    I ldvt = static_cast<I>(!vectors || flags & TH_FULL ? a.rows : small);
    T *u = vectors ? v[3].as<T>() : nullptr, *vt = vectors ? v[1].as<T>() : nullptr;
    auto step = [&](T *work) {
        if constexpr (is_complex<T>)
            call<T>(gesdd, job, &m, &n, x.get(), &m, s, u, &ldu, vt, &ldvt, work, &size,
                    reals.get(), whole.get(), &info);
        else
            call<T>(gesdd, job, &m, &n, x.get(), &m, s, u, &ldu, vt, &ldvt, work, &size,
                    whole.get(), &info);
    };
    T answer(0);
    step(&answer);
    if (info != 0) return info;
    Work<T> work(asked(answer));
    if (!work) return kNoMemory;
    size = static_cast<I>(asked(answer));
    step(work.get());
    return info;
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

using Routine = std::int64_t(std::int64_t flags, const View *views);

template <class T, class I>
Routine *routine_of(std::int64_t number) {
    static constexpr Routine *kRoutines[TH_ROUTINES] = {
        cholesky<T, I>, solve<T, I>,   solve_triangular<T, I>, solve_positive<T, I>,
        inverse<T, I>,  det<T, I>,     slogdet<T, I>,          lu<T, I>,
        eigh<T, I>,     svd<T, I>,     qr<T, I>,               stack_product<T, I>,
        keep_factor<T, I>, factor_solve<T, I>, factor_inverse<T, I>, factor_det<T, I>,
        factor_slogdet<T, I>, factor_adjugate<T, I>, pinv<T, I>,
    };
    return number >= 0 && number < TH_ROUTINES ? kRoutines[number] : nullptr;
}

template <class T>
Routine *routine_of_width(std::int64_t number) {
    return library().integer_bits == 64 ? routine_of<T, std::int64_t>(number)
                                        : routine_of<T, std::int32_t>(number);
}

Routine *find_routine(int typenum, std::int64_t number) {
    switch (typenum) {
        case NPY_FLOAT:
            return routine_of_width<float>(number);
        case NPY_DOUBLE:
            return routine_of_width<double>(number);
        case NPY_CFLOAT:
            return routine_of_width<std::complex<float>>(number);
        case NPY_CDOUBLE:
            return routine_of_width<std::complex<double>>(number);
        default:
            return nullptr;
    }
}

struct Batch {
    const Job &job;
    Routine *routine;
    std::int64_t rank = 0, count = 1, shape[kMostDimensions];
    std::mutex mutex;
    Outcome outcome;

    Batch(const Job &job_, Routine *routine_) : job(job_), routine(routine_) {
        for (int i = 0; i < job.count; ++i)
            rank = std::max(rank, job.stacks[i].ndim - job.stacks[i].core);
        std::fill(shape, shape + rank, 1);
        for (int i = 0; i < job.count; ++i) {
            const Stack &stack = job.stacks[i];
            std::int64_t own = stack.ndim - stack.core;
            for (std::int64_t axis = 0; axis < own; ++axis) {
                if (stack.shape[axis] != 1) shape[rank - own + axis] = stack.shape[axis];
            }
        }
        for (std::int64_t axis = 0; axis < rank; ++axis) count *= shape[axis];
    }

    View view(const Stack &stack, std::int64_t index) const {
        std::int64_t own = stack.ndim - stack.core, offset = 0;
        for (std::int64_t axis = rank - 1; axis >= rank - own; --axis) {
            std::int64_t mine = axis - (rank - own), at = index % shape[axis];
            if (stack.shape[mine] != 1) offset += at * stack.strides[mine];
            index /= shape[axis];
        }
        View out{stack.data + offset, 1, 1, 0, 0};
        if (stack.core >= 1) {
            out.rows = stack.shape[own];
            out.down = stack.strides[own];
        }
        if (stack.core == 2) {
            out.columns = stack.shape[own + 1];
            out.across = stack.strides[own + 1];
        }
        return out;
    }

    void compute(std::int64_t index) {
        View views[kMostStacks];
        for (int i = 0; i < job.count; ++i) views[i] = view(job.stacks[i], index);
        std::int64_t info = routine(job.flags, views);
        if (info == 0) return;
        std::lock_guard<std::mutex> guard(mutex);
        // The first of the stack, whichever thread is faster.
        if (outcome.status != Status::done && outcome.index < index) return;
        outcome = {info == kNoMemory ? Status::no_memory : Status::failed, info, index};
    }

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        auto &batch = *reinterpret_cast<Batch *>(args);
        for (std::int64_t index = begin; index < end; ++index) batch.compute(index);
    }
};

}  // namespace

bool found() { return library().found; }

void offer_from_scipy(const std::string &name, const char *signature, void *pointer) {
    Library &all = library();
    const char *type = name.empty() ? nullptr : std::strchr(kTypes, name[0]);
    if (all.found || !type || !*type) return;
    auto index = static_cast<int>(type - kTypes);
    for (int i = 0; i < kNames; ++i) {
        if (name.compare(1, std::string::npos, routine_name(i, index)) != 0) continue;
        all.routines[i][index] = pointer;
        all.integer_bits = std::strstr(signature, "int *") && !std::strstr(signature, "int64") &&
                                   !std::strstr(signature, "long")
                               ? 32
                               : 64;
    }
    all.found = all.complete();
}

Outcome run(int typenum, const Job &job) {
    Routine *routine = library().found ? find_routine(typenum, job.routine) : nullptr;
    if (!routine) return {Status::bad_routine, 0, 0};
    Batch batch(job, routine);
    blas::OneThread one;
    if (batch.count == 1) batch.compute(0);
    else if (batch.count > 1)
        threads::run(Batch::kernel, reinterpret_cast<std::int64_t *>(&batch), batch.count, 1);
    return batch.outcome;
}

}  // namespace theano::lapack
