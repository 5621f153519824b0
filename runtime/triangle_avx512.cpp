// For processors with AVX-512.
#include "triangle_loops.h"

namespace theano::triangle {

template <>
Solve<float> *solve_avx512<float>() {
    return solve<float, 64>;
}
template <>
Solve<double> *solve_avx512<double>() {
    return solve<double, 64>;
}

}  // namespace theano::triangle
