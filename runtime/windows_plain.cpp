// For every processor, and once more for those with AVX2 and FMA: TH_LOOPS is then another name.
#include "windows_tile.h"

#ifndef TH_LOOPS
#define TH_LOOPS loops_plain
#define TH_BYTES 16
#else
#define TH_BYTES 32
#endif

namespace theano {
namespace windows {

const Loops &TH_LOOPS(std::int64_t itemsize) {
    return itemsize == sizeof(float) ? kLoops<float, TH_BYTES, 12, 4> : kLoops<double, TH_BYTES, 12, 4>;
}

}  // namespace windows
}  // namespace theano
