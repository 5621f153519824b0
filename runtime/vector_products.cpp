// For processors with AVX2 and FMA, and once more for those with AVX-512: see vectors.h about what may
// stand here.
#include "vector_products.h"

#include "vectors.h"

#if defined(__AVX512F__)
#define TH_LOOPS_OF loops_avx512
#define TH_BYTES 64
#else
#define TH_LOOPS_OF loops_fma
#define TH_BYTES 32
#endif

namespace theano::vector_products {

namespace {

// Rows, or terms, that are added at once.
constexpr int kTogether = 8;
// Of so many vectors of a column, it is worth to read aligned ones.
constexpr std::int64_t kManyVectors = 6;
// Bytes of y that stay in the nearest cache.
constexpr std::int64_t kCached = 1 << 14;

template <class T>
struct Sums : Vectors<T, TH_BYTES> {
    using Own = Vectors<T, TH_BYTES>;
    using typename Own::Vector;
    using Own::kLanes, Own::load, Own::add_product, Own::store;

    // Of fewer items than there are lanes; the others are 0.
    static Vector load_some(const T *from, std::int64_t count) {
#if defined(__AVX512F__)
        const unsigned mask = (1u << count) - 1u;
        if constexpr (sizeof(T) == 8)
            return reinterpret_cast<Vector>(
                _mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), from));
        else
            return reinterpret_cast<Vector>(
                _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), from));
#else
        if constexpr (sizeof(T) == 8)
            return reinterpret_cast<Vector>(_mm256_maskload_pd(from, first_quads(count)));
        else
            return reinterpret_cast<Vector>(_mm256_maskload_ps(from, first_words(count)));
#endif
    }

    static void store_some(T *to, std::int64_t count, Vector value) {
#if defined(__AVX512F__)
        const unsigned mask = (1u << count) - 1u;
        if constexpr (sizeof(T) == 8)
            _mm512_mask_storeu_pd(to, static_cast<__mmask8>(mask),
                                  reinterpret_cast<__m512d>(value));
        else
            _mm512_mask_storeu_ps(to, static_cast<__mmask16>(mask),
                                  reinterpret_cast<__m512>(value));
#else
        if constexpr (sizeof(T) == 8)
            _mm256_maskstore_pd(to, first_quads(count), reinterpret_cast<__m256d>(value));
        else
            _mm256_maskstore_ps(to, first_words(count), reinterpret_cast<__m256>(value));
#endif
    }

