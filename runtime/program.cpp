#include "program.h"

#include <cstring>
#include <new>

#include "copy.h"

namespace theano {

PyTypeObject *program_type = nullptr;

namespace {

ProgramObject *cast(PyObject *self) { return reinterpret_cast<ProgramObject *>(self); }

// Reads the arguments of Program(); every function returns false with an exception set.
class Reader {
  public:
    explicit Reader(Program &program) : program_(program) {}

    bool frame(Py_ssize_t size, PyObject *slots) {
        if (size < 0 || size > (Py_ssize_t{1} << 32))
            return fail("frame_size %zd is out of range", size);
        program_.frame_size = size;
        return each(slots, "buffer_slots", [this](PyObject *item) {
            Py_ssize_t slot = PyNumber_AsSsize_t(item, PyExc_ValueError);
            if (slot == -1 && PyErr_Occurred()) return false;
            if (!fits(slot, 1)) return false;
            program_.buffer_slots.push_back(slot);
            return true;
        });
    }

    bool kernels(PyObject *addresses) {
        std::vector<void *> found;
        bool read = each(addresses, "kernels", [&](PyObject *item) {
            if (!PyLong_Check(item)) return wrong("an address", item);
            found.push_back(PyLong_AsVoidPtr(item));
            return !PyErr_Occurred();
        });
        if (!read) return false;
        program_.kernels.reset(new std::atomic<void *>[found.size() + 1]);
        program_.n_kernels = static_cast<Py_ssize_t>(found.size());
        for (std::size_t i = 0; i < found.size(); ++i) program_.kernels[i].store(found[i]);
        return true;
    }

    bool alive(PyObject *objects) {
        return each(objects, "code", [this](PyObject *item) {
            program_.alive.push_back(Ref<>::borrow(item));
            return true;
        });
    }

    bool inputs(PyObject *given, PyObject *shared) {
        if (!each(given, "inputs", [this](PyObject *item) { return input(item); })) return false;
        program_.n_given = static_cast<Py_ssize_t>(program_.inputs.size());
        if (!each(shared, "shared", [this](PyObject *item) { return input(item); })) return false;
        for (Py_ssize_t i = 0; i < static_cast<Py_ssize_t>(program_.inputs.size()); ++i) {
            Input &input = program_.inputs[static_cast<std::size_t>(i)];
            if (i >= program_.n_given) input.flags |= kImplicit;
            if (!(input.flags & kImplicit)) program_.positional.push_back(i);
            else if (input.cell < 0)
                return fail("input %zd can neither be given nor has it a cell", i);
            if (input.flags & kMutable) program_.any_mutable = true;
        }
        return true;
    }

    bool outputs(PyObject *records) {
        return each(records, "outputs", [this](PyObject *item) {
            const char *source = nullptr;
            Output out;
            Py_ssize_t offset = 0, slot = 0;
            if (!is_tuple(item) ||
                !PyArg_ParseTuple(item, "siinn;an output is (source, typenum, ndim, offset, slot)",
                                  &source, &out.type.typenum, &out.type.ndim, &offset, &slot)) {
                return false;
            }
            out.offset = offset;
            out.slot = slot;
            if (!output(source, out)) return false;
            program_.outputs.push_back(std::move(out));
            return true;
        });
    }

    bool updates(PyObject *records) {
        return each(records, "updates", [this](PyObject *item) {
            const char *source = nullptr;
            Update update;
            Output &out = update.value;
            Py_ssize_t offset = 0, slot = 0;
            if (!is_tuple(item) ||
                !PyArg_ParseTuple(
                    item, "nsiinn;an update is (cell, source, typenum, ndim, offset, slot)",
                    &update.cell, &source, &out.type.typenum, &out.type.ndim, &offset, &slot)) {
                return false;
            }
            out.offset = offset;
            out.slot = slot;
            if (!output(source, out) || !cell(update.cell)) return false;
            for (std::size_t i = 0; i < program_.inputs.size(); ++i) {
                if (program_.inputs[i].cell == update.cell)
                    update.input = static_cast<Py_ssize_t>(i);
            }
            program_.updates.push_back(std::move(update));
            return true;
        });
    }

