// Products of float matrices by panels, whatever their lengths and strides.
#pragma once

#include "matmul.h"

namespace theano {
namespace panels {

// Whether this is faster than BLAS, which does not use vectors of 512 bits on every processor that has them,
// for products that are `scaled`, or are not.
bool suits_product(const Matrix &a, const Matrix &b, std::int64_t itemsize, bool scaled);

// C (a.rows, b.columns; contiguous) = alpha * A @ B + beta * C. If B is the transpose of A and beta
// is 0, one triangle is computed and copied (`gram`). Each sum goes from the first term to the last.
template <class T>
MatmulStatus product(const Matrix &a, const Matrix &b, T *c, T alpha, T beta, bool gram,
                     const threads::Poll &poll);

}  // namespace panels
}  // namespace theano
