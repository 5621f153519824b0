#include "half.h"

#include "processor.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace theano {

namespace {

void widen(const std::uint16_t *from, std::int64_t first, std::int64_t count, float *to) {
    for (std::int64_t i = first; i < count; ++i) to[i] = half_to_float(from[i]);
}

void narrow(const float *from, float factor, std::int64_t first, std::int64_t count,
            std::uint16_t *to) {
    for (std::int64_t i = first; i < count; ++i) to[i] = float_to_half(factor * from[i] + 0.0f);
}

#if defined(__x86_64__)
// Processors that have AVX2 convert eight numbers at a time.
__attribute__((target("avx2,f16c"))) void widen_eights(const std::uint16_t *from, std::int64_t count,
                                                       float *to) {
    std::int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from + i));
        _mm256_storeu_ps(to + i, _mm256_cvtph_ps(x));
    }
    widen(from, i, count, to);
}

__attribute__((target("avx2,f16c"))) void narrow_eights(const float *from, float factor,
                                                        std::int64_t count, std::uint16_t *to) {
    std::int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const __m256 product = _mm256_mul_ps(_mm256_loadu_ps(from + i), _mm256_set1_ps(factor));
        const __m128i x =
            _mm256_cvtps_ph(_mm256_add_ps(product, _mm256_setzero_ps()), _MM_FROUND_TO_NEAREST_INT);
        _mm_storeu_si128(reinterpret_cast<__m128i *>(to + i), x);
    }
    narrow(from, factor, i, count, to);
}
#endif

}  // namespace

void halves_to_floats(const std::uint16_t *from, std::int64_t count, float *to) {
#if defined(__x86_64__)
    if (has_fma()) return widen_eights(from, count, to);
#endif
    widen(from, 0, count, to);
}

void floats_to_halves(const float *from, float factor, std::int64_t count, std::uint16_t *to) {
#if defined(__x86_64__)
    if (has_fma()) return narrow_eights(from, factor, count, to);
#endif
    narrow(from, factor, 0, count, to);
}

}  // namespace theano
