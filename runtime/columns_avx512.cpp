// For processors with AVX-512: see vectors.h about what may stand here.
#include "columns.h"

#include "vectors.h"

namespace theano::columns {

namespace {

// Whole vectors are read and written where they may be. Masks take time, most where memory is not in a cache.
template <class Move, class MoveSome>
TH_INLINE void move_groups(const Groups &groups, const Move &move, const MoveSome &move_some) {
    const char *x = groups.x;
    char *out = groups.out;
    std::int64_t i = 0;
    for (; i < groups.whole; ++i, x += groups.step, out += groups.nbytes) move(out, x);
    for (; i < groups.count; ++i, x += groups.step, out += groups.nbytes) move_some(out, x);
}

}  // namespace

void pick_words_avx512(const Picked &picked, const Groups &groups) {
    const auto mask = [](std::int64_t nbytes) {
        return static_cast<__mmask16>((1u << (nbytes / kWord)) - 1);
    };
    const __m512i numbers =
        _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i *>(picked.numbers)));
    const __mmask16 read = mask(picked.span), written = mask(groups.nbytes);
    move_groups(
        groups,
        [&](char *out, const char *x) {
            _mm512_storeu_si512(out, _mm512_permutexvar_epi32(numbers, _mm512_loadu_si512(x)));
        },
        [&](char *out, const char *x) {
            const __m512i items = _mm512_permutexvar_epi32(numbers, _mm512_maskz_loadu_epi32(read, x));
            _mm512_mask_storeu_epi32(out, written, items);
        });
}

void pick_few_avx512(const Picked &picked, const Groups &groups) {
    const auto mask = [](std::int64_t nbytes) { return static_cast<__mmask16>((1u << nbytes) - 1); };
    const __m128i numbers = _mm_load_si128(reinterpret_cast<const __m128i *>(picked.numbers));
    const __mmask16 read = mask(picked.span), written = mask(groups.nbytes);
    move_groups(
        groups,
        [&](char *out, const char *x) {
            const __m128i items = _mm_loadu_si128(reinterpret_cast<const __m128i *>(x));
            _mm_storeu_si128(reinterpret_cast<__m128i *>(out), _mm_shuffle_epi8(items, numbers));
        },
        [&](char *out, const char *x) {
            const __m128i items = _mm_shuffle_epi8(_mm_maskz_loadu_epi8(read, x), numbers);
            _mm_mask_storeu_epi8(out, written, items);
        });
}

__attribute__((target("avx512vbmi"))) void pick_bytes_vbmi(const Picked &picked, const Groups &groups) {
    const auto mask = [](std::int64_t nbytes) {
        return static_cast<__mmask64>(nbytes < kVector ? (1ull << nbytes) - 1 : ~0ull);
    };
    const __m512i numbers = _mm512_load_si512(picked.numbers);
    const __mmask64 read = mask(picked.span), written = mask(groups.nbytes);
    const char *x = groups.x;
    char *out = groups.out;
    std::int64_t i = 0;
    for (; i < groups.whole; ++i, x += groups.step, out += groups.nbytes)
        _mm512_storeu_si512(out, _mm512_permutexvar_epi8(numbers, _mm512_loadu_si512(x)));
    for (; i < groups.count; ++i, x += groups.step, out += groups.nbytes) {
        const __m512i items = _mm512_permutexvar_epi8(numbers, _mm512_maskz_loadu_epi8(read, x));
        _mm512_mask_storeu_epi8(out, written, items);
    }
}

}  // namespace theano::columns
