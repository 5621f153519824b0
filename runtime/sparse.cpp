#include "sparse.h"

#include <algorithm>
#include <atomic>
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

struct Part {
    const Product &product;
    void (*rows)(const Product &, std::int64_t, std::int64_t);
};

void run_part(std::int64_t *args, std::int64_t begin, std::int64_t end) {
    const Part &part = *reinterpret_cast<const Part *>(args[0]);
    part.rows(part.product, begin, end);
}

struct Sampling {
    const Samples &samples;
    const Loops &loops;
    std::atomic<bool> good{true};
};

void sample_part(std::int64_t *args, std::int64_t begin, std::int64_t end) {
    Sampling &sampling = *reinterpret_cast<Sampling *>(args[0]);
    if (!sampling.loops.samples(sampling.samples, begin, end)) sampling.good = false;
}

template <class Index>
void lines_part(std::int64_t *args, std::int64_t begin, std::int64_t end) {
    const Work &work = *reinterpret_cast<const Work *>(args[0]);
    const Index *starts = static_cast<const Index *>(work.starts);
    Index *out = static_cast<Index *>(work.out);
    for (std::int64_t line = begin, k = starts[begin]; line < end; ++line)
        for (const std::int64_t last = starts[line + 1]; k < last; ++k) out[k] = static_cast<Index>(line);
}

struct OverLines {
    Lines lines;
    void (*part)(const Lines &, std::int64_t, std::int64_t);
};

void run_lines(std::int64_t *args, std::int64_t begin, std::int64_t end) {
    const OverLines &over = *reinterpret_cast<const OverLines *>(args[0]);
    over.part(over.lines, begin, end);
}

// Runs a kernel whose only argument is an address.
bool run_over(Call *call, th_kernel *kernel, const void *argument, std::int64_t n, double work) {
    std::int64_t words[1] = {reinterpret_cast<std::int64_t>(argument)};
    return n == 0 || run_kernel(call, kernel, words, n, work, 1);
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

// An item that is read at its index costs as much as so many instructions.
constexpr double kItemWork = 2;
// Products of so many items let Python's lock go.
constexpr double kLongProduct = 1 << 18;
// Of fewer columns the numbers of the result are too few to be worth putting items into groups.
constexpr std::int64_t kLeastColumns = 4;

// May raise bad_alloc.
void multiply_all(const Product &product, bool by_rows, const Loops &loops, std::int64_t rows,
         std::int64_t itemsize, std::int64_t indexsize, std::int64_t items) {
    if (by_rows) {
        const Part part{product, loops.rows};
        std::int64_t words[1] = {reinterpret_cast<std::int64_t>(&part)};
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

std::int32_t multiply_for(Call *call, const Work &work, const Loops &loops) {
    const Product product{work.data, work.indices, work.starts, work.dense, work.out, work.columns,
                          work.lines};
    const double all = static_cast<double>(work.items) * static_cast<double>(work.columns);
    if (work.gives == kProductByRows) {
        const Part part{product, loops.rows};
        return run_over(call, run_part, &part, product.lines, kItemWork * all) ? 0 : -1;
    }
    if (all > kLongProduct) let_lock_go(call);
    try {
        multiply_all(product, false, loops, work.rows, work.itemsize, work.indexsize, work.items);
    } catch (const std::bad_alloc &) {
        return out_of_memory(call, -1);
    }
    return 0;
}

}  // namespace

std::int32_t run(Call *call, const Work &work) {
    const Loops &loops = best_loops(work.itemsize, work.indexsize);
    if (work.gives == kProductByRows || work.gives == kProductByColumns)
        return multiply_for(call, work, loops);
    const double items = static_cast<double>(work.items);
    if (work.gives == kLines) {
        const auto part = work.indexsize == sizeof(std::int32_t) ? lines_part<std::int32_t>
                                                                 : lines_part<std::int64_t>;
        return run_over(call, part, &work, work.lines, items) ? 0 : -1;
    }
    if (work.gives != kSamples) {
        const auto part = work.gives == kSums        ? loops.sums
                          : work.gives == kDiagonal ? loops.diagonal
                                                    : loops.add;
        const OverLines over{
            {work.data, work.indices, work.starts, work.out, work.line_step, work.index_step}, part};
        const double lines = static_cast<double>(work.lines);
        return run_over(call, run_lines, &over, work.lines, kItemWork * items + lines) ? 0 : -1;
    }
    const Samples samples{work.dense,
                          work.other,
                          {work.starts, work.indices},
                          work.out,
                          {work.rows, work.columns},
                          work.terms};
    Sampling sampling{samples, loops};
    const double all = items * (kItemWork + static_cast<double>(work.terms));
    if (!run_over(call, sample_part, &sampling, work.items, all)) return -1;
    return sampling.good ? 0 : 1;
}

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
        if (good) multiply_all(product, by_rows, loops, rows, itemsize, indexsize, items);
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
