// For processors with AVX-512, which have 32 registers.
#include "panels_tile.h"
#include "small_products_loops.h"

namespace theano {
namespace panels {

void multiply_avx512(const Work &work, std::int64_t panel, std::int64_t first, std::int64_t last) {
    if (work.itemsize == sizeof(float)) multiply_rows<float, 64, 2, 8>(work, panel, first, last);
    else multiply_rows<double, 64, 2, 8>(work, panel, first, last);
}

void multiply_avx512(const small::Products &products, bool single, std::int64_t begin,
                     std::int64_t end) {
    if (single) small::multiply_of<float, 64>(products, begin, end);
    else small::multiply_of<double, 64>(products, begin, end);
}

}  // namespace panels
}  // namespace theano
