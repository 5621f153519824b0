// From the frame of a call that went well to its result and to new values of cells.
#include <utility>

#include "arrays.h"
#include "call.h"
#include "pool.h"

namespace theano {

namespace {

PyObject *make_buffer(Call *call, const Output &out) {
    std::int64_t *descriptor = call->head.frame + out.offset;
    std::int64_t &slot = call->head.frame[out.slot];
    // Another output took the buffer already, or it was never one (an input that passes through).
    if (!slot) return array_copying(descriptor, out.type.descr.get(), out.type.ndim);
    const bool turned = out.source == Source::turned;
    PyObject *array = array_owning(reinterpret_cast<void *>(slot), out.type.descr.get(),
                                   out.type.ndim, shape_of(descriptor),
                                   turned ? strides_of(descriptor, out.type.ndim) : nullptr);
    if (array) slot = 0;
    return array;
}

// The very array that a callback returned, if the descriptor still describes it.
PyObject *find_kept(Call *call, const Output &out) {
    const std::int64_t *descriptor = call->head.frame + out.offset;
    for (std::int64_t i = 0; i < call->n_kept; ++i) {
        if (!PyArray_Check(call->kept[i])) continue;
        auto *array = reinterpret_cast<PyArrayObject *>(call->kept[i]);
        if (PyArray_DATA(array) != data_of(descriptor) || PyArray_NDIM(array) != out.type.ndim)
            continue;
        bool same = PyArray_EquivTypenums(PyArray_TYPE(array), out.type.typenum);
        for (int j = 0; same && j < out.type.ndim; ++j) {
            const npy_intp length = PyArray_DIM(array, j);
            same = length == shape_of(descriptor)[j] &&
                   (length <= 1 ||
                    PyArray_STRIDE(array, j) == strides_of(descriptor, out.type.ndim)[j]);
        }
        if (same) return Py_NewRef(call->kept[i]);
    }
    return array_copying(descriptor, out.type.descr.get(), out.type.ndim);
}

PyObject *make_value(Call *call, const Output &out) {
    switch (out.source) {
        case Source::buffer:
        case Source::turned:
            return make_buffer(call, out);
        case Source::copy:
            return array_copying(call->head.frame + out.offset, out.type.descr.get(),
                                 out.type.ndim);
        case Source::array:
            return find_kept(call, out);
        case Source::alias:
            return value_as_object(call, static_cast<Py_ssize_t>(out.slot));
        case Source::object:
            break;
    }
    PyObject *object = reinterpret_cast<PyObject *>(call->head.frame[out.offset]);
    if (!object) PyErr_SetString(PyExc_SystemError, "machine code left an object output empty");
    return Py_XNewRef(object);
}

// The new value of a cell. An array that was overwritten in place is the array that the call
// started with.
PyObject *make_update(Call *call, const Update &update) {
    if (update.input >= 0 && update.value.source == Source::buffer) {
        const Input &input = call->program->inputs[static_cast<std::size_t>(update.input)];
        std::int64_t data = call->head.frame[update.value.offset + kData];
        if (data && data == call->head.frame[input.offset + kData])
            return value_as_object(call, update.input);
    }
    return make_value(call, update.value);
}

// How many outputs a call returns.
std::size_t result_size(const Call *call) {
    if (call->subset) return static_cast<std::size_t>(call->subset_size);
    return call->program->result == Result::nothing ? 0 : call->program->outputs.size();
}

PyObject *make_result(Call *call, References &outputs) {
    const Program &program = *call->program;
    if (program.result == Result::single && !call->subset) return std::exchange(outputs[0], nullptr);
    const std::size_t count = result_size(call);
    auto index = [&](std::size_t i) {
        return call->subset ? static_cast<std::size_t>(call->subset[i]) : i;
    };
    if (program.result == Result::dictionary) {
        take_cells(call);
        Ref<> result(call->container ? std::exchange(call->container, nullptr) : PyDict_New());
        for (std::size_t i = 0; result && i < count; ++i) {
            PyObject *key = PyTuple_GET_ITEM(program.keys.get(), static_cast<Py_ssize_t>(index(i)));
            if (PyDict_SetItem(result.get(), key, outputs[index(i)]) < 0) return nullptr;
        }
        return result.release();
    }
    PyObject *result = call->container ? std::exchange(call->container, nullptr)
                                  : PyList_New(static_cast<Py_ssize_t>(count));
    for (std::size_t i = 0; result && i < count; ++i) {
        PyList_SET_ITEM(result, static_cast<Py_ssize_t>(i), Py_NewRef(outputs[index(i)]));
    }
    return result;
}

}  // namespace

bool make_container(Call *call) {
    const Program &program = *call->program;
    if (program.result == Result::single && !call->subset) return true;
    call->container = program.result == Result::dictionary
                     ? PyDict_New()
                     : PyList_New(static_cast<Py_ssize_t>(result_size(call)));
    return call->container != nullptr;
}

bool make_results(Call *call) {
    const Program &program = *call->program;
    Results &made = call->results.emplace(program.outputs.size() + program.updates.size());
    if (!made.values.valid()) return false;
    for (const Output &output : program.outputs)
        if (!made.values.add(make_value(call, output))) return false;
    for (const Update &update : program.updates)
        if (!made.values.add(make_update(call, update))) return false;
    made.result = Ref<>(make_result(call, made.values));
    return static_cast<bool>(made.result);
}

PyObject *finish_call(Call *call) {
    const Program &program = *call->program;
    const std::vector<Update> &updates = program.updates;
    // The usual case, without a detour.
    if (program.result == Result::single && updates.empty() && !call->subset && !call->results)
        return make_value(call, program.outputs[0]);
    if (!call->results && !make_results(call)) return nullptr;
    Results &made = *call->results;
    // Nothing can fail from here on. The old values end up in `values`, and die when all cells are
    // new.
    std::size_t next = program.outputs.size();
    for (const Update &update : updates)
        std::swap(call->function->cell(update.cell)->value, made.values[next++]);
    return made.result.release();
}

}  // namespace theano
