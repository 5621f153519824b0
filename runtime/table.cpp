// The functions that generated code calls: th_runtime.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "arrays.h"
#include "blas.h"
#include "call.h"
#include "copy.h"
#include "along.h"
#include "extremes.h"
#include "fourier.h"
#include "gather.h"
#include "joins.h"
#include "lapack.h"
#include "lapack_aside.h"
#include "columns.h"
#include "convolution.h"
#include "matmul.h"
#include "panels.h"
#include "pool.h"
#include "scatter.h"
#include "sparse.h"
#include "threads.h"

namespace theano {

namespace {

std::int32_t exception_set(Call *call) {
    call->failure = Failure::exception;
    return -1;
}

std::int64_t capacity(std::int64_t place) {
    return static_cast<std::int64_t>(pool::capacity(reinterpret_cast<void *>(place)));
}

// Notes what the buffers of a call hold, where no call held so much before.
[[gnu::noinline]] void count_buffer(Call *call, std::int64_t place) {
    call->bytes += capacity(place);
    Peak &peak = *call->program->peak;
    if (call->bytes <= peak.bytes.load(std::memory_order_relaxed)) return;
    std::lock_guard<std::mutex> guard(peak.mutex);
    if (call->bytes <= peak.bytes.load()) return;
    peak.bytes.store(call->bytes);
    peak.step = call->ended;
    peak.buffers.clear();
    for (std::int64_t slot : call->program->buffer_slots)
        if (std::int64_t there = call->head.frame[slot])
            peak.buffers.emplace_back(slot, capacity(there));
}

void give_back(Call *call, std::int64_t place) {
    if (call->program->timings) call->bytes -= capacity(place);
    pool::release(reinterpret_cast<void *>(place));
}

void *table_alloc(th_call *head, std::int64_t bytes, std::int64_t slot) {
    Call *call = call_of(head);
    void *memory = pool::allocate(bytes);
    if (!memory) {
        out_of_memory(call, bytes);
        return nullptr;
    }
    std::int64_t &place = head->frame[slot];
    if (place) give_back(call, place);
    place = reinterpret_cast<std::int64_t>(memory);
    if (call->program->timings) count_buffer(call, place);
    return memory;
}

void table_free(th_call *head, std::int64_t slot) {
    std::int64_t &place = head->frame[slot];
    if (place) give_back(call_of(head), place);
    place = 0;
}

std::int32_t table_fail(th_call *head, std::int64_t code, std::int64_t node, std::int64_t count,
                        const std::int64_t *facts) {
    Call *call = call_of(head);
    // Of memory that it did not get, machine code knows the shape.
    if (call->failure != Failure::none && call->failure != Failure::memory) return -1;
    call->failure = Failure::reported;
    call->code = code;
    call->node = node;
    call->count = 0;
    count = std::max<std::int64_t>(0, std::min<std::int64_t>(count, TH_MAX_FACTS));
    if (count == 0) return -1;
    std::int64_t bytes = count * static_cast<std::int64_t>(sizeof(std::int64_t));
    call->owns_more = true;
    call->facts = static_cast<std::int64_t *>(pool::allocate(bytes));
    if (call->facts) {
        std::memcpy(call->facts, facts, static_cast<std::size_t>(bytes));
        call->count = count;
    }
    return -1;
}

// Offers the functions of a module of SciPy's, whose import takes time.
template <class Offer>
bool offer_functions(Call *call, const char *name_of_module, Offer offer) {
    enter_python(call);
    Ref<> module(PyImport_ImportModule(name_of_module));
    Ref<> table(module ? PyObject_GetAttrString(module.get(), "__pyx_capi__") : nullptr);
    if (!table || !PyDict_Check(table.get())) {
        PyErr_Clear();
        return false;
    }
    Ref<> file(PyObject_GetAttrString(module.get(), "__file__"));
    if (const char *path = file && PyUnicode_Check(file.get()) ? PyUnicode_AsUTF8(file.get()) : nullptr)
        blas::find_setter(path);
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(table.get(), &position, &key, &value)) {
        const char *name = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : nullptr;
        const char *signature = PyCapsule_CheckExact(value) ? PyCapsule_GetName(value) : nullptr;
        if (name && signature) offer(name, signature, PyCapsule_GetPointer(value, signature));
    }
    PyErr_Clear();
    return true;
}

bool uses_blas(std::int64_t typenum) {
    return PyTypeNum_ISFLOAT(typenum) || PyTypeNum_ISCOMPLEX(typenum);
}

std::int32_t table_matmul(th_call *head, std::int64_t typenum, std::int64_t nd_a, std::int64_t nd_b,
                          const std::int64_t *a, const std::int64_t *b, const std::int64_t *c,
                          const void *alpha, const void *beta) {
    Call *call = call_of(head);
    if (uses_blas(typenum)) ensure_blas(call);
    const std::int64_t *shape_a = shape_of(a), *strides_a = strides_of(a, nd_a);
    const std::int64_t *shape_b = shape_of(b), *strides_b = strides_of(b, nd_b);
    Matrix left{static_cast<const char *>(data_of(a)), 1, shape_a[nd_a - 1], 0,
                strides_a[nd_a - 1]};
    if (nd_a == 2) {
        left.rows = shape_a[0];
        left.down = strides_a[0];
    }
    Matrix right{static_cast<const char *>(data_of(b)), shape_b[0], 1, strides_b[0], 0};
    if (nd_b == 2) {
        right.columns = shape_b[1];
        right.across = strides_b[1];
    }
    return report_product(call, typenum,
                          matmul(static_cast<int>(typenum), left, right, data_of(c), alpha, beta,
                                 poll_of(call)));
}

std::int32_t table_multiply_pairs(th_call *head, std::int64_t *args) {
    Call *call = call_of(head);
    const Pairs &pairs = *reinterpret_cast<const Pairs *>(args);
    if (uses_blas(pairs.typenum)) ensure_blas(call);
    return report_product(call, pairs.typenum, matmul_pairs(pairs, poll_of(call)));
}

std::int32_t table_parallel(th_call *head, th_kernel *kernel, std::int64_t *args, std::int64_t n,
                            std::int64_t total, std::int64_t weight, std::int64_t unit) {
    const double work = static_cast<double>(total) * static_cast<double>(weight);
    return run_kernel(call_of(head), kernel, args, n, work, unit) ? 0 : -1;
}

std::int32_t table_multiply_packed(th_call *head, std::int64_t *args) {
    panels::Work &work = *reinterpret_cast<panels::Work *>(args);
    if (panels::large(work)) let_lock_go(call_of(head));
    return panels::multiply(work, poll_of(call_of(head))) ? 0 : -1;
}

std::int32_t table_convolve(th_call *head, std::int64_t *args) {
    const auto &work = *reinterpret_cast<const convolution::Work *>(args);
    switch (convolution::convolve(work, poll_of(call_of(head)))) {
        case convolution::Status::done:
            return 0;
        case convolution::Status::interrupted:
            return -1;
        case convolution::Status::no_memory:
            break;
    }
    return out_of_memory(call_of(head), 0);
}

std::int32_t table_transform(th_call *head, std::int64_t *args) {
    switch (fourier::transform(*reinterpret_cast<const fourier::Work *>(args), poll_of(call_of(head)))) {
        case fourier::Status::done:
            return 0;
        case fourier::Status::interrupted:
            return -1;
        case fourier::Status::no_memory:
            break;
    }
    return out_of_memory(call_of(head), 0);
}

// Reads what Python's `on_variant` answered: an address, or (address, owner of the code).
void *variant_address(Call *call, PyObject *answer) {
    PyObject *address = answer;
    if (PyTuple_Check(answer) && PyTuple_GET_SIZE(answer) == 2) {
        address = PyTuple_GET_ITEM(answer, 0);
        try {
            call->function->program->alive.push_back(Ref<>::borrow(PyTuple_GET_ITEM(answer, 1)));
        } catch (const std::bad_alloc &) {
            PyErr_NoMemory();
            return nullptr;
        }
    }
    if (!PyLong_Check(address)) {
        PyErr_Format(PyExc_TypeError, "on_variant must return the address of a kernel, not %R",
                     answer);
        return nullptr;
    }
    void *found = PyLong_AsVoidPtr(address);
    if (!found && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "on_variant returned no address");
    return found;
}

// Asks Python for a kernel that is not compiled yet; nullptr after an exception.
void *compiled_kernel(Call *call, std::int64_t kernel) {
    enter_python(call);
    std::atomic<void *> &place = call->program->kernels[static_cast<std::size_t>(kernel)];
    // Another thread may have been faster.
    if (void *there = place.load()) return there;
    PyObject *hook = call->function->hooks[kOnVariant];
    if (!hook) {
        PyErr_Format(PyExc_RuntimeError, "kernel %lld is not compiled",
                     static_cast<long long>(kernel));
        exception_set(call);
        return nullptr;
    }
    const std::int64_t start = nanoseconds();
    Ref<> number(PyLong_FromLongLong(kernel));
    Ref<> answer(number ? PyObject_CallFunctionObjArgs(hook,
                                                       reinterpret_cast<PyObject *>(call->function),
                                                       number.get(), nullptr)
                        : nullptr);
    void *address = answer ? variant_address(call, answer.get()) : nullptr;
    if (call->program->timings) {
        const std::int64_t now = nanoseconds();
        note_time(*call->program, kCompiling, start, now);
        call->compiled += now - start;
    }
    if (address) place.store(address);
    else exception_set(call);
    return address;
}

std::int32_t table_launch(th_call *head, std::int64_t number, std::int64_t *args, std::int64_t n,
                          std::int64_t total, std::int64_t weight, std::int64_t unit) {
    th_kernel *kernel = kernel_of(call_of(head), number);
    if (!kernel) return -1;
    return args ? table_parallel(head, kernel, args, n, total, weight, unit) : 0;
}

void table_release(th_call *head) { let_lock_go(call_of(head)); }

lapack::Job lapack_job(const th_call *head, std::int64_t routine, std::int64_t flags,
                       std::int64_t count, const std::int64_t *operands) {
    lapack::Job job{routine, flags, static_cast<int>(count), {}};
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t *descriptor = head->frame + operands[3 * i];
        std::int64_t ndim = operands[3 * i + 1];
        job.stacks[i] = {static_cast<char *>(data_of(descriptor)), shape_of(descriptor),
                         strides_of(descriptor, ndim), ndim, operands[3 * i + 2]};
    }
    return job;
}

