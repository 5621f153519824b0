#include "lapack_aside.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "pool.h"
#include "threads.h"

namespace theano::lapack {

namespace {

// Threads that are in LAPACK. Its library must not be taken down under them.
std::atomic<int> running{0};

void wait_for_all() {
    while (running.load() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

// One routine on one stack, with all that it touches.
class Work {
  public:
    // Copies the lengths and strides, which lie in the frame of the call, and gives results that are
    // single numbers, which lie on its stack, a place here.
    Work(Call *call, int typenum, const Job &job) : typenum_(typenum), job_(job) {
        std::size_t words = 0;
        for (int i = 0; i < job.count; ++i) words += 2 * static_cast<std::size_t>(job.stacks[i].ndim);
        numbers_.reserve(words);
        for (int i = 0; i < job.count; ++i) {
            Stack &stack = job_.stacks[i];
            auto keep = [&](const std::int64_t *&from) {
                const auto at = numbers_.size();
                numbers_.insert(numbers_.end(), from, from + stack.ndim);
                from = numbers_.data() + at;
            };
            keep(stack.shape);
            keep(stack.strides);
            if (stack.ndim == 0) stack.data = scalars_[i];
        }
        const Program &program = *call->program;
        buffers_.reserve(program.buffer_slots.size());
        objects_.reserve(program.inputs.size() + static_cast<std::size_t>(call->n_kept) + 1);
    }
    ~Work() {
        for (void *buffer : buffers_) pool::release(buffer);
    }
    Work(const Work &) = delete;
    Work &operator=(const Work &) = delete;

    // Runs in the other thread.
    static void compute(const std::shared_ptr<Work> &work) {
        work->outcome_ = run(work->typenum_, work->job_, &work->given_up_);
        std::lock_guard<std::mutex> guard(work->mutex_);
        work->done_ = true;
        if (work->given_up_) hand_back(work);
    }

    Outcome results(const Job &job, std::size_t itemsize) const {
        for (int i = 0; i < job.count; ++i) {
            const bool real = i == job.count - 1 && gives_modulus(job.routine);
            const std::size_t bytes = real && is_complex_ ? itemsize / 2 : itemsize;
            if (job.stacks[i].ndim == 0) std::memcpy(job.stacks[i].data, scalars_[i], bytes);
        }
        return outcome_;
    }

    // With Python's lock, unless all is done: takes over the memory of a call.
    void give_up(Call *call) {
        std::lock_guard<std::mutex> guard(mutex_);
        if (done_) return;
        given_up_ = true;
        for (std::int64_t slot : call->program->buffer_slots) {
            std::int64_t &place = call->head.frame[slot];
            if (place) buffers_.push_back(reinterpret_cast<void *>(place));
            place = 0;
        }
        auto keep = [&](PyObject *object) {
            if (object) objects_.push_back(Py_NewRef(object));
        };
        for (std::size_t i = 0; i < call->program->inputs.size(); ++i) keep(call->values[i]);
        for (std::int64_t i = 0; i < call->n_kept; ++i) keep(call->kept[i]);
        keep(reinterpret_cast<PyObject *>(call->function));
    }

  private:
    static bool gives_modulus(std::int64_t routine) {
        return routine == TH_SLOGDET || routine == TH_FACTOR_SLOGDET;
    }

    // Objects are let go with Python's lock, by the main thread.
    static void hand_back(const std::shared_ptr<Work> &work) {
        if (!Py_IsInitialized()) return;
        auto *owner = new (std::nothrow) std::shared_ptr<Work>(work);
        auto drop = [](void *given) {
            auto *theirs = static_cast<std::shared_ptr<Work> *>(given);
            for (PyObject *object : (*theirs)->objects_) Py_DECREF(object);
            (*theirs)->objects_.clear();
            delete theirs;
            return 0;
        };
        if (owner && Py_AddPendingCall(drop, owner) < 0) delete owner;
    }

    const int typenum_;
    const bool is_complex_ = PyTypeNum_ISCOMPLEX(typenum_);
    Job job_;
    std::vector<std::int64_t> numbers_;
    std::vector<void *> buffers_;
    std::vector<PyObject *> objects_;
    alignas(16) char scalars_[kMostStacks][16] = {};
    Outcome outcome_;
    std::mutex mutex_;
    bool done_ = false;
    std::atomic<bool> given_up_{false};
};

// Operations that are worth a thread, which takes some tens of microseconds to start.
constexpr double kLong = 2e9;

double operations(int typenum, const Job &job) {
    const Stack &first = job.stacks[0];
    double m = static_cast<double>(first.shape[first.ndim - 2]);
    double n = static_cast<double>(first.shape[first.ndim - 1]), count = 1, columns = 0;
    for (std::int64_t axis = 0; axis < first.ndim - 2; ++axis)
        count *= static_cast<double>(first.shape[axis]);
    const Stack &last = job.stacks[job.count - 1];
    if (last.core == 2) columns = static_cast<double>(last.shape[last.ndim - 1]);
    double each = m * n * (2 * std::min(m, n) + 2 * columns);
    switch (job.routine) {
        case TH_EIGH:
        case TH_SVD:
        case TH_PINV:
        case TH_EIG:
        case TH_EXPM:
        case TH_EXPM_TANGENT:
            each *= 10;
    }
    return count * each * (PyTypeNum_ISCOMPLEX(typenum) ? 4 : 1);
}

std::size_t item_size(int typenum) {
    return typenum == NPY_FLOAT ? 4 : typenum == NPY_CDOUBLE ? 16 : 8;
}

}  // namespace

Outcome run_for(Call *call, int typenum, Job job) {
    if (job.count < 2 || operations(typenum, job) < kLong) return run(typenum, job, nullptr);
    try {
        static const int registered = std::atexit(wait_for_all);
        if (registered != 0) return run(typenum, job, nullptr);
        auto work = std::make_shared<Work>(call, typenum, job);
        auto compute = [work] {
            Work::compute(work);
            running.fetch_sub(1);
        };
        let_lock_go(call);
        running.fetch_add(1);
        const threads::Poll poll{
            [](void *context) { return interrupted(static_cast<Call *>(context)); }, call};
        if (threads::run_aside(compute, poll)) return work->results(job, item_size(typenum));
        work->give_up(call);
        return {Status::interrupted};
    } catch (const std::bad_alloc &) {
        return {Status::no_memory};
    }
}

void forget_in_child() { running.store(0); }

}  // namespace theano::lapack
