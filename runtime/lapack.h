// Factorisations of matrices and stacks of matrices, through LAPACK by function pointer.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "include/theano_runtime.h"

namespace theano::lapack {

// An array whose last `core` axes are the matrix, vector or number that a routine takes; the axes
// before them count its stack. Strides are in bytes and of any value.
struct Stack {
    char *data;
    const std::int64_t *shape, *strides;
    std::int64_t ndim, core;
};

constexpr int kMostStacks = 6;

struct Job {
    std::int64_t routine, flags;
    int count;
    Stack stacks[kMostStacks];  // what the routine reads, then what it writes
};

enum class Status { done, no_memory, bad_routine, failed, interrupted };

struct Outcome {
    Status status = Status::done;
    // Of a matrix that has no result: what LAPACK says, and its number in the stack.
    std::int64_t info = 0, index = 0;
    // Whether results are real parts of complex numbers that are not real.
    bool real_parts_only = false;
};

// Whether the routine was found in the library that NumPy has loaded, or was offered.
bool found();
// Takes one pointer from scipy.linalg.cython_lapack: `name` as "dpotrf", `signature` the name of
// its capsule.
void offer_from_scipy(const std::string &name, const char *signature, void *pointer);

// Runs a routine on each matrix of a stack; those that are left once `given_up` is set are not
// computed. Written arrays are C-contiguous.
Outcome run(int typenum, const Job &job, const std::atomic<bool> *given_up);

}  // namespace theano::lapack
