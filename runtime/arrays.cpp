#include "arrays.h"

#include <cstring>

#include "copy.h"
#include "include/theano_runtime.h"
#include "pool.h"
#include "program.h"

namespace theano {

namespace {

static_assert(NPY_ARRAY_C_CONTIGUOUS == TH_CONTIGUOUS, "describe() copies the bit");
static_assert(sizeof(npy_intp) == sizeof(std::int64_t), "shapes are passed as they are");

void *handler_malloc(void *, std::size_t bytes) {
    return pool::allocate(static_cast<std::int64_t>(bytes));
}

void *handler_calloc(void *, std::size_t count, std::size_t size) {
    void *memory = pool::allocate(static_cast<std::int64_t>(count * size));
    return memory ? std::memset(memory, 0, count * size) : nullptr;
}

void *handler_realloc(void *, void *memory, std::size_t bytes) {
    return memory ? pool::resize(memory, static_cast<std::int64_t>(bytes))
                  : pool::allocate(static_cast<std::int64_t>(bytes));
}

void handler_free(void *, void *memory, std::size_t) {
    if (memory) pool::release(memory);
}

PyDataMem_Handler handler = {
    "theano", 1, {nullptr, handler_malloc, handler_calloc, handler_realloc, handler_free}};
PyObject *handler_capsule = nullptr;

// Our only way to tell NumPy that the memory is ours: there is no public setter for these fields.
void adopt(PyObject *array) {
    auto *fields = reinterpret_cast<PyArrayObject_fields *>(array);
    fields->mem_handler = Py_NewRef(handler_capsule);
    fields->flags |= NPY_ARRAY_OWNDATA;
}

// Returns nullptr, and sets the error that says which array there is no memory for.
PyObject *no_memory_for(int ndim, const std::int64_t *shape) {
    PyObject *lengths = PyTuple_New(ndim);
    for (int i = 0; lengths && i < ndim; ++i) {
        PyObject *length = PyLong_FromLongLong(shape[i]);
        if (length) PyTuple_SET_ITEM(lengths, i, length);
        else Py_CLEAR(lengths);
    }
    if (lengths)
        PyErr_Format(PyExc_MemoryError, "an array of shape %R does not fit into memory", lengths);
    Py_XDECREF(lengths);
    return nullptr;
}

PyObject *no_array(int ndim, const std::int64_t *shape) {
    if (!PyErr_ExceptionMatches(PyExc_ValueError)) return nullptr;
    // Nor is there room for no items beside so many.
    PyErr_Clear();
    return no_memory_for(ndim, shape);
}

void release_held(PyObject *capsule) {
    pool::release(PyCapsule_GetPointer(capsule, "theano.block"));
}

}  // namespace

Extent extent_of(const std::int64_t *descriptor, std::int64_t ndim, std::int64_t itemsize) {
    auto low = static_cast<std::uintptr_t>(descriptor[kData]), high = low;
    for (std::int64_t i = 0; i < ndim; ++i) {
        std::int64_t size = shape_of(descriptor)[i], stride = strides_of(descriptor, ndim)[i];
        if (size == 0) return {low, low};
        auto reach = static_cast<std::uintptr_t>((size - 1) * stride);
        if (stride < 0) low += reach;
        else high += reach;
    }
    return {low, high + static_cast<std::uintptr_t>(itemsize)};
}

int prepare_arrays() {
    handler_capsule = PyCapsule_New(&handler, "mem_handler", nullptr);
    return handler_capsule ? 0 : -1;
}

PyObject *array_owning(void *memory, PyArray_Descr *type, int ndim, const std::int64_t *shape,
                       const std::int64_t *strides) {
    Py_INCREF(type);
    PyObject *array =
        PyArray_NewFromDescr(&PyArray_Type, type, ndim, reinterpret_cast<const npy_intp *>(shape),
                             reinterpret_cast<const npy_intp *>(strides), memory,
                             strides ? NPY_ARRAY_BEHAVED : NPY_ARRAY_CARRAY, nullptr);
    if (!array) return no_array(ndim, shape);
    adopt(array);
    return array;
}

PyObject *array_copying(const std::int64_t *descriptor, PyArray_Descr *type, int ndim) {
    double bytes = static_cast<double>(PyDataType_ELSIZE(type));
    for (int i = 0; i < ndim; ++i) bytes *= static_cast<double>(shape_of(descriptor)[i]);
    void *memory = bytes < 1e18 ? pool::allocate(static_cast<std::int64_t>(bytes)) : nullptr;
    if (!memory) return no_memory_for(ndim, shape_of(descriptor));
    copy_strided(ndim, shape_of(descriptor), strides_of(descriptor, ndim),
                 static_cast<std::size_t>(PyDataType_ELSIZE(type)), memory, data_of(descriptor));
    PyObject *array = array_owning(memory, type, ndim, shape_of(descriptor));
    if (!array) pool::release(memory);
    return array;
}

PyObject *array_viewing(const std::int64_t *descriptor, PyArray_Descr *type, int ndim) {
    Py_INCREF(type);
    return PyArray_NewFromDescr(&PyArray_Type, type, ndim,
                                reinterpret_cast<const npy_intp *>(shape_of(descriptor)),
                                reinterpret_cast<const npy_intp *>(strides_of(descriptor, ndim)),
                                data_of(descriptor), NPY_ARRAY_ALIGNED, nullptr);
}

int detach_view(PyArrayObject *view, PyObject *owner) {
    auto *fields = reinterpret_cast<PyArrayObject_fields *>(view);
    auto itemsize = static_cast<std::int64_t>(PyArray_ITEMSIZE(view));
    // INVARIANT: NumPy makes no array whose size in bytes is out of range.
    void *memory = pool::allocate(PyArray_SIZE(view) * itemsize);
    if (!memory) {
        fields->base = owner;
        no_memory_for(fields->nd, reinterpret_cast<const std::int64_t *>(fields->dimensions));
        return -1;
    }
    copy_strided(fields->nd, reinterpret_cast<const std::int64_t *>(fields->dimensions),
                 reinterpret_cast<const std::int64_t *>(fields->strides),
                 static_cast<std::size_t>(itemsize), memory, fields->data);
    fields->base = owner;
    fields->data = static_cast<char *>(memory);
    npy_intp stride = static_cast<npy_intp>(itemsize);
    for (int i = fields->nd - 1; i >= 0; --i) {
        fields->strides[i] = stride;
        stride *= fields->dimensions[i] ? fields->dimensions[i] : 1;
    }
    adopt(reinterpret_cast<PyObject *>(view));
    PyArray_UpdateFlags(view, NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_F_CONTIGUOUS | NPY_ARRAY_ALIGNED);
    return 0;
}

PyObject *call_pooled(PyObject *, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "pooled needs a function");
        return nullptr;
    }
    Ref<> before(PyDataMem_SetHandler(handler_capsule));
    if (!before) return nullptr;
    const auto positional = static_cast<std::size_t>(count - 1);
    Ref<> result(PyObject_Vectorcall(arguments[0], arguments + 1, positional, names));
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    Ref<> ours(PyDataMem_SetHandler(before.get()));
    if (!ours) return nullptr;
    PyErr_Restore(type, value, traceback);
    return result.release();
}

PyObject *hold_block(void *memory) {
    PyObject *capsule = PyCapsule_New(memory, "theano.block", release_held);
    if (capsule) pool::retain(memory);
    return capsule;
}

}  // namespace theano
