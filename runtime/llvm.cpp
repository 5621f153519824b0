// Modules' texts to machine code, by the C functions of the library that llvmlite has.
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <deque>
#include <iterator>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "program.h"

namespace theano {

namespace {

// In the order of `_COMPILING` in libllvm.py; the last one may be missing.
struct Functions {
    void *(*parse)(void *context, const char *text, const char **reason);
    int (*set_target)(void *module, const char *triple);
    void *(*emit)(void *machine, void *module, int object, const char **reason);
    void *(*buffer_start)(void *buffer);
    std::size_t (*buffer_size)(void *buffer);
    int (*dispose_buffer)(void *buffer);
    int (*dispose_module)(void *module);
    int (*dispose_string)(const char *text);
    bool (*verify)(void *module, const char **reason);
};

// What writes code, and where modules are; INVARIANT: one thread at a time has a target.
struct Target {
    void *machine, *context;
};

struct Job {
    std::string text;
    std::string made;    // the object file, or its assembly
    std::string failed;  // why there is none; empty: there is one
    bool short_of_memory = false;
    double seconds = 0;
};

// What the caller and the threads that it has share.
struct Shared {
    Functions library;
    std::string triple;
    std::mutex lock;
    std::condition_variable changed;
    std::deque<Job> jobs;  // those that were added stay where they are
    std::size_t taken = 0;
    bool closed = false;
};

std::string why(const Functions &library, const char *failed, const char *reason) {
    std::string text = std::string(failed) + ": " + (reason ? reason : "it breaks a rule");
    if (reason) library.dispose_string(reason);
    return text;
}

void emit(const Functions &library, const char *triple, Target target, bool object, Job &job) {
    const char *reason = nullptr;
    void *module = library.parse(target.context, job.text.c_str(), &reason);
    if (!module || reason || (library.verify && library.verify(module, &reason))) {
        job.failed = why(library, "read the text written for it", reason);
    } else {
        if (reason) library.dispose_string(reason);
        reason = nullptr;
        library.set_target(module, triple);
        void *buffer = library.emit(target.machine, module, object, &reason);
        if (buffer) {
            job.made.assign(static_cast<const char *>(library.buffer_start(buffer)),
                            library.buffer_size(buffer));
            library.dispose_buffer(buffer);
        } else {
            job.failed = why(library, "write the code of a module", reason);
        }
    }
    if (module) library.dispose_module(module);
}

// Compiles one text; throws nothing.
void compile(const Functions &library, const char *triple, Target target, bool object, Job &job) {
    auto start = std::chrono::steady_clock::now();
    try {
        emit(library, triple, target, object, job);
    } catch (const std::bad_alloc &) {
        job.short_of_memory = true;
    }
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    job.seconds = took.count();
}

// Compiles what is added, until there is no more; `waits`: until no more will be.
void work(Shared &shared, Target target, bool waits) {
    std::unique_lock<std::mutex> hold(shared.lock);
    while (true) {
        if (waits) {
            shared.changed.wait(
                hold, [&] { return shared.closed || shared.taken < shared.jobs.size(); });
        }
        if (shared.taken == shared.jobs.size()) return;
        Job &job = shared.jobs[shared.taken++];
        hold.unlock();
        compile(shared.library, shared.triple.c_str(), target, true, job);
        hold.lock();
    }
}

bool read_functions(PyObject *addresses, Functions &library) {
    void *table[sizeof(Functions) / sizeof(void *)];
    if (PyTuple_GET_SIZE(addresses) != static_cast<Py_ssize_t>(std::size(table))) {
        PyErr_Format(PyExc_ValueError, "%zu functions are needed", std::size(table));
        return false;
    }
    for (std::size_t i = 0; i < std::size(table); ++i) {
        table[i] = PyLong_AsVoidPtr(PyTuple_GET_ITEM(addresses, i));
        if (PyErr_Occurred()) return false;
        if (!table[i] && i + 1 < std::size(table)) {
            PyErr_SetString(PyExc_ValueError, "a function has no address");
            return false;
        }
    }
    std::memcpy(&library, table, sizeof library);
    return true;
}

// What Python gets of a text that was compiled: bytes, or a str that says why there is no code.
PyObject *given(const Job &job) {
    if (job.short_of_memory) return PyErr_NoMemory();
    if (!job.failed.empty()) {
        return PyUnicode_DecodeUTF8(job.failed.data(), static_cast<Py_ssize_t>(job.failed.size()),
                                    "replace");
    }
    return PyBytes_FromStringAndSize(job.made.data(), static_cast<Py_ssize_t>(job.made.size()));
}

struct CompilerObject {
    PyObject_HEAD Shared *shared;
    std::vector<std::thread> *threads;
    pid_t process;
};

CompilerObject *cast(PyObject *self) { return reinterpret_cast<CompilerObject *>(self); }

// Has the threads stop once they have compiled what they have begun, and all that waits if `all`.
void join(CompilerObject &compiler, bool all) {
    {
        std::lock_guard<std::mutex> hold(compiler.shared->lock);
        compiler.shared->closed = true;
        if (!all) compiler.shared->taken = compiler.shared->jobs.size();
    }
    compiler.shared->changed.notify_all();
    for (std::thread &thread : *compiler.threads) thread.join();
    compiler.threads->clear();
}

void compiler_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    CompilerObject &compiler = *cast(self);
    // In the child of a process there are no threads to wait for, and maybe locks that they held.
    if (compiler.threads && (compiler.threads->empty() || compiler.process == getpid())) {
        Py_BEGIN_ALLOW_THREADS;
        join(compiler, false);
        Py_END_ALLOW_THREADS;
        delete compiler.threads;
        delete compiler.shared;
    }
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *compiler_new(PyTypeObject *type, PyObject *args, PyObject *) {
    PyObject *addresses;
    const char *triple;
    if (!PyArg_ParseTuple(args, "O!s", &PyTuple_Type, &addresses, &triple)) return nullptr;
    Ref<> self(type->tp_alloc(type, 0));
    if (!self) return nullptr;
    CompilerObject &compiler = *cast(self.get());
    compiler.process = getpid();
    try {
        compiler.shared = new Shared;
        compiler.threads = new std::vector<std::thread>;
        compiler.shared->triple = triple;
    } catch (const std::bad_alloc &) {
        if (!compiler.threads) delete compiler.shared;
        return PyErr_NoMemory();
    }
    return read_functions(addresses, compiler.shared->library) ? self.release() : nullptr;
}

PyObject *compiler_start(PyObject *self, PyObject *args) {
    unsigned long long machine, context;
    if (!PyArg_ParseTuple(args, "KK", &machine, &context)) return nullptr;
    Target target{reinterpret_cast<void *>(machine), reinterpret_cast<void *>(context)};
    Shared &shared = *cast(self)->shared;
    try {
        cast(self)->threads->emplace_back([&shared, target] { work(shared, target, true); });
    } catch (const std::exception &) {
        // The system gives no more.
        Py_RETURN_FALSE;
    }
    Py_RETURN_TRUE;
}

PyObject *compiler_add(PyObject *self, PyObject *text) {
    Py_ssize_t length;
    const char *characters = PyUnicode_AsUTF8AndSize(text, &length);
    if (!characters) return nullptr;
    Shared &shared = *cast(self)->shared;
    try {
        Job job;
        job.text.assign(characters, static_cast<std::size_t>(length));
        std::lock_guard<std::mutex> hold(shared.lock);
        shared.jobs.push_back(std::move(job));
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
    shared.changed.notify_one();
    Py_RETURN_NONE;
}

PyObject *compiler_waiting(PyObject *self, PyObject *) {
    Shared &shared = *cast(self)->shared;
    std::lock_guard<std::mutex> hold(shared.lock);
    return PyLong_FromSize_t(shared.jobs.size() - shared.taken);
}

PyObject *compiler_finish(PyObject *self, PyObject *args) {
    unsigned long long machine, context;
    if (!PyArg_ParseTuple(args, "KK", &machine, &context)) return nullptr;
    Target target{reinterpret_cast<void *>(machine), reinterpret_cast<void *>(context)};
    CompilerObject &compiler = *cast(self);
    Py_BEGIN_ALLOW_THREADS;
    work(*compiler.shared, target, false);
    join(compiler, true);
    Py_END_ALLOW_THREADS;
    Ref<> list(PyList_New(0));
    if (!list) return nullptr;
    for (const Job &job : compiler.shared->jobs) {
        Ref<> made(given(job));
        Ref<> pair(made ? Py_BuildValue("Od", made.get(), job.seconds) : nullptr);
        if (!pair || PyList_Append(list.get(), pair.get()) < 0) return nullptr;
    }
    return list.release();
}

PyMethodDef methods[] = {
    {"start", compiler_start, METH_VARARGS,
     "start(machine, context, /)\n--\n\nStart a thread that has these; False if there is none."},
    {"add", compiler_add, METH_O, "add(text, /)\n--\n\nHave a module compiled."},
    {"waiting", compiler_waiting, METH_NOARGS,
     "waiting()\n--\n\nHow many modules no thread has begun with."},
    {"finish", compiler_finish, METH_VARARGS,
     "finish(machine, context, /)\n--\n\nCompile what is left, here too, and end the threads.\n\n"
     "Of each module in turn: its object, or a str that says why there is none, and seconds."},
    {nullptr, nullptr, 0, nullptr},
};

const char doc[] =
    "Compiler(functions, triple)\n--\n\n"
    "Compiles LLVM modules on threads that never wait for Python's lock.\n\n"
    "`functions` are the addresses of LLVM's, in the order of llvm.cpp. A machine and a context are "
    "those of one thread.";

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void *>(compiler_new)},
    {Py_tp_dealloc, reinterpret_cast<void *>(compiler_dealloc)},
    {Py_tp_methods, methods},
    {Py_tp_doc, const_cast<char *>(doc)},
    {0, nullptr},
};

PyType_Spec spec = {"theano._core.runtime.native.Compiler", sizeof(CompilerObject), 0,
                    Py_TPFLAGS_DEFAULT, slots};

}  // namespace

PyObject *compile_module(PyObject *, PyObject *args) {
    PyObject *addresses;
    unsigned long long machine, context;
    const char *triple, *text;
    int object;
    if (!PyArg_ParseTuple(args, "O!KKssp", &PyTuple_Type, &addresses, &machine, &context, &triple,
                          &text, &object)) {
        return nullptr;
    }
    Functions library;
    if (!read_functions(addresses, library)) return nullptr;
    Job job;
    try {
        job.text = text;
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
    Target target{reinterpret_cast<void *>(machine), reinterpret_cast<void *>(context)};
    Py_BEGIN_ALLOW_THREADS;
    compile(library, triple, target, object, job);
    Py_END_ALLOW_THREADS;
    return given(job);
}

int add_compiler_type(PyObject *module) {
    Ref<> type(PyType_FromSpec(&spec));
    return type ? PyModule_AddType(module, reinterpret_cast<PyTypeObject *>(type.get())) : -1;
}

}  // namespace theano
