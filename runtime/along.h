// Order and running totals along one axis of an array.
#pragma once

#include <cstdint>

namespace theano::along {

enum class Status { done, no_memory, unknown };

// Looks up NumPy's sorting functions, once, under Python's lock.
void find_sorters();

// `operation` is a th_along_operation. `destination` is C-contiguous.
Status run(std::int64_t operation, int typenum, std::int64_t ndim, std::int64_t axis,
           const std::int64_t *shape, const std::int64_t *strides, const char *source,
           char *destination);

}  // namespace theano::along
