// Calls of Python from inside a compiled graph.
#include <cstring>

#include "arrays.h"
#include "call.h"
#include "cell_use.h"
#include "pool.h"

namespace theano {

namespace {

// Smaller inputs are copied at once: they may lie in the frame or on the stack, which the callee
// could outlive.
constexpr std::uintptr_t kSmall = 1024;

// What keeps the memory at an address alive: a new reference.
PyObject *owner_of(Call *call, const void *address) {
    const Program &program = *call->program;
    for (std::int64_t slot : program.buffer_slots) {
        void *block = reinterpret_cast<void *>(call->head.frame[slot]);
        if (!block) continue;
        auto low = reinterpret_cast<std::uintptr_t>(block);
        if (Extent{low, low + pool::capacity(block)}.contains(address)) return hold_block(block);
    }
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
        const Input &input = program.inputs[i];
        if (input.type.is_object()) continue;
        Extent extent =
            extent_of(call->head.frame + input.offset, input.type.ndim, input.type.itemsize());
        if (extent.contains(address)) return Py_NewRef(call->values[i]);
    }
    for (std::int64_t i = 0; i < call->n_kept; ++i) {
        if (!PyArray_Check(call->kept[i])) continue;
        auto *array = reinterpret_cast<PyArrayObject *>(call->kept[i]);
        auto low = reinterpret_cast<std::uintptr_t>(PyArray_DATA(array));
        auto high = low;
        for (int j = 0; j < PyArray_NDIM(array); ++j) {
            npy_intp reach =
                PyArray_DIM(array, j) ? (PyArray_DIM(array, j) - 1) * PyArray_STRIDE(array, j) : 0;
            if (reach < 0) low += static_cast<std::uintptr_t>(reach);
            else high += static_cast<std::uintptr_t>(reach);
        }
        if (Extent{low, high + 1}.contains(address)) return Py_NewRef(call->kept[i]);
    }
    // A constant of the program.
    return Py_NewRef(call->function->owner);
}

// A view that is writeable if the array that it shows is.
PyObject *memory_of_argument(Call *call, const ValueType &type, const std::int64_t *descriptor) {
    Ref<> array(array_viewing(descriptor, type.descr.get(), type.ndim));
    if (!array) return nullptr;
    auto *view = reinterpret_cast<PyArrayObject *>(array.get());
    PyObject *owner = owner_of(call, PyArray_DATA(view));
    if (!owner) return nullptr;
    // Asked before: the base of a view of a view is what owns the memory.
    const bool writeable =
        PyArray_Check(owner) && PyArray_ISWRITEABLE(reinterpret_cast<PyArrayObject *>(owner));
    if (PyArray_SetBaseObject(view, owner) < 0) return nullptr;
    if (writeable) PyArray_ENABLEFLAGS(view, NPY_ARRAY_WRITEABLE);
    return array.release();
}

PyObject *make_input(Call *call, const ValueType &type, std::int64_t offset) {
    const std::int64_t *descriptor = call->head.frame + offset;
    if (type.is_object()) {
        PyObject *object = reinterpret_cast<PyObject *>(descriptor[kData]);
        return Py_NewRef(object ? object : Py_None);
    }
    if (type.is_memory) return memory_of_argument(call, type, descriptor);
    Extent extent = extent_of(descriptor, type.ndim, type.itemsize());
    if (extent.high - extent.low > kSmall)
        return array_viewing(descriptor, type.descr.get(), type.ndim);
    PyObject *array = array_copying(descriptor, type.descr.get(), type.ndim);
    if (array) PyArray_CLEARFLAGS(reinterpret_cast<PyArrayObject *>(array), NPY_ARRAY_WRITEABLE);
    return array;
}

// The callee may have kept an input, or views of it: the array gets memory of its own before the
// graph goes on and overwrites the old, and what the old memory belongs to stays alive for the
// views.
int settle_input(Call *call, PyObject *input, bool is_view) {
    if (!is_view || Py_REFCNT(input) == 1) return 0;
    auto *view = reinterpret_cast<PyArrayObject *>(input);
    if (PyArray_CHKFLAGS(view, NPY_ARRAY_OWNDATA)) return 0;
    PyObject *owner = owner_of(call, PyArray_DATA(view));
    return owner ? detach_view(view, owner) : -1;
}

bool wrong_output(std::int64_t index, std::int64_t output, const ValueType &type, PyObject *got) {
    if (!PyArray_Check(got)) {
        PyErr_Format(PyExc_TypeError,
                     "output %lld of Python operation %lld must be an array of %S with %d "
                     "dimensions, not %.200s",
                     static_cast<long long>(output), static_cast<long long>(index),
                     type.descr.get(), type.ndim, Py_TYPE(got)->tp_name);
        return false;
    }
    auto *array = reinterpret_cast<PyArrayObject *>(got);
    PyErr_Format(PyExc_TypeError,
                 "output %lld of Python operation %lld must be an array of %S with %d dimensions, "
                 "not one of %S with "
                 "%d dimensions%s",
                 static_cast<long long>(output), static_cast<long long>(index), type.descr.get(),
                 type.ndim, PyArray_DESCR(array), PyArray_NDIM(array),
                 PyArray_ISALIGNED(array) ? "" : " (not aligned)");
    return false;
}

// Whether nothing else shows the memory of an array: it is its own, or that of a base which only
// this array refers to.
bool owns_memory(PyArrayObject *array) {
    PyObject *base = PyArray_BASE(array);
    if (!base) return true;
    return Py_REFCNT(base) == 1 && PyArray_CheckExact(base) &&
           PyArray_CHKFLAGS(reinterpret_cast<PyArrayObject *>(base), NPY_ARRAY_OWNDATA);
}

// Takes one object that the callable returned: keeps it, and fills its descriptor.
bool take_output(Call *call, std::int64_t index, std::int64_t output, const ValueType &type,
                 PyObject *got, std::int64_t *descriptor) {
    if (type.is_object()) {
        descriptor[kData] = reinterpret_cast<std::int64_t>(got);
        descriptor[kFlags] = 0;
        return keep_object(call, Py_NewRef(got)) == 0;
    }
    if (!PyArray_Check(got)) return wrong_output(index, output, type, got);
    auto *array = reinterpret_cast<PyArrayObject *>(got);
    if (!usable(array, type.typenum, type.ndim)) return wrong_output(index, output, type, got);
    describe(array, descriptor);
    if (type.is_memory || owns_memory(array)) return keep_object(call, Py_NewRef(got)) == 0;
    // A view: it may show an input, whose memory the graph may overwrite later.
    PyObject *copy = array_copying(descriptor, type.descr.get(), type.ndim);
    if (!copy || keep_object(call, copy) < 0) return false;
    describe(reinterpret_cast<PyArrayObject *>(copy), descriptor);
    return true;
}

bool take_outputs(Call *call, std::int64_t index, const Callback &callback, PyObject *returned,
                  const std::int64_t *offsets) {
    auto count = static_cast<Py_ssize_t>(callback.outputs.size());
    if (!PyTuple_Check(returned) || PyTuple_GET_SIZE(returned) != count) {
        PyErr_Format(PyExc_TypeError,
                     "Python operation %lld must return a tuple of %zd objects, not %R",
                     static_cast<long long>(index), count, returned);
        return false;
    }
    for (Py_ssize_t i = 0; i < count; ++i) {
        if (!take_output(call, index, i, callback.outputs[static_cast<std::size_t>(i)],
                         PyTuple_GET_ITEM(returned, i), call->head.frame + offsets[i])) {
            return false;
        }
    }
    return true;
}

bool note_run(Call *call, std::int64_t index) {
    const std::size_t count = call->program->callbacks.size();
    if (!call->ran) {
        call->owns_more = true;
        call->ran = static_cast<unsigned char *>(pool::allocate(static_cast<std::int64_t>(count)));
        if (!call->ran) {
            PyErr_NoMemory();
            return false;
        }
        std::memset(call->ran, 0, count);
    }
    call->ran[index] = 1;
    return true;
}

// Lets Python add to the exception, or raise another.
void explain_exception(Call *call, std::int64_t index) {
    PyObject *explain = call->function->hooks[kOnCallbackError];
    if (!explain) return;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (value && traceback) PyException_SetTraceback(value, traceback);
    Ref<> number(PyLong_FromLongLong(index));
    Ref<> ignored(number && value ? PyObject_CallFunctionObjArgs(
                                        explain, reinterpret_cast<PyObject *>(call->function),
                                        number.get(), value, nullptr)
                                  : nullptr);
    if (ignored || !PyErr_Occurred()) {
        PyErr_Restore(type, value, traceback);
        return;
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

bool call_python(Call *call, std::int64_t index, const Callback &callback, PyObject **inputs,
                 const std::int64_t *in_offsets, const std::int64_t *out_offsets) {
    std::size_t count = callback.inputs.size();
    for (std::size_t i = 0; i < count; ++i) {
        inputs[i] = make_input(call, callback.inputs[i], in_offsets[i]);
        if (!inputs[i]) return false;
    }
    Ref<> callable = Ref<>::borrow(callback.callable.get());
    if (!callable) {
        PyErr_SetString(PyExc_RuntimeError, "the callable of a Python operation is gone");
        return false;
    }
    const bool writes = call->program->n_written;
    if (writes) cell_use::pause(call->function);
    Ref<> returned(PyObject_Vectorcall(callable.get(), inputs, count, nullptr));
    if (writes) cell_use::resume(call->function);
    bool settled = !writes || !returned || see_cells(call);
    for (std::size_t i = 0; i < count; ++i) {
        bool is_view = !callback.inputs[i].is_object() && !callback.inputs[i].is_memory;
        if (settled) settled = settle_input(call, inputs[i], is_view) == 0;
    }
    return returned && settled && take_outputs(call, index, callback, returned.get(), out_offsets);
}

}  // namespace

std::int32_t run_callback(th_call *head, std::int64_t index, std::int64_t n_in,
                          const std::int64_t *in_offsets, std::int64_t n_out,
                          const std::int64_t *out_offsets) {
    Call *call = call_of(head);
    enter_python(call);
    const Callback &callback = call->program->callbacks[static_cast<std::size_t>(index)];
    if (n_in != static_cast<std::int64_t>(callback.inputs.size()) ||
        n_out != static_cast<std::int64_t>(callback.outputs.size())) {
        PyErr_SetString(PyExc_SystemError,
                        "machine code calls a Python operation with another number of values");
        call->failure = Failure::exception;
        return -1;
    }
    constexpr std::size_t kInline = 8;
    PyObject *few[kInline];
    std::size_t count = callback.inputs.size(), bytes = count * sizeof(PyObject *);
    PyObject **inputs =
        count <= kInline
            ? few
            : static_cast<PyObject **>(pool::allocate(static_cast<std::int64_t>(bytes)));
    bool done = false;
    if (inputs) {
        for (std::size_t i = 0; i < count; ++i) inputs[i] = nullptr;
        if (note_run(call, index) &&
            Py_EnterRecursiveCall(" in a Python operation of a compiled function") == 0) {
            done = call_python(call, index, callback, inputs, in_offsets, out_offsets);
            Py_LeaveRecursiveCall();
        }
        if (!done) explain_exception(call, index);
        // Freeing an input may run Python code, which must not see the exception.
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        for (std::size_t i = 0; i < count; ++i) Py_XDECREF(inputs[i]);
        PyErr_Restore(type, value, traceback);
        if (inputs != few) pool::release(inputs);
    } else {
        PyErr_NoMemory();
    }
    if (done) return 0;
    call->failure = Failure::exception;
    return -1;
}

}  // namespace theano
