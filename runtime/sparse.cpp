#include "sparse.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "call.h"
#include "processor.h"
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

// Whether all indices are of lines that exist, and lines begin where the one before ended.
template <class Index>
bool fits(PyArrayObject *indices, PyArrayObject *starts, std::int64_t items, std::int64_t most) {
    using Unsigned = std::make_unsigned_t<Index>;
    const auto *at = static_cast<const Index *>(PyArray_DATA(starts));
    const std::int64_t lines = PyArray_SIZE(starts) - 1;
    if (at[0] != 0 || at[lines] > items) return false;
    bool good = true;
    for (std::int64_t i = 0; i < lines; ++i) good &= at[i] <= at[i + 1];
    if (!good) return false;
    // Without a way out, so that it runs in vectors; what is negative is large.
    const auto *index = static_cast<const Index *>(PyArray_DATA(indices));
    Unsigned largest = 0;
    for (std::int64_t k = 0; k < at[lines]; ++k)
        largest = std::max(largest, static_cast<Unsigned>(index[k]));
    return at[lines] == 0 || static_cast<std::uint64_t>(largest) < static_cast<std::uint64_t>(most);
}

}  // namespace

PyObject *multiply(PyObject *, PyObject *args) {
    int by_rows;
    PyArrayObject *data, *indices, *starts, *dense, *out;
    if (!PyArg_ParseTuple(args, "pO!O!O!O!O!", &by_rows, &PyArray_Type, &data, &PyArray_Type,
                          &indices, &PyArray_Type, &starts, &PyArray_Type, &dense, &PyArray_Type,
                          &out))
        return nullptr;
    const int type = PyArray_TYPE(data), index = PyArray_TYPE(indices);
    if ((type != NPY_FLOAT && type != NPY_DOUBLE) || (index != NPY_INT32 && index != NPY_INT64) ||
        !is_plain(data, type, 1) || !is_plain(indices, index, 1) || !is_plain(starts, index, 1) ||
        !is_plain(dense, type, 2) || !is_plain(out, type, 2) || !PyArray_ISWRITEABLE(out) ||
        PyArray_DIM(dense, 1) != PyArray_DIM(out, 1) || PyArray_SIZE(starts) < 1 ||
        PyArray_SIZE(starts) - 1 != PyArray_DIM(by_rows ? out : dense, 0))
        return PyErr_Format(PyExc_TypeError, "sparse_matmul: the arrays do not fit each other");
    const std::int64_t items = std::min(PyArray_SIZE(data), PyArray_SIZE(indices));
    const std::int64_t most = PyArray_DIM(by_rows ? dense : out, 0);
    const std::int64_t lines = PyArray_SIZE(starts) - 1, columns = PyArray_DIM(dense, 1);
    const Product product{PyArray_DATA(data), PyArray_DATA(indices), PyArray_DATA(starts),
                          PyArray_DATA(dense), PyArray_DATA(out), columns, lines};
    const Loops &loops = best_loops(PyArray_ITEMSIZE(data), PyArray_ITEMSIZE(indices));
    bool good;
    Py_BEGIN_ALLOW_THREADS;
    good = index == NPY_INT32 ? fits<std::int32_t>(indices, starts, items, most)
                              : fits<std::int64_t>(indices, starts, items, most);
    if (good) {
        const Work work{product, by_rows ? loops.rows : loops.columns};
        std::int64_t words[1] = {reinterpret_cast<std::int64_t>(&work)};
        const double weight = static_cast<double>(items) * static_cast<double>(columns);
        if (by_rows) {
            if (lines) threads::run(run_part, words, lines, chunk_items(lines, weight, 1));
        } else {
            // Threads would each read all of the sparse matrix, and write beside each other.
            std::memset(product.out, 0, static_cast<std::size_t>(PyArray_NBYTES(out)));
            run_part(words, 0, columns);
        }
    }
    Py_END_ALLOW_THREADS;
    if (!good)
        return PyErr_Format(PyExc_ValueError,
                            "a sparse matrix has indices that are out of range, or lines that end "
                            "before they begin");
    Py_RETURN_NONE;
}

}  // namespace theano::sparse
