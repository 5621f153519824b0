// LAPACK's functions by pointer, and the matrices and working memory that they are called with.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "blas.h"
#include "copy.h"
#include "include/theano_runtime.h"
#include "matmul.h"

namespace theano::lapack {

enum Name { potrf, potrs, getrf, getrs, getri, trtrs, heevd, gesdd, geqrf, ungqr, geev, kNames };

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

Library &library();

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
// No complaint: of complex results the real parts were kept.
constexpr std::int64_t kRealPartsOnly = std::numeric_limits<std::int64_t>::max();

// A matrix with infinities or NaN is not given to routines that iterate: LAPACK may do so for ever.
constexpr std::int64_t kNotFinite = -1;

template <class T>
bool all_finite(const T *x, std::int64_t count) {
    return std::all_of(x, x + count, [](const T &item) {
        return std::isfinite(std::real(item)) && std::isfinite(std::imag(item));
    });
}

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

// Spectra are computed in double precision whatever the type, as NumPy does: else vectors would have
// other signs.
template <class T>
using Wide = std::conditional_t<is_complex<T>, std::complex<double>, double>;

// The matrix with its items one after another; false where memory is short.
template <class T>
bool widen(const View &a, bool by_columns, Wide<T> *to) {
    Work<T> narrow(std::is_same_v<T, Wide<T>> ? 1 : a.size());
    if (!narrow) return false;
    T *from;
    if constexpr (std::is_same_v<T, Wide<T>>) from = to;
    else from = narrow.get();
    if (by_columns) a.columns_first(from);
    else a.rows_first(from);
    if constexpr (!std::is_same_v<T, Wide<T>>) std::copy_n(from, a.size(), to);
    return true;
}

// A result that is computed in double precision: in its own memory, if that has as much.
template <class T>
class Result {
  public:
    explicit Result(const View &to)
        : to_(to.as<T>()), count_(to.size()), wide_(kSame ? 1 : to.size()) {}
    explicit operator bool() const { return static_cast<bool>(wide_); }
    Wide<T> *get() const {
        if constexpr (kSame) return to_;
        else return wide_.get();
    }
    void keep() const {
        if constexpr (!kSame)
            std::transform(get(), get() + count_, to_, [](Wide<T> x) { return T(x); });
    }

  private:
    static constexpr bool kSame = std::is_same_v<T, Wide<T>>;
    T *to_;
    std::int64_t count_;
    Work<Wide<T>> wide_;
};

// As `View::take_columns`, of items in double precision; false where memory is short.
template <class T>
bool take_columns(const View &to, const Wide<T> *from, std::int64_t leading) {
    Result<T> result(to);
    if (!result) return false;
    View wide{reinterpret_cast<char *>(result.get()), to.rows, to.columns, 0, 0};
    wide.take_columns(from, leading);
    result.keep();
    return true;
}

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

}  // namespace theano::lapack
