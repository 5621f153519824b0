// For every processor, and once more for those with AVX2 and FMA: TH_SMALL is then another name.
#include "small_loops.h"

#ifndef TH_SMALL
#define TH_SMALL loops_plain
#define TH_BYTES 16
#else
#define TH_BYTES 32
#endif

namespace theano::small {

const Loops &TH_SMALL(bool is_double) { return loops_of<TH_BYTES>(is_double); }

}  // namespace theano::small
