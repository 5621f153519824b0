#include <cstddef>
#include <cstring>

#include "call.h"
#include "cell_use.h"
#include "pool.h"

namespace theano {

PyTypeObject *function_type = nullptr;

namespace {

constexpr const char *kHookNames[kHooks] = {"convert", "bad_arguments", "on_error",
                                            "on_callback_error", "on_failure", "on_variant"};
// Frames and inputs up to these sizes lie on the stack. Larger ones come from the pool: a stack
// must also hold functions that call themselves through Python, as deep as Python allows.
constexpr std::int64_t kStackFrame = 128;
constexpr std::size_t kStackInputs = 8;
// Calls with larger inputs let Python's lock go at once.
constexpr double kLongCall = 1 << 20;

FunctionObject *cast(PyObject *self) { return reinterpret_cast<FunctionObject *>(self); }

template <class T>
T *allocate(std::int64_t count) {
    return static_cast<T *>(pool::allocate(count * static_cast<std::int64_t>(sizeof(T))));
}

// Everything that a call holds, and gives back at its end.
class Invocation {
  public:
    explicit Invocation(FunctionObject *function) {
        const Program &program = *function->program;
        std::size_t count = program.inputs.size();
        call_.head.rt = &runtime_table;
        call_.head.kernels = reinterpret_cast<void *const *>(program.kernels.get());
        call_.function = function;
        call_.program = &program;
        call_.saved = nullptr;
        call_.failure = Failure::none;
        call_.facts = nullptr;
        call_.subset = nullptr;
        call_.kept = nullptr;
        call_.ran = nullptr;
        call_.cells = CellState::none;
        call_.owns_more = false;
        call_.container = nullptr;
        call_.polled = call_.looked = 0;
        call_.n_kept = 0;
        call_.head.frame =
            program.frame_size <= kStackFrame ? frame_ : allocate<std::int64_t>(program.frame_size);
        call_.values = count <= kStackInputs
                           ? values_
                           : allocate<PyObject *>(static_cast<std::int64_t>(count));
        call_.scalars =
            count <= kStackInputs ? scalars_ : allocate<Scalar>(static_cast<std::int64_t>(count));
        if (call_.head.frame) {
            std::memset(call_.head.frame, 0,
                        static_cast<std::size_t>(program.frame_size) * sizeof(std::int64_t));
        }
        if (call_.values) std::memset(call_.values, 0, count * sizeof(PyObject *));
    }

    ~Invocation() {
        const Program &program = *call_.program;
        if (call_.cells == CellState::taken) cell_use::leave(call_.function);
        Py_XDECREF(call_.container);
        if (call_.owns_more) release_more();
        if (call_.head.frame) {
            for (std::int64_t slot : program.buffer_slots) {
                if (call_.head.frame[slot])
                    pool::release(reinterpret_cast<void *>(call_.head.frame[slot]));
            }
            if (call_.head.frame != frame_) pool::release(call_.head.frame);
        }
        if (call_.scalars && call_.scalars != scalars_) pool::release(call_.scalars);
        if (!call_.values) return;
        for (std::size_t i = 0; i < program.inputs.size(); ++i) Py_XDECREF(call_.values[i]);
        if (call_.values != values_) pool::release(call_.values);
    }

    Invocation(const Invocation &) = delete;
    Invocation &operator=(const Invocation &) = delete;

    PyObject *run(PyObject *const *args, Py_ssize_t nargs, PyObject *names) {
        if (!call_.program->timings) return run_untimed(args, nargs, names);
        std::int64_t start = nanoseconds();
        PyObject *result = run_untimed(args, nargs, names);
        if (result) note_time(*call_.program, kWholeCall, start, nanoseconds());
        return result;
    }