// The warning may be an error, by the user's filters.
std::int32_t warn_of_real_parts(Call *call) {
    enter_python(call);
    Ref<> module(PyImport_ImportModule("numpy.exceptions"));
    Ref<> kind(module ? PyObject_GetAttrString(module.get(), "ComplexWarning") : nullptr);
    const char *text = "Casting complex values to real discards the imaginary part";
    return kind && PyErr_WarnEx(kind.get(), text, 1) == 0 ? 0 : exception_set(call);
}

std::int32_t table_lapack(th_call *head, std::int64_t routine, std::int64_t typenum,
                          std::int64_t flags, std::int64_t count, const std::int64_t *operands,
                          std::int64_t *facts) {
    Call *call = call_of(head);
    ensure_blas(call);
    if (!lapack::found())
        offer_functions(call, "scipy.linalg.cython_lapack", lapack::offer_from_scipy);
    lapack::Outcome outcome{lapack::Status::bad_routine};
    if (count <= lapack::kMostStacks)
        outcome = lapack::run_for(call, static_cast<int>(typenum),
                                  lapack_job(head, routine, flags, count, operands));
    switch (outcome.status) {
        case lapack::Status::done:
            return outcome.real_parts_only ? warn_of_real_parts(call) : 0;
        case lapack::Status::failed:
            facts[0] = outcome.info;
            facts[1] = outcome.index;
            return 1;
        case lapack::Status::no_memory:
            return out_of_memory(call, -1);
        case lapack::Status::interrupted:
            return -1;
        case lapack::Status::bad_routine:
            break;
    }
    enter_python(call);
    PyErr_Format(PyExc_SystemError, "no LAPACK routine number %lld for type number %lld",
                 static_cast<long long>(routine), static_cast<long long>(typenum));
    return exception_set(call);
}

