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

}  // namespace theano
