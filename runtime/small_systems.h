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

struct Matrix {
    char *data;
    std::int64_t down, across;  // bytes
};

// Matrices of one shape: what a routine reads, then what it writes, of each lane.
struct Group {
    std::int64_t n, columns, flags;
    std::int64_t count;  // lanes behind those repeat the last one
    Matrix matrices[kMostStacks][kMostLanes];
    bool done[kMostLanes];  // whether a lane has its results; others have none
};

struct Loops {
    std::int64_t lanes;
    // By LAPACK's number (TH_SOLVE …); nullptr for those that are not for lanes.
    void (*routines[TH_ROUTINES])(Group &group);
};

const Loops &loops_plain(bool is_double), &loops_fma(bool is_double), &loops_avx512(bool is_double);

}  // namespace theano::small