  private:
    PyObject *run_untimed(PyObject *const *args, Py_ssize_t nargs, PyObject *names) {
        if (!call_.head.frame || !call_.values || !call_.scalars) return PyErr_NoMemory();
        double bytes = 0;
        if (!bind_arguments(&call_, args, nargs, names) || !fill_frame(&call_, &bytes))
            return nullptr;
        if (bytes > kLongCall) let_lock_go(&call_);
        std::int32_t status = call_.program->timings ? enter_timed() : enter();
        take_lock(&call_);
        bool failed = status != 0 || call_.failure != Failure::none;
        PyObject *result = failed ? answer_failure(&call_) : finish_call(&call_);
        if (result) return result;
        if (call_.ran) take_back();
        return nullptr;
    }

    void release_more() {
        for (std::int64_t i = 0; i < call_.n_kept; ++i) Py_DECREF(call_.kept[i]);
        for (void *block : {static_cast<void *>(call_.facts), static_cast<void *>(call_.subset),
                            static_cast<void *>(call_.kept), static_cast<void *>(call_.ran)})
            if (block) pool::release(block);
    }

    // Has Python undo what callbacks did that lasts, after a call that failed.
    void take_back() {
        PyObject *undo = call_.function->hooks[kOnFailure];
        if (!undo) return;
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        Ref<> ran(PyBytes_FromStringAndSize(
            reinterpret_cast<const char *>(call_.ran),
            static_cast<Py_ssize_t>(call_.program->callbacks.size())));
        Ref<> done(ran ? PyObject_CallFunctionObjArgs(
                             undo, reinterpret_cast<PyObject *>(call_.function), ran.get(), nullptr)
                       : nullptr);
        if (!done) PyErr_WriteUnraisable(undo);
        PyErr_Restore(type, value, traceback);
    }

    std::int32_t enter() { return call_.program->entry(&call_.head); }

    // Apart from calls that are not timed, which it would cost 8 ns.
    [[gnu::noinline]] std::int32_t enter_timed() {
        call_.compiled = call_.bytes = call_.use.waited = 0;
        call_.use.helpers.store(0, std::memory_order_relaxed);
        call_.ended = -1;
        threads::Use *outer = threads::use;
        threads::use = &call_.use;
        const std::int64_t start = call_.clock = nanoseconds();
        std::int32_t status = enter();
        threads::use = outer;
        if (status == 0) note_time(*call_.program, kMachineCode, start, own_time(&call_));
        return status;
    }

