// Rows times matrices that lie by columns, as the stacks of small_products.h have them where each matrix is
// multiplied by a vector: see vectors.h about what may stand here.
#pragma once

#include <utility>

#include "small_products.h"
#include "vectors.h"

namespace theano::small {

namespace {

template <class T, int kBytes>
struct ByColumns {
    using V = Vectors<T, kBytes>;
    using Vector = typename V::Vector;
    using Int = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    typedef Int Ints __attribute__((vector_size(kBytes)));
    static constexpr int kLanes = V::kLanes;
    static constexpr std::int64_t kItem = sizeof(T);
    // So few columns are summed one by one.
    static constexpr std::int64_t kFew = kLanes / 4;

    const Products &p;

    // How many of the products these loops make: vectors may reach behind a column, but not behind all.
    static std::int64_t suited(const Products &p, std::int64_t begin, std::int64_t end) {
        const Stack &b = p.b;
        if (p.rows != 1 || p.alpha || p.beta || b.down != kItem || b.step < 0 || b.across < 0 ||
            b.across % kItem != 0 || p.terms < 2)
            return 0;
        const std::int64_t whole = (p.terms + kLanes - 1) / kLanes * kLanes;
        const std::int64_t past = (whole - p.terms) * kItem;
        std::int64_t last = end;
        // INVARIANT: what is read lies before the end of the last matrix of all.
        while (last > begin && (last - 1) * b.step + past > (p.count - 1) * b.step) --last;
        return last - begin;
    }

    void run(std::int64_t begin, std::int64_t end) const {
        for (std::int64_t i = begin; i < end; ++i) {
            const char *x = p.a.data + i * p.a.step, *b = p.b.data + i * p.b.step;
            T *y = reinterpret_cast<T *>(p.c + i * p.step);
            std::int64_t j = 0;
            for (; j + kFew < p.columns; j += kLanes) {
                const std::int64_t count = p.columns - j < kLanes ? p.columns - j : kLanes;
                const Vector sum = sums(x, b + j * p.b.across, count);
                __builtin_memcpy(y + j, &sum, static_cast<unsigned long>(count * kItem));
            }
            for (; j < p.columns; ++j) y[j] = one(x, b + j * p.b.across);
        }
    }

    // The sums of some columns, in order: their terms are turned into vectors across them.
    Vector sums(const char *x, const char *b, std::int64_t count) const {
        Vector sum = {};
        for (std::int64_t t = 0; t < p.terms; t += kLanes) {
            Vector part[kLanes];
            TH_UNROLL for (int r = 0; r < kLanes; ++r) {
                const std::int64_t column = r < count ? r : count - 1;
                part[r] = V::load(reinterpret_cast<const T *>(b + column * p.b.across) + t);
            }
            exchange<1>(part);
            TH_UNROLL for (int r = 0; r < kLanes; ++r)
                if (t + r < p.terms) V::add_product(sum, part[r], factor(x, t + r) - Vector{});
        }
        return sum;
    }

    T one(const char *x, const char *b) const {
        // In a vector, so that it is rounded as the others are.
        using Own = Vectors<T, 16>;
        typename Own::Vector sum = {};
        for (std::int64_t t = 0; t < p.terms; ++t) {
            const T own = reinterpret_cast<const T *>(b)[t];
            Own::add_product(sum, own - typename Own::Vector{}, factor(x, t) - typename Own::Vector{});
        }
        return sum[0];
    }

    T factor(const char *x, std::int64_t t) const {
        T value;
        __builtin_memcpy(&value, x + t * p.a.across, sizeof(T));
        return value;
    }

    // Rows and columns exchanged, a bit of their numbers after the other.
    template <int kBit>
    static TH_INLINE void exchange(Vector (&x)[kLanes]) {
        if constexpr (kBit < kLanes) {
            TH_UNROLL for (int i = 0; i < kLanes; ++i) {
                if (i & kBit) continue;
                const Vector low = x[i], high = x[i | kBit];
                x[i] = picked<kBit, false>(low, high, std::make_integer_sequence<Int, kLanes>());
                x[i | kBit] = picked<kBit, true>(low, high, std::make_integer_sequence<Int, kLanes>());
            }
            exchange<2 * kBit>(x);
        }
    }

    template <int kBit, bool kHigh, Int... kLane>
    static TH_INLINE Vector picked(const Vector &low, const Vector &high,
                                   std::integer_sequence<Int, kLane...>) {
        return TH_SHUFFLE(low, high, Ints,
                          (kLane & kBit ? kLanes + kLane - (kHigh ? 0 : kBit)
                                        : kLane + (kHigh ? kBit : 0))...);
    }
};

// How many of the products were made. Shorter vectors give the same bits.
template <class T, int kBytes>
__attribute__((noinline)) std::int64_t by_columns(const Products &p, std::int64_t begin, std::int64_t end) {
    using Own = ByColumns<T, kBytes>;
    if constexpr (kBytes > 16)
        if (p.terms <= Own::kLanes / 2 || p.columns <= Own::kLanes / 2)
            return by_columns<T, kBytes / 2>(p, begin, end);
    const std::int64_t count = Own::suited(p, begin, end);
    if (count > 0) Own{p}.run(begin, begin + count);
    return count;
}

}  // namespace

}  // namespace theano::small
