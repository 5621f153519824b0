// The ways in which what a plan says is added up.
#pragma once

#include <algorithm>

#include "convolution_plan.h"

namespace theano {
namespace convolution {

// An array that a plan reads or writes: its items of the first group, how far those of the next
// group are, and how many items it has in all.
template <class T>
struct Operand {
    T *data;
    std::int64_t apart, size;

    operator Operand<const T>() const { return {data, apart, size}; }
};

// The result, or the gradient of images: sums over terms.
template <class T>
Status add_terms(const Plan &plan, const windows::Loops &loops, std::int64_t groups,
                 Operand<const T> images, Operand<const T> factors, Operand<T> result,
                 const threads::Poll &poll);

// The same where windows are 3 × 3: in less time, if there are many channels and rows.
bool suits_tiles(const Plan &plan);
// `fits` is false where numbers are so large, infinite or NaN that only sums over terms are right.
template <class T>
Status add_tiles(const Plan &plan, const windows::Loops &loops, std::int64_t groups,
                 Operand<const T> images, Operand<const T> factors, Operand<T> result,
                 const threads::Poll &poll, bool &fits);

// The gradient of kernels, of what is given for each window: sums over windows.
template <class T>
Status add_windows(const Plan &plan, const windows::Loops &loops, std::int64_t groups,
                   Operand<const T> images, Operand<const T> given, Operand<T> factors,
                   const threads::Poll &poll);

// The same where kernels are 3 × 3, as suits_tiles and add_tiles.
bool suits_kernel_tiles(const Plan &plan);
template <class T>
Status add_kernel_tiles(const Plan &plan, const windows::Loops &loops, std::int64_t groups,
                        Operand<const T> images, Operand<const T> given, Operand<T> factors,
                        const threads::Poll &poll, bool &fits);

// The result or the gradient of images, and the gradient of kernels, of many groups of few channels.
bool suits_groups(const Plan &plan, const windows::Loops &loops, const Work &work);
template <class T>
Status add_groups(const Plan &plan, const windows::Loops &loops, std::int64_t groups,
                  Operand<const T> images, Operand<const T> factors, Operand<T> result,
                  const threads::Poll &poll);
template <class T>
Status add_kernels_of_groups(const Plan &plan, const windows::Loops &loops, std::int64_t groups,
                             Operand<const T> images, Operand<const T> given, Operand<T> factors,
                             const threads::Poll &poll);

// So many multiplications are worth waking threads for, in so many parts.
constexpr double kLarge = 1 << 20;
constexpr std::int64_t kParts = 8;
// So many bytes stay in the second cache.
constexpr std::int64_t kCached = 1 << 19;
// So many bytes of what is given for some windows, turned around, stay in the nearest cache.
constexpr std::int64_t kTurned = 24 << 10;

// Runs a kernel, one item at a time where work is large, since each is.
inline bool run(th_kernel *kernel, void *job, std::int64_t items, double work,
                const threads::Poll &poll) {
    auto *args = static_cast<std::int64_t *>(job);
    if (work >= kLarge) return threads::run(kernel, args, items, threads::kLongItems, poll);
    return threads::share(kernel, args, items, items, false, poll);
}

template <class V>
std::int64_t size_of(const V &vector) {
    return static_cast<std::int64_t>(vector.size());
}

// So many things, cut into parts of about the same size.
struct Parts {
    std::int64_t things, count;

    std::int64_t first(std::int64_t part) const { return part * things / count; }
    std::int64_t size(std::int64_t part) const { return first(part + 1) - first(part); }
    std::int64_t largest() const { return (things + count - 1) / count; }
};

// Parts of at most `most` things.
inline Parts parts_of(std::int64_t things, std::int64_t most) {
    return {things, (things + most - 1) / most};
}

// Rows that lie side by side in vectors, some of which make up a panel.
struct Panels {
    std::int64_t rows, lanes;
    Parts vectors = parts_of((rows + lanes - 1) / lanes, windows::kMostAcross);

    std::int64_t count() const { return vectors.count; }
    std::int64_t items() const { return vectors.things * lanes; }
    std::int64_t first(std::int64_t panel) const { return vectors.first(panel) * lanes; }
    std::int64_t width(std::int64_t panel) const { return vectors.size(panel) * lanes; }
    // Of a panel, which has room for more.
    std::int64_t rows_of(std::int64_t panel) const {
        return std::min(width(panel), rows - first(panel));
    }
};

// Adds up all terms, some at a time; `out` has `width` items of each.
template <class T>
void differentiate(windows::Differentiate *const (&loops)[windows::kMostTerms],
                   windows::Gradients &work, const std::vector<std::int64_t> &terms, T *out,
                   std::int64_t width) {
    std::int64_t most = windows::kMostTerms;
    while (!loops[most - 1]) --most;
    const Parts parts = parts_of(size_of(terms), most);
    for (std::int64_t part = 0; part < parts.count; ++part) {
        work.terms = terms.data() + parts.first(part);
        work.out = out + parts.first(part) * width;
        loops[parts.size(part) - 1](work);
    }
}

}  // namespace convolution
}  // namespace theano