    Call call_;
    alignas(64) std::int64_t frame_[kStackFrame];
    PyObject *values_[kStackInputs];
    Scalar scalars_[kStackInputs];
};

// The numbers of the outputs that a call returns; None for all.
PyObject *subset_of(const Call *call) {
    if (!call->subset) return Py_NewRef(Py_None);
    Ref<> numbers(PyTuple_New(static_cast<Py_ssize_t>(call->subset_size)));
    for (std::int64_t i = 0; numbers && i < call->subset_size; ++i) {
        PyObject *number = PyLong_FromLongLong(call->subset[i]);
        if (!number) return nullptr;
        PyTuple_SET_ITEM(numbers.get(), i, number);
    }
    return numbers.release();
}

// What the hook returns in place of the error that it may raise; null with that error.
PyObject *answer_reported(Call *call) {
    Ref<> facts(PyTuple_New(call->count));
    for (std::int64_t i = 0; facts && i < call->count; ++i) {
        PyObject *fact = PyLong_FromLongLong(call->facts[i]);
        if (!fact) return nullptr;
        PyTuple_SET_ITEM(facts.get(), i, fact);
    }
    auto count = static_cast<Py_ssize_t>(call->program->inputs.size());
    Ref<> arguments(PyTuple_New(count));
    if (!facts || !arguments) return nullptr;
    for (Py_ssize_t i = 0; i < count; ++i) {
        PyObject *value = value_as_object(call, i);
        if (!value) return nullptr;
        PyTuple_SET_ITEM(arguments.get(), i, value);
    }
    if (PyObject *explain = call->function->hooks[kOnError]) {
        Ref<> subset(subset_of(call));
        if (!subset) return nullptr;
        Ref<> answer(PyObject_CallFunction(
            explain, "OLLOOO", call->function, static_cast<long long>(call->code),
            static_cast<long long>(call->node), facts.get(), arguments.get(), subset.get()));
        if (!answer || answer.get() != Py_None) return answer.release();
    }
    PyErr_Format(PyExc_RuntimeError, "error %lld in node %lld of a compiled function: %R",
                 static_cast<long long>(call->code), static_cast<long long>(call->node),
                 facts.get());
    return nullptr;
}

int function_traverse(PyObject *self, visitproc visit, void *arg) {
    FunctionObject *function = cast(self);
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(function->owner);
    Py_VISIT(function->cells);
    Py_VISIT(function->dictionary);
    for (PyObject *hook : function->hooks) Py_VISIT(hook);
    return 0;
}

// INVARIANT: owner and cells stay until the end, for a call may still be made by the destructors of
// a cycle.
int function_clear(PyObject *self) {
    FunctionObject *function = cast(self);
    Py_CLEAR(function->dictionary);
    for (PyObject *&hook : function->hooks) Py_CLEAR(hook);
    return 0;
}

void function_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (cast(self)->weakrefs) PyObject_ClearWeakRefs(self);
    function_clear(self);
    Py_CLEAR(cast(self)->cells);
    Py_CLEAR(cast(self)->owner);
    type->tp_free(self);
    Py_DECREF(type);
}

bool set_hooks(FunctionObject *function, PyObject *hooks) {
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(hooks, &position, &key, &value)) {
        int which = 0;
        while (which < kHooks && !(PyUnicode_Check(key) &&
                                   PyUnicode_CompareWithASCIIString(key, kHookNames[which]) == 0)) {
            ++which;
        }
        if (which == kHooks) {
            PyErr_Format(PyExc_ValueError, "there is no hook %R", key);
            return false;
        }
        if (value == Py_None) continue;
        if (!PyCallable_Check(value)) {
            PyErr_Format(PyExc_TypeError, "hook %R is not callable: %R", key, value);
            return false;
        }
        Py_XSETREF(function->hooks[which], Py_NewRef(value));
    }
    return true;
}

PyObject *function_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static const char *names[] = {"program", "cells", "hooks", nullptr};
    PyObject *program, *cells, *hooks = nullptr;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O|O!:Function", const_cast<char **>(names),
                                     program_type, &program, &cells, &PyDict_Type, &hooks)) {
        return nullptr;
    }
    Ref<> fixed(PySequence_Tuple(cells));
    if (!fixed) return nullptr;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(fixed.get()); ++i) {
        PyObject *cell = PyTuple_GET_ITEM(fixed.get(), i);
        if (!Py_IS_TYPE(cell, cell_type))
            return PyErr_Format(PyExc_TypeError, "cell %zd is %R", i, cell);
    }
    auto *data = reinterpret_cast<ProgramObject *>(program)->program;
    if (PyTuple_GET_SIZE(fixed.get()) != data->n_cells) {
        return PyErr_Format(PyExc_ValueError, "the program has %zd cells, got %zd", data->n_cells,
                            PyTuple_GET_SIZE(fixed.get()));
    }
    Ref<> self(type->tp_alloc(type, 0));
    if (!self) return nullptr;
    FunctionObject *function = cast(self.get());
    function->vectorcall = call_function;
    function->program = data;
    function->owner = Py_NewRef(program);
    function->cells = fixed.release();
    return !hooks || set_hooks(function, hooks) ? self.release() : nullptr;
}

PyObject *function_hooks(PyObject *self, void *) {
    Ref<> hooks(PyDict_New());
    for (int i = 0; hooks && i < kHooks; ++i) {
        PyObject *hook = cast(self)->hooks[i];
        if (hook && PyDict_SetItemString(hooks.get(), kHookNames[i], hook) < 0) return nullptr;
    }
    return hooks.release();
}

