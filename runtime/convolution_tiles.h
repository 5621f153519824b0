// Tiles of 4 × 4 items, of which minimal filtering makes 2 × 2 windows of 3 × 3 items, or 3 × 3 items
// of the gradient of a kernel: see Lavin and Gray, Fast Algorithms for Convolutional Neural Networks,
// 2016.
//
// Tiles, and what they are multiplied by, are transformed, by sums alone; then each of 16 items of a
// tile has a product of matrices of its own, with 16 multiplications where there would be 36; and sums
// of these products are the result. Tiles are windows that are 2 apart, so that planes have one item
// of each side by side.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "convolution_add.h"
#include "matmul.h"

namespace theano {
namespace convolution {

constexpr int kItems = 16;  // of a tile
constexpr int kY = kLines - 2, kX = kLines - 1;

// Whether windows are 3 × 3 neighbouring items along the last two axes, each the next one's neighbour.
bool has_tiles(const Plan &plan);
// Whether tiles are less work than windows, if the part of a row in a tile costs so many
// multiplications beside the products.
bool saves_work(const Plan &plan, double of_row);
Plan of_tiles(Plan plan);
// Without the items of kernels along the last two axes: see Plan::factors.
Plan of_planes(Plan plan);
// Where the factors of the item (y, x) of a window are.
void place_factors(const Plan &plan, std::int64_t (&place)[3][3]);
// Of the planes of a block of tiles; channels are read, rows are what they are multiplied by.
std::int64_t most_items(const Plan &plan, std::int64_t channels, std::int64_t rows,
                        const windows::Loops &loops, std::int64_t itemsize);

// Sums of larger numbers might be infinite where those of windows are not.
template <class T>
const double kMost = std::ldexp(1.0, std::numeric_limits<T>::max_exponent * 3 / 8);

// So many items at least, in an odd number of lines of the cache: rows do not meet in it.
template <class T>
std::int64_t whole_lines(std::int64_t items) {
    constexpr std::int64_t kLine = 64 / sizeof(T);
    return (((items + kLine - 1) / kLine) | 1) * kLine;
}

// What is written together, each so far from the next, does not meet in the nearest cache.
template <class T>
std::int64_t spread(std::int64_t items) {
    constexpr std::int64_t kLine = 64 / sizeof(T), kPlaces = 64, kBetween = 5;
    return items + (kBetween - items / kLine % kPlaces + kPlaces) % kPlaces * kLine;
}

// The tiles of a block, transformed: for each of their items a matrix of channels and tiles.
template <class T>
class Tiles {
  public:
    Tiles(const Plan &plan, const windows::Loops &loops, const Block &block)
        : plan_(plan), loops_(loops), block_(block), count(block.count[kY] * block.count[kX]),
          apart(whole_lines<T>(block.lengths[0] * block.lengths[1] * count + loops.lanes)),
          item_apart(spread<T>(size_of(plan.channels) * apart)) {
        for (const Tap &outer : plan.lines[0].taps)
            for (const Tap &inner : plan.lines[1].taps)
                items.push_back((outer.offset * block.lengths[1] + inner.offset) * count);
    }

    // Returns whether there is the memory; `fits` becomes false where numbers are too large.
    bool enter(const T *images, bool &fits) {
        const std::int64_t size = block_.size(plan_);
        Scratch planes;
        T *const from = static_cast<T *>(planes.get(size, sizeof(T)));
        T *const to = static_cast<T *>(memory_.get(kItems * item_apart, sizeof(T)));
        if (!from || !to) return false;
        fill_planes(plan_, block_, loops_, images, from);
        data = to;
        fits = loops_.within(from, size, kMost<T>);
        if (fits) transform(from, to);
        return true;
    }

  private:
    void transform(const T *planes, T *entered) const {
        const std::int64_t many = block_.lengths[0] * block_.lengths[1];
        const std::int64_t size = block_.lengths[kY] * block_.lengths[kX];
        for (std::int64_t c = 0; c < size_of(plan_.channels); ++c) {
            T *const to = entered + c * apart;
            for (std::int64_t i = 0; i < many; ++i)
                loops_.enter({planes + c * block_.apart + i * size, block_.plane,
                              block_.lengths[kX], block_.count[kY], block_.count[kX],
                              to + i * count, item_apart});
            for (int item = 0; item < kItems; ++item)
                std::fill(to + item * item_apart + many * count, to + item * item_apart + apart,
                          T(0));
        }
    }

    const Plan &plan_;
    const windows::Loops &loops_;
    const Block &block_;
    Scratch memory_;

  public:
    const std::int64_t count;              // of one image and place along the inner axis
    const std::int64_t apart, item_apart;  // from one channel to the next, and of items of tiles
    std::vector<std::int64_t> items;       // along the outer axes
    const T *data = nullptr;
};

}  // namespace convolution
}  // namespace theano
