// From the arguments of a call to the descriptors of its frame.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "arrays.h"
#include "call.h"
#include "cell_use.h"
#include "pool.h"

namespace theano {

namespace {

PyObject *hook(Call *call, Hook which) { return call->function->hooks[which]; }

bool is_missing(const Input &input, PyObject *value) {
    return !value || (value == Py_None && !input.type.is_object());
}

PyObject *cell_value(Call *call, const Input &input) {
    if (input.cell < 0) return nullptr;
    PyObject *value = call->function->cell(input.cell)->value;
    return is_missing(input, value) ? nullptr : value;
}

// Python says what is wrong with the arguments; always false.
bool bad_arguments(Call *call, PyObject *const *args, Py_ssize_t nargs, PyObject *names) {
    Py_ssize_t n_names = names ? PyTuple_GET_SIZE(names) : 0;
    Ref<> positional(PyTuple_New(nargs)), named(PyDict_New());
    if (!positional || !named) return false;
    for (Py_ssize_t i = 0; i < nargs; ++i)
        PyTuple_SET_ITEM(positional.get(), i, Py_NewRef(args[i]));
    for (Py_ssize_t i = 0; i < n_names; ++i) {
        if (PyDict_SetItem(named.get(), PyTuple_GET_ITEM(names, i), args[nargs + i]) < 0)
            return false;
    }
    if (PyObject *explain = hook(call, kBadArguments)) {
        Ref<> ignored(PyObject_CallFunctionObjArgs(explain,
                                                   reinterpret_cast<PyObject *>(call->function),
                                                   positional.get(), named.get(), nullptr));
        if (!ignored) return false;
    }
    PyErr_Format(PyExc_TypeError,
                 "the arguments do not fit the %zd inputs of the function: got %zd and %zd by name",
                 static_cast<Py_ssize_t>(call->program->positional.size()), nargs, n_names);
    return false;
}

Py_ssize_t find_name(const Program &program, PyObject *name) {
    for (Py_ssize_t i : program.positional) {
        if (program.inputs[static_cast<std::size_t>(i)].name.get() == name) return i;
    }
    // Names in a call's syntax are interned, those in a dict that was unpacked need not be.
    for (Py_ssize_t i : program.positional) {
        PyObject *own = program.inputs[static_cast<std::size_t>(i)].name.get();
        if (own && PyUnicode_Compare(own, name) == 0) return i;
    }
    return -1;
}

Py_ssize_t output_index(const Program &program, PyObject *key) {
    Py_ssize_t count = static_cast<Py_ssize_t>(program.outputs.size());
    if (PyLong_Check(key)) {
        Py_ssize_t index = PyLong_AsSsize_t(key);
        if (index == -1 && PyErr_Occurred()) return -1;
        if (index < 0) index += count;
        if (index >= 0 && index < count) return index;
        PyErr_Format(PyExc_IndexError, "output_subset: there is no output %R among %zd", key,
                     count);
        return -1;
    }
    if (program.keys) {
        int error = 0;
        for (Py_ssize_t i = 0; i < count; ++i) {
            error = PyObject_RichCompareBool(PyTuple_GET_ITEM(program.keys.get(), i), key, Py_EQ);
            if (error > 0) return i;
            if (error < 0) return -1;
        }
    }
    PyErr_Format(PyExc_KeyError, "output_subset: there is no output %R", key);
    return -1;
}

bool read_subset(Call *call, PyObject *subset) {
    if (subset == Py_None) return true;
    Ref<> keys(PySequence_Tuple(subset));
    if (!keys) return false;
    Py_ssize_t count = PyTuple_GET_SIZE(keys.get());
    call->owns_more = true;
    call->subset = static_cast<std::int64_t *>(
        pool::allocate(count * static_cast<Py_ssize_t>(sizeof(std::int64_t))));
    if (!call->subset) {
        PyErr_NoMemory();
        return false;
    }
    call->subset_size = count;
    for (Py_ssize_t i = 0; i < count; ++i) {
        call->subset[i] = output_index(*call->program, PyTuple_GET_ITEM(keys.get(), i));
        if (call->subset[i] < 0) return false;
    }
    return true;
}

// Assigns the arguments given by name. 1: fine, 0: they do not fit, -1: an exception is set.
int bind_names(Call *call, PyObject *const *named, PyObject *names) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); ++i) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        Py_ssize_t index = find_name(*call->program, name);
        if (index >= 0 && !call->values[index]) {
            call->values[index] = Py_NewRef(named[i]);
        } else if (index < 0 && PyUnicode_CompareWithASCIIString(name, "output_subset") == 0) {
            if (!read_subset(call, named[i])) return -1;
        } else {
            return 0;
        }
    }
    return 1;
}

template <class T>
void put(Scalar &scalar, T value) {
    std::memcpy(scalar.bytes, &value, sizeof value);
}

