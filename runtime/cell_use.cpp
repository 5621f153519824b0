#include "cell_use.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "platform.h"

namespace theano::cell_use {

std::uint32_t process = 0;
std::int64_t patience = 60'000'000'000;

namespace {

// A waiting thread looks for signals this often.
constexpr std::chrono::milliseconds kPatience{50};

// What a thread does in its calls.
struct Thread {
    int writing = 0;      // how many of them hold cells that they write
    unsigned pauses = 0;  // how often such a call began or ended a Python operation
    std::uintptr_t handle = 0;  // set from the first on
};

// Cells that are wanted: those of a function, or one.
class Request {
  public:
    explicit Request(const FunctionObject *function) : function_(function) {}
    Request(CellObject *cell, bool writes) : cell_(cell), writes_(writes) {}

    // Whether `is(cell, writes)` holds for one of them.
    template <class Is>
    bool any(Is is) const {
        if (!function_) return is(cell_, writes_);
        const Program &program = *function_->program;
        for (std::size_t i = 0; i < program.shared.size(); ++i)
            if (is(function_->cell(program.shared[i]), i < program.n_written)) return true;
        return false;
    }
    template <class Do>
    void each(Do act) const {
        any([&](CellObject *cell, bool writes) {
            act(cell, writes);
            return false;
        });
    }
    bool conflicts(const Request &other) const {
        return any([&](CellObject *mine, bool writes) {
            return other.any([&](CellObject *theirs, bool they_write) {
                return mine == theirs && (writes || they_write);
            });
        });
    }

  private:
    const FunctionObject *function_ = nullptr;
    CellObject *cell_ = nullptr;
    bool writes_ = false;
};

// The queue of those who wait, the first first.
struct Waiter {
    const Request &request;
    std::uintptr_t thread;
    Waiter *next = nullptr;
};
Waiter *queue = nullptr;

#if defined(__GNUC__)
__attribute__((tls_model("initial-exec")))
#endif
thread_local Thread here;

// Names this thread, as no other that lives.
std::uintptr_t this_thread() { return reinterpret_cast<std::uintptr_t>(&here); }

// Never destroyed: threads may wait when the process ends.
struct Bell {
    std::mutex mutex;
    std::condition_variable condition;
    unsigned rings = 0;
};
Bell *bell = new Bell;

void ring() {
    {
        std::lock_guard<std::mutex> guard(bell->mutex);
        ++bell->rings;
    }
    bell->condition.notify_all();
}

CellUse &use_of(CellObject *cell) {
    if (cell->use.process != process) cell->use = CellUse{0, 0, 0, 0, 0, process};
    return cell->use;
}

bool others_write(CellObject *cell, std::uintptr_t thread) {
    const CellUse &use = use_of(cell);
    return use.writer && use.writer != thread;
}

// Whether a call must not use a cell because another writes it. Before that one goes on after its
// Python operation, it has not touched the old array; other objects it may have.
bool is_closed(CellObject *cell, bool writes) {
    return others_write(cell, this_thread()) &&
           (writes || !use_of(cell).paused || !cell->value || !PyArray_Check(cell->value));
}

bool must_wait(const Request &request) {
    return request.any([](CellObject *cell, bool writes) {
        return is_closed(cell, writes) || (use_of(cell).waiting && !here.writing);
    });
}

// Whether somebody waits for a call that is in a Python operation: nobody waits behind him, for the
// operation may wait for them.
bool is_held_up(const Waiter &waiter) {
    return waiter.request.any([&](CellObject *cell, bool) {
        return others_write(cell, waiter.thread) && use_of(cell).paused;
    });
}

// Whether it is not yet the turn of somebody in the queue.
bool is_blocked(const Waiter &self) {
    if (self.request.any(is_closed)) return true;
    // A call within a call goes first: those before it may wait for the call around it.
    for (Waiter *other = queue; !here.writing && other != &self; other = other->next)
        if (other->request.conflicts(self.request) && !is_held_up(*other)) return true;
    return false;
}

// Whether `thread` waits, by way of others or not, for what `wanted` holds.
bool waits_for(std::uintptr_t thread, std::uintptr_t wanted) {
    for (Waiter *waiter = queue; waiter; waiter = waiter->next) {
        if (waiter->thread != thread) continue;
        bool found = waiter->request.any([&](CellObject *cell, bool) {
            const std::uintptr_t writer = use_of(cell).writer;
            // A circle without us was refused when it closed.
            return writer && writer != thread &&
                   (writer == wanted || waits_for(writer, wanted));
        });
        if (found) return true;
    }
    return false;
}

bool is_deadlock(const Waiter &self) {
    return here.writing && self.request.any([&](CellObject *cell, bool) {
        return others_write(cell, self.thread) && waits_for(use_of(cell).writer, self.thread);
    });
}

// Whether one who waits sees that the Python operation that he waits for does nothing.
class Standstill {
  public:
    bool lasts(const Waiter &self) {
        std::uintptr_t writer = 0;
        self.request.any([&](CellObject *cell, bool writes) {
            if (is_closed(cell, writes) && use_of(cell).paused) writer = use_of(cell).writer;
            return writer != 0;
        });
        for (Waiter *waiter = queue; waiter; waiter = waiter->next)
            if (waiter->thread == writer) writer = 0;
        const std::int64_t now = platform::nanoseconds();
        // INVARIANT: who writes is in a call, so his thread lives.
        const auto *thread = reinterpret_cast<const Thread *>(writer);
        const std::int64_t worked = thread ? platform::worked(thread->handle) : 0;
        if (!thread || writer != writer_ || thread->pauses != pauses_) {
            *this = {writer, thread ? thread->pauses : 0, now, worked};
            return false;
        }
        if (now - since_ < patience) return false;
        const bool idle = worked - worked_ < (now - since_) / 100;
        since_ = now;
        worked_ = worked;
        return idle;
    }

