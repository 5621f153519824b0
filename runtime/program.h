// The Python types of the runtime, and what a compiled graph consists of.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "include/theano_runtime.h"
#include "numpy_api.h"

namespace theano {

// A strong reference; INVARIANT: touched only with Python's lock.
template <class T = PyObject>
class Ref {
  public:
    Ref() = default;
    explicit Ref(T *stolen) : object_(stolen) {}
    Ref(Ref &&other) noexcept : object_(other.release()) {}
    Ref &operator=(Ref &&other) noexcept {
        T *old = object_;
        object_ = other.release();
        Py_XDECREF(old);
        return *this;
    }
    ~Ref() { Py_XDECREF(object_); }
    static Ref borrow(T *object) {
        Py_XINCREF(object);
        return Ref(object);
    }
    T *get() const { return object_; }
    T *release() {
        T *object = object_;
        object_ = nullptr;
        return object;
    }
    explicit operator bool() const { return object_ != nullptr; }

  private:
    T *object_ = nullptr;
};

enum InputFlag { kImplicit = 1, kMutable = 2, kStrict = 4, kFiltered = 8 };

// The type of a value: an array, or (no `descr`) any Python object.
struct ValueType {
    int typenum = 0, ndim = 0;
    // Whether Python gets the memory of an argument, to write there, and no copy; of what it returns:
    // whether that is read where it is, whatever it shows.
    bool is_memory = false;
    Ref<PyArray_Descr> descr;
    bool is_object() const { return !descr; }
    std::int64_t itemsize() const { return PyDataType_ELSIZE(descr.get()); }
};

struct Input {
    ValueType type;
    std::uint64_t broadcast = 0;        // bit i: dimension i has size 1
    std::vector<std::int64_t> lengths;  // of each dimension, -1 for any; empty: all are any
    Ref<> name;                   // interned, or nullptr
    std::int64_t offset = 0;
    Py_ssize_t cell = -1;
    int flags = 0;
};

// Where a new value comes from: a buffer in C order, or in the order of the strides in its descriptor.
enum class Source { buffer, turned, copy, array, object, alias };

struct Output {
    Source source = Source::buffer;
    ValueType type;
    std::int64_t offset = 0;  // of the descriptor
    std::int64_t slot = -1;   // buffer, turned: its slot; alias: the index of the input
};

struct Update {
    Output value;
    Py_ssize_t cell = 0;
    Py_ssize_t input = -1;  // the input or shared variable that reads the cell, or -1
};

struct Callback {
    Ref<> callable;
    std::vector<ValueType> inputs, outputs;
};

// Time that all calls spent in one part of a program, and what a step did in it.
struct Timing {
    std::atomic<std::int64_t> nanoseconds{0}, calls{0}, bytes{0}, operations{0};
    // Nanoseconds that other threads worked, and that the calling one waited for them.
    std::atomic<std::int64_t> helpers{0}, waited{0};
};
// The parts that every program has; its steps follow.
enum TimedPart { kWholeCall, kMachineCode, kCompiling, kFirstStep };

// The call that had the most memory in its buffers.
struct Peak {
    std::mutex mutex;
    std::atomic<std::int64_t> bytes{0};
    std::int64_t step = -1;  // the step that ended last
    std::vector<std::pair<std::int64_t, std::int64_t>> buffers;  // slots and bytes
};

enum class Result { single, list, dictionary, nothing };

struct Program {
    th_entry *entry = nullptr;
    std::vector<Ref<>> alive;  // what owns the machine code
    std::unique_ptr<std::atomic<void *>[]> kernels;
    Py_ssize_t n_kernels = 0;
    std::int64_t frame_size = 0;
    std::vector<std::int64_t> buffer_slots;
    std::vector<Input> inputs;           // those that are given, then the shared variables
    std::vector<Py_ssize_t> positional;  // the inputs that a call may give, in order
    Py_ssize_t n_given = 0;              // how many of `inputs` are not shared variables
    Py_ssize_t n_cells = 0;
    bool any_mutable = false;
    // Cells that a call writes, then those that it only reads though another function may write them.
    std::vector<Py_ssize_t> shared;
    std::size_t n_written = 0;
    std::vector<Output> outputs;
    std::vector<Update> updates;
    std::vector<Callback> callbacks;
    std::unique_ptr<Timing[]> timings;  // nullptr: calls are not timed
    Py_ssize_t n_timings = 0;
    std::unique_ptr<Peak> peak;  // where calls are timed
    Result result = Result::list;
    Ref<> keys;  // a tuple: the keys of the outputs, for a dictionary
};

struct ProgramObject {
    PyObject_HEAD Program *program;
    PyObject *weakrefs;
};

// See cell_use.h.
struct CellUse {
    std::uintptr_t writer;  // names the thread that writes; 0: none
    std::int32_t writers;   // its calls, one within the other
    std::int32_t paused;    // those of them that are in a Python operation
    std::int32_t readers;   // calls that read
    std::int32_t waiting;   // those in the queue
    std::uint32_t process;  // in which this is so
};

struct CellObject {
    PyObject_HEAD PyObject *value;  // nullptr: empty
    PyObject *weakrefs;
    CellUse use;
};

enum Hook { kConvert, kBadArguments, kOnError, kOnCallbackError, kOnFailure, kOnVariant, kHooks };

struct FunctionObject {
    PyObject_HEAD vectorcallfunc vectorcall;
    Program *program;  // that of `owner`
    PyObject *owner;   // ProgramObject
    PyObject *cells;   // tuple of CellObject
    PyObject *hooks[kHooks];
    PyObject *dictionary;
    PyObject *weakrefs;

    CellObject *cell(Py_ssize_t index) const {
        return reinterpret_cast<CellObject *>(PyTuple_GET_ITEM(cells, index));
    }
};

extern PyTypeObject *program_type, *cell_type, *function_type, *code_type;

int add_program_type(PyObject *module);
int add_cell_type(PyObject *module);
int add_function_type(PyObject *module);
int add_code_type(PyObject *module);
// Python's `compile_module` and `Compiler`: see native.pyi.
PyObject *compile_module(PyObject *, PyObject *args);
int add_compiler_type(PyObject *module);

PyObject *call_function(PyObject *self, PyObject *const *args, std::size_t nargsf, PyObject *names);

}  // namespace theano
