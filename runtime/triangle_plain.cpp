// For every processor, and once more for those with AVX2 and FMA: TH_TRIANGLE is then another name.
#include "triangle_loops.h"

#ifndef TH_TRIANGLE
#define TH_TRIANGLE solve_plain
#define TH_BYTES 16
#else
#define TH_BYTES 32
#endif

namespace theano::triangle {

template <>
Solve<float> *TH_TRIANGLE<float>() {
    return solve<float, TH_BYTES>;
}
template <>
Solve<double> *TH_TRIANGLE<double>() {
    return solve<double, TH_BYTES>;
}

}  // namespace theano::triangle
