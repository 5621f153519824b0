// The extension module theano._core.runtime.native.
#define THEANO_IMPORTS_NUMPY
#include "numpy_api.h"

#include <cstring>

#include "along.h"
#include "arrays.h"
#include "blas.h"
#include "call.h"
#include "cell_use.h"
#include "lapack_aside.h"
#include "loader.h"
#include "panels.h"
#include "platform.h"
#include "pool.h"
#include "program.h"
#include "sparse.h"
#include "threads.h"

namespace theano {

namespace {

PyObject *load_object(PyObject *, PyObject *args, PyObject *kwargs) {
    return PyObject_Call(reinterpret_cast<PyObject *>(code_type), args, kwargs);
}

PyObject *set_threads(PyObject *, PyObject *count) {
    long wanted = PyLong_AsLong(count);
    if (wanted == -1 && PyErr_Occurred()) return nullptr;
    if (wanted < 1 || wanted > 1024) {
        return PyErr_Format(PyExc_ValueError,
                            "the number of threads must be between 1 and 1024, not %ld", wanted);
    }
    threads::set(static_cast<int>(wanted));
    Py_RETURN_NONE;
}

PyObject *get_threads(PyObject *, PyObject *) { return PyLong_FromLong(threads::get()); }

PyObject *set_patience(PyObject *, PyObject *seconds) {
    const double wanted = PyFloat_AsDouble(seconds);
    if (PyErr_Occurred()) return nullptr;
    cell_use::patience = static_cast<std::int64_t>(1e9 * wanted);
    Py_RETURN_NONE;
}

PyObject *set_pool_limit(PyObject *, PyObject *bytes) {
    unsigned long long limit = PyLong_AsUnsignedLongLong(bytes);
    if (PyErr_Occurred()) return nullptr;
    pool::set_limit(limit);
    Py_RETURN_NONE;
}

PyObject *pool_stats(PyObject *, PyObject *) {
    pool::Stats now = pool::stats();
    return Py_BuildValue("{sKsKsKsKsK}", "system_bytes",
                         static_cast<unsigned long long>(now.system_bytes), "most_bytes",
                         static_cast<unsigned long long>(now.most_bytes), "kept_bytes",
                         static_cast<unsigned long long>(now.kept_bytes), "system_allocations",
                         static_cast<unsigned long long>(now.system_allocations), "limit",
                         static_cast<unsigned long long>(now.limit));
}

PyObject *trim_pool(PyObject *, PyObject *) {
    pool::trim();
    Py_RETURN_NONE;
}

PyObject *fail_allocations(PyObject *, PyObject *args) {
    long long after, count;
    if (!PyArg_ParseTuple(args, "LL", &after, &count)) return nullptr;
    return PyLong_FromLongLong(pool::fail_allocations(after, count));
}

PyObject *plan_chunks(PyObject *, PyObject *args) {
    long long n, unit;
    double work;
    if (!PyArg_ParseTuple(args, "LdL", &n, &work, &unit)) return nullptr;
    return PyLong_FromLongLong(chunk_items(n, work, unit));
}

PyObject *plan_blocks(PyObject *, PyObject *args) {
    long long rows, n, unit, total;
    if (!PyArg_ParseTuple(args, "LLLL", &rows, &n, &unit, &total)) return nullptr;
    return PyLong_FromLongLong(block_rows(rows, n, unit, static_cast<double>(total)));
}

PyObject *blas_info(PyObject *, PyObject *) {
    const blas::Library &library = blas::library();
    if (!library.found) return Py_BuildValue("{sOsO}", "found", Py_False, "origin", Py_None);
    return Py_BuildValue("{sOsssssisssO}", "found", Py_True, "origin", library.origin.c_str(),
                         "dgemm", library.example.c_str(), "integer_bits", library.integer_bits,
                         "interface", library.fortran ? "fortran" : "c", "one_thread",
                         library.set_threads ? Py_True : Py_False);
}

PyObject *panel_width(PyObject *, PyObject *args) {
    long long itemsize, bits;
    if (!PyArg_ParseTuple(args, "LL", &itemsize, &bits)) return nullptr;
    if (itemsize != 4 && itemsize != 8)
        return PyErr_Format(PyExc_ValueError, "panels have items of 4 or 8 bytes, not %lld",
                            itemsize);
    return PyLong_FromLongLong(panels::width(itemsize, bits));
}

PyObject *numpy_symbol(PyObject *, PyObject *name) {
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : nullptr;
    if (!text)
        return PyErr_Occurred() ? nullptr
                                : PyErr_Format(PyExc_TypeError, "a symbol is a str, not %R", name);
    return PyLong_FromVoidPtr(blas::numpy_symbol(text));
}

PyObject *one_blas_thread(PyObject *, PyObject *flag) {
    const int on = PyObject_IsTrue(flag);
    if (on < 0) return nullptr;
    if (on) blas::enter_one_thread();
    else blas::leave_one_thread();
    Py_RETURN_NONE;
}

PyObject *also_blas_of(PyObject *, PyObject *path) {
    PyObject *bytes;
    if (!PyUnicode_FSConverter(path, &bytes)) return nullptr;
    blas::find_setter(PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    Py_RETURN_NONE;
}

template <class F>
PyCFunction method(F *function) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(function));
}

PyMethodDef methods[] = {
    {"load_object", method(load_object), METH_VARARGS | METH_KEYWORDS,
     "load_object(data, symbols={})\n--\n\nThe Code of an ELF64 relocatable object.\n\n"
     "ValueError: the object is damaged or unsuitable. ImportError: it needs an unknown symbol."},
    {"compile_module", compile_module, METH_VARARGS,
     "compile_module(functions, machine, context, triple, text, object, /)\n--\n\n"
     "The object file of an LLVM module, or its assembly; a str says why there is none.\n\n"
     "`functions` are addresses of LLVM's, in the order of llvm.cpp."},
    {"set_threads", set_threads, METH_O,
     "set_threads(count, /)\n--\n\nThreads for large loops; 1 starts none."},
    {"get_threads", get_threads, METH_NOARGS,
     "get_threads()\n--\n\nThe number of threads for large loops."},
    {"set_patience", set_patience, METH_O,
     "set_patience(seconds, /)\n--\n\nHow long a thread waits for a call whose Python operation does "
     "nothing, before it is told."},
    {"set_pool_limit", set_pool_limit, METH_O,
     "set_pool_limit(bytes, /)\n--\n\nThe most bytes of free memory that the pool keeps for "
     "reuse."},
    {"pool_stats", pool_stats, METH_NOARGS,
     "pool_stats()\n--\n\nA dict: system_bytes (obtained from the system), most_bytes (the most of "
     "these since the pool was trimmed), kept_bytes (free, in "
     "the shared lists), "
     "system_allocations (how often the system was asked), limit."},
    {"trim_pool", trim_pool, METH_NOARGS,
     "trim_pool()\n--\n\nGives the free memory of the pool back to the system."},
    {"pooled", method(call_pooled), METH_FASTCALL | METH_KEYWORDS,
     "pooled(function, /, *args, **kwargs)\n--\n\nWhat a function returns: the arrays that it makes "
     "have memory of the pool."},
    {"fail_allocations", fail_allocations, METH_VARARGS,
     "fail_allocations(after, count, /)\n--\n\nFor tests: `count` allocations of the pool fail "
     "after `after` more that succeed. (0, 0) ends it. Returns how many of those asked for before have "
     "not failed."},
    {"chunk_items", plan_chunks, METH_VARARGS,
     "chunk_items(n, work, unit, /)\n--\n\nItems of a range of `n` that make a chunk, where they "
     "take `work` instructions, in whole units."},
    {"block_rows", plan_blocks, METH_VARARGS,
     "block_rows(rows, n, unit, total, /)\n--\n\nHow many of the rows that are folded make a "
     "block; 0: all. See theano_runtime.h."},
    {"blas_info", blas_info, METH_NOARGS,
     "blas_info()\n--\n\nA dict that says which BLAS was found, and how."},
    {"panel_width", panel_width, METH_VARARGS,
     "panel_width(itemsize, bits, /)\n--\n\nColumns of a panel of a packed matrix, for vectors of "
     "so many bits (0: the widest)."},
    {"one_blas_thread", one_blas_thread, METH_O,
     "one_blas_thread(flag, /)\n--\n\nHave BLAS use one thread; False for each True ends it."},
    {"also_blas_of", also_blas_of, METH_O,
     "also_blas_of(path, /)\n--\n\nLet one_blas_thread hold for the BLAS behind a loaded module."},
    {"sparse_matmul", sparse::multiply, METH_VARARGS,
     "sparse_matmul(by_rows, data, indices, indptr, dense, rows, /)\n--\n\n"
     "The product of a sparse matrix of so many rows and a dense one, of float32 or float64.\n\n"
     "All arrays are C-contiguous. ValueError: an index is out of range."},
    {"sparse_fit", sparse::fit, METH_VARARGS,
     "sparse_fit(indices, indptr, items, most, /)\n--\n\n"
     "Whether all indices are from 0 to below `most`, and lines, of `items` items, do not overlap.\n\n"
     "Both arrays are C-contiguous and of one dtype, int32 or int64."},
    {"numpy_symbol", numpy_symbol, METH_O,
     "numpy_symbol(name, /)\n--\n\nThe address of a symbol in the libraries behind NumPy; 0 if "
     "there is none."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "theano._core.runtime.native",
                          "Theano's runtime: machine code, calls, memory, threads, products.",
                          -1,
                          methods,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr};

// Failure only means that the BLAS is looked for elsewhere.
void find_blas() {
    Ref<> module(PyImport_ImportModule("numpy._core._multiarray_umath"));
    if (!module) {
        PyErr_Clear();
        module = Ref<>(PyImport_ImportModule("numpy.core._multiarray_umath"));
    }
    Ref<> file(module ? PyObject_GetAttrString(module.get(), "__file__") : nullptr);
    Ref<> path(file ? PyUnicode_EncodeFSDefault(file.get()) : nullptr);
    if (path) blas::find_in_numpy(PyBytes_AS_STRING(path.get()));
    PyErr_Clear();
}

void before_fork() {
    // Whoever has the threads may wait for Python's lock.
    PyThreadState *saved = PyGILState_Check() ? PyEval_SaveThread() : nullptr;
    threads::lock_for_fork();
    if (saved) PyEval_RestoreThread(saved);
    pool::lock_for_fork();
}

void after_fork_in_parent() {
    pool::unlock_after_fork();
    threads::unlock_in_parent();
}

void after_fork_in_child() {
    pool::unlock_after_fork();
    threads::forget_in_child();
    cell_use::forget_in_child();
    lapack::forget_in_child();
}

int add_constants(PyObject *module) {
    return PyModule_AddIntConstant(module, "ABI_VERSION", TH_ABI_VERSION) < 0 ||
                   PyModule_AddIntConstant(module, "IMPLICIT", kImplicit) < 0 ||
                   PyModule_AddIntConstant(module, "FILTERED", kFiltered) < 0 ||
                   PyModule_AddIntConstant(module, "MUTABLE", kMutable) < 0 ||
                   PyModule_AddIntConstant(module, "STRICT", kStrict) < 0 ||
                   PyModule_AddIntConstant(module, "CONTIGUOUS", TH_CONTIGUOUS) < 0 ||
                   PyModule_AddIntConstant(module, "OVERWRITABLE", TH_OVERWRITABLE) < 0
               ? -1
               : 0;
}

}  // namespace

}  // namespace theano

PyMODINIT_FUNC PyInit_native() {
    using namespace theano;
    import_array();
    Ref<> module(PyModule_Create(&definition));
    if (!module || prepare_arrays() < 0 || add_code_type(module.get()) < 0 ||
        add_compiler_type(module.get()) < 0 ||
        add_cell_type(module.get()) < 0 || add_program_type(module.get()) < 0 ||
        add_function_type(module.get()) < 0 || add_constants(module.get()) < 0) {
        return nullptr;
    }
    find_blas();
    along::find_functions();
    platform::around_fork(before_fork, after_fork_in_parent, after_fork_in_child);
    return module.release();
}
