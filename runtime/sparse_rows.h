// The inner loops of sparse_loops.h, for vectors of some length.
#pragma once

#include <cstdint>
#include <type_traits>

#include "sparse_loops.h"

// A product is rounded before it is added, whatever the processor could do.
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

namespace theano::sparse {
namespace {

constexpr std::int64_t kCacheLine = 64;
// Cache lines of the dense matrix that are asked for ahead of use, and the most items ahead.
constexpr std::int64_t kLinesAhead = 216, kMostAhead = 48;

// Sums the products of items from `first` to `last` with some columns; items that follow, which may
// be of other rows, go to `end`.
template <class T, class Index, int kItems>
void add_row(const Product &p, std::int64_t first, std::int64_t last, std::int64_t end,
             std::int64_t column, T *out) {
    constexpr std::int64_t kBytes = kItems * static_cast<std::int64_t>(sizeof(T));
    constexpr std::int64_t kLines = kBytes / kCacheLine + 1;
    constexpr std::int64_t kAhead = kLinesAhead / kLines < kMostAhead ? kLinesAhead / kLines : kMostAhead;
    const T *data = static_cast<const T *>(p.data), *dense = static_cast<const T *>(p.dense) + column;
    const Index *indices = static_cast<const Index *>(p.indices);
    // What is less than a cache line comes with what is before it.
    if (kBytes < kCacheLine && column != 0) end = 0;
    T sums[kItems] = {};
    for (std::int64_t k = first; k < last; ++k) {
        if (k + kAhead < end) {
            const T *next = dense + static_cast<std::int64_t>(indices[k + kAhead]) * p.columns;
            for (std::int64_t byte = 0; byte < kBytes; byte += kCacheLine)
                __builtin_prefetch(reinterpret_cast<const char *>(next) + byte);
            __builtin_prefetch(reinterpret_cast<const char *>(next) + kBytes - 1);
        }
        const T factor = data[k];
        const T *row = dense + static_cast<std::int64_t>(indices[k]) * p.columns;
        for (int j = 0; j < kItems; ++j) sums[j] += factor * row[j];
    }
    for (int j = 0; j < kItems; ++j) out[j] = sums[j];
}

// Sums whose terms are added one after the other: rows are short, and gathering terms of them into
// vectors takes longer.
#if defined(__GNUC__) && !defined(__clang__)
#define TH_SCALAR __attribute__((optimize("no-tree-vectorize")))
#else
#define TH_SCALAR
#endif

template <class T, class Index>
TH_SCALAR void rows_times_vector(const Product &p, std::int64_t begin, std::int64_t end) {
    const T *data = static_cast<const T *>(p.data), *vector = static_cast<const T *>(p.dense);
    const Index *indices = static_cast<const Index *>(p.indices);
    const Index *starts = static_cast<const Index *>(p.starts);
    T *out = static_cast<T *>(p.out);
    for (std::int64_t i = begin, k = starts[begin]; i < end; ++i) {
        T sum = 0;
        for (const std::int64_t last = starts[i + 1]; k < last; ++k) sum += data[k] * vector[indices[k]];
        out[i] = sum;
    }
}

// Does as many columns as are left, in the widest vectors first; each width takes one pass over items.
template <class T, class Index, int kItems>
void add_rows(const Product &p, std::int64_t first, std::int64_t last, std::int64_t end,
              std::int64_t column, T *out) {
    for (; column + kItems <= p.columns; column += kItems)
        add_row<T, Index, kItems>(p, first, last, end, column, out + column);
    if constexpr (kItems > 1) add_rows<T, Index, kItems / 2>(p, first, last, end, column, out);
}

template <class T, class Index, int kBytes>
void rows(const Product &p, std::int64_t begin, std::int64_t end) {
    constexpr int kLanes = kBytes / static_cast<int>(sizeof(T));
    if (p.columns == 1) return rows_times_vector<T, Index>(p, begin, end);
    const Index *starts = static_cast<const Index *>(p.starts);
    for (std::int64_t i = begin; i < end; ++i)
        add_rows<T, Index, 8 * kLanes>(p, starts[i], starts[i + 1], starts[p.lines], 0,
                                       static_cast<T *>(p.out) + i * p.columns);
}

template <class T, class Index>
void columns_times_vector(const Product &p) {
    const T *data = static_cast<const T *>(p.data), *vector = static_cast<const T *>(p.dense);
    const Index *indices = static_cast<const Index *>(p.indices);
    const Index *starts = static_cast<const Index *>(p.starts);
    T *out = static_cast<T *>(p.out);
    for (std::int64_t line = 0, k = 0; line < p.lines; ++line) {
        const T factor = vector[line];
        for (const std::int64_t last = starts[line + 1]; k < last; ++k) out[indices[k]] += data[k] * factor;
    }
}

// Adds the product of an item and its row of the dense matrix to a row of the result.
template <class T>
void add_product(const Product &p, T value, std::int64_t line, std::int64_t to) {
    const T *__restrict row = static_cast<const T *>(p.dense) + line * p.columns;
    T *__restrict out = static_cast<T *>(p.out) + to * p.columns;
    for (std::int64_t j = 0; j < p.columns; ++j) out[j] += value * row[j];
}

template <class T, class Index>
void columns(const Product &p) {
    if (p.columns == 1) return columns_times_vector<T, Index>(p);
    const T *data = static_cast<const T *>(p.data);
    const Index *indices = static_cast<const Index *>(p.indices);
    const Index *starts = static_cast<const Index *>(p.starts);
    for (std::int64_t line = 0; line < p.lines; ++line)
        for (std::int64_t k = starts[line]; k < starts[line + 1]; ++k)
            add_product(p, data[k], line, indices[k]);
}

template <class T, class Index>
void items(const Product &p, const void *items, std::int64_t count) {
    const auto *item = static_cast<const Item<T, Index> *>(items);
    for (const auto *end = item + count; item != end; ++item)
        add_product(p, item->value, item->line, item->row);
}

// Sums of terms: as many as a cache line has, so that bits do not depend on vectors.
template <class T>
T sum_of_products(const T *x, const T *y, std::int64_t terms) {
    constexpr int kSums = kCacheLine / sizeof(T);
    T sums[kSums] = {};
    std::int64_t i = 0;
    for (; i + kSums <= terms; i += kSums)
        for (int j = 0; j < kSums; ++j) sums[j] += x[i + j] * y[i + j];
    T rest = 0;
    for (; i < terms; ++i) rest += x[i] * y[i];
    for (int half = kSums / 2; half > 0; half /= 2)
        for (int j = 0; j < half; ++j) sums[j] += sums[j + half];
    return sums[0] + rest;
}

template <class T, class Index>
bool samples(const Samples &s, std::int64_t begin, std::int64_t end) {
    using Unsigned = std::make_unsigned_t<Index>;
    const T *x = static_cast<const T *>(s.x), *y = static_cast<const T *>(s.y);
    const Index *rows = static_cast<const Index *>(s.places[0]);
    const Index *others = static_cast<const Index *>(s.places[1]);
    const auto beyond = [](Index at, std::int64_t length) {
        return static_cast<std::uint64_t>(static_cast<Unsigned>(at)) >= static_cast<std::uint64_t>(length);
    };
    for (std::int64_t k = begin; k < end; ++k) {
        if (beyond(rows[k], s.lengths[0]) || beyond(others[k], s.lengths[1])) return false;
        static_cast<T *>(s.out)[k] =
            sum_of_products(x + static_cast<std::int64_t>(rows[k]) * s.terms,
                            y + static_cast<std::int64_t>(others[k]) * s.terms, s.terms);
    }
    return true;
}

template <class T, class Index>
void sums(const Lines &l, std::int64_t begin, std::int64_t end) {
    constexpr int kSums = kCacheLine / sizeof(T);
    const Index *starts = static_cast<const Index *>(l.starts);
    for (std::int64_t line = begin; line < end; ++line) {
        const T *data = static_cast<const T *>(l.data) + starts[line];
        const std::int64_t count = starts[line + 1] - starts[line];
        T sums[kSums] = {}, rest = 0;
        std::int64_t i = 0;
        for (; i + kSums <= count; i += kSums)
            for (int j = 0; j < kSums; ++j) sums[j] += data[i + j];
        for (; i < count; ++i) rest += data[i];
        for (int half = kSums / 2; half > 0; half /= 2)
            for (int j = 0; j < half; ++j) sums[j] += sums[j + half];
        static_cast<T *>(l.out)[line] = sums[0] + rest;
    }
}

template <class T, class Index>
void diagonal(const Lines &l, std::int64_t begin, std::int64_t end) {
    const Index *starts = static_cast<const Index *>(l.starts);
    const Index *indices = static_cast<const Index *>(l.indices);
    const T *data = static_cast<const T *>(l.data);
    for (std::int64_t line = begin; line < end; ++line) {
        T sum = 0;
        for (std::int64_t k = starts[line]; k < starts[line + 1]; ++k)
            if (indices[k] == line) sum += data[k];
        static_cast<T *>(l.out)[line] = sum;
    }
}

template <class T, class Index>
void add(const Lines &l, std::int64_t begin, std::int64_t end) {
    const Index *starts = static_cast<const Index *>(l.starts);
    const Index *indices = static_cast<const Index *>(l.indices);
    const T *data = static_cast<const T *>(l.data);
    for (std::int64_t line = begin; line < end; ++line) {
        char *out = static_cast<char *>(l.out) + line * l.line_step;
        for (std::int64_t k = starts[line]; k < starts[line + 1]; ++k)
            *reinterpret_cast<T *>(out + static_cast<std::int64_t>(indices[k]) * l.index_step) += data[k];
    }
}

template <class Index>
bool fits(const void *indices, const void *starts, std::int64_t lines, std::int64_t items,
          std::int64_t most) {
    using Unsigned = std::make_unsigned_t<Index>;
    const Index *at = static_cast<const Index *>(starts), *index = static_cast<const Index *>(indices);
    if (at[0] != 0 || at[lines] > items) return false;
    bool bad = false;
    for (std::int64_t i = 0; i < lines; ++i) bad |= at[i] > at[i + 1];
    if (bad) return false;
    // Without a way out, so that it runs in vectors; what is negative is large.
    Unsigned largest = 0;
    for (std::int64_t k = 0; k < at[lines]; ++k) {
        const Unsigned here = static_cast<Unsigned>(index[k]);
        largest = here > largest ? here : largest;
    }
    return at[lines] == 0 || static_cast<std::uint64_t>(largest) < static_cast<std::uint64_t>(most);
}

template <class T, int kBytes>
const Loops &loops_of(std::int64_t indexsize) {
    static const Loops narrow{rows<T, std::int32_t, kBytes>, columns<T, std::int32_t>,
                              items<T, std::int32_t>, samples<T, std::int32_t>, sums<T, std::int32_t>,
                              diagonal<T, std::int32_t>, add<T, std::int32_t>, fits<std::int32_t>};
    static const Loops wide{rows<T, std::int64_t, kBytes>, columns<T, std::int64_t>,
                            items<T, std::int64_t>, samples<T, std::int64_t>, sums<T, std::int64_t>,
                            diagonal<T, std::int64_t>, add<T, std::int64_t>, fits<std::int64_t>};
    return indexsize == sizeof(std::int32_t) ? narrow : wide;
}

template <int kBytes>
const Loops &loops_of(std::int64_t itemsize, std::int64_t indexsize) {
    return itemsize == sizeof(float) ? loops_of<float, kBytes>(indexsize)
                                     : loops_of<double, kBytes>(indexsize);
}

}  // namespace
}  // namespace theano::sparse
