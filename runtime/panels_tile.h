// The inner loops of products with packed matrices, for one kind of vectors: see vectors.h about what
// may stand here.
#pragma once

#include "panels.h"
#include "vectors.h"

namespace theano {
namespace panels {

namespace {

// `kRows` rows, each of `kVectors` vectors of `kBytes` bytes, are summed at a time; rows of the panel have
// `kPanel` vectors, or lie as far apart as the work, which is Unpacked, says: 0.
template <class T, int kBytes, int kVectors, int kRows, int kPanel = kVectors>
struct Tile {
    using Own = Vectors<T, kBytes>;
    using Vector = typename Own::Vector;
    static constexpr int kLanes = Own::kLanes, kWidth = kLanes * kVectors;
    static constexpr int kApart = kLanes * kPanel;

    // The sums of the rows from `row` on in the columns of a panel, the first of which is `column`.
    static void sums(const Work &work, std::int64_t row, std::int64_t column, Ahead *ahead) {
        const std::int64_t left = work.columns - column;
        if (left >= kWidth) return sums_of<false>(work, row, column, kLanes, ahead);
        if constexpr (kVectors > 1) {
            if (left <= kWidth - kLanes)
                return Tile<T, kBytes, kVectors - 1, kRows, kPanel>::sums(work, row, column, ahead);
        } else if constexpr (kBytes == 64) {
            // Half a vector takes half the time.
            if (2 * left <= kLanes)
                return Tile<T, kBytes / 2, 1, kRows, 2 * kPanel>::sums(work, row, column, ahead);
        }
        sums_of<true>(work, row, column, left - (kWidth - kLanes), ahead);
    }

    static void fetch(Ahead &ahead) {
        for (std::int64_t i = 0; i < ahead.each && ahead.left > 0; ++i, --ahead.left) {
            for (std::int64_t byte = 0; byte < ahead.bytes; byte += 64)
                __builtin_prefetch(ahead.row + byte, 0, 2);
            ahead.row += ahead.down;
        }
    }

    // Loops over rows and vectors are written out, so that the sums stay in registers. If the columns are
    // `kSome` of a panel, so many are `last`, in the last vector.
    template <bool kSome>
    static void sums_of(const Work &work, std::int64_t row, std::int64_t column, std::int64_t last,
                        Ahead *ahead) {
        Vector sum[kRows][kVectors];
        T *const out = reinterpret_cast<T *>(work.out) + row * work.columns + column;
        const std::int64_t columns = work.columns;
        const bool added = work.added;
        const T *const factor = static_cast<const T *>(work.factor);
        TH_UNROLL for (int r = 0; r < kRows; ++r) {
            TH_UNROLL for (int v = 0; v < kVectors; ++v) {
                sum[r][v] = Vector{};
                if (!added) continue;
                const T *const from = out + r * columns + v * kLanes;
                if (kSome && v == kVectors - 1) load_some(sum[r][v], from, last);
                else __builtin_memcpy(&sum[r][v], from, kBytes);
                if (factor) sum[r][v] *= *factor;
            }
        }
        const Work *const parts[2] = {work.first, &work};
        for (const Work *part : parts) {
            if (!part) continue;
            const auto *x = reinterpret_cast<const T *>(part->source + row * part->leading);
            constexpr auto kItem = static_cast<std::int64_t>(sizeof(T));
            const T *panel = reinterpret_cast<const T *>(part->packed) + column * part->terms;
            std::int64_t apart = kApart;
            if constexpr (kPanel == 0) {
                const auto &whole = static_cast<const Unpacked &>(work);
                panel = reinterpret_cast<const T *>(whole.matrix) + column;
                apart = whole.down / kItem;
            }
            const std::int64_t leading = part->leading / kItem, across = part->across / kItem;
            const std::int64_t step = ahead ? Ahead::kStep : part->terms;
            for (std::int64_t term = 0; term < part->terms;) {
                const std::int64_t left = part->terms - term;
                const std::int64_t end = term + (left < step ? left : step);
                if (ahead) fetch(*ahead);
                for (; term < end; ++term, x += across) {
                    Vector own[kVectors];
                    TH_UNROLL for (int v = 0; v < kVectors; ++v) {
                        const T *const from = panel + term * apart + v * kLanes;
                        if (kPanel == 0 && kSome && v == kVectors - 1) load_some(own[v], from, last);
                        else __builtin_memcpy(&own[v], from, kBytes);
                    }
                    TH_UNROLL for (int r = 0; r < kRows; ++r) {
                        const Vector factor = x[r * leading] - Vector{};
                        TH_UNROLL for (int v = 0; v < kVectors; ++v)
                            Own::add_product(sum[r][v], own[v], factor);
                    }
                }
            }
        }
        TH_UNROLL for (int r = 0; r < kRows; ++r) {
            TH_UNROLL for (int v = 0; v < kVectors; ++v) {
                T *const to = out + r * columns + v * kLanes;
                if (kSome && v == kVectors - 1) store_some(to, last, sum[r][v]);
                else __builtin_memcpy(to, &sum[r][v], kBytes);
            }
        }
    }