template <class T>
bool put_integer(Scalar &scalar, long long value) {
    if (value < static_cast<long long>(std::numeric_limits<T>::min())) return false;
    // Unsigned 64-bit numbers beyond the signed ones go the slow way.
    if (sizeof(T) < sizeof(value) && value > static_cast<long long>(std::numeric_limits<T>::max()))
        return false;
    put(scalar, static_cast<T>(value));
    return true;
}

bool put_double(Scalar &scalar, int typenum, double value) {
    if (typenum == NPY_DOUBLE) {
        put(scalar, value);
    } else if (typenum == NPY_CDOUBLE) {
        const double both[2] = {value, 0};
        std::memcpy(scalar.bytes, both, sizeof both);
    } else {
        const auto rounded = static_cast<float>(value);
        if (typenum != NPY_FLOAT || (rounded != value && !std::isnan(value))) return false;
        put(scalar, rounded);
    }
    return true;
}

bool put_long(Scalar &scalar, int typenum, long long value) {
    switch (typenum) {
        case NPY_BYTE:
            return put_integer<signed char>(scalar, value);
        case NPY_UBYTE:
            return put_integer<unsigned char>(scalar, value);
        case NPY_SHORT:
            return put_integer<short>(scalar, value);
        case NPY_USHORT:
            return put_integer<unsigned short>(scalar, value);
        case NPY_INT:
            return put_integer<int>(scalar, value);
        case NPY_UINT:
            return put_integer<unsigned int>(scalar, value);
        case NPY_LONG:
            return put_integer<long>(scalar, value);
        case NPY_ULONG:
            return put_integer<unsigned long>(scalar, value);
        case NPY_LONGLONG:
            return put_integer<long long>(scalar, value);
        case NPY_ULONGLONG:
            return put_integer<unsigned long long>(scalar, value);
        default:
            if (value > (1LL << 53) || value < -(1LL << 53)) return false;
            return put_double(scalar, typenum, static_cast<double>(value));
    }
}

// A NumPy number of the type itself.
bool put_own(Scalar &scalar, int typenum, PyObject *value) {
    Ref<PyArray_Descr> own(PyArray_DescrFromType(typenum));
    if (!own || Py_TYPE(value) != own.get()->typeobj) return false;
    PyArray_ScalarAsCtype(value, scalar.bytes);
    return true;
}

// A Python or NumPy number that the type holds exactly. False without an exception: let Python
// convert it.
bool put_number(Scalar &scalar, int typenum, PyObject *value) {
    if (PyFloat_CheckExact(value) || PyArray_IsScalar(value, Double))
        return put_double(scalar, typenum, PyFloat_AS_DOUBLE(value));
    if (PyLong_CheckExact(value)) {
        int overflow = 0;
        long long integer = PyLong_AsLongLongAndOverflow(value, &overflow);
        return !overflow && put_long(scalar, typenum, integer);
    }
    if (PyBool_Check(value)) {
        if (typenum != NPY_BOOL) return put_long(scalar, typenum, value == Py_True);
        put(scalar, static_cast<unsigned char>(value == Py_True));
        return true;
    }
    // A class derived from one of NumPy's may run code of its own.
    if (!PyArray_IsScalar(value, Generic) || PyType_HasFeature(Py_TYPE(value), Py_TPFLAGS_HEAPTYPE))
        return false;
    if (put_own(scalar, typenum, value)) return true;
    if (PyArray_IsScalar(value, Float))
        return put_double(scalar, typenum, reinterpret_cast<PyFloatScalarObject *>(value)->obval);
    if (!PyArray_IsScalar(value, Integer) || PyArray_IsScalar(value, Timedelta)) return false;
    Ref<> number(PyNumber_Index(value));
    if (!number) PyErr_Clear();
    return number && put_number(scalar, typenum, number.get());
}

bool fits_broadcast(const Input &input, const std::int64_t *descriptor) {
    for (int i = 0; i < input.type.ndim; ++i) {
        if ((input.broadcast >> i & 1) && descriptor[kShape + i] != 1) return false;
    }
    return true;
}

bool fits_lengths(const Input &input, const std::int64_t *descriptor) {
    for (std::size_t i = 0; i < input.lengths.size(); ++i) {
        if (input.lengths[i] >= 0 && descriptor[kShape + i] != input.lengths[i]) return false;
    }
    return true;
}

// Uses an array as it is, if its type allows that.
inline bool fill_array(const Input &input, PyObject *value, std::int64_t *descriptor,
                       double *bytes) {
    if (!PyArray_CheckExact(value)) return false;
    auto *array = reinterpret_cast<PyArrayObject *>(value);
    if (!usable(array, input.type.typenum, input.type.ndim)) return false;
    *bytes += describe(array, descriptor);
    return (!input.broadcast || fits_broadcast(input, descriptor)) &&
           fits_lengths(input, descriptor);
}

