// For every processor, and once more for those with AVX2: TH_EXTREMES is then another name.
#include "extremes_search.h"

#ifndef TH_EXTREMES
#define TH_EXTREMES loops_plain
#define TH_BYTES 16
#else
#define TH_BYTES 32
#endif

namespace theano::extremes {

const Loops &TH_EXTREMES(Kind kind) { return loops_of<TH_BYTES>(kind); }

}  // namespace theano::extremes
