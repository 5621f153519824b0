// For processors with AVX-512, which have 32 registers.
#include "windows_tile.h"

namespace theano {
namespace windows {

const Loops &loops_avx512(std::int64_t itemsize) {
    return itemsize == sizeof(float) ? kLoops<float, 64, 24, 8> : kLoops<double, 64, 24, 8>;
}

}  // namespace windows
}  // namespace theano