    bool callbacks(PyObject *records) {
        return each(records, "callbacks", [this](PyObject *item) {
            Callback callback;
            PyObject *callable = nullptr, *inputs = nullptr, *outputs = nullptr;
            if (!is_tuple(item) ||
                !PyArg_ParseTuple(item, "OOO;a callback is (callable, inputs, outputs)", &callable,
                                  &inputs, &outputs)) {
                return false;
            }
            if (!PyCallable_Check(callable)) return wrong("a callable", callable);
            callback.callable = Ref<>::borrow(callable);
            if (!values(inputs, callback.inputs) || !values(outputs, callback.outputs))
                return false;
            program_.callbacks.push_back(std::move(callback));
            return true;
        });
    }

    bool result(PyObject *result) {
        if (PyTuple_Check(result)) {
            program_.result = Result::dictionary;
            program_.keys = Ref<>::borrow(result);
            if (PyTuple_GET_SIZE(result) == static_cast<Py_ssize_t>(program_.outputs.size()))
                return true;
            return fail("there are %zd keys for %zd outputs", PyTuple_GET_SIZE(result),
                        static_cast<Py_ssize_t>(program_.outputs.size()));
        }
        const char *text = PyUnicode_Check(result) ? PyUnicode_AsUTF8(result) : nullptr;
        if (!text)
            return PyErr_Occurred() ? false
                                    : wrong("'single', 'list', 'none' or a tuple of keys", result);
        if (std::strcmp(text, "single") == 0) program_.result = Result::single;
        else if (std::strcmp(text, "list") == 0) program_.result = Result::list;
        else if (std::strcmp(text, "none") == 0) program_.result = Result::nothing;
        else return wrong("'single', 'list', 'none' or a tuple of keys", result);
        if (program_.result == Result::single && program_.outputs.size() != 1) {
            return fail("a single result needs one output, not %zd",
                        static_cast<Py_ssize_t>(program_.outputs.size()));
        }
        return true;
    }

    // A cell that can neither be given nor is mutable is a constant.
    void cell_uses() {
        std::vector<bool> seen(static_cast<std::size_t>(program_.n_cells));
        auto add = [&](Py_ssize_t cell) {
            if (cell < 0 || seen[static_cast<std::size_t>(cell)]) return;
            seen[static_cast<std::size_t>(cell)] = true;
            program_.shared.push_back(cell);
        };
        for (const Update &update : program_.updates) add(update.cell);
        program_.n_written = program_.shared.size();
        for (std::size_t i = 0; i < program_.inputs.size(); ++i) {
            const Input &input = program_.inputs[i];
            if (static_cast<Py_ssize_t>(i) < program_.n_given || (input.flags & kMutable))
                add(input.cell);
        }
    }

  private:
    Program &program_;

    template <class... Args>
    static bool fail(const char *format, Args... args) {
        PyErr_Format(PyExc_ValueError, format, args...);
        return false;
    }

    static bool wrong(const char *wanted, PyObject *got) {
        PyErr_Format(PyExc_TypeError, "wanted %s, got %R", wanted, got);
        return false;
    }

    static bool is_tuple(PyObject *item) {
        return PyTuple_Check(item) ? true : wrong("a tuple", item);
    }

    template <class Each>
    static bool each(PyObject *sequence, const char *what, Each read) {
        Ref<> items(PySequence_Fast(sequence, what));
        if (!items) return false;
        // A tuple of our own: reading an item may run Python code that changes a list.
        Ref<> fixed(PySequence_Tuple(items.get()));
        if (!fixed) return false;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(fixed.get()); ++i) {
            if (!read(PyTuple_GET_ITEM(fixed.get(), i))) return false;
        }
        return true;
    }

    bool fits(Py_ssize_t offset, Py_ssize_t slots) {
        if (offset >= 0 && slots <= program_.frame_size && offset <= program_.frame_size - slots)
            return true;
        return fail("slot %zd lies outside a frame of %zd slots", offset,
                    static_cast<Py_ssize_t>(program_.frame_size));
    }

