// Products with matrices by columns.
#pragma once

#include <cstdint>

#include "sparse_loops.h"

namespace theano::sparse {

// Puts the items in order by rows, in which they keep their order, and runs `loops.rows` on them. So
// each number of the result is a sum that is kept in a register, rows are shared among threads, and
// the bits are those of adding column after column. May raise bad_alloc.
void multiply_by_columns(const Product &product, std::int64_t rows, std::int64_t itemsize,
                         std::int64_t indexsize, const Loops &loops);

}  // namespace theano::sparse
