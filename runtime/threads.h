// One pool of threads for the process. Work is cut by its size only, so that any number of threads
// gives the same bits.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "include/theano_runtime.h"

namespace theano::threads {

int get();
// Takes effect with the next piece of work; 1 starts no thread.
void set(int count);

// What shared work takes, of one call whose steps are timed.
struct Use {
    std::atomic<std::int64_t> helpers;  // nanoseconds that other threads worked
    std::int64_t waited;                // and that this one waited for them
};
// Where this thread adds up what its shared work takes; nullptr: nowhere.
extern thread_local Use *use;

// Asked between chunks, in the thread that waits for the work, whether to give it up.
struct Poll {
    bool (*interrupted)(void *) = nullptr;
    void *context = nullptr;
    bool operator()() const { return interrupted && interrupted(context); }
};

// The items of a chunk where each takes long: it is a chunk of its own, and behind each is a poll.
constexpr double kLongItems = 0;

// Runs kernel over [0, n) in chunks of `grain` items, which take about half a microsecond, and returns
// when all is done: true; or when it is given up: false. An item that takes longer than a chunk should
// is a chunk: `grain` is a fraction then, which tells how often to poll. Needs no lock of Python's.
bool run(th_kernel *kernel, std::int64_t *args, std::int64_t n, double grain, const Poll &poll = {});
// The same for chunks of which each thread does its own to the end. Unless it may wake threads, which
// costs more than little work does, it shares the work with those only that have not yet gone to sleep.
bool share(th_kernel *kernel, std::int64_t *args, std::int64_t n, double grain, bool wake,
           const Poll &poll = {});
// The same in this thread, in order.
bool run_alone(th_kernel *kernel, std::int64_t *args, std::int64_t n, double grain, const Poll &poll);
// Runs `work` in a thread of its own, for what knows nothing of polls. When it is given up, it goes on
// to its end all the same, and must therefore own all that it touches. May raise bad_alloc.
bool run_aside(std::function<void()> work, const Poll &poll);

void lock_for_fork();
void unlock_in_parent();
// The threads are gone in a child: forget them, start new ones when needed.
void forget_in_child();

}  // namespace theano::threads
