// For processors with AVX-512: see vectors.h about what may stand here.
#include "columns.h"

#include "vectors.h"

namespace theano::columns {

// Whole vectors are written where they may be, which takes less time than parts of them.

void pick_words_avx512(const Picked &picked, const Groups &groups) {
    const auto mask = [](std::int64_t nbytes) {
        return static_cast<__mmask16>((1u << (nbytes / kWord)) - 1);
    };
    const __m512i numbers =
        _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i *>(picked.numbers)));
    const __mmask16 read = mask(picked.span), written = mask(groups.nbytes);
    const char *x = groups.x;
    char *out = groups.out;
    for (std::int64_t i = 0; i < groups.count; ++i, x += groups.step, out += groups.nbytes) {
        const __m512i items = _mm512_permutexvar_epi32(numbers, _mm512_maskz_loadu_epi32(read, x));
        if (out + kVector <= groups.limit) _mm512_storeu_si512(out, items);
        else _mm512_mask_storeu_epi32(out, written, items);
    }
}

void pick_few_avx512(const Picked &picked, const Groups &groups) {
    const auto mask = [](std::int64_t nbytes) { return static_cast<__mmask16>((1u << nbytes) - 1); };
    const __m128i numbers = _mm_load_si128(reinterpret_cast<const __m128i *>(picked.numbers));
    const __mmask16 read = mask(picked.span), written = mask(groups.nbytes);
    const char *x = groups.x;
    char *out = groups.out;
    for (std::int64_t i = 0; i < groups.count; ++i, x += groups.step, out += groups.nbytes) {
        const __m128i items = _mm_shuffle_epi8(_mm_maskz_loadu_epi8(read, x), numbers);
        if (out + kShort <= groups.limit) _mm_storeu_si128(reinterpret_cast<__m128i *>(out), items);
        else _mm_mask_storeu_epi8(out, written, items);
    }
}

__attribute__((target("avx512vbmi"))) void pick_bytes_vbmi(const Picked &picked, const Groups &groups) {
    const auto mask = [](std::int64_t nbytes) {
        return static_cast<__mmask64>(nbytes < kVector ? (1ull << nbytes) - 1 : ~0ull);
    };
    const __m512i numbers = _mm512_load_si512(picked.numbers);
    const __mmask64 read = mask(picked.span), written = mask(groups.nbytes);
    const char *x = groups.x;
    char *out = groups.out;
    for (std::int64_t i = 0; i < groups.count; ++i, x += groups.step, out += groups.nbytes) {
        const __m512i items = _mm512_permutexvar_epi8(numbers, _mm512_maskz_loadu_epi8(read, x));
        if (out + kVector <= groups.limit) _mm512_storeu_si512(out, items);
        else _mm512_mask_storeu_epi8(out, written, items);
    }
}

}  // namespace theano::columns
