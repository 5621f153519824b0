// Products of small matrices, one after the other.
//
// A row of a product is summed in vectors along it, each sum from the first term to the last, so that
// results depend neither on the vectors nor on how many matrices there are.
#pragma once

#include <cstdint>

namespace theano::small {

// Matrices of one shape; distances in bytes.
struct Stack {
    const char *data;
    std::int64_t step, down, across;  // from one matrix, row, column to the next
};

// C = alpha * A @ B + beta * C.
struct Products {
    std::int64_t count, rows, terms, columns;
    Stack a, b;
    char *c;                   // its matrices are contiguous
    std::int64_t step;         // from one of them to the next
    const void *alpha, *beta;  // one item each, or nullptr: 1 and 0
};

// Rows of B fill at most so many vectors.
constexpr std::int64_t kMostTerms = 64, kMostVectors = 4;

// Whether `multiply` is faster than what is for all sizes.
bool suits(std::int64_t rows, std::int64_t terms, std::int64_t columns, std::int64_t itemsize);
// Whether it is for a stack of such products, also of matrices and vectors.
bool suits_stack(std::int64_t rows, std::int64_t terms, std::int64_t columns, std::int64_t itemsize);
// Whether it is for blocks of many rows: those of one vector fill half of a panel of panels.h.
bool suits_rows(std::int64_t rows, std::int64_t terms, std::int64_t columns, std::int64_t itemsize);

// Whether one product of many rows, which several of fill a vector, is one for `multiply_short`, which
// multiplies the rows from `begin` to `end`.
bool suits_short(const Products &product, std::int64_t itemsize);
void multiply_short(const Products &product, std::int64_t itemsize, std::int64_t begin, std::int64_t end);

// The products from `begin` to `end`, of float or double.
void multiply(const Products &products, std::int64_t itemsize, std::int64_t begin, std::int64_t end);

}  // namespace theano::small
