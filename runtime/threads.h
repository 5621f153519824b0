// One pool of threads for the process. Work is cut by its size only, so that any number of threads
// gives the same bits.
#pragma once

#include <cstdint>

#include "include/theano_runtime.h"

namespace theano::threads {

int get();
// Takes effect with the next piece of work; 1 starts no thread.
void set(int count);
// Runs kernel over [0, n) in chunks of `grain` and returns when all is done. Needs no lock of
// Python's.
void run(th_kernel *kernel, std::int64_t *args, std::int64_t n, std::int64_t grain);
// The same for chunks of about half a microsecond, of which each thread does its own to the end.
// Unless it may wake threads, which costs more than little work does, it shares the work with those
// only that have not yet gone to sleep.
void share(th_kernel *kernel, std::int64_t *args, std::int64_t n, std::int64_t grain, bool wake);

void lock_for_fork();
void unlock_in_parent();
// The threads are gone in a child: forget them, start new ones when needed.
void forget_in_child();

}  // namespace theano::threads