    bool cell(Py_ssize_t index) {
        if (index < 0 || index > (1 << 24)) return fail("cell %zd is out of range", index);
        if (index >= program_.n_cells) program_.n_cells = index + 1;
        return true;
    }

    bool type(const char *kind, ValueType &type) {
        if (std::strcmp(kind, "object") == 0) {
            type.ndim = 0;
            return true;
        }
        type.is_memory = std::strcmp(kind, "memory") == 0;
        if (!type.is_memory && std::strcmp(kind, "array") != 0)
            return fail("a value is 'array', 'memory' or 'object', not '%s'", kind);
        if (!PyTypeNum_ISNUMBER(type.typenum) && !PyTypeNum_ISBOOL(type.typenum)) {
            return fail("type number %d is not numeric", type.typenum);
        }
        if (type.ndim < 0 || type.ndim > kMostDimensions)
            return fail("%d dimensions are too many", type.ndim);
        type.descr = Ref<PyArray_Descr>(PyArray_DescrFromType(type.typenum));
        return static_cast<bool>(type.descr);
    }

    bool known_lengths(PyObject *lengths, Input &input) {
        if (PyTuple_GET_SIZE(lengths) != input.type.ndim)
            return fail("%d dimensions need as many lengths", input.type.ndim);
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(lengths); ++i) {
            input.lengths.push_back(PyLong_AsLongLong(PyTuple_GET_ITEM(lengths, i)));
            if (PyErr_Occurred()) return false;
        }
        return true;
    }

    bool input(PyObject *item) {
        Input input;
        const char *kind = nullptr;
        unsigned long long broadcast = 0;
        PyObject *name = nullptr, *lengths = nullptr;
        Py_ssize_t offset = 0;
        if (!is_tuple(item) ||
            !PyArg_ParseTuple(item,
                              "siiKOnni|O!;an input is (kind, typenum, ndim, broadcast, name, "
                              "offset, cell, flags[, lengths])",
                              &kind, &input.type.typenum, &input.type.ndim, &broadcast, &name,
                              &offset, &input.cell, &input.flags, &PyTuple_Type, &lengths)) {
            return false;
        }
        input.offset = offset;
        input.broadcast = broadcast;
        if (!type(kind, input.type) || !fits(offset, 2 + 2 * input.type.ndim)) return false;
        if (input.cell != -1 && !cell(input.cell)) return false;
        if (lengths && !known_lengths(lengths, input)) return false;
        if (name != Py_None) {
            if (!PyUnicode_Check(name)) return wrong("a name or None", name);
            Py_INCREF(name);
            PyUnicode_InternInPlace(&name);
            input.name = Ref<>(name);
        }
        program_.inputs.push_back(std::move(input));
        return true;
    }

    bool output(const char *source, Output &out) {
        static const struct {
            const char *name;
            Source source;
        } sources[] = {{"buffer", Source::buffer},
                       {"turned", Source::turned},
                       {"copy", Source::copy},
                       {"array", Source::array},
                       {"object", Source::object},
                       {"alias", Source::alias}};
        for (const auto &known : sources) {
            if (std::strcmp(known.name, source) != 0) continue;
            out.source = known.source;
            if (out.source == Source::alias) {
                if (out.slot >= 0 && out.slot < static_cast<Py_ssize_t>(program_.inputs.size()))
                    return true;
                return fail("an alias of input %zd, which is not there",
                            static_cast<Py_ssize_t>(out.slot));
            }
            if (!type(out.source == Source::object ? "object" : "array", out.type)) return false;
            const bool held = out.source == Source::buffer || out.source == Source::turned;
            if (held && !fits(out.slot, 1)) return false;
            return fits(out.offset, 2 + 2 * out.type.ndim);
        }
        return fail("a value comes from 'buffer', 'turned', 'copy', 'array', 'object' or 'alias', not "
                    "'%s'",
                    source);
    }

