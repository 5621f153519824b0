// Discrete Fourier transforms along one axis, without NumPy's or SciPy's.
#pragma once

#include <cstdint>

#include "threads.h"

namespace theano {
namespace fourier {

enum Kind : std::int64_t {
    kForward,       // of complex numbers
    kInverse,
    kForwardReal,   // of real numbers: complex ones
    kInverseReal,
    kHalf,          // of real numbers: the first n / 2 + 1
    kFromHalf,      // the inverse of that: real numbers
};

// One word each, so that compiled programs can write it. Arrays are C-contiguous.
struct Work {
    std::int64_t itemsize;  // of real numbers: 4 or 8
    std::int64_t kind;
    std::int64_t n;         // the length of the transform
    std::int64_t outer, source_length, inner;  // lengths of the source: before the axis, along it, behind it
    std::int64_t divided;   // by what sums are divided: 0: nothing, 1: n, 2: its square root
    const char *source;     // what it lacks of the items that are needed counts as 0
    char *out;
};

enum class Status { done, no_memory, interrupted };

Status transform(const Work &work, const threads::Poll &poll);

}  // namespace fourier
}  // namespace theano
