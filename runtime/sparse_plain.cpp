// For every processor, and once more for those with AVX2 and FMA: TH_SPARSE is then another name.
#include "sparse_rows.h"

#ifndef TH_SPARSE
#define TH_SPARSE loops_plain
#define TH_BYTES 16
#else
#define TH_BYTES 32
#endif

namespace theano::sparse {

const Loops &TH_SPARSE(std::int64_t itemsize, std::int64_t indexsize) {
    return loops_of<TH_BYTES>(itemsize, indexsize);
}

}  // namespace theano::sparse
