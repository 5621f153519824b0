// The inner loops of products with packed matrices, for one kind of vectors: see vectors.h about what
// may stand here.
#pragma once

#include "panels.h"
#include "vectors.h"

namespace theano {
namespace panels {

namespace {

// `kRows` rows, each of `kVectors` vectors of `kBytes` bytes, are summed at a time; rows of the panel have
// `kPanel` vectors.
template <class T, int kBytes, int kVectors, int kRows, int kPanel = kVectors>
struct Tile {
    using Own = Vectors<T, kBytes>;
    using Vector = typename Own::Vector;
    static constexpr int kLanes = Own::kLanes, kWidth = kLanes * kVectors;
    static constexpr int kApart = kLanes * kPanel;

    // The sums of the rows from `row` on in the columns of a panel, the first of which is `column`.
    static void sums(const Work &work, std::int64_t row, std::int64_t column, Ahead *ahead) {
        T *out = reinterpret_cast<T *>(work.out) + row * work.columns + column;
        const std::int64_t left = work.columns - column;
        if (left >= kWidth) {
            whole_sums(work, row, column, out, work.columns, ahead);
            return;
        }
        if constexpr (kVectors > 1) {
            if (left <= kWidth - kLanes)
                return Tile<T, kBytes, kVectors - 1, kRows, kPanel>::sums(work, row, column, ahead);
        }
        T whole[kRows * kWidth] = {};
        const auto bytes = static_cast<unsigned long>(left) * sizeof(T);
        for (int r = 0; work.added && r < kRows; ++r)
            __builtin_memcpy(whole + r * kWidth, out + r * work.columns, bytes);
        whole_sums(work, row, column, whole, kWidth, ahead);
        for (int r = 0; r < kRows; ++r)
            __builtin_memcpy(out + r * work.columns, whole + r * kWidth, bytes);
    }

    static void fetch(Ahead &ahead) {
        for (std::int64_t i = 0; i < ahead.each && ahead.left > 0; ++i, --ahead.left) {
            for (std::int64_t byte = 0; byte < ahead.bytes; byte += 64)
                __builtin_prefetch(ahead.row + byte, 0, 2);
            ahead.row += ahead.down;
        }
    }

    // Loops over rows and vectors are written out, so that the sums stay in registers.
    static void whole_sums(const Work &work, std::int64_t row, std::int64_t column, T *out,
                           std::int64_t columns, Ahead *ahead) {
        Vector sum[kRows][kVectors];
        const bool added = work.added;
        const T *const factor = static_cast<const T *>(work.factor);
        TH_UNROLL for (int r = 0; r < kRows; ++r) {
            TH_UNROLL for (int v = 0; v < kVectors; ++v) {
                sum[r][v] = Vector{};
                if (!added) continue;
                __builtin_memcpy(&sum[r][v], out + r * columns + v * kLanes, kBytes);
                if (factor) sum[r][v] *= *factor;
            }
        }
        const Work *const parts[2] = {work.first, &work};
        for (const Work *part : parts) {
            if (!part) continue;
            const auto *x = reinterpret_cast<const T *>(part->source + row * part->leading);
            const T *panel = reinterpret_cast<const T *>(part->packed) + column * part->terms;
            constexpr auto kItem = static_cast<std::int64_t>(sizeof(T));
            const std::int64_t leading = part->leading / kItem, across = part->across / kItem;
            for (std::int64_t term = 0; term < part->terms;) {
                const std::int64_t left = part->terms - term;
                const std::int64_t end = term + (left < Ahead::kStep ? left : Ahead::kStep);
                if (ahead) fetch(*ahead);
                for (; term < end; ++term, x += across) {
                    Vector own[kVectors];
                    TH_UNROLL for (int v = 0; v < kVectors; ++v)
                        __builtin_memcpy(&own[v], panel + term * kApart + v * kLanes, kBytes);
                    TH_UNROLL for (int r = 0; r < kRows; ++r) {
                        const Vector factor = x[r * leading] - Vector{};
                        TH_UNROLL for (int v = 0; v < kVectors; ++v)
                            Own::add_product(sum[r][v], own[v], factor);
                    }
                }
            }
        }
        TH_UNROLL for (int r = 0; r < kRows; ++r) {
            TH_UNROLL for (int v = 0; v < kVectors; ++v)
                __builtin_memcpy(out + r * columns + v * kLanes, &sum[r][v], kBytes);
        }
    }
};

// The rows [first, last) of a panel's columns of the result.
template <class T, int kBytes, int kVectors, int kRows>
void multiply_rows(const Work &work, std::int64_t panel, std::int64_t first, std::int64_t last,
                   Ahead *ahead) {
    const std::int64_t column = panel * Tile<T, kBytes, kVectors, 1>::kWidth;
    std::int64_t row = first;
    for (; row + kRows <= last; row += kRows)
        Tile<T, kBytes, kVectors, kRows>::sums(work, row, column, ahead);
    if constexpr (kRows > 4) {
        for (; row + 4 <= last; row += 4)
            Tile<T, kBytes, kVectors, 4>::sums(work, row, column, ahead);
    }
    for (; row < last; ++row) Tile<T, kBytes, kVectors, 1>::sums(work, row, column, ahead);
}

}  // namespace

}  // namespace panels
}  // namespace theano
