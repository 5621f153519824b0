// Products of matrices and vectors, for every numeric type of NumPy's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool.h"
#include "threads.h"

namespace theano {

// Strides in bytes, of any value.
struct Matrix {
    const char *data;
    std::int64_t rows, columns, down, across;

    Matrix transposed() const { return {data, columns, rows, across, down}; }
};

enum class MatmulStatus { done, no_memory, bad_type, interrupted };

// C (a.rows, b.columns; contiguous) = alpha * A @ B + beta * C. alpha, beta: one item; nullptr: 1
// and 0. Where there is no memory to work with, it takes longer and does without.
MatmulStatus matmul(int typenum, const Matrix &a, const Matrix &b, void *c, const void *alpha,
                    const void *beta, const threads::Poll &poll);

// The same, without alpha, for pairs of matrices; one word each, so that compiled programs can write it.
struct Pairs {
    std::int64_t typenum, count, rows, terms, columns;
    // Bytes from one matrix to the next, and from one row and column to the next.
    std::int64_t a_step, a_down, a_across, b_step, b_down, b_across, c_step;
    const char *a, *b;
    char *c;
    const void *beta;
};
MatmulStatus matmul_pairs(const Pairs &pairs, const threads::Poll &poll);

// Memory that is given back at the end of the scope.
class Scratch {
  public:
    Scratch() = default;
    ~Scratch() {
        if (memory_) pool::release(memory_);
    }
    Scratch(const Scratch &) = delete;
    Scratch &operator=(const Scratch &) = delete;

    void *get(std::int64_t count, std::size_t itemsize) {
        // INVARIANT: called once; the count of items of an existing array, or a product that cannot
        // overflow a double.
        if (static_cast<double>(count) * static_cast<double>(itemsize) > 1e18) return nullptr;
        return memory_ = pool::allocate(count * static_cast<std::int64_t>(itemsize));
    }

  private:
    void *memory_ = nullptr;
};

// The products that BLAS does not have: integers, bool and long double; floats where there is no
// BLAS, or no memory for it.
MatmulStatus plain_matmul(int typenum, const Matrix &a, const Matrix &b, void *c, const void *alpha,
                          const void *beta, const threads::Poll &poll);

}  // namespace theano
