// Order and running totals along one axis of an array.
#pragma once

#include <cstdint>

#include "numpy_api.h"
#include "threads.h"

namespace theano::along {

enum class Status { done, no_memory, interrupted, unknown };

// Looks up NumPy's own functions of items, once, under Python's lock.
void find_functions();
// Those of a type, which need no lock, and the bytes of an item; nullptr and 0 of an unknown one.
const PyArray_ArrFuncs *functions_of(std::int64_t typenum);
std::int64_t size_of(std::int64_t typenum);

// `operation` is a th_along_operation. `destination` is C-contiguous.
Status run(std::int64_t operation, int typenum, std::int64_t ndim, std::int64_t axis,
           const std::int64_t *shape, const std::int64_t *strides, const char *source,
           char *destination, const threads::Poll &poll);

// Where each of `count` packed items belongs among `n` sorted ones that are `step` bytes apart: in
// front of those that are equal to it, or behind them (`right`).
Status search(bool right, int typenum, std::int64_t n, std::int64_t step, const char *sorted,
              std::int64_t count, const char *wanted, std::int64_t *places,
              const threads::Poll &poll);

// Positions `first` to `first + count` of the order along an axis that a stable sort gives.
Status select(int typenum, std::int64_t ndim, std::int64_t axis, std::int64_t first,
              std::int64_t count, const std::int64_t *shape, const std::int64_t *strides,
              const char *source, std::int64_t *places, const threads::Poll &poll);

}  // namespace theano::along