    // Only the first items of a vector, others of which may lie where no memory is.
    static TH_INLINE void load_some(Vector &x, const T *from, std::int64_t count) {
#if defined(__AVX512F__)
        const unsigned mask = (1u << count) - 1u;
        __m512i wide;
        if constexpr (sizeof(T) == 4) wide = _mm512_maskz_loadu_epi32(static_cast<__mmask16>(mask), from);
        else wide = _mm512_maskz_loadu_epi64(static_cast<__mmask8>(mask), from);
        if constexpr (kBytes == 64) x = Vector(wide);
        else x = Vector(_mm512_castsi512_si256(wide));
#else
        __builtin_memcpy(&x, from, static_cast<unsigned long>(count) * sizeof(T));
#endif
    }

    static TH_INLINE void store_some(T *to, std::int64_t count, const Vector &x) {
#if defined(__AVX512F__)
        const unsigned mask = (1u << count) - 1u;
        __m512i wide;
        if constexpr (kBytes == 64) wide = __m512i(x);
        else wide = _mm512_castsi256_si512(__m256i(x));
        if constexpr (sizeof(T) == 4) _mm512_mask_storeu_epi32(to, static_cast<__mmask16>(mask), wide);
        else _mm512_mask_storeu_epi64(to, static_cast<__mmask8>(mask), wide);
#else
        __builtin_memcpy(to, &x, static_cast<unsigned long>(count) * sizeof(T));
#endif
    }
};

// The rows [first, last) of a panel's columns of the result.
template <class T, int kBytes, int kVectors, int kRows, int kPanel = kVectors>
void multiply_rows(const Work &work, std::int64_t panel, std::int64_t first, std::int64_t last,
                   Ahead *ahead) {
    const std::int64_t column = panel * Tile<T, kBytes, kVectors, 1>::kWidth;
    std::int64_t row = first;
    for (; row + kRows <= last; row += kRows) {
        if constexpr (kRows == 8) {
            // A few rows more cost less than a tile of their own.
            if (last - row == 12)
                return Tile<T, kBytes, kVectors, 12, kPanel>::sums(work, row, column, ahead);
            if (last - row == 10)
                return Tile<T, kBytes, kVectors, 10, kPanel>::sums(work, row, column, ahead);
        }
        Tile<T, kBytes, kVectors, kRows, kPanel>::sums(work, row, column, ahead);
    }
    if constexpr (kRows > 4) {
        for (; row + 6 <= last; row += 6)
            Tile<T, kBytes, kVectors, 6, kPanel>::sums(work, row, column, ahead);
        for (; row + 4 <= last; row += 4)
            Tile<T, kBytes, kVectors, 4, kPanel>::sums(work, row, column, ahead);
        for (; row + 2 <= last; row += 2)
            Tile<T, kBytes, kVectors, 2, kPanel>::sums(work, row, column, ahead);
    }
    for (; row < last; ++row) Tile<T, kBytes, kVectors, 1, kPanel>::sums(work, row, column, ahead);
}

}  // namespace

}  // namespace panels
}  // namespace theano
