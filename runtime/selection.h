// The order of items, and the selection of some from a line without sorting it.
#pragma once

#include <algorithm>
#include <complex>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "half.h"

namespace theano::along {

namespace {

// A half as an item: compared and added as a float.
struct Half {
    std::uint16_t bits;
    float value() const { return half_to_float(bits); }
};

// NaN after all numbers, complex numbers by their real parts first: NumPy's order.
template <class T>
bool before(T a, T b) {
    // Without jumps, for vectors.
    if constexpr (std::is_floating_point_v<T>) return (a < b) | ((b != b) & (a == a));
    return a < b;
}

bool before(Half a, Half b) { return before(a.value(), b.value()); }

template <class T>
bool before(std::complex<T> a, std::complex<T> b) {
    T ar = a.real(), br = b.real(), ai = a.imag(), bi = b.imag();
    if (ar < br) return ai == ai || bi != bi;
    if (ar > br) return bi != bi && ai == ai;
    if (ar == br || (ar != ar && br != br)) return before(ai, bi);
    return br != br;
}

template <class T>
struct Numbered {
    T item;
    std::int64_t at;
    bool operator<(const Numbered &other) const {
        return before(item, other.item) || (!before(other.item, item) && at < other.at);
    }
};

// The first or the last so many items of a line, in a stable order: what is better than the worst
// of those that are kept is added to them, at its place if they are few, and the worst is dropped.
// Of many, the worse half is dropped when there are twice as many.
// INVARIANT: lines are read so that of equal items the better one comes first.
template <bool kLow, class T>
void keep_best(const T *items, std::int64_t n, std::int64_t most, std::int64_t room,
               std::vector<Numbered<T>> &kept) {
    using Kept = Numbered<T>;
    // Items that are looked at together, in vectors: hardly any is better.
    constexpr std::int64_t kTogether = 32, kFew = 12;
    const bool few = most <= kFew;
    auto at = [n](std::int64_t i) { return kLow ? i : n - 1 - i; };
    auto better = [](T one, T two) { return kLow ? before(one, two) : before(two, one); };
    auto in_order = [](const Kept &a, const Kept &b) { return kLow ? a < b : b < a; };
    auto drop = [&] {
        std::nth_element(kept.begin(), kept.begin() + (most - 1), kept.end(), in_order);
        kept.resize(static_cast<std::size_t>(most));
    };
    std::int64_t i = 0;
    for (; i < std::min(n, few ? most : room); ++i) kept.push_back({items[at(i)], at(i)});
    if (few) std::sort(kept.begin(), kept.end(), in_order);
    else drop();
    for (T worst = kept.back().item; i < n;) {
        const std::int64_t end = std::min(n, i + kTogether);
        const T *some = items + (kLow ? i : n - end);
        int found = 0;
        for (std::int64_t j = 0; j < end - i; ++j) found |= better(some[j], worst);
        if (!found) i = end;
        for (; i < end; ++i) {
            if (!better(items[at(i)], worst)) continue;
            const Kept one{items[at(i)], at(i)};
            if (few) {
                auto place = kept.end() - 1;
                for (; place != kept.begin() && better(one.item, place[-1].item); --place)
                    *place = place[-1];
                *place = one;
            } else {
                kept.push_back(one);
                if (static_cast<std::int64_t>(kept.size()) < room) continue;
                drop();
            }
            worst = kept.back().item;
        }
    }
    if (!few) drop();
}

// Positions `first` to `first + count` of the order of a line.
template <class T>
void select_line(const T *items, std::int64_t n, std::int64_t first, std::int64_t count,
                 std::int64_t room, std::vector<Numbered<T>> &kept, std::int64_t *order) {
    const bool low = first + count <= n - first;
    const std::int64_t most = low ? first + count : n - first;
    kept.clear();
    if (low) keep_best<true>(items, n, most, room, kept);
    else keep_best<false>(items, n, most, room, kept);
    const auto begin = kept.begin() + (low ? most - count : 0), end = begin + count;
    if (count < most) std::nth_element(kept.begin(), low ? begin : end, kept.end());
    std::sort(begin, end);
    std::transform(begin, end, order, [](const Numbered<T> &one) { return one.at; });
}

}  // namespace

}  // namespace theano::along
