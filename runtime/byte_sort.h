// Items of one byte in order, which NumPy has no vectors for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "numpy_api.h"

namespace theano {

// Of fewer items, NumPy's way takes no longer; of more than so many, counting is fastest.
constexpr std::int64_t kFewBytes = 24, kManyBytes = 640;

// So many of each value.
template <class T>
void count_bytes(T *items, std::int64_t n) {
    // Neighbours are often equal: each is counted in another table than the one before.
    constexpr int kValues = 256, kTables = 4, kFirst = std::numeric_limits<T>::min();
    std::int64_t counts[kTables][kValues] = {};
    for (std::int64_t i = 0; i < n; ++i) ++counts[i % kTables][items[i] - kFirst];
    for (int value = 0; value < kValues; ++value) {
        std::int64_t count = 0;
        for (int table = 0; table < kTables; ++table) count += counts[table][value];
        items = std::fill_n(items, count, static_cast<T>(value + kFirst));
    }
}

// `sort` is NumPy's function for items of two bytes, which runs in vectors. Returns whether there was
// memory.
template <class T>
bool sort_bytes(T *items, std::int64_t n, PyArray_SortFunc *sort) {
    if (n > kManyBytes) {
        count_bytes(items, n);
        return true;
    }
    std::int16_t wide[kManyBytes];
    std::copy_n(items, n, wide);
    if (sort(wide, n, nullptr) < 0) return false;
    std::transform(wide, wide + n, items, [](std::int16_t item) { return static_cast<T>(item); });
    return true;
}

}  // namespace theano
