// For every processor, and once more for those with AVX2 and FMA: TH_MULTIPLY is then another name.
#include "panels_tile.h"
#include "small_products_loops.h"

#ifndef TH_MULTIPLY
#define TH_MULTIPLY multiply_plain
#define TH_BYTES 16
#else
#define TH_BYTES 32
#endif

namespace theano {
namespace panels {

void TH_MULTIPLY(const Work &work, std::int64_t panel, std::int64_t first, std::int64_t last,
                 Ahead *ahead) {
    const bool wide = work.width * work.itemsize == 96, single = work.itemsize == sizeof(float);
    if (wide && single) multiply_rows<float, 32, 3, 4>(work, panel, first, last, ahead);
    else if (wide) multiply_rows<double, 32, 3, 4>(work, panel, first, last, ahead);
    else if (single) multiply_rows<float, 16, 3, 4>(work, panel, first, last, ahead);
    else multiply_rows<double, 16, 3, 4>(work, panel, first, last, ahead);
}

void TH_MULTIPLY(const small::Products &products, bool single, std::int64_t begin, std::int64_t end) {
    if (single) small::multiply_of<float, TH_BYTES>(products, begin, end);
    else small::multiply_of<double, TH_BYTES>(products, begin, end);
}

}  // namespace panels
}  // namespace theano
