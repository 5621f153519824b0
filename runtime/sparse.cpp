#include "sparse.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "arrays.h"
#include "call.h"
#include "pool.h"
#include "processor.h"
#include "sparse_columns.h"
#include "sparse_loops.h"
#include "threads.h"

namespace theano::sparse {

namespace {

const Loops &best_loops(std::int64_t itemsize, std::int64_t indexsize) {
#if defined(__x86_64__)
    if (has_avx512()) return loops_avx512(itemsize, indexsize);
    if (has_fma()) return loops_fma(itemsize, indexsize);
#endif
    return loops_plain(itemsize, indexsize);
}

struct Work {
    const Product &product;
    void (*part)(const Product &, std::int64_t, std::int64_t);
};

void run_part(std::int64_t *args, std::int64_t begin, std::int64_t end) {
    const Work &work = *reinterpret_cast<const Work *>(args[0]);
    work.part(work.product, begin, end);
}

bool is_plain(PyArrayObject *array, int typenum, int ndim) {
    return PyArray_TYPE(array) == typenum && PyArray_NDIM(array) == ndim &&
           PyArray_IS_C_CONTIGUOUS(array) && PyArray_ISALIGNED(array) &&
           PyArray_ISNOTSWAPPED(array);
}

bool are_indices(PyArrayObject *indices, PyArrayObject *starts) {
    const int type = PyArray_TYPE(indices);
    return (type == NPY_INT32 || type == NPY_INT64) && is_plain(indices, type, 1) &&
           is_plain(starts, type, 1) && PyArray_SIZE(starts) >= 1;
}

// Of fewer columns the numbers of the result are too few to be worth putting items in order.
constexpr std::int64_t kLeastColumns = 4;

// Raises bad_alloc.
void run(const Product &product, bool by_rows, const Loops &loops, std::int64_t rows,
         std::int64_t itemsize, std::int64_t indexsize, std::int64_t items) {
    if (by_rows) {
        const Work work{product, loops.rows};
        std::int64_t words[1] = {reinterpret_cast<std::int64_t>(&work)};
        const double weight = static_cast<double>(items) * static_cast<double>(product.columns);
        if (product.lines)
            threads::run(run_part, words, product.lines, chunk_items(product.lines, weight, 1));
    } else if (product.columns >= kLeastColumns) {
        multiply_by_columns(product, rows, itemsize, indexsize, loops);
    } else {
        const std::int64_t numbers = rows * product.columns;
        std::memset(product.out, 0, static_cast<std::size_t>(numbers * itemsize));
        loops.columns(product);
    }
}

}  // namespace

PyObject *multiply(PyObject *, PyObject *args) {
    int by_rows;
    Py_ssize_t rows;
    PyArrayObject *data, *indices, *starts, *dense;
    if (!PyArg_ParseTuple(args, "pO!O!O!O!n", &by_rows, &PyArray_Type, &data, &PyArray_Type,
                          &indices, &PyArray_Type, &starts, &PyArray_Type, &dense, &rows))
        return nullptr;
    const int type = PyArray_TYPE(data);
    if ((type != NPY_FLOAT && type != NPY_DOUBLE) || !are_indices(indices, starts) ||
        !is_plain(data, type, 1) || !is_plain(dense, type, 2) || rows < 0 ||
        PyArray_SIZE(starts) - 1 != (by_rows ? rows : PyArray_DIM(dense, 0)))
        return PyErr_Format(PyExc_TypeError, "sparse_matmul: the arrays do not fit each other");
    const std::int64_t items = std::min(PyArray_SIZE(data), PyArray_SIZE(indices));
    const std::int64_t itemsize = PyArray_ITEMSIZE(data), indexsize = PyArray_ITEMSIZE(indices);
    const std::int64_t lines = PyArray_SIZE(starts) - 1, columns = PyArray_DIM(dense, 1);
    const std::int64_t shape[2] = {rows, columns};
    const double bytes = static_cast<double>(rows) * static_cast<double>(columns * itemsize);
    void *memory = bytes < 1e18 ? pool::allocate(rows * columns * itemsize) : nullptr;
    if (!memory) return PyErr_NoMemory();
    PyObject *out = array_owning(memory, PyArray_DESCR(data), 2, shape);
    if (!out) {
        pool::release(memory);
        return nullptr;
    }
    const Product product{PyArray_DATA(data),  PyArray_DATA(indices), PyArray_DATA(starts),
                          PyArray_DATA(dense), memory,                columns,
                          lines};
    const Loops &loops = best_loops(itemsize, indexsize);
    bool good, room = true;
    Py_BEGIN_ALLOW_THREADS;
    good = loops.fits(product.indices, product.starts, lines, items,
                      by_rows ? PyArray_DIM(dense, 0) : rows);
    try {
        if (good) run(product, by_rows, loops, rows, itemsize, indexsize, items);
    } catch (const std::bad_alloc &) {
        room = false;
    }
    Py_END_ALLOW_THREADS;
    if (good && room) return out;
    Py_DECREF(out);
    if (!room) return PyErr_NoMemory();
    return PyErr_Format(PyExc_ValueError,
                        "a sparse matrix has indices that are out of range, or lines that end "
                        "before they begin");
}

PyObject *fit(PyObject *, PyObject *args) {
    PyArrayObject *indices, *starts;
    Py_ssize_t items, most;
    if (!PyArg_ParseTuple(args, "O!O!nn", &PyArray_Type, &indices, &PyArray_Type, &starts, &items,
                          &most))
        return nullptr;
    if (!are_indices(indices, starts))
        return PyErr_Format(PyExc_TypeError, "sparse_fit: the arrays do not fit each other");
    const Loops &loops = best_loops(sizeof(double), PyArray_ITEMSIZE(indices));
    items = std::min(items, PyArray_SIZE(indices));
    return PyBool_FromLong(loops.fits(PyArray_DATA(indices), PyArray_DATA(starts),
                                      PyArray_SIZE(starts) - 1, items, most));
}

}  // namespace theano::sparse