PyGetSetDef properties[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {"hooks", function_hooks, nullptr, "A new dict of the hooks.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"program", T_OBJECT_EX, offsetof(FunctionObject, owner), READONLY,
     "The program that a call runs."},
    {"cells", T_OBJECT_EX, offsetof(FunctionObject, cells), READONLY, "A tuple of the cells."},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(FunctionObject, vectorcall), READONLY, nullptr},
    {"__dictoffset__", T_PYSSIZET, offsetof(FunctionObject, dictionary), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(FunctionObject, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

const char doc[] =
    "Function(program, cells, hooks={})\n--\n\n"
    "A compiled graph that can be called. Hooks (callables) do what calls rarely need:\n\n"
    "convert(function, index, value) -> ndarray of the type of that input\n"
    "bad_arguments(function, args, kwargs): raises\n"
    "on_error(function, code, node, facts, arguments, subset): raises the error that machine code "
    "reported, or returns the result of the call; subset: None, or numbers of outputs\n"
    "on_callback_error(function, index, exception): may add notes to the exception, or raise "
    "another\n"
    "on_failure(function, ran): takes back what lasts of what callbacks did; ran[i] says whether "
    "callback i ran\n"
    "on_variant(function, kernel) -> address, or (address, owner of the code)";

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void *>(function_new)},
    {Py_tp_dealloc, reinterpret_cast<void *>(function_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void *>(function_traverse)},
    {Py_tp_clear, reinterpret_cast<void *>(function_clear)},
    {Py_tp_call, reinterpret_cast<void *>(PyVectorcall_Call)},
    {Py_tp_getset, properties},
    {Py_tp_members, members},
    {Py_tp_doc, const_cast<char *>(doc)},
    {0, nullptr},
};

PyType_Spec spec = {"theano._core.runtime.native.Function", sizeof(FunctionObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL, slots};

}  // namespace

PyObject *call_function(PyObject *self, PyObject *const *args, std::size_t nargsf,
                        PyObject *names) {
    // A keyword dict that is empty comes as nullptr, but an empty tuple of names is allowed too.
    if (names && PyTuple_GET_SIZE(names) == 0) names = nullptr;
    Invocation invocation(cast(self));
    return invocation.run(args, PyVectorcall_NARGS(nargsf), names);
}

void take_cells(Call *call) {
    if (call->cells != CellState::free) return;
    cell_use::enter(call->function);
    call->cells = CellState::taken;
}

int keep_object(Call *call, PyObject *object) {
    // Powers of two from 4 on: the block is full when the count is one of them.
    std::int64_t count = call->n_kept;
    if (count == 0 || (count >= 4 && (count & (count - 1)) == 0)) {
        std::int64_t room = count < 4 ? 4 : 2 * count;
        PyObject **larger = allocate<PyObject *>(room);
        if (!larger) {
            Py_DECREF(object);
            PyErr_NoMemory();
            return -1;
        }
        if (count)
            std::memcpy(larger, call->kept, static_cast<std::size_t>(count) * sizeof(PyObject *));
        if (call->kept) pool::release(call->kept);
        call->owns_more = true;
        call->kept = larger;
    }
    call->kept[call->n_kept++] = object;
    return 0;
}

PyObject *answer_failure(Call *call) {
    switch (call->failure) {
        case Failure::exception:
            break;
        case Failure::memory:
            PyErr_Format(PyExc_MemoryError,
                         "a compiled function cannot have a buffer of %lld bytes",
                         static_cast<long long>(call->count));
            break;
        case Failure::reported:
            if (PyObject *answer = answer_reported(call)) return answer;
            break;
        case Failure::none:
            break;
    }
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_SystemError, "machine code failed without saying why");
    return nullptr;
}

int add_function_type(PyObject *module) {
    function_type = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&spec));
    return function_type ? PyModule_AddType(module, function_type) : -1;
}

}  // namespace theano
