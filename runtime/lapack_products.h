// Products with the sum of a matrix and its transpose, which gradients of symmetric matrices have.
#pragma once

#include "lapack_call.h"
#include "numpy_api.h"

namespace theano::lapack {

template <class T>
constexpr int kTypenum = std::is_same_v<T, float>                 ? NPY_FLOAT
                         : std::is_same_v<T, double>              ? NPY_DOUBLE
                         : std::is_same_v<T, std::complex<float>> ? NPY_CFLOAT
                                                                  : NPY_CDOUBLE;

// A + A^T, by blocks that stay in the first cache.
template <class T>
void plus_transpose(const View &a, T *out) {
    constexpr std::int64_t kSide = 32;
    const std::int64_t n = a.rows;
    auto at = [&](std::int64_t i, std::int64_t j) {
        T item;
        std::memcpy(&item, a.data + i * a.down + j * a.across, sizeof item);
        return item;
    };
    for (std::int64_t i0 = 0; i0 < n; i0 += kSide) {
        for (std::int64_t j0 = 0; j0 <= i0; j0 += kSide) {
            for (std::int64_t i = i0; i < std::min(i0 + kSide, n); ++i) {
                for (std::int64_t j = j0; j < std::min({j0 + kSide, n, i + 1}); ++j)
                    out[i * n + j] = out[j * n + i] = at(i, j) + at(j, i);
            }
        }
    }
}

// (A + A^T) B, or B (A + A^T): with their sum where there are so many columns, or rows, of B that it
// costs less than a second product.
template <class T, bool on_right>
std::int64_t multiply_by_symmetric(const View *v) {
    constexpr std::int64_t kMany = 32, item = sizeof(T);
    const View &a = v[0], &b = v[1];
    auto multiply = [&](const Matrix &left, const T *beta) {
        const Matrix right{b.data, b.rows, b.columns, b.down, b.across};
        return on_right ? matmul(kTypenum<T>, right, left, v[2].data, nullptr, beta, {})
                        : matmul(kTypenum<T>, left, right, v[2].data, nullptr, beta, {});
    };
    if ((on_right ? b.rows : b.columns) >= kMany) {
        Work<T> sum(a.size());
        if (sum) {
            plus_transpose(a, sum.get());
            const char *data = reinterpret_cast<const char *>(sum.get());
            multiply({data, a.rows, a.rows, a.rows * item, item}, nullptr);
            return 0;
        }
    }
    const Matrix once{a.data, a.rows, a.columns, a.down, a.across};
    const T one(1);
    multiply(once, nullptr);
    multiply(once.transposed(), &one);
    return 0;
}

template <class T>
std::int64_t symmetric_product(std::int64_t, const View *v) {
    return multiply_by_symmetric<T, false>(v);
}

template <class T>
std::int64_t product_symmetric(std::int64_t, const View *v) {
    return multiply_by_symmetric<T, true>(v);
}

}  // namespace theano::lapack
