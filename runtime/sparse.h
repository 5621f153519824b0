// Products of sparse and dense matrices, as programs and Python call them.
#pragma once

#include <cstdint>

#include "numpy_api.h"

namespace theano {

struct Call;

namespace sparse {

// What is computed.
enum Gives {
    kProductByRows,     // of a matrix by rows and a dense one
    kProductByColumns,  // of a matrix by columns and a dense one
    kSamples,           // of dense matrices x and y, items of x @ y.T
    kLines,             // the line of each item
    kSums,              // of the items of each line
    kDiagonal,          // as many items as there are lines
    kAdd                // a dense matrix, to which the items are added
};

// A matrix by rows or by columns, and dense ones; all without gaps. Where beginnings of lines and
// indices are used to write, or to read without a look at them, they are those of a matrix.
struct Work {
    std::int64_t gives, itemsize, indexsize;
    std::int64_t lines;          // rows of a matrix by rows, columns of one by columns
    std::int64_t rows, columns;  // of a product; of samples: of x, and rows of y
    std::int64_t terms;          // of samples: columns of x and y
    std::int64_t items;          // that are stored, or sampled
    std::int64_t line_step, index_step;  // bytes of `out` between lines, and between indices
    const void *data, *indices, *starts;
    const void *dense, *other;   // of samples: x and y, and starts are rows, indices columns
    void *out;
};

// For programs; 1: a place is beyond the dense matrices.
std::int32_t run(Call *call, const Work &work);

// sparse_matmul(by_rows, data, indices, indptr, dense, rows)
PyObject *multiply(PyObject *module, PyObject *args);
// sparse_fit(indices, indptr, items, most)
PyObject *fit(PyObject *module, PyObject *args);

}  // namespace sparse
}  // namespace theano