    bool values(PyObject *records, std::vector<ValueType> &into) {
        return each(records, "the values of a callback", [&](PyObject *item) {
            const char *kind = nullptr;
            ValueType value;
            if (!is_tuple(item) || !PyArg_ParseTuple(item, "sii;a value is (kind, typenum, ndim)",
                                                     &kind, &value.typenum, &value.ndim)) {
                return false;
            }
            if (!type(kind, value)) return false;
            into.push_back(std::move(value));
            return true;
        });
    }
};

PyObject *program_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static const char *names[] = {"entry",        "code",      "kernels", "frame_size",
                                  "buffer_slots", "inputs",    "shared",  "outputs",
                                  "updates",      "callbacks", "result",  "timed_steps",
                                  nullptr};
    PyObject *entry, *code, *kernels, *slots, *inputs, *shared, *outputs, *updates, *callbacks,
        *result;
    Py_ssize_t frame_size = 0, timed_steps = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "$O!OOnOOOOOOOn:Program",
                                     const_cast<char **>(names), &PyLong_Type, &entry, &code,
                                     &kernels, &frame_size, &slots, &inputs, &shared, &outputs,
                                     &updates, &callbacks, &result, &timed_steps)) {
        return nullptr;
    }
    void *address = PyLong_AsVoidPtr(entry);
    if (!address) {
        return PyErr_Occurred() ? nullptr
                                : PyErr_Format(PyExc_ValueError, "the entry has no address");
    }
    Ref<> self(type->tp_alloc(type, 0));
    if (!self) return nullptr;
    try {
        Program *program = cast(self.get())->program = new Program;
        program->entry = reinterpret_cast<th_entry *>(address);
        Reader reader(*program);
        bool read = reader.alive(code) && reader.kernels(kernels) &&
                    reader.frame(frame_size, slots) && reader.inputs(inputs, shared) &&
                    reader.outputs(outputs) && reader.updates(updates) &&
                    reader.callbacks(callbacks) && reader.result(result);
        if (read) reader.cell_uses();
        if (timed_steps > (1 << 24))
            return PyErr_Format(PyExc_ValueError, "too many steps: %zd", timed_steps);
        if (timed_steps >= 0) {
            program->n_timings = kFirstStep + timed_steps;
            program->timings.reset(new Timing[static_cast<std::size_t>(program->n_timings)]);
            program->peak = std::make_unique<Peak>();
        }
        return read ? self.release() : nullptr;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
}

int program_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    const Program *program = cast(self)->program;
    if (!program) return 0;
    for (const auto &object : program->alive) Py_VISIT(object.get());
    for (const auto &callback : program->callbacks) Py_VISIT(callback.callable.get());
    Py_VISIT(program->keys.get());
    return 0;
}

int program_clear(PyObject *self) {
    // The functions that may still run this program keep it from being cleared before them only by
    // order: leave the machine code in place, and break cycles at the callables.
    if (Program *program = cast(self)->program) {
        for (auto &callback : program->callbacks) callback.callable = Ref<>();
        program->keys = Ref<>();
    }
    return 0;
}

void program_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (cast(self)->weakrefs) PyObject_ClearWeakRefs(self);
    delete cast(self)->program;
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *program_kernels(PyObject *self, void *) {
    const Program &program = *cast(self)->program;
    PyObject *addresses = PyTuple_New(program.n_kernels);
    for (Py_ssize_t i = 0; addresses && i < program.n_kernels; ++i) {
        PyObject *address = PyLong_FromVoidPtr(program.kernels[i].load());
        if (!address) Py_CLEAR(addresses);
        else PyTuple_SET_ITEM(addresses, i, address);
    }
    return addresses;
}

PyObject *program_timings(PyObject *self, void *) {
    const Program &program = *cast(self)->program;
    PyObject *timings = PyTuple_New(program.n_timings);
    for (Py_ssize_t i = 0; timings && i < program.n_timings; ++i) {
        const Timing &timing = program.timings[i];
        PyObject *entry =
            Py_BuildValue("LLLLLL", static_cast<long long>(timing.nanoseconds.load()),
                          static_cast<long long>(timing.calls.load()),
                          static_cast<long long>(timing.bytes.load()),
                          static_cast<long long>(timing.operations.load()),
                          static_cast<long long>(timing.helpers.load()),
                          static_cast<long long>(timing.waited.load()));
        if (!entry) Py_CLEAR(timings);
        else PyTuple_SET_ITEM(timings, i, entry);
    }
    return timings;
}

