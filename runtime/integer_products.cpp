// For every processor, and once more each for those with AVX2 and with AVX-512.
#include "integer_products.h"

#include "vectors.h"

namespace theano {
namespace integers {

namespace {

// Terms whose part of B is copied at a time, so that it stays in the nearest cache.
constexpr std::int64_t kTerms = 128;

// `kTogether` rows, each of some vectors of `kWide` bytes, are summed at a time.
template <class T, class Sum, int kWide, int kTogether, int kVectors = 2>
struct Tile {
    using Own = Vectors<Sum, kWide>;
    using Vector = typename Own::Vector;
    static constexpr int kLanes = Own::kLanes, kWidth = kLanes * kVectors;
    static_assert(kWidth * sizeof(Sum) <= kBytes && kRows % kTogether == 0, "sums fit");

    static void multiply(const Work &work, std::int64_t row, std::int64_t rows, std::int64_t column,
                         void *sums) {
        alignas(64) Sum packed[kTerms * kWidth];
        Sum *const sum = static_cast<Sum *>(sums);
        for (std::int64_t i = 0; i < rows * kWidth; ++i) sum[i] = 0;
        const std::int64_t left = work.columns - column, fits = left < kWidth ? left : kWidth;
        // A copy that is read once is none worth.
        const bool copied = sizeof(T) != sizeof(Sum) || rows > kTogether || fits < kWidth;
        for (std::int64_t term = 0; term < work.terms; term += kTerms) {
            const std::int64_t rest = work.terms - term, terms = rest < kTerms ? rest : kTerms;
            const T *const b = static_cast<const T *>(work.b) + term * work.columns + column;
            for (std::int64_t t = 0; copied && t < terms; ++t) {
                Sum *const to = packed + t * kWidth;
                const T *const from = b + t * work.columns;
                if (fits == kWidth) {
                    for (int j = 0; j < kWidth; ++j) to[j] = from[j];
                } else {
                    for (int j = 0; j < kWidth; ++j) to[j] = j < fits ? from[j] : T(0);
                }
            }
            const Sum *own = packed;
            if constexpr (sizeof(T) == sizeof(Sum)) own = copied ? packed : b;
            const std::int64_t apart = copied ? kWidth : work.columns;
            const char *const a = work.a + row * work.down + term * work.across;
            std::int64_t r = 0;
            for (; r + kTogether <= rows; r += kTogether)
                add<kTogether>(work, a + r * work.down, terms, own, apart, sum + r * kWidth);
            for (; r < rows; ++r)
                add<1>(work, a + r * work.down, terms, own, apart, sum + r * kWidth);
        }
    }

    template <int kCount>
    static void add(const Work &work, const char *a, std::int64_t terms, const Sum *b,
                    std::int64_t apart, Sum *sums) {
        const std::int64_t down = work.down, across = work.across;
        Vector sum[kCount][kVectors];
        TH_UNROLL for (int r = 0; r < kCount; ++r) {
            TH_UNROLL for (int v = 0; v < kVectors; ++v)
                sum[r][v] = Own::load(sums + r * kWidth + v * kLanes);
        }
        for (std::int64_t t = 0; t < terms; ++t, a += across, b += apart) {
            Vector own[kVectors];
            TH_UNROLL for (int v = 0; v < kVectors; ++v) own[v] = Own::load(b + v * kLanes);
            TH_UNROLL for (int r = 0; r < kCount; ++r) {
                T item;
                __builtin_memcpy(&item, a + r * down, sizeof(T));
                const Vector factor = static_cast<Sum>(item) - Vector{};
                TH_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] += own[v] * factor;
            }
        }
        TH_UNROLL for (int r = 0; r < kCount; ++r) {
            TH_UNROLL for (int v = 0; v < kVectors; ++v)
                Own::store(sums + r * kWidth + v * kLanes, sum[r][v]);
        }
    }

    static std::uint64_t dot(const void *one, const void *two, std::int64_t terms) {
        const T *const x = static_cast<const T *>(one), *const y = static_cast<const T *>(two);
        // INVARIANT: of more than 32 bits: products of two bytes would be of `int`, and overflow.
        using Wide = decltype(Sum() + 0u);
        Wide sum = 0;
        for (std::int64_t t = 0; t < terms; ++t) sum += Wide(x[t]) * Wide(y[t]);
        return static_cast<Sum>(sum);
    }
};

template <class Sum, int kWide>
constexpr int kThin = kWide < kFew * sizeof(Sum) ? kWide : kFew * sizeof(Sum);

template <class T, class Sum, int kWide, int kTogether>
constexpr Loops kLoops = {Tile<T, Sum, kWide, kTogether>::kWidth,
                          Tile<T, Sum, kWide, kTogether>::multiply,
                          Tile<T, Sum, kThin<Sum, kWide>, kTogether,
                               kFew * sizeof(Sum) / kThin<Sum, kWide>>::multiply,
                          Tile<T, Sum, kWide, kTogether>::dot};

template <int kNarrow, int kWide, int kTogether>
const Loops &loops_of(std::int64_t itemsize) {
    switch (itemsize) {
        case 1:
            return kLoops<std::uint8_t, std::uint16_t, kNarrow, 4>;
        case 2:
            return kLoops<std::uint16_t, std::uint16_t, kNarrow, 4>;
        case 4:
            return kLoops<std::uint32_t, std::uint32_t, kWide, kTogether>;
        default:
            return kLoops<std::uint64_t, std::uint64_t, kWide, kTogether>;
    }
}

}  // namespace

#if defined(__AVX512F__)
const Loops &loops_avx512(std::int64_t itemsize) { return loops_of<64, 64, 8>(itemsize); }
#elif defined(__AVX2__)
const Loops &loops_fma(std::int64_t itemsize) { return loops_of<32, 32, 4>(itemsize); }
#else
const Loops &loops_plain(std::int64_t itemsize) { return loops_of<16, 16, 4>(itemsize); }
#endif

}  // namespace integers
}  // namespace theano
