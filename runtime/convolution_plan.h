// What a convolution, or a gradient of one, adds up: made from its geometry, for one group.
#pragma once

#include <vector>

#include "convolution.h"
#include "windows.h"

namespace theano {
namespace convolution {

constexpr int kLines = 1 + kAxes;

// An item of a kernel along an axis.
struct Tap {
    std::int64_t phase;   // in which plane it meets the items of windows
    std::int64_t offset;  // where, from the place of a window
    std::int64_t factor;  // items from the first item of the kernel
};

// An axis of images, the first of which counts the images themselves, as sums see it.
struct Line {
    std::int64_t length = 1, apart = 0;  // of what is read, in items
    // The item j of the plane for `phase` is item phase + step j - before of what is read.
    std::int64_t before = 0, step = 1;
    std::vector<std::int64_t> phases{0};
    std::vector<Tap> taps{{0, 0, 0}};
    std::int64_t windows = 1, out = 0;  // out: items between windows, in the result
    bool uncut = false;                 // whether all windows must be in the same block

    std::int64_t reach() const;
    bool trivial() const { return windows == 1 && taps.size() == 1 && phases.size() == 1; }
};

// A channel that is read, or a row of results: where it is among those, and its factors.
struct Channel {
    std::int64_t at, factor;
};

struct Plan {
    Line lines[kLines];
    std::vector<Channel> channels;  // what is read
    std::vector<Channel> rows;      // what is written
    std::int64_t out = 0;           // where the first item of the result is
    bool whole = true;              // whether, with its siblings, it writes all of the result
    bool spread = false;            // whether rows share items, to which they are added

    std::int64_t taps() const;
    std::int64_t phases() const;
    std::int64_t terms() const { return taps() * static_cast<std::int64_t>(channels.size()); }
    std::int64_t windows() const;
    // Multiplications.
    double work() const;
    // Where each row is in the result, and how far one is from the other; 0: not evenly.
    std::vector<std::int64_t> places() const;
    std::int64_t across() const;
    // Where each item of a kernel is among its factors.
    std::vector<std::int64_t> factors() const;
    // The same of each term.
    std::vector<std::int64_t> term_factors() const;
};

// The sums of the result, or those that gradients of kernels are made of.
Plan forward(const Work &work);
// The sums of the gradients of images. Either each item is the sum of what it had a part in; then
// there are several plans where windows are apart. Or the gradient of each item of each window is a
// row, which is added to the images: that is less work where many windows would reach over the ends.
std::vector<Plan> backward(const Work &work);

// A part of the windows, and the planes that they need.
struct Block {
    std::int64_t first[kLines], count[kLines];
    std::int64_t lengths[kLines];  // of a plane
    std::int64_t plane;            // items of a plane
    std::int64_t apart;            // items between the planes of channels

    Block(const Plan &plan, const std::int64_t *from, const std::int64_t *most);
    // Whether planes have no items between windows.
    bool flat() const;
    // Items of all planes; vectors may begin at the last one.
    std::int64_t size(const Plan &plan) const;
    // Where the items of a kernel are in the planes of a channel, and each term in those of all.
    std::vector<std::int64_t> items(const Plan &plan) const;
    std::vector<std::int64_t> terms(const Plan &plan) const;
    // Where each row of windows begins, in a plane and in the result.
    std::vector<windows::Row> rows(const Plan &plan) const;
};

// How windows are cut into blocks.
struct Cut {
    std::int64_t most[kLines], counts[kLines];
    std::int64_t blocks() const;
    Block block(const Plan &plan, std::int64_t number) const;
};
// Into at least `parts` blocks where there are as many windows along the outer axes, with planes of
// about `items` items at most.
Cut cut(const Plan &plan, std::int64_t items, std::int64_t parts);

// Copies the images of a block into planes.
template <class T>
void fill_planes(const Plan &plan, const Block &block, const windows::Loops &loops, const T *images,
                 T *planes);
// The same of so many groups: items of planes are vectors of those.
template <class T>
void fill_planes_of_groups(const Plan &plan, const Block &block, const windows::Loops &loops,
                           const T *images, std::int64_t groups, std::int64_t groups_apart,
                           T *planes);

}  // namespace convolution
}  // namespace theano
