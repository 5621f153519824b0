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
// Of so many vectors of a row, or a column, it is worth to read aligned ones.
constexpr std::int64_t kManyVectors = 6;
// Bytes of y that stay in the nearest cache.
constexpr std::int64_t kCached = 1 << 14;

template <class T>
struct Sums : Vectors<T, TH_BYTES> {
    using Own = Vectors<T, TH_BYTES>;
    using typename Own::Vector;
    using Own::kLanes, Own::load, Own::add_product, Own::store;

    // Some lanes of a vector: others are 0, and what they would have is neither read nor written.
#if defined(__AVX512F__)
    using Mask = std::conditional_t<sizeof(T) == 8, __mmask8, __mmask16>;

    static Mask lanes(std::int64_t begin, std::int64_t end) {
        return static_cast<Mask>((1u << end) - (1u << begin));
    }
    static Vector load_some(const T *from, Mask mask) {
        if constexpr (sizeof(T) == 8) return Vector(_mm512_maskz_loadu_pd(mask, from));
        else return Vector(_mm512_maskz_loadu_ps(mask, from));
    }
    static void store_some(T *to, Mask mask, Vector value) {
        if constexpr (sizeof(T) == 8) _mm512_mask_storeu_pd(to, mask, __m512d(value));
        else _mm512_mask_storeu_ps(to, mask, __m512(value));
    }
    // The words of a vector from number `first` on, and then those before.
    static Vector turned(Vector value, int first) {
        const __m512i numbers =
            _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        // Of numbers, the instruction reads the last four bits.
        return Vector(_mm512_permutexvar_epi32(_mm512_add_epi32(numbers, _mm512_set1_epi32(first)),
                                               __m512i(value)));
    }
#else
    using Mask = __m256i;

    static Mask lanes(std::int64_t begin, std::int64_t end) {
        const auto first = static_cast<int>(begin), last = static_cast<int>(end);
        const __m256i numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i words = _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(first), numbers),
                                                  _mm256_cmpgt_epi32(_mm256_set1_epi32(last), numbers));
        if constexpr (sizeof(T) == 4) return words;
        else return _mm256_cvtepi32_epi64(_mm256_castsi256_si128(words));
    }
    static Vector load_some(const T *from, Mask mask) {
        if constexpr (sizeof(T) == 8) return Vector(_mm256_maskload_pd(from, mask));
        else return Vector(_mm256_maskload_ps(from, mask));
    }
    static void store_some(T *to, Mask mask, Vector value) {
        if constexpr (sizeof(T) == 8) _mm256_maskstore_pd(to, mask, __m256d(value));
        else _mm256_maskstore_ps(to, mask, __m256(value));
    }
    // The words of a vector from number `first` on, and then those before.
    static Vector turned(Vector value, int first) {
        const __m256i numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        // Of numbers, the instruction reads the last three bits.
        return Vector(_mm256_permutevar8x32_epi32(
            __m256i(value), _mm256_add_epi32(numbers, _mm256_set1_epi32(first))));
    }
#endif

    // The item from which vectors of all lines, rows or columns, are aligned: one that crosses lines of the
    // cache takes two reads. `begin`: they differ, or are short.
    static std::int64_t first_aligned(const Product &p, std::int64_t begin, std::int64_t end) {
        const auto at = reinterpret_cast<std::uintptr_t>(static_cast<const T *>(p.matrix) + begin);
        if (at % sizeof(T) != 0 || p.leading % kLanes != 0 || end - begin < kManyVectors * kLanes)
            return begin;
        return begin + static_cast<std::int64_t>((TH_BYTES - at % TH_BYTES) % TH_BYTES / sizeof(T));
    }

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
    static TH_INLINE void add_some(const Product &p, const T *row, std::int64_t term, Mask mask,
                                   Vector (&sum)[kRows]) {
        const Vector own = load_some(static_cast<const T *>(p.x) + term, mask);
        TH_UNROLL for (int r = 0; r < kRows; ++r)
            add_product(sum[r], load_some(row + r * p.leading + term, mask), own);
    }

    // Of the terms, `head` lie before the first aligned vector.
    template <int kRows>
    static void rows_together(const Product &p, std::int64_t first, std::int64_t head) {
        const T *x = static_cast<const T *>(p.x);
        const T *row = static_cast<const T *>(p.matrix) + first * p.leading;
        const T alpha = *static_cast<const T *>(p.alpha), beta = *static_cast<const T *>(p.beta);
        Vector sum[kRows];
        TH_UNROLL for (int r = 0; r < kRows; ++r) sum[r] = Vector{};
        if (head > 0) add_some<kRows>(p, row, head - kLanes, lanes(kLanes - head, kLanes), sum);
        std::int64_t term = head;
        for (; term + kLanes <= p.terms; term += kLanes) {
            const Vector own = load(x + term);
            TH_UNROLL for (int r = 0; r < kRows; ++r)
                add_product(sum[r], load(row + r * p.leading + term), own);
        }
        if (term < p.terms) add_some<kRows>(p, row, term, lanes(0, p.terms - term), sum);
        // INVARIANT: each lane has the sum of every so manyth term from its own on, and no -0, wherever
        // the row lies.
        constexpr int kWords = sizeof(T) / 4;
        const int back = kWords * static_cast<int>(kLanes - head);
        TH_UNROLL for (int r = 0; r < kRows; ++r) sum[r] += Vector{};
        if (head > 0)
            TH_UNROLL for (int r = 0; r < kRows; ++r) sum[r] = turned(sum[r], back);
        T *y = static_cast<T *>(p.y) + first;
        TH_UNROLL for (int r = 0; r < kRows; ++r) {
            const T total = alpha * folded<TH_BYTES>(sum[r]);
            if (beta == T(0)) y[r] = total;
            else if constexpr (sizeof(T) == 8) y[r] = __builtin_fma(beta, y[r], total);
            else y[r] = __builtin_fmaf(beta, y[r], total);
        }
    }

    static void rows(const Product &p, std::int64_t begin, std::int64_t end) {
        const std::int64_t head = first_aligned(p, 0, p.terms);
        for (; begin + kTogether <= end; begin += kTogether) rows_together<kTogether>(p, begin, head);
        for (; begin < end; ++begin) rows_together<1>(p, begin, head);
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
        if (i == count) return;
        const Mask mask = lanes(0, count - i);
        const Vector sum =
            added<kTerms>(column + i, p.leading, factors, load_some(y + i, mask),
                          [mask](const T *from) { return load_some(from, mask); });
        store_some(y + i, mask, sum);
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
