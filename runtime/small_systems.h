// Linear systems of small matrices, several at once: one in each lane of vectors.
//
// Each lane computes as if it were alone, and each product is rounded before it is added, so that
// results depend neither on the vectors nor on which matrices come together. What needs more care
// (a pivot of 0, infinities, results that nearly overflow) is left to LAPACK.
#pragma once

#include <cstdint>

#include "include/theano_runtime.h"

namespace theano::small {

// Matrices have at most so many rows, and a stack at least so many matrices.
constexpr std::int64_t kMostRows = 16, kFewest = 16;
constexpr std::int64_t kMostLanes = 16, kMostStacks = 4;
// There is code for each size up to this one, and for all others.
constexpr std::int64_t kWritten = 4;

// Matrices of one shape, which may lie anywhere.
struct Matrices {
    std::int64_t rows, columns;
    std::int64_t down, across;  // bytes
    char *data[kMostLanes];     // of each lane
};

// What a routine reads, then what it writes.
struct Group {
    std::int64_t flags;
    Matrices stacks[kMostStacks];
    bool done[kMostLanes];  // whether a lane has its results; others have none
    bool all_done;
};

struct Loops {
    std::int64_t lanes;
    using Routine = void(Group &group);
    // By the number of rows, or 0, and LAPACK's number (TH_SOLVE …); nullptr: not for lanes.
    Routine *routines[kWritten + 1][TH_ROUTINES];

    Routine *routine(std::int64_t rows, std::int64_t number) const {
        return routines[rows > kWritten ? 0 : rows][number];
    }
};

const Loops &loops_plain(bool is_double), &loops_fma(bool is_double), &loops_avx512(bool is_double);

}  // namespace theano::small
