// Products of sparse and dense matrices, their inner loops compiled for several kinds of vectors.
//
// Items are added up one after the other, each product rounded, so that results do not depend on the
// vectors, nor on the threads, and are SciPy's.
#pragma once

#include <cstdint>

namespace theano::sparse {

// A sparse matrix, by rows or by columns, and C-contiguous dense ones.
struct Product {
    const void *data, *indices, *starts;
    const void *dense;
    void *out;
    std::int64_t columns;  // of the dense matrices
    std::int64_t lines;    // rows of a matrix by rows, columns of one by columns
};

// An item of a matrix by columns, and where it is.
template <class T, class Index>
struct Item {
    T value;
    Index line, row;
};

// Places in a product of which items are wanted. Matrices are C-contiguous.
struct Samples {
    const void *x, *y;
    const void *places[2];
    void *out;
    std::int64_t lengths[2];  // rows of x and of y
    std::int64_t terms;
};

// A matrix by rows or by columns, and what its lines are written to, each to a place of its own.
struct Lines {
    const void *data, *indices, *starts;
    void *out;
    std::int64_t line_step, index_step;  // bytes
};

struct Loops {
    // Rows of the result, of a matrix by rows.
    void (*rows)(const Product &, std::int64_t begin, std::int64_t end);
    // All of the result, in which there are zeros, of a matrix by columns.
    void (*columns)(const Product &);
    // Adds the products of so many of its items, `Item`, in their order.
    void (*items)(const Product &, const void *items, std::int64_t count);
    // Items [begin, end) of x @ y.T; false where a place is beyond x or y.
    bool (*samples)(const Samples &, std::int64_t begin, std::int64_t end);
    // Of lines [begin, end): sums; the diagonal; items that are added to a dense matrix.
    void (*sums)(const Lines &, std::int64_t begin, std::int64_t end);
    void (*diagonal)(const Lines &, std::int64_t begin, std::int64_t end);
    void (*add)(const Lines &, std::int64_t begin, std::int64_t end);
    // Whether all indices are of lines that exist, fewer than `most`, and lines begin where the one
    // before ended.
    bool (*fits)(const void *indices, const void *starts, std::int64_t lines, std::int64_t items,
                 std::int64_t most);
};

// For items and indices of so many bytes.
const Loops &loops_plain(std::int64_t itemsize, std::int64_t indexsize),
    &loops_fma(std::int64_t itemsize, std::int64_t indexsize),
    &loops_avx512(std::int64_t itemsize, std::int64_t indexsize);

}  // namespace theano::sparse
