// For processors with AVX-512, and for those of them that pick any bytes: see vectors.h about what may stand here.
#include "joins.h"

#include "vectors.h"

namespace theano::joins {

namespace {

TH_INLINE std::uint64_t first(std::int64_t n) { return n < 64 ? (1ull << n) - 1 : ~0ull; }

TH_INLINE __m512i numbers_of(const Source &source) {
#if defined(__AVX512VBMI__)
    return _mm512_load_si512(source.numbers);
#else
    return _mm512_cvtepu8_epi16(_mm256_load_si256(reinterpret_cast<const __m256i *>(source.numbers)));
#endif
}

TH_INLINE __m512i pick(__m512i row, std::uint64_t written, __m512i numbers, __m512i x) {
#if defined(__AVX512VBMI__)
    return _mm512_mask_permutexvar_epi8(row, written, numbers, x);
#else
    return _mm512_mask_permutexvar_epi16(row, static_cast<__mmask32>(written), numbers, x);
#endif
}

struct Held {
    __m512i numbers;
    std::uint64_t written, read;
    const char *x;
    std::int64_t step;
};

// The first bytes of a vector: all of them, those of its half, or under a mask. Masks are slow where memory is not
// in a cache, and so is what crosses one of its lines.
enum class Reading { all, half, some };

template <Reading kReading>
TH_INLINE __m512i read(const Held &part) {
    if constexpr (kReading == Reading::some) return _mm512_maskz_loadu_epi8(part.read, part.x);
    else if constexpr (kReading == Reading::all) return _mm512_loadu_si512(part.x);
    else return _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(part.x)));
}

// Some groups, from `out` on; where it ends.
template <int kParts, Reading kReading>
TH_INLINE char *merge_some(Held *held, const Groups &groups, std::int64_t count, char *out) {
    const std::int64_t parts = kParts ? kParts : groups.parts, nbytes = groups.nbytes;
    const std::uint64_t whole = first(nbytes);
    for (std::int64_t i = 0; i < count; ++i, out += nbytes) {
        __m512i row = _mm512_setzero_si512();
        TH_UNROLL
        for (std::int64_t j = 0; j < parts; ++j) {
            Held &part = held[j];
            row = pick(row, part.written, part.numbers, read<kReading>(part));
            part.x += part.step;
        }
        if constexpr (kReading == Reading::some) _mm512_mask_storeu_epi8(out, whole, row);
        else _mm512_storeu_si512(out, row);
    }
    return out;
}

// `kParts`: how many there are; 0: `groups.parts`.
template <int kParts>
void merge(const Groups &groups) {
    constexpr std::int64_t kMost = kParts ? kParts : kMostMerged;
    const std::int64_t parts = groups.parts < kMost ? groups.parts : kMost;
    Held held[kMost] = {};
    TH_UNROLL
    for (std::int64_t j = 0; j < parts; ++j) {
        const Source &source = groups.sources[j];
        held[j] = Held{numbers_of(source), source.written, first(source.span), source.x, source.step};
    }
    char *out = groups.half ? merge_some<kParts, Reading::half>(held, groups, groups.whole, groups.out)
                            : merge_some<kParts, Reading::all>(held, groups, groups.whole, groups.out);
    merge_some<kParts, Reading::some>(held, groups, groups.count - groups.whole, out);
}

}  // namespace

void TH_MERGE(const Groups &groups) {
    switch (groups.parts) {
        case 2:
            return merge<2>(groups);
        case 3:
            return merge<3>(groups);
        case 4:
            return merge<4>(groups);
        default:
            return merge<0>(groups);
    }
}

}  // namespace theano::joins