std::int32_t finish(Call *call, along::Status status, std::int64_t operation,
                    std::int64_t typenum) {
    if (status == along::Status::done) return 0;
    if (status == along::Status::interrupted) return -1;
    if (status == along::Status::no_memory) return out_of_memory(call, -1);
    enter_python(call);
    PyErr_Format(PyExc_SystemError, "no operation number %lld along an axis of type number %lld",
                 static_cast<long long>(operation), static_cast<long long>(typenum));
    return exception_set(call);
}

std::int32_t table_extremes(th_call *head, std::int64_t *args) {
    const auto &work = *reinterpret_cast<const extremes::Work *>(args);
    return finish(call_of(head), extremes::run(work, poll_of(call_of(head))), -1, work.typenum);
}

std::int32_t table_along(th_call *head, std::int64_t operation, std::int64_t typenum,
                         std::int64_t ndim, std::int64_t axis, void *destination,
                         const std::int64_t *source) {
    auto status = along::Status::unknown;
    if (ndim > 0 && ndim <= kMostDimensions)
        status = along::run(operation, static_cast<int>(typenum), ndim, axis, shape_of(source),
                            strides_of(source, ndim), static_cast<const char *>(data_of(source)),
                            static_cast<char *>(destination), poll_of(call_of(head)));
    return finish(call_of(head), status, operation, typenum);
}

