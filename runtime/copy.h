// Copies of strided memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theano {

constexpr int kMostDimensions = 32;

// Copies a strided array into C-contiguous memory that it does not overlap; ndim <=
// kMostDimensions.
void copy_strided(std::int64_t ndim, const std::int64_t *shape, const std::int64_t *strides,
                  std::size_t itemsize, void *destination, const void *source);

namespace copies {

// An axis that is copied along; bytes from one item to the next, of what is read and of what is written.
struct Axis {
    std::int64_t length, from, to;
};

// What `copy` does: it copies `step` items in C order for each number of its range, from one
// array to another that does not overlap it. Its words are these, then the axes.
struct Work {
    std::int64_t itemsize, step, axes;
    const char *x;
    char *out;
};

void copy(std::int64_t *args, std::int64_t begin, std::int64_t end);

}  // namespace copies

}  // namespace theano
