// Convolutions of floats, and their gradients with respect to images and to kernels.
//
// Images are copied into planes, with the zeros around them, some images or rows of windows at a
// time: what belongs to one item of a kernel then lies side by side for neighbouring windows. Where
// windows are `step` apart there is a plane for each remainder. Sums stay in registers while all
// terms of a block are added, and are cut by lengths only, so their bits do not depend on threads.
#pragma once

#include <cstdint>

#include "threads.h"

namespace theano {
namespace convolution {

enum Gives { kResult = 0, kImages = 1, kKernels = 2 };

// One axis that is convolved; one that is not there has lengths and steps of 1.
struct Axis {
    std::int64_t image, kernel, result;  // lengths
    std::int64_t before, step, dilation;
};
constexpr int kAxes = 3;

// One word each, so that compiled programs can write it. The arrays are C-contiguous: the images
// (items, groups, channels, axes), kernels (groups, kernels, channels, axes) and the result (items,
// groups, kernels, axes). Of images and result, the axes may lie before the groups and channels.
struct Work {
    std::int64_t gives;     // which of the three arrays is written
    std::int64_t itemsize;  // 4 or 8
    std::int64_t bits;      // of vectors, at most; 0: the widest there are
    std::int64_t flip;      // whether kernels are turned around
    std::int64_t tiles;     // whether sums over 3 × 3 items may be made of tiles
    std::int64_t image_last, result_last;  // whether channels lie behind the axes
    std::int64_t items, groups, channels, kernels;
    Axis axes[kAxes];
    char *image, *kernel, *result;
};

enum class Status { done, interrupted, no_memory };

Status convolve(const Work &work, const threads::Poll &poll);

}  // namespace convolution
}  // namespace theano