    Standstill() = default;

  private:
    Standstill(std::uintptr_t writer, unsigned pauses, std::int64_t since, std::int64_t worked)
        : writer_(writer), pauses_(pauses), since_(since), worked_(worked) {}

    std::uintptr_t writer_ = 0;
    unsigned pauses_ = 0;
    std::int64_t since_ = 0, worked_ = 0;
};

void sleep() {
    Bell *current = bell;
    const unsigned seen = current->rings;
    Py_BEGIN_ALLOW_THREADS;
    {
        std::unique_lock<std::mutex> guard(current->mutex);
        current->condition.wait_for(guard, kPatience, [&] { return current->rings != seen; });
    }
    Py_END_ALLOW_THREADS;
}

bool wait_turn(const Request &request) {
    Waiter self{request, this_thread()};
    Waiter **end = &queue;
    while (*end) end = &(*end)->next;
    *end = &self;
    request.each([](CellObject *cell, bool) { ++use_of(cell).waiting; });
    bool good = true;
    Standstill standstill;
    while (good && is_blocked(self)) {
        if (is_deadlock(self)) {
            PyErr_SetString(PyExc_RuntimeError,
                            "two threads wait for each other: each is within a call that updates "
                            "a shared variable, and from a Python operation uses one that the "
                            "other updates. Update both in one function, or in the same order");
            good = false;
        } else if (standstill.lasts(self)) {
            PyErr_SetString(PyExc_RuntimeError,
                            "a shared variable is updated by a call of another thread, which is "
                            "within a Python operation that has done nothing for a long time: it "
                            "seems to wait for this thread, which would wait for it for good. Such "
                            "an operation may wait for those who read the variable, and not for "
                            "those who change it: have it change the variable in its own thread. "
                            "If it waits for something else, have the threads take turns by a lock "
                            "around their calls");
            good = false;
        } else {
            sleep();
            good = PyErr_CheckSignals() == 0;
        }
    }
    for (end = &queue; *end && *end != &self;) end = &(*end)->next;
    if (*end) *end = self.next;
    request.each([](CellObject *cell, bool) {
        CellUse &use = use_of(cell);
        if (use.waiting > 0) --use.waiting;
    });
    // Those behind may go, or find that they still must not.
    if (queue) ring();
    return good;
}

bool let_in(const Request &request) { return !must_wait(request) || wait_turn(request); }

}  // namespace

bool wait_for_all(const FunctionObject *function) { return let_in(Request(function)); }

void enter(const FunctionObject *function) {
    Request(function).each([](CellObject *cell, bool writes) {
        // INVARIANT: what is free or was waited for is of this process.
        ++(writes ? cell->use.writers : cell->use.readers);
        if (writes) cell->use.writer = this_thread();
    });
    if (function->program->n_written) ++here.writing;
}

void leave(const FunctionObject *function) {
    bool awaited = false;
    Request(function).each([&](CellObject *cell, bool writes) {
        if (!writes) return leave_reader(cell);
        CellUse &use = use_of(cell);
        // In a child the count may have begun anew.
        if (use.writers == 0 || --use.writers > 0) return;
        use.writer = 0;
        awaited |= use.waiting > 0;
    });
    if (function->program->n_written) --here.writing;
    if (awaited) ring();
}

void pause(const FunctionObject *function) {
    bool awaited = false;
    Request(function).each([&](CellObject *cell, bool writes) {
        if (!writes) return;
        ++use_of(cell).paused;
        awaited |= cell->use.waiting > 0;
    });
    if (!here.handle) here.handle = platform::this_thread();
    ++here.pauses;
    if (awaited) ring();
}

void resume(const FunctionObject *function) {
    Request(function).each([](CellObject *cell, bool writes) {
        // In a child the count may have begun anew.
        if (writes && use_of(cell).paused) --cell->use.paused;
    });
    ++here.pauses;
}

bool wait(CellObject *cell, bool writes) { return let_in(Request(cell, writes)); }

bool enter_reader(CellObject *cell) {
    if (!let_in(Request(cell, false))) return false;
    ++use_of(cell).readers;
    return true;
}

void leave_reader(CellObject *cell) {
    CellUse &use = use_of(cell);
    if (use.readers > 0) --use.readers;
}

void forget_in_child() {
    ++process;
    queue = nullptr;
    bell = new Bell;
}

}  // namespace theano::cell_use
