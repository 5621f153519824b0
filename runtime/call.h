// One call of a function, from the binding of its arguments to its result.
#pragma once

#include <cstdint>
#include <optional>

#include "matmul.h"
#include "platform.h"
#include "pool.h"
#include "program.h"
#include "threads.h"

namespace theano {

enum class Failure { none, reported, memory, exception };

// What a call has of its cells (see cell_use.h): nothing yet, the knowledge that they are free, or
// the cells.
enum class CellState { none, free, taken };

// A Python number that stands for a 0-d array: its value, in the array's type.
struct alignas(16) Scalar {
    unsigned char bytes[16];
};

// A few references, most often without an allocation; freed together.
class References {
  public:
    explicit References(std::size_t room) {
        if (room > kInline) {
            items_ = static_cast<PyObject **>(
                pool::allocate(static_cast<std::int64_t>(room * sizeof(PyObject *))));
        }
    }
    ~References() {
        for (std::size_t i = 0; i < count_; ++i) Py_XDECREF(items_[i]);
        if (items_ && items_ != inline_) pool::release(items_);
    }
    References(const References &) = delete;
    References &operator=(const References &) = delete;

    bool valid() const {
        if (!items_) PyErr_NoMemory();
        return items_ != nullptr;
    }
    // Takes a reference; false for nullptr.
    bool add(PyObject *object) {
        items_[count_++] = object;
        return object != nullptr;
    }
    PyObject *&operator[](std::size_t index) { return items_[index]; }

  private:
    static constexpr std::size_t kInline = 8;
    std::size_t count_ = 0;
    PyObject *inline_[kInline];
    PyObject **items_ = inline_;
};

// What a call returns, and the new values of the cells that it updates.
struct Results {
    explicit Results(std::size_t room) : values(room) {}
    References values;  // of the outputs, then of the updates
    Ref<> result;
};

// INVARIANT: `head` is first, so that generated code and the runtime table see the same pointer.
struct Call {
    th_call head;
    FunctionObject *function;
    const Program *program;
    PyThreadState *saved;  // set while this call has let Python's lock go
    Failure failure;
    std::int64_t code, node, count;
    std::int64_t *facts;   // a block of the pool, or nullptr
    PyObject **values;     // strong: the objects of the inputs and shared variables
    Scalar *scalars;       // one for each input
    std::int64_t *subset;  // a block of the pool with the indices of the outputs that were asked
                           // for, or nullptr
    std::int64_t subset_size;
    PyObject **kept;  // strong: arrays and objects that callbacks returned; a block of the pool, or
                      // nullptr
    std::int64_t n_kept;
    unsigned char *ran;  // of each callback, whether it ran: a block of the pool, or nullptr
    CellState cells;
    PyObject *container; // strong: the result, if it was made when the call began, or nullptr
    // INVARIANT: set where one of `facts`, `subset`, `kept` and `ran` is.
    bool owns_more;
    // Made when the machine code is done or, if it writes into shared variables, before that.
    std::optional<Results> results;
    std::int64_t polled;  // when signals were handled last, and when the time was looked at; 0: never
    std::int64_t looked;
    // If calls are timed: when the step began that runs now, the time that kernels took to compile,
    // the bytes of its buffers, the number of the step that ended last, and shared work.
    std::int64_t clock, compiled, bytes, ended;
    threads::Use use;
};

using platform::nanoseconds;

// Adds the time from `start` to `now` to a part of the program.
inline void note_time(const Program &program, std::int64_t part, std::int64_t start,
                      std::int64_t now) {
    program.timings[part].nanoseconds.fetch_add(now - start, std::memory_order_relaxed);
    program.timings[part].calls.fetch_add(1, std::memory_order_relaxed);
}

// The time on the clock of a call, which stands still while kernels are compiled.
inline std::int64_t own_time(const Call *call) { return nanoseconds() - call->compiled; }

inline Call *call_of(th_call *head) { return reinterpret_cast<Call *>(head); }

extern const th_runtime runtime_table;

// Items of a range of `n` that make a chunk, of all the work that they take, in whole units.
std::int64_t chunk_items(std::int64_t n, double work, std::int64_t unit);
// Does what `parallel` of the table does, for so many instructions; false: it was interrupted.
bool run_kernel(Call *call, th_kernel *kernel, std::int64_t *args, std::int64_t n, double work,
                std::int64_t unit);
// The address of a kernel, compiled first if need be; nullptr after recording an exception.
th_kernel *kernel_of(Call *call, std::int64_t kernel);
// Rows of a block of a reduction (see reduce.cpp); 0: better reduce them all at once.
std::int64_t block_rows(std::int64_t rows, std::int64_t n, std::int64_t unit, double total);
std::int32_t reduce(th_call *head, std::int64_t number, std::int64_t *args, const th_reduction *how);
std::int32_t matrix_pass(th_call *head, std::int64_t number, std::int64_t *args, std::int64_t weight,
                         std::int64_t *words);
// Finds SciPy's BLAS where there is none that NumPy has.
void ensure_blas(Call *call);
// What a program is told of products; an exception is set if there is no such type.
std::int32_t report_product(Call *call, std::int64_t typenum, MatmulStatus status);
// Records that so many bytes were not to be had; -1.
std::int32_t out_of_memory(Call *call, std::int64_t bytes);

void take_lock(Call *call);
void let_lock_go(Call *call);
// INVARIANT: each of these is called before other code than the call's own may run, or use the
// cells. Takes them, for a call that has the lock; has the lock, too.
void take_cells(Call *call);
void enter_python(Call *call);
// Keeps an object (stolen) until the call ends; -1 with an exception set.
int keep_object(Call *call, PyObject *object);
// Handles signals if it is time to. True after recording the exception that a handler raised; never
// once results are made, since what the call does then must be done to the end.
bool interrupted(Call *call);
inline threads::Poll poll_of(Call *call) {
    return {[](void *context) { return interrupted(static_cast<Call *>(context)); }, call};
}
// What a hook returns in place of what the call recorded; null with that as an exception. With the
// lock.
PyObject *answer_failure(Call *call);
// The object of an input as an array: itself, or a new 0-d array for a Python number. A new
// reference.
PyObject *value_as_object(Call *call, Py_ssize_t index);

// Binds arguments and cells to call->values; false with an exception set.
bool bind_arguments(Call *call, PyObject *const *args, Py_ssize_t nargs, PyObject *names);
// Fills the descriptors from the values; adds up the bytes of the inputs.
bool fill_frame(Call *call, double *bytes);
// After a Python operation: what others read since then must stay as it is, and what calls within it
// stored in cells that this call updates is what it goes on with. False with an exception set.
bool see_cells(Call *call);
// Makes the list or dictionary that a call will return: that may collect garbage, which runs any
// code. False with an exception set.
bool make_container(Call *call);
// Makes everything that the call returns and stores; false with an exception set.
bool make_results(Call *call);
// Changes the cells, and returns the result. What can fail is done before.
PyObject *finish_call(Call *call);

std::int32_t run_callback(th_call *head, std::int64_t index, std::int64_t n_in,
                          const std::int64_t *in_offsets, std::int64_t n_out,
                          const std::int64_t *out_offsets);

}  // namespace theano
