// The loops of small_products.h, for vectors of some length: see vectors.h about what may stand here.
#pragma once

#include "small_columns_loops.h"
#include "small_products.h"
#include "turning.h"
#include "vectors.h"

namespace theano::small {

namespace {

template <class T, int kBytes, int kVectors>
struct Multiplication {
    using V = Vectors<T, kBytes>;
    static constexpr std::int64_t kWide = V::kLanes * kVectors, kItem = sizeof(T);

    const Products &p;
    // Behind the last item of B, and of what is written of C: vectors may reach as far. What they
    // write behind a row is written again with the row that is there.
    const char *b_end = nullptr, *c_end = nullptr;
    T packed[kMostTerms * kWide];

    Multiplication(const Products &products, std::int64_t end) : p(products) {
        const Stack &b = p.b;
        if (b.step >= 0 && b.down >= 0 && b.down % kItem == 0 && b.across == kItem)
            b_end = b.data + (p.count - 1) * b.step + (p.terms - 1) * b.down + p.columns * kItem;
        if (!p.alpha && !p.beta && p.step == p.rows * p.columns * kItem) c_end = p.c + end * p.step;
    }

    void run(std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const char *b = p.b.data + i * p.b.step;
            // INVARIANT: rows of B are read in vectors that end within it, or packed.
            if (b_end && b + (p.terms - 1) * p.b.down + kWide * kItem <= b_end)
                rows(i, reinterpret_cast<const T *>(b), p.b.down / kItem);
            else rows(i, pack(b), kWide);
        }
    }

    const T *pack(const char *b) {
        copy_rows(b, p.b.down, p.b.across, p.terms, p.columns, packed, kWide);
        return packed;
    }

    void rows(std::int64_t i, const T *b, std::int64_t apart) const {
        const char *a = p.a.data + i * p.a.step;
        char *c = p.c + i * p.step;
        std::int64_t left = p.rows;
        if constexpr (kVectors * kBytes <= 128) some_rows<8>(left, a, b, apart, c);
        some_rows<4>(left, a, b, apart, c);
        some_rows<1>(left, a, b, apart, c);
    }

    template <int kRows>
    void some_rows(std::int64_t &left, const char *&a, const T *b, std::int64_t apart, char *&c) const {
        for (; left >= kRows; left -= kRows, a += kRows * p.a.down, c += kRows * p.columns * kItem)
            sums<kRows>(a, b, apart, c);
    }

    template <int kRows>
    void sums(const char *a, const T *b, std::int64_t apart, char *c) const {
        typename V::Vector sum[kRows][kVectors] = {};
        for (std::int64_t t = 0; t < p.terms; ++t, a += p.a.across, b += apart) {
            typename V::Vector own[kVectors];
            TH_UNROLL for (int v = 0; v < kVectors; ++v) own[v] = V::load(b + v * V::kLanes);
            TH_UNROLL for (int r = 0; r < kRows; ++r) {
                T factor;
                __builtin_memcpy(&factor, a + r * p.a.down, kItem);
                const auto factors = factor - typename V::Vector{};
                TH_UNROLL for (int v = 0; v < kVectors; ++v) V::add_product(sum[r][v], own[v], factors);
            }
        }
        TH_UNROLL for (int r = 0; r < kRows; ++r, c += p.columns * kItem) {
            if (c + kWide * kItem <= c_end) {
                TH_UNROLL for (int v = 0; v < kVectors; ++v)
                    V::store(reinterpret_cast<T *>(c) + v * V::kLanes, sum[r][v]);
            } else {
                T line[kWide];
                TH_UNROLL for (int v = 0; v < kVectors; ++v) V::store(line + v * V::kLanes, sum[r][v]);
                put(line, c);
            }
        }
    }

    void put(T (&line)[kWide], char *c) const {
        if (p.alpha) {
            const T alpha = *static_cast<const T *>(p.alpha);
            for (T &item : line) item *= alpha;
        }
        if (p.beta) {
            const T beta = *static_cast<const T *>(p.beta);
            const T *old = reinterpret_cast<const T *>(c);
            for (std::int64_t j = 0; j < p.columns; ++j) line[j] += beta * old[j];
        }
        __builtin_memcpy(c, line, static_cast<unsigned long>(p.columns * kItem));
    }
};

template <class T, int kBytes, int kVectors>
void multiply_with(const Products &p, std::int64_t begin, std::int64_t end) {
    Multiplication<T, kBytes, kVectors>(p, end).run(begin, end);
}

template <class T, int kBytes>
void multiply_of(const Products &p, std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t lanes = Vectors<T, kBytes>::kLanes;
    begin += by_columns<T, kBytes>(p, begin, end);
    if (begin == end) return;
    if (p.columns <= lanes) multiply_with<T, kBytes, 1>(p, begin, end);
    else if (p.columns <= 2 * lanes) multiply_with<T, kBytes, 2>(p, begin, end);
    else multiply_with<T, kBytes, kMostVectors>(p, begin, end);
}

}  // namespace

}  // namespace theano::small
