// Triangular systems of real numbers with many right sides, some columns at a time.
//
// Each number is what it would be if its column were alone, and its sum goes from the first term to
// the last: its bits depend on nothing else.
#pragma once

#include <cstdint>

namespace theano::triangle {

// Larger systems do not fit the cache with the columns that are solved together, and fewer columns
// fill no vectors: LAPACK takes both.
constexpr std::int64_t kMostRows = 1024, kFewestColumns = 4;
// Bytes of the columns of one row that are solved together.
constexpr std::int64_t kBytes = 128;

// `x` consists of blocks of n rows of kBytes. `factors` has n rows of n, of which the first i in row i
// are those of what is known before, with the other sign; `inverse` that of each diagonal item.
template <class T>
using Solve = void(const T *factors, const T *inverse, std::int64_t n, T *x, std::int64_t blocks);

template <class T>
Solve<T> *solve_plain();
template <class T>
Solve<T> *solve_fma();
template <class T>
Solve<T> *solve_avx512();

}  // namespace theano::triangle
