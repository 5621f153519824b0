// Where the largest or the smallest items along an axis are, and which these are.
#pragma once

#include <cstdint>

#include "along.h"
#include "threads.h"

namespace theano::extremes {

// For each place before and behind the axis: the first of equal items, or the first NaN. One word each, so
// that compiled programs can write it. Arrays are C-contiguous.
struct Work {
    std::int64_t largest, typenum;
    std::int64_t has_places;       // whether the places are there, and only items are wanted
    std::int64_t outer, n, inner;  // lengths: before the axis, along it, behind it
    const char *source;
    std::int64_t *places;
    char *items;  // nullptr: not wanted
};

// Of real items, by results that depend neither on threads nor on vectors.
along::Status run(const Work &work, const threads::Poll &poll);

}  // namespace theano::extremes