std::int32_t table_search(th_call *head, std::int64_t right, std::int64_t typenum, std::int64_t n,
                          std::int64_t step, const void *sorted, std::int64_t count,
                          const void *wanted, std::int64_t *places) {
    auto status = along::search(right != 0, static_cast<int>(typenum), n, step,
                                static_cast<const char *>(sorted), count,
                                static_cast<const char *>(wanted), places,
                                poll_of(call_of(head)));
    return finish(call_of(head), status, -1, typenum);
}

std::int32_t table_select(th_call *head, std::int64_t typenum, std::int64_t ndim, std::int64_t axis,
                          std::int64_t first, std::int64_t count, std::int64_t *places,
                          const std::int64_t *source) {
    auto status = along::Status::unknown;
    if (ndim > 0 && ndim <= kMostDimensions)
        status = along::select(static_cast<int>(typenum), ndim, axis, first, count, shape_of(source),
                               strides_of(source, ndim),
                               static_cast<const char *>(data_of(source)), places,
                               poll_of(call_of(head)));
    return finish(call_of(head), status, -1, typenum);
}

std::int64_t table_kept(th_call *head) { return call_of(head)->n_kept; }

void table_forget(th_call *head, std::int64_t begin, std::int64_t end) {
    Call *call = call_of(head);
    enter_python(call);
    for (std::int64_t i = begin; i < end; ++i) {
        // Freeing may run Python code: the list is in order first.
        PyObject *object = call->kept[begin];
        std::int64_t rest = --call->n_kept - begin;
        std::memmove(call->kept + begin, call->kept + begin + 1,
                     static_cast<std::size_t>(rest) * sizeof(PyObject *));
        Py_DECREF(object);
    }
}

// A loop looks at the time about so often, in nanoseconds.
constexpr std::int64_t kLook = 10'000'000;
constexpr std::int64_t kMostSteps = std::int64_t{1} << 40;

std::int64_t table_poll(th_call *head, std::int64_t steps) {
    Call *call = call_of(head);
    const std::int64_t before = call->looked;
    if (interrupted(call)) return -1;
    const std::int64_t passed = call->looked - before;
    if (before == 0 || passed < kLook / 2) return std::min(2 * steps, kMostSteps);
    return passed > 2 * kLook ? std::max<std::int64_t>(1, steps / 2) : steps;
}

// Adds to a step what it took since a time of the call's clock, if there is such a step; the time now.
std::int64_t note_step(Call *call, std::int64_t step, std::int64_t since, std::int64_t bytes,
                       std::int64_t operations) {
    const std::int64_t now = own_time(call), part = kFirstStep + step;
    if (step < 0 || part >= call->program->n_timings) return now;
    note_time(*call->program, part, since, now);
    Timing &timing = call->program->timings[part];
    if (bytes) timing.bytes.fetch_add(bytes, std::memory_order_relaxed);
    if (operations) timing.operations.fetch_add(operations, std::memory_order_relaxed);
    return now;
}

void table_tick(th_call *head, std::int64_t step, std::int64_t bytes, std::int64_t operations) {
    Call *call = call_of(head);
    const std::int64_t since = call->clock;
    call->clock = note_step(call, step, since, bytes, operations);
    if (step < 0 || kFirstStep + step >= call->program->n_timings) return;
    call->ended = step;
    Timing &timing = call->program->timings[kFirstStep + step];
    // Few steps share work.
    if (call->use.helpers.load(std::memory_order_relaxed) == 0) return;
    timing.helpers.fetch_add(call->use.helpers.exchange(0), std::memory_order_relaxed);
    timing.waited.fetch_add(call->use.waited, std::memory_order_relaxed);
    call->use.waited = 0;
}

std::int64_t table_lap(th_call *head, std::int64_t step, std::int64_t since, std::int64_t bytes,
                       std::int64_t operations) {
    return note_step(call_of(head), step, since, bytes, operations);
}