bool wrong_value(Py_ssize_t index, PyObject *value) {
    PyErr_Format(PyExc_TypeError,
                 "the value of input %zd is not an array of the input's type: got %.200s", index,
                 Py_TYPE(value)->tp_name);
    return false;
}

// Replaces the object of an input by what the hook makes of it, and returns that, or nullptr.
PyObject *convert_value(Call *call, Py_ssize_t index, PyObject *convert) {
    Ref<> number(PyLong_FromSsize_t(index));
    if (!number) return nullptr;
    take_cells(call);
    PyObject *value = call->values[index];
    PyObject *made = PyObject_CallFunctionObjArgs(
        convert, reinterpret_cast<PyObject *>(call->function), number.get(), value, nullptr);
    if (!made) return nullptr;
    call->values[index] = made;
    Py_DECREF(value);
    return made;
}

bool filter_object(Call *call, Py_ssize_t index) {
    PyObject *convert = hook(call, kConvert);
    return !convert || convert_value(call, index, convert);
}

// Everything that is not already an array of the right type.
bool fill_converted(Call *call, Py_ssize_t index, const Input &input, std::int64_t *descriptor,
                    double *bytes) {
    PyObject *value = call->values[index];
    if (input.type.ndim == 0 && !(input.flags & kStrict) &&
        put_number(call->scalars[index], input.type.typenum, value)) {
        descriptor[kData] = reinterpret_cast<std::int64_t>(call->scalars[index].bytes);
        descriptor[kFlags] = TH_CONTIGUOUS;
        return true;
    }
    PyObject *convert = hook(call, kConvert);
    if (!convert) return wrong_value(index, value);
    PyObject *made = convert_value(call, index, convert);
    if (!made) return false;
    return fill_array(input, made, descriptor, bytes) || wrong_value(index, made);
}

bool is_read(Call *call, Py_ssize_t cell) {
    return cell_use::is_read(call->function->cell(cell), call->cells == CellState::taken);
}

bool may_overwrite(Call *call, std::size_t index) {
    const Input &input = call->program->inputs[index];
    if (!(input.flags & kMutable) || input.type.is_object()) return false;
    PyObject *value = call->values[index];
    if (PyArray_Check(value) && !PyArray_ISWRITEABLE(reinterpret_cast<PyArrayObject *>(value)))
        return false;
    return call->head.frame[input.offset + kFlags] & TH_CONTIGUOUS &&
           (input.cell < 0 || !is_read(call, input.cell));
}

Extent extent_at(Call *call, const Input &input) {
    return extent_of(call->head.frame + input.offset, input.type.ndim, input.type.itemsize());
}

// Marks the inputs whose memory no other one reaches.
void find_overwritable_of_few(Call *call) {
    const std::vector<Input> &inputs = call->program->inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!may_overwrite(call, i)) continue;
        const Extent mine = extent_at(call, inputs[i]);
        bool alone = true;
        for (std::size_t j = 0; alone && j < inputs.size(); ++j)
            if (j != i && !inputs[j].type.is_object())
                alone = !mine.overlaps(extent_at(call, inputs[j]));
        if (alone) call->head.frame[inputs[i].offset + kFlags] |= TH_OVERWRITABLE;
    }
}

// The same in order of addresses: such an input begins where all before it have ended, and ends
// before the next one begins.
bool find_overwritable(Call *call) {
    struct Place {
        Extent extent;
        std::int64_t *flags;
    };
    const Program &program = *call->program;
    const std::size_t most = program.inputs.size();
    if (most <= 3) {
        find_overwritable_of_few(call);
        return true;
    }
    Place few[16], *places = few;
    if (most > 16 && !(places = static_cast<Place *>(pool::allocate(
                           static_cast<std::int64_t>(most * sizeof(Place)))))) {
        PyErr_NoMemory();
        return false;
    }
    Place *end = places;
    for (std::size_t i = 0; i < most; ++i) {
        const Input &input = program.inputs[i];
        if (input.type.is_object()) continue;
        std::int64_t *descriptor = call->head.frame + input.offset;
        Extent extent = extent_at(call, input);
        bool wanted = may_overwrite(call, i);
        if (extent.low != extent.high)
            *end++ = {extent, wanted ? descriptor + kFlags : nullptr};
        else if (wanted)
            descriptor[kFlags] |= TH_OVERWRITABLE;
    }
    if (end - places > 1)
        std::sort(places, end,
                  [](const Place &a, const Place &b) { return a.extent.low < b.extent.low; });
    std::uintptr_t reached = 0;
    for (Place *place = places; place != end; ++place) {
        if (place->flags && reached <= place->extent.low &&
            (place + 1 == end || place->extent.high <= place[1].extent.low))
            *place->flags |= TH_OVERWRITABLE;
        reached = std::max(reached, place->extent.high);
    }
    if (places != few) pool::release(places);
    return true;
}

