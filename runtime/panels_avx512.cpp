// For processors with AVX-512, which have 32 registers.
#include "panels_tile.h"
#include "small_products_loops.h"

namespace theano {
namespace panels {

namespace {

template <class T>
struct Lanes;

template <>
struct Lanes<float> {
    using Vector = __m512;
    using Index = std::int32_t;
    static Vector load(unsigned mask, const float *from) {
        return _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), from);
    }
    static void store(unsigned mask, float *to, Vector x) {
        _mm512_mask_storeu_ps(to, static_cast<__mmask16>(mask), x);
    }
    static Vector moved(const Index *index, Vector x) {
        return _mm512_permutexvar_ps(_mm512_load_si512(index), x);
    }
    static Vector moved(const Index *index, Vector x, Vector after) {
        return _mm512_permutex2var_ps(x, _mm512_load_si512(index), after);
    }
    static Vector multiply_add(Vector x, Vector y, Vector z) { return _mm512_fmadd_ps(x, y, z); }
    static Vector multiply_add(Vector x, const float *y, Vector z) {
        return _mm512_fmadd_ps(x, _mm512_load_ps(y), z);
    }
};

template <>
struct Lanes<double> {
    using Vector = __m512d;
    using Index = std::int64_t;
    static Vector load(unsigned mask, const double *from) {
        return _mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), from);
    }
    static void store(unsigned mask, double *to, Vector x) {
        _mm512_mask_storeu_pd(to, static_cast<__mmask8>(mask), x);
    }
    static Vector moved(const Index *index, Vector x) {
        return _mm512_permutexvar_pd(_mm512_load_si512(index), x);
    }
    static Vector moved(const Index *index, Vector x, Vector after) {
        return _mm512_permutex2var_pd(x, _mm512_load_si512(index), after);
    }
    static Vector multiply_add(Vector x, Vector y, Vector z) { return _mm512_fmadd_pd(x, y, z); }
    static Vector multiply_add(Vector x, const double *y, Vector z) {
        return _mm512_fmadd_pd(x, _mm512_load_pd(y), z);
    }
};

// Several rows fill a vector: those of A are read at once, and each of their items is brought to the
// lanes of its row of C.
template <class T, int kTerms>
void short_rows(const small::Products &p, std::int64_t first, std::int64_t last) {
    using L = Lanes<T>;
    constexpr int kLanes = 64 / sizeof(T);
    const int columns = static_cast<int>(p.columns);
    const int together = kLanes / (columns > kTerms ? columns : kTerms);
    alignas(64) typename L::Index index[kTerms][kLanes] = {};
    alignas(64) T factor[kTerms][kLanes] = {};
    for (int lane = 0; lane < together * columns; ++lane) {
        for (int t = 0; t < kTerms; ++t) {
            index[t][lane] = lane / columns * kTerms + t;
            __builtin_memcpy(&factor[t][lane], p.b.data + t * p.b.down + lane % columns * p.b.across,
                             sizeof(T));
        }
    }
    const T *a = reinterpret_cast<const T *>(p.a.data) + first * kTerms;
    T *c = reinterpret_cast<T *>(p.c) + first * columns;
    for (std::int64_t row = first; row < last; row += together) {
        const int rows = last - row < together ? static_cast<int>(last - row) : together;
        const auto own = L::load((1u << (rows * kTerms)) - 1u, a);
        typename L::Vector sum = {};
        TH_UNROLL for (int t = 0; t < kTerms; ++t)
            sum = L::multiply_add(L::moved(index[t], own), factor[t], sum);
        L::store((1u << (rows * columns)) - 1u, c, sum);
        a += together * kTerms;
        c += together * columns;
    }
}

template <class T>
void short_rows_of(const small::Products &p, std::int64_t first, std::int64_t last) {
    switch (p.terms) {
        case 2:
            return short_rows<T, 2>(p, first, last);
        case 3:
            return short_rows<T, 3>(p, first, last);
        case 4:
            return short_rows<T, 4>(p, first, last);
        default:
            break;
    }
    if constexpr (sizeof(T) == 4) {
        switch (p.terms) {
            case 5:
                return short_rows<T, 5>(p, first, last);
            case 6:
                return short_rows<T, 6>(p, first, last);
            case 7:
                return short_rows<T, 7>(p, first, last);
            case 8:
                return short_rows<T, 8>(p, first, last);
            default:
                break;
        }
    }
}

// Matrices that are read at once, each from `kVectors` vectors: each term brings an item of either to every
// item of C.
template <class T, int kTerms, int kVectors>
struct Tiny {
    using L = Lanes<T>;
    using Vector = typename L::Vector;
    static constexpr int kLanes = 64 / sizeof(T);

