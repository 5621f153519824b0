// Products of float matrices and vectors, their inner loops compiled for two kinds of vectors.
//
// How a sum is added up depends on the number of terms alone, so that its bits depend neither on
// threads nor on blocks.
#pragma once

#include <cstdint>
#include <type_traits>

#include "processor.h"

namespace theano::vector_products {

// y = alpha * A @ x + beta * y; x and y are contiguous, and so are the rows of A, or its columns.
struct Product {
    const void *matrix;
    std::int64_t leading;  // items from one row to the next, or from one column
    std::int64_t terms;    // columns of A
    const void *x;
    void *y;
    const void *alpha, *beta;
};

// Items [begin, end) of y, of a matrix whose rows, or whose columns, are contiguous.
using Part = void(const Product &product, std::int64_t begin, std::int64_t end);
struct Loops {
    Part *rows, *columns;
};

#if defined(__x86_64__)
const Loops &loops_fma(std::int64_t itemsize), &loops_avx512(std::int64_t itemsize);
#endif

// nullptr where BLAS does no worse.
inline const Loops *loops(std::int64_t itemsize) {
#if defined(__x86_64__)
    static const bool wide = has_avx512(), fast = has_fma();
    if (wide) return &loops_avx512(itemsize);
    if (fast) return &loops_fma(itemsize);
#endif
    (void)itemsize;
    return nullptr;
}

// The same for matrices with rows, or columns, of a length, of so many items in all: BLAS does not use the
// widest vectors everywhere, and takes a while to begin. Where no vector is filled, it needs less time for
// many rows.
template <class T>
const Loops *loops_for(std::int64_t length, std::int64_t items) {
    constexpr std::int64_t kNarrow = 64 / sizeof(T), kFewItems = 1024;
    if (length < kNarrow && items > kFewItems) return nullptr;
    if constexpr (std::is_floating_point<T>::value) return loops(sizeof(T));
    return nullptr;
}

}  // namespace theano::vector_products
