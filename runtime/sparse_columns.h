// Products with matrices by columns.
#pragma once

#include <cstdint>

#include "sparse_loops.h"

namespace theano::sparse {

// Puts the items into groups of rows, in which they keep their order, and adds the products of one
// group after the other: its part of the result stays in a cache. Groups are shared among threads, and
// the bits are those of adding column after column. May raise bad_alloc.
void multiply_by_columns(const Product &product, std::int64_t rows, std::int64_t itemsize,
                         std::int64_t indexsize, const Loops &loops);

}  // namespace theano::sparse