PyObject *program_peak(PyObject *self, void *) {
    const Program &program = *cast(self)->program;
    if (!program.peak) return Py_NewRef(Py_None);
    Peak &peak = *program.peak;
    std::lock_guard<std::mutex> guard(peak.mutex);
    Ref<> buffers(PyTuple_New(static_cast<Py_ssize_t>(peak.buffers.size())));
    for (std::size_t i = 0; buffers && i < peak.buffers.size(); ++i) {
        const auto [slot, bytes] = peak.buffers[i];
        PyObject *entry =
            Py_BuildValue("LL", static_cast<long long>(slot), static_cast<long long>(bytes));
        if (!entry) return nullptr;
        PyTuple_SET_ITEM(buffers.get(), static_cast<Py_ssize_t>(i), entry);
    }
    if (!buffers) return nullptr;
    return Py_BuildValue("LLO", static_cast<long long>(peak.bytes.load()),
                         static_cast<long long>(peak.step), buffers.get());
}

PyGetSetDef properties[] = {
    {"kernels", program_kernels, nullptr,
     "The addresses of the kernels now; 0 where none is compiled.", nullptr},
    {"timings", program_timings, nullptr,
     "(nanoseconds, calls, bytes, operations, nanoseconds of other threads, nanoseconds of waiting "
     "for them) of whole calls, of machine code, of compiling kernels within calls, and of each "
     "step; () if calls are not timed.",
     nullptr},
    {"peak", program_peak, nullptr,
     "(bytes, number of the step that ended before, ((slot, bytes), ...)) of the moment at which the "
     "buffers of a call were largest; None if calls are not timed.",
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(ProgramObject, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

const char doc[] =
    "Program(*, entry, code, kernels, frame_size, buffer_slots, inputs, shared, outputs, updates, "
    "callbacks, result, timed_steps)\n"
    "--\n\n"
    "A compiled graph: machine code, and how its frame is filled and emptied. Functions share "
    "programs.\n\n"
    "entry : int, the address of the entry function; code : objects that own the machine code\n"
    "kernels : addresses, 0 for a kernel that is compiled when it is first needed\n"
    "inputs, shared : (kind, typenum, ndim, broadcast, name, offset, cell, flags[, lengths]); kind "
    "'array' or 'object';\n"
    "    broadcast has bit i set if dimension i has size 1; cell -1 for none; flags IMPLICIT | "
    "MUTABLE | STRICT |\n"
    "    FILTERED (an object that goes through the hook convert)\n"
    "    lengths: of each dimension, -1 for any\n"
    "outputs : (source, typenum, ndim, offset, slot); source 'buffer' (slot becomes the array), "
    "'copy' (of whatever\n"
    "    the descriptor describes), 'array' (the array that a callback returned), 'object', "
    "'alias' (slot is the\n"
    "    index of an input or shared variable, whose object is returned)\n"
    "updates : (cell, source, typenum, ndim, offset, slot)\n"
    "callbacks : (callable, inputs, outputs), each value (kind, typenum, ndim)\n"
    "result : 'single', 'list', 'none', or the keys of a dict\n"
    "timed_steps : how many steps report their time by `tick`; -1: calls are not timed";

PyType_Slot type_slots[] = {
    {Py_tp_new, reinterpret_cast<void *>(program_new)},
    {Py_tp_dealloc, reinterpret_cast<void *>(program_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void *>(program_traverse)},
    {Py_tp_clear, reinterpret_cast<void *>(program_clear)},
    {Py_tp_getset, properties},
    {Py_tp_members, members},
    {Py_tp_doc, const_cast<char *>(doc)},
    {0, nullptr},
};

PyType_Spec spec = {"theano._core.runtime.native.Program", sizeof(ProgramObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, type_slots};

}  // namespace

int add_program_type(PyObject *module) {
    program_type = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&spec));
    return program_type ? PyModule_AddType(module, program_type) : -1;
}

}  // namespace theano