    struct Operand {
        alignas(64) typename L::Index index[kTerms][kVectors][kLanes] = {};
        unsigned mask[kVectors];
        Vector read[kVectors] = {};

        void load(const char *data) {
            for (int v = 0; v < kVectors; ++v)
                read[v] = L::load(mask[v], reinterpret_cast<const T *>(data) + v * kLanes);
        }
        Vector item(int term, int v) const {
            if constexpr (kVectors == 1) return L::moved(index[term][0], read[0]);
            else return L::moved(index[term][v], read[0], read[1]);
        }
    };

    static void mask_of(std::int64_t items, unsigned (&mask)[kVectors]) {
        for (int v = 0; v < kVectors; ++v) {
            const std::int64_t own = items - v * kLanes;
            mask[v] = own <= 0 ? 0u : (1u << (own < kLanes ? own : kLanes)) - 1u;
        }
    }

    static void multiply(const small::Products &p, std::int64_t begin, std::int64_t end) {
        constexpr auto kItem = static_cast<std::int64_t>(sizeof(T));
        const std::int64_t items = p.rows * p.columns;
        const std::int64_t a_down = p.a.down / kItem, a_across = p.a.across / kItem;
        const std::int64_t b_down = p.b.down / kItem, b_across = p.b.across / kItem;
        Operand a, b;
        unsigned mask[kVectors];
        mask_of((p.rows - 1) * a_down + (kTerms - 1) * a_across + 1, a.mask);
        mask_of((kTerms - 1) * b_down + (p.columns - 1) * b_across + 1, b.mask);
        mask_of(items, mask);
        for (int t = 0; t < kTerms; ++t) {
            for (std::int64_t i = 0; i < items; ++i) {
                const std::int64_t row = i / p.columns, column = i % p.columns;
                a.index[t][i / kLanes][i % kLanes] =
                    static_cast<typename L::Index>(row * a_down + t * a_across);
                b.index[t][i / kLanes][i % kLanes] =
                    static_cast<typename L::Index>(t * b_down + column * b_across);
            }
        }
        for (std::int64_t i = begin; i < end; ++i) {
            a.load(p.a.data + i * p.a.step);
            b.load(p.b.data + i * p.b.step);
            T *const c = reinterpret_cast<T *>(p.c + i * p.step);
            TH_UNROLL for (int v = 0; v < kVectors; ++v) {
                Vector sum = {};
                TH_UNROLL for (int t = 0; t < kTerms; ++t)
                    sum = L::multiply_add(a.item(t, v), b.item(t, v), sum);
                L::store(mask[v], c + v * kLanes, sum);
            }
        }
    }
};

template <class T>
void tiny_of(const small::Products &p, std::int64_t begin, std::int64_t end) {
    constexpr int kVectors = sizeof(T) / 4;
    switch (p.terms) {
        case 1:
            return Tiny<T, 1, kVectors>::multiply(p, begin, end);
        case 2:
            return Tiny<T, 2, kVectors>::multiply(p, begin, end);
        case 3:
            return Tiny<T, 3, kVectors>::multiply(p, begin, end);
        default:
            return Tiny<T, 4, kVectors>::multiply(p, begin, end);
    }
}

}  // namespace

void tiny_avx512(const small::Products &products, bool single, std::int64_t begin, std::int64_t end) {
    if (single) tiny_of<float>(products, begin, end);
    else tiny_of<double>(products, begin, end);
}

void short_rows_avx512(const small::Products &products, bool single, std::int64_t first,
                       std::int64_t last) {
    if (single) short_rows_of<float>(products, first, last);
    else short_rows_of<double>(products, first, last);
}

void multiply_avx512(const Work &work, std::int64_t panel, std::int64_t first, std::int64_t last,
                     Ahead *ahead) {
    if (work.itemsize == sizeof(float))
        multiply_rows<float, 64, 2, 8>(work, panel, first, last, ahead);
    else
        multiply_rows<double, 64, 2, 8>(work, panel, first, last, ahead);
}

void unpacked_avx512(const Work &work, std::int64_t panel, std::int64_t first, std::int64_t last,
                     Ahead *ahead) {
    if (work.itemsize == sizeof(float))
        multiply_rows<float, 64, 2, 8, 0>(work, panel, first, last, ahead);
    else
        multiply_rows<double, 64, 2, 8, 0>(work, panel, first, last, ahead);
}

void multiply_avx512(const small::Products &products, bool single, std::int64_t begin,
                     std::int64_t end) {
    if (single) small::multiply_of<float, 64>(products, begin, end);
    else small::multiply_of<double, 64>(products, begin, end);
}

}  // namespace panels
}  // namespace theano
