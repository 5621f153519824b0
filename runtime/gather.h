// Items and rows of an array at arrays of positions.
#pragma once

#include <cstdint>

namespace theano::gather {

// What `take` does: out[k] = x[positions[0][k], positions[1][k], …] for every k of its range, where an
// item of `out` is all that lies behind the axes that have positions. Its words are these, then those
// of each array of positions and of each axis that is taken whole.
struct Work {
    std::int64_t arrays, axes;
    std::int64_t itemsize, row;  // bytes of an item of x, and of all that a position takes
    std::int64_t count;          // of positions
    const char *x;
    char *out;
    // The least and the largest position of each array: written where one is outside its axis. Then
    // some of the result are not.
    std::int64_t *bounds;
};

struct Positions {
    const void *items;     // C-contiguous
    std::int64_t type;     // bytes of one, less than 0 where they have no sign
    std::int64_t length;   // of the axis of x, and the bytes from one to the next along it
    std::int64_t stride;
};

struct Axis {
    std::int64_t length, stride;
};

void take(std::int64_t *args, std::int64_t begin, std::int64_t end);

}  // namespace theano::gather