#if !defined(__AVX512F__)
    static __m256i first_quads(std::int64_t count) {
        return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
    }
    static __m256i first_words(std::int64_t count) {
        return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
                                  _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
#endif

    // The sum of all lanes: halves are added until one is left.
    template <int kSize>
    static T folded(typename Vectors<T, kSize>::Vector value) {
        if constexpr (kSize == sizeof(T)) {
            return value[0];
        } else {
            typename Vectors<T, kSize / 2>::Vector half[2];
            __builtin_memcpy(half, &value, kSize);
            return folded<kSize / 2>(half[0] + half[1]);
        }
    }

    template <int kRows>
    static void rows_together(const Product &p, std::int64_t first) {
        const T *x = static_cast<const T *>(p.x);
        const T *row = static_cast<const T *>(p.matrix) + first * p.leading;
        const T alpha = *static_cast<const T *>(p.alpha), beta = *static_cast<const T *>(p.beta);
        Vector sum[kRows];
        TH_UNROLL for (int r = 0; r < kRows; ++r) sum[r] = Vector{};
        std::int64_t term = 0;
        for (; term + kLanes <= p.terms; term += kLanes) {
            const Vector own = load(x + term);
            TH_UNROLL for (int r = 0; r < kRows; ++r)
                add_product(sum[r], load(row + r * p.leading + term), own);
        }
        const std::int64_t left = p.terms - term;
        if (left > 0) {
            const Vector own = load_some(x + term, left);
            TH_UNROLL for (int r = 0; r < kRows; ++r)
                add_product(sum[r], load_some(row + r * p.leading + term, left), own);
        }
        T *y = static_cast<T *>(p.y) + first;
        TH_UNROLL for (int r = 0; r < kRows; ++r) {
            const T total = alpha * folded<TH_BYTES>(sum[r]);
            if (beta == T(0)) y[r] = total;
            else if constexpr (sizeof(T) == 8) y[r] = __builtin_fma(beta, y[r], total);
            else y[r] = __builtin_fmaf(beta, y[r], total);
        }
    }

    static void rows(const Product &p, std::int64_t begin, std::int64_t end) {
        for (; begin + kTogether <= end; begin += kTogether) rows_together<kTogether>(p, begin);
        for (; begin < end; ++begin) rows_together<1>(p, begin);
    }

    // What a few terms, whose columns begin at `column`, add to a vector of y.
    template <int kTerms, class Load>
    static Vector added(const T *column, std::int64_t leading, const Vector *factors, Vector sum,
                        Load load_part) {
        // Two sums, so that half as many wait for one another.
        Vector other{};
        TH_UNROLL for (int t = 0; t < kTerms; ++t) {
            const Vector product = load_part(column + t * leading);
            add_product(t % 2 ? other : sum, product, factors[t]);
        }
        return kTerms > 1 ? sum + other : sum;
    }

    template <int kTerms>
    static void terms_together(const Product &p, std::int64_t term, std::int64_t begin,
                               std::int64_t end) {
        const T alpha = *static_cast<const T *>(p.alpha);
        const T *column = static_cast<const T *>(p.matrix) + term * p.leading + begin;
        const T *x = static_cast<const T *>(p.x) + term;
        T *y = static_cast<T *>(p.y) + begin;
        Vector factors[kTerms];
        TH_UNROLL for (int t = 0; t < kTerms; ++t) factors[t] = alpha * x[t] - Vector{};
        const std::int64_t count = end - begin;
        std::int64_t i = 0;
        for (; i + kLanes <= count; i += kLanes) {
            const Vector sum = added<kTerms>(column + i, p.leading, factors, load(y + i),
                                             [](const T *from) { return load(from); });
            store(y + i, sum);
        }
        const std::int64_t left = count - i;
        if (left == 0) return;
        const Vector sum =
            added<kTerms>(column + i, p.leading, factors, load_some(y + i, left),
                          [left](const T *from) { return load_some(from, left); });
        store_some(y + i, left, sum);
    }

    // The item from which vectors of all columns are aligned: one that crosses lines of the cache takes two
    // reads. `begin`: columns differ, or are short.
    static std::int64_t first_aligned(const Product &p, std::int64_t begin, std::int64_t end) {
        const auto at = reinterpret_cast<std::uintptr_t>(static_cast<const T *>(p.matrix) + begin);
        if (at % sizeof(T) != 0 || p.leading % kLanes != 0 || end - begin < kManyVectors * kLanes)
            return begin;
        return begin + static_cast<std::int64_t>((TH_BYTES - at % TH_BYTES) % TH_BYTES / sizeof(T));
    }

    static void columns(const Product &p, std::int64_t begin, std::int64_t end) {
        constexpr std::int64_t kItems = kCached / static_cast<std::int64_t>(sizeof(T));
        const T beta = *static_cast<const T *>(p.beta);
        T *y = static_cast<T *>(p.y);
        for (std::int64_t first = begin; first < end; first += kItems) {
            const std::int64_t last = first + kItems < end ? first + kItems : end;
            for (std::int64_t i = first; i < last; ++i) y[i] = beta == T(0) ? T(0) : beta * y[i];
            const std::int64_t aligned = first_aligned(p, first, last);
            std::int64_t term = 0;
            for (; term + kTogether <= p.terms; term += kTogether) {
                if (aligned > first) terms_together<kTogether>(p, term, first, aligned);
                terms_together<kTogether>(p, term, aligned, last);
            }
            for (; term < p.terms; ++term) terms_together<1>(p, term, first, last);
        }
    }
};

constexpr Loops kSingle{Sums<float>::rows, Sums<float>::columns};
constexpr Loops kDouble{Sums<double>::rows, Sums<double>::columns};

}  // namespace

const Loops &TH_LOOPS_OF(std::int64_t itemsize) { return itemsize == 4 ? kSingle : kDouble; }

}  // namespace theano::vector_products
