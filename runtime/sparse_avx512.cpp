// For processors with AVX-512.
#include "sparse_rows.h"

namespace theano::sparse {

const Loops &loops_avx512(std::int64_t itemsize, std::int64_t indexsize) {
    return loops_of<64>(itemsize, indexsize);
}

}  // namespace theano::sparse
