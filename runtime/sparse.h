// Products of sparse and dense matrices, as Python calls them.
#pragma once

#include "numpy_api.h"

namespace theano::sparse {

// sparse_matmul(by_rows, data, indices, indptr, dense, rows)
PyObject *multiply(PyObject *module, PyObject *args);
// sparse_fit(indices, indptr, items, most)
PyObject *fit(PyObject *module, PyObject *args);

}  // namespace theano::sparse