// Has the steps to come read what a call within this one stored in a cell that this call updates.
// The steps before have read the old value, which stays alive with the call.
bool see_new_value(Call *call, const Update &update) {
    const Input &input = call->program->inputs[static_cast<std::size_t>(update.input)];
    PyObject *&value = call->values[update.input];
    PyObject *stored = call->function->cell(update.cell)->value;
    if (!(input.flags & kImplicit) || !stored || stored == value) return true;
    std::int64_t *descriptor = call->head.frame + input.offset;
    if (input.type.is_object()) {
        descriptor[kData] = reinterpret_cast<std::int64_t>(stored);
    } else {
        std::int64_t found[kShape + 2 * NPY_MAXDIMS];
        double bytes = 0;
        // What had to be converted when the call began is no sign of a new value.
        if (!PyArray_CheckExact(stored)) return true;
        // Code was chosen, and room made, for these lengths and strides.
        const auto words = static_cast<std::size_t>(2 * input.type.ndim);
        if (!fill_array(input, stored, found, &bytes) ||
            std::memcmp(found + kShape, descriptor + kShape, words * sizeof(std::int64_t))) {
            PyErr_Format(PyExc_ValueError,
                         "a Python operation stored %R in a shared variable that the call around it "
                         "updates: that needs an array of the same type, shape and memory order as "
                         "when the call began. Have the operation return the new value, and let the "
                         "call update by that",
                         stored);
            return false;
        }
        descriptor[kData] = found[kData];
        descriptor[kFlags] &= ~TH_OVERWRITABLE;
    }
    return keep_object(call, std::exchange(value, Py_NewRef(stored))) == 0;
}

bool missing_value(Call *call, Py_ssize_t index, PyObject *const *args, Py_ssize_t nargs,
                   PyObject *names) {
    const Input &input = call->program->inputs[static_cast<std::size_t>(index)];
    if (!(input.flags & kImplicit)) return bad_arguments(call, args, nargs, names);
    PyErr_Format(PyExc_ValueError, "the cell of input %zd (%R) is empty", index,
                 input.name ? input.name.get() : Py_None);
    return false;
}

}  // namespace

bool bind_arguments(Call *call, PyObject *const *args, Py_ssize_t nargs, PyObject *names) {
    const Program &program = *call->program;
    if (nargs > static_cast<Py_ssize_t>(program.positional.size()))
        return bad_arguments(call, args, nargs, names);
    for (Py_ssize_t i = 0; i < nargs; ++i) {
        call->values[program.positional[static_cast<std::size_t>(i)]] = Py_NewRef(args[i]);
    }
    if (names) {
        int bound = bind_names(call, args + nargs, names);
        if (bound < 0) return false;
        if (bound == 0) return bad_arguments(call, args, nargs, names);
    }
    if (!program.shared.empty()) {
        if (!make_container(call) || !cell_use::wait(call->function)) return false;
        call->cells = CellState::free;
    }
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
        PyObject *&value = call->values[i];
        if (value) continue;
        value = cell_value(call, program.inputs[i]);
        if (!value) return missing_value(call, static_cast<Py_ssize_t>(i), args, nargs, names);
        Py_INCREF(value);
    }
    return true;
}

bool fill_frame(Call *call, double *bytes) {
    const Program &program = *call->program;
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
        const Input &input = program.inputs[i];
        std::int64_t *descriptor = call->head.frame + input.offset;
        if (input.type.is_object()) {
            if ((input.flags & kFiltered) && !filter_object(call, static_cast<Py_ssize_t>(i)))
                return false;
            descriptor[kData] = reinterpret_cast<std::int64_t>(call->values[i]);
        } else if (!fill_array(input, call->values[i], descriptor, bytes) &&
                   !fill_converted(call, static_cast<Py_ssize_t>(i), input, descriptor, bytes)) {
            return false;
        }
    }
    return !program.any_mutable || find_overwritable(call);
}

bool see_cells(Call *call) {
    for (const Update &update : call->program->updates)
        if (update.input >= 0 && !see_new_value(call, update)) return false;
    for (const Input &input : call->program->inputs)
        if (input.cell >= 0 && !input.type.is_object() && is_read(call, input.cell))
            call->head.frame[input.offset + kFlags] &= ~TH_OVERWRITABLE;
    return true;
}

PyObject *value_as_object(Call *call, Py_ssize_t index) {
    const Input &input = call->program->inputs[static_cast<std::size_t>(index)];
    PyObject *value = call->values[index];
    if (input.type.is_object() || PyArray_Check(value)) return Py_NewRef(value);
    return array_copying(call->head.frame + input.offset, input.type.descr.get(), 0);
}

}  // namespace theano
