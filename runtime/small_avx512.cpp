// For processors with AVX-512.
#include "small_loops.h"

namespace theano::small {

const Loops &loops_avx512(bool is_double) { return loops_of<64>(is_double); }

}  // namespace theano::small
