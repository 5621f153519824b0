// Lines of items along an axis of an array.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "copy.h"
#include "numpy_api.h"
#include "threads.h"

namespace theano::along {

namespace {

// What is done with an array along an axis.
struct Lines {
    std::int64_t operation, ndim, axis;
    PyArray_SortFunc *sort;
    PyArray_ArgSortFunc *argsort;
    const std::int64_t *shape, *strides;
    const char *source;
    char *destination;
    const threads::Poll &poll;
};

// Items that are moved, combined or looked for between polls, and those that take long to sort.
constexpr std::int64_t kPiece = 1 << 18, kLong = 1 << 21;

// `act(begin, end)` for the pieces of [0, n), of about kPiece / weight each; false if given up.
template <class Act>
bool in_pieces(std::int64_t n, std::int64_t weight, const threads::Poll &poll, Act act) {
    const std::int64_t piece = std::max<std::int64_t>(1, kPiece / std::max<std::int64_t>(1, weight));
    for (std::int64_t begin = 0; begin < n; begin += piece) {
        if (begin && poll()) return false;
        act(begin, std::min(n, begin + piece));
    }
    return true;
}

template <class T>
T item_at(const char *from) {
    T item;
    std::memcpy(&item, from, sizeof item);
    return item;
}

// The first items of lines along the axis, in the order of the axes before axis `behind`.
class Starts {
public:
    Starts(const Lines &lines, std::int64_t behind) : at_(lines.source) {
        for (std::int64_t i = 0; i < behind; ++i) {
            const std::int64_t length = lines.shape[i], step = lines.strides[i];
            if (i == lines.axis || length == 1) continue;
            const bool joins = count_ > 0 && steps_[count_ - 1] == length * step;
            count_ += !joins;
            lengths_[count_ - 1] = joins ? lengths_[count_ - 1] * length : length;
            steps_[count_ - 1] = step;
        }
    }

    // Some lines, as many as are equally far apart, but at most so many.
    struct Some {
        const char *at;
        std::int64_t count, apart;
    };

    Some next(std::int64_t most) {
        if (count_ == 0) return {at_, 1, 0};
        std::int64_t last = count_ - 1;
        const Some some{at_, std::min(most, lengths_[last] - index_[last]), steps_[last]};
        index_[last] += some.count;
        at_ += some.count * some.apart;
        for (; last > 0 && index_[last] == lengths_[last]; --last) {
            at_ += steps_[last - 1] - lengths_[last] * steps_[last];
            index_[last] = 0;
            ++index_[last - 1];
        }
        return some;
    }

    const char *next() { return next(1).at; }

private:
    const char *at_;
    std::int64_t count_ = 0;
    std::int64_t lengths_[kMostDimensions], steps_[kMostDimensions], index_[kMostDimensions] = {};
};

// Calls `act` with a number from 1 to kFew as a constant.
constexpr std::int64_t kFew = 8;

template <class Act>
void with_constant(std::int64_t number, Act act) {
    switch (number) {
        case 1: return act(std::integral_constant<int, 1>());
        case 2: return act(std::integral_constant<int, 2>());
        case 3: return act(std::integral_constant<int, 3>());
        case 4: return act(std::integral_constant<int, 4>());
        case 5: return act(std::integral_constant<int, 5>());
        case 6: return act(std::integral_constant<int, 6>());
        case 7: return act(std::integral_constant<int, 7>());
        default: return act(std::integral_constant<int, 8>());
    }
}

}  // namespace

}  // namespace theano::along
