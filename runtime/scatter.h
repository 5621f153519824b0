// Rows of an array at arrays of positions are set, or increased: `x[positions] += y`.
#pragma once

#include <cstdint>

namespace theano::scatter {

// What `put` does, for every place k of an array of positions in its range, one after the other: all of
// out[…, positions[0][k], positions[1][k], …] is set to y[…, k, …], or increased by it. Its words are
// these, then those of each of the three records below, as many as there are of each.
struct Work {
    std::int64_t arrays;         // of positions, all within their axes
    std::int64_t rank;           // of these arrays
    std::int64_t fronts, axes;   // that are written whole: how many are in front of y's k, and all
    std::int64_t typenum, add;
    char *out;
    const char *y;
};

struct Positions {
    const char *items;
    std::int64_t type;            // bytes of one, less than 0 where they have no sign
    std::int64_t length, stride;  // of the axis of `out`: bytes from one to the next along it
};

// An axis that is written whole, and how many bytes apart its items are.
struct Axis {
    std::int64_t length, out, y;
};

// An axis of the arrays of positions: its length, the bytes from one to the next of y, and then those
// of each of these arrays.
struct Place {
    std::int64_t length, y;
};

void put(std::int64_t *args, std::int64_t begin, std::int64_t end);

}  // namespace theano::scatter