std::int32_t table_sparse(th_call *head, std::int64_t *args) {
    return sparse::run(call_of(head), *reinterpret_cast<const sparse::Work *>(args));
}

std::int32_t table_commit(th_call *head) {
    Call *call = call_of(head);
    const bool without_lock = call->saved != nullptr;
    take_lock(call);
    if (!make_results(call)) return exception_set(call);
    if (without_lock) let_lock_go(call);
    return 0;
}

}  // namespace

const th_runtime runtime_table = {table_alloc,    table_free,   table_fail,    table_matmul,
                                  table_parallel, run_callback, table_launch,  table_release,
                                  copies::copy,   table_kept,   table_forget,  table_lapack,
                                  table_poll,     table_along,  table_tick,
                                  table_search,   panels::pack, table_multiply_packed,
                                  table_commit,   reduce,       table_convolve,
                                  table_select,   table_lap,    table_sparse,
                                  table_multiply_pairs, gather::take,  matrix_pass,
                                  table_transform,      table_extremes,  columns::take_columns,
                                  scatter::put,         joins::join_rows};

// A thread does about so many instructions at a time; so many are worth waking threads.
constexpr double kChunk = 1 << 15, kLarge = 16 * kChunk;

std::int64_t chunk_items(std::int64_t n, double work, std::int64_t unit) {
    const auto grain = static_cast<std::int64_t>(static_cast<double>(n) * (kChunk / work));
    return unit > 1 ? std::max<std::int64_t>(1, (grain + unit - 1) / unit) * unit : grain;
}

bool run_kernel(Call *call, th_kernel *kernel, std::int64_t *args, std::int64_t n, double work,
                std::int64_t unit) {
    if (work < 2 * kChunk) {
        kernel(args, 0, n);
        return true;
    }
    if (work >= kLarge) {
        let_lock_go(call);
        if (interrupted(call)) return false;
    }
    const std::int64_t grain = chunk_items(n, work, unit);
    return unit ? threads::share(kernel, args, n, grain, work >= kLarge, poll_of(call))
                : threads::run_alone(kernel, args, n, grain, poll_of(call));
}

th_kernel *kernel_of(Call *call, std::int64_t kernel) {
    void *there = call->head.kernels[kernel];
    return reinterpret_cast<th_kernel *>(there ? there : compiled_kernel(call, kernel));
}

void ensure_blas(Call *call) {
    static std::atomic<bool> searched{false};
    if (blas::library().found || searched.load(std::memory_order_acquire)) return;
    // NumPy has no BLAS that we can reach.
    if (offer_functions(call, "scipy.linalg.cython_blas", blas::offer_from_scipy))
        blas::finish_scipy();
    searched.store(true, std::memory_order_release);
}

std::int32_t report_product(Call *call, std::int64_t typenum, MatmulStatus status) {
    switch (status) {
        case MatmulStatus::done:
            return 0;
        case MatmulStatus::interrupted:
            return -1;
        case MatmulStatus::no_memory:
        case MatmulStatus::bad_type:
            break;
    }
    enter_python(call);
    PyErr_Format(PyExc_SystemError, "machine code asks for a product of type number %lld",
                 static_cast<long long>(typenum));
    return exception_set(call);
}

std::int32_t out_of_memory(Call *call, std::int64_t bytes) {
    if (call->failure == Failure::none) {
        call->failure = Failure::memory;
        call->count = bytes;
    }
    return -1;
}

bool interrupted(Call *call) {
    // Users wait no longer than this, in nanoseconds.
    constexpr std::int64_t kPatience = 50'000'000;
    if (call->results) return false;
    const std::int64_t now = call->looked = nanoseconds();
    if (call->polled == 0) call->polled = now;
    if (now - call->polled < kPatience) return false;
    call->polled = now;
    const bool without_lock = call->saved != nullptr;
    enter_python(call);
    if (PyErr_CheckSignals() < 0) {
        exception_set(call);
        return true;
    }
    if (without_lock) let_lock_go(call);
    return false;
}

void take_lock(Call *call) {
    if (!call->saved) return;
    PyEval_RestoreThread(call->saved);
    call->saved = nullptr;
}

void let_lock_go(Call *call) {
    if (call->saved) return;
    take_cells(call);
    call->saved = PyEval_SaveThread();
}

void enter_python(Call *call) {
    take_lock(call);
    take_cells(call);
}

}  // namespace theano
