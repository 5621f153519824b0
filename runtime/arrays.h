// NumPy arrays over the pool's memory.
#pragma once

#include <cstdint>

#include "numpy_api.h"

namespace theano {

// Slots of a descriptor, see theano_runtime.h.
enum DescriptorSlot { kData = 0, kFlags = 1, kShape = 2 };

inline void *data_of(const std::int64_t *descriptor) {
    return reinterpret_cast<void *>(descriptor[kData]);
}
inline const std::int64_t *shape_of(const std::int64_t *descriptor) { return descriptor + kShape; }
inline const std::int64_t *strides_of(const std::int64_t *descriptor, std::int64_t ndim) {
    return descriptor + kShape + ndim;
}

// The addresses that an array can touch: [low, high), equal if it is empty.
struct Extent {
    std::uintptr_t low, high;
    bool overlaps(const Extent &other) const { return low < other.high && other.low < high; }
    bool contains(const void *pointer) const {
        auto address = reinterpret_cast<std::uintptr_t>(pointer);
        return low <= address && address < high;
    }
};
Extent extent_of(const std::int64_t *descriptor, std::int64_t ndim, std::int64_t itemsize);

int prepare_arrays();  // once; -1 with an exception set

// What `arguments[0]` returns for the others: arrays that it makes have memory of the pool.
PyObject *call_pooled(PyObject *, PyObject *const *arguments, Py_ssize_t count, PyObject *names);

// A new array that owns `memory` (a block of the pool), C-contiguous unless it has strides. On failure
// (nullptr) the memory stays the caller's.
PyObject *array_owning(void *memory, PyArray_Descr *type, int ndim, const std::int64_t *shape,
                       const std::int64_t *strides = nullptr);
// A new C-contiguous array with a copy of the data behind a descriptor.
PyObject *array_copying(const std::int64_t *descriptor, PyArray_Descr *type, int ndim);
// A read-only array over memory that somebody else owns.
PyObject *array_viewing(const std::int64_t *descriptor, PyArray_Descr *type, int ndim);
// Gives a view memory of its own. `owner`, which keeps the old memory alive for views of the view,
// is stolen.
int detach_view(PyArrayObject *view, PyObject *owner);
// An object that holds one use of a block of the pool.
PyObject *hold_block(void *memory);

// True if an array can be used as it is: type, byte order, alignment, number of dimensions.
inline bool usable(PyArrayObject *array, int typenum, int ndim) {
    int found = PyArray_TYPE(array);
    return PyArray_NDIM(array) == ndim &&
           (found == typenum || PyArray_EquivTypenums(found, typenum)) &&
           PyArray_ISALIGNED(array) && PyArray_ISNOTSWAPPED(array);
}

// Writes the descriptor of a usable array; returns its number of bytes. An axis of length 1 may have
// any stride in NumPy, and so may all axes of an empty array; here each has the one that it would
// have if the axes behind it were side by side, so that C-contiguous arrays have the strides of C
// order in all axes.
inline double describe(PyArrayObject *array, std::int64_t *descriptor) {
    const int ndim = PyArray_NDIM(array);
    const npy_intp *shape = PyArray_DIMS(array), *strides = PyArray_STRIDES(array);
    descriptor[kData] = reinterpret_cast<std::int64_t>(PyArray_DATA(array));
    // NPY_ARRAY_C_CONTIGUOUS and TH_CONTIGUOUS are the same bit.
    descriptor[kFlags] = PyArray_FLAGS(array) & NPY_ARRAY_C_CONTIGUOUS;
    // Unsigned, for the lengths of an array of stride 0 have no limit.
    auto packed = static_cast<std::uint64_t>(PyArray_ITEMSIZE(array)), bytes = packed;
    const bool any = !descriptor[kFlags];
    for (int i = ndim - 1; i >= 0; --i) {
        const npy_intp length = shape[i];
        descriptor[kShape + i] = length;
        const auto stride =
            any && length != 1 ? static_cast<std::uint64_t>(strides[i]) : packed;
        descriptor[kShape + ndim + i] = static_cast<std::int64_t>(stride);
        packed = stride * static_cast<std::uint64_t>(length ? length : 1);
        bytes *= static_cast<std::uint64_t>(length);
    }
    return static_cast<double>(bytes);
}

}  // namespace theano
