// The inner loops of sparse_loops.h, for vectors of some length.
#pragma once

#include <cstdint>

#include "sparse_loops.h"

// A product is rounded before it is added, whatever the processor could do.
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

namespace theano::sparse {
namespace {

// Items ahead whose rows of the dense matrix are fetched from memory.
constexpr std::int64_t kAhead = 6;
constexpr std::int64_t kCacheLine = 64;

template <class T, class Index, int kItems>
void add_row(const Product &p, std::int64_t first, std::int64_t last, std::int64_t column, T *out) {
    const T *data = static_cast<const T *>(p.data), *dense = static_cast<const T *>(p.dense) + column;
    const Index *indices = static_cast<const Index *>(p.indices);
    T sums[kItems] = {};
    for (std::int64_t k = first; k < last; ++k) {
        if (kItems > 1 && k + kAhead < last) {
            const T *next = dense + static_cast<std::int64_t>(indices[k + kAhead]) * p.columns;
            for (int j = 0; j < kItems; j += static_cast<int>(kCacheLine / sizeof(T)))
                __builtin_prefetch(next + j);
        }
        const T factor = data[k];
        const T *row = dense + static_cast<std::int64_t>(indices[k]) * p.columns;
        for (int j = 0; j < kItems; ++j) sums[j] += factor * row[j];
    }
    for (int j = 0; j < kItems; ++j) out[j] = sums[j];
}

template <class T, class Index>
void rows_times_vector(const Product &p, std::int64_t begin, std::int64_t end) {
    const T *data = static_cast<const T *>(p.data), *vector = static_cast<const T *>(p.dense);
    const Index *indices = static_cast<const Index *>(p.indices);
    const Index *starts = static_cast<const Index *>(p.starts);
    T *out = static_cast<T *>(p.out);
    for (std::int64_t i = begin, k = starts[begin]; i < end; ++i) {
        T sum = 0;
        for (const std::int64_t last = starts[i + 1]; k < last; ++k) sum += data[k] * vector[indices[k]];
        out[i] = sum;
    }
}

template <class T, class Index, int kBytes>
void rows(const Product &p, std::int64_t begin, std::int64_t end) {
    constexpr int kLanes = kBytes / static_cast<int>(sizeof(T)), kWide = 8 * kLanes;
    if (p.columns == 1) return rows_times_vector<T, Index>(p, begin, end);
    const Index *starts = static_cast<const Index *>(p.starts);
    for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t first = starts[i], last = starts[i + 1];
        T *out = static_cast<T *>(p.out) + i * p.columns;
        std::int64_t c = 0;
        for (; c + kWide <= p.columns; c += kWide) add_row<T, Index, kWide>(p, first, last, c, out + c);
        for (; c + kLanes <= p.columns; c += kLanes)
            add_row<T, Index, kLanes>(p, first, last, c, out + c);
        for (; c < p.columns; ++c) add_row<T, Index, 1>(p, first, last, c, out + c);
    }
}

template <class T, class Index>
void columns(const Product &p, std::int64_t begin, std::int64_t end) {
    const T *data = static_cast<const T *>(p.data);
    const Index *indices = static_cast<const Index *>(p.indices);
    const Index *starts = static_cast<const Index *>(p.starts);
    for (std::int64_t line = 0; line < p.lines; ++line) {
        const T *row = static_cast<const T *>(p.dense) + line * p.columns;
        for (std::int64_t k = starts[line]; k < starts[line + 1]; ++k) {
            const T factor = data[k];
            T *out = static_cast<T *>(p.out) + static_cast<std::int64_t>(indices[k]) * p.columns;
            for (std::int64_t j = begin; j < end; ++j) out[j] += factor * row[j];
        }
    }
}

template <class T, int kBytes>
const Loops &loops_of(std::int64_t indexsize) {
    static const Loops narrow{rows<T, std::int32_t, kBytes>, columns<T, std::int32_t>};
    static const Loops wide{rows<T, std::int64_t, kBytes>, columns<T, std::int64_t>};
    return indexsize == sizeof(std::int32_t) ? narrow : wide;
}

template <int kBytes>
const Loops &loops_of(std::int64_t itemsize, std::int64_t indexsize) {
    return itemsize == sizeof(float) ? loops_of<float, kBytes>(indexsize)
                                     : loops_of<double, kBytes>(indexsize);
}

}  // namespace
}  // namespace theano::sparse
