#include "panels.h"

#include <algorithm>
#include <cstring>

#include "processor.h"
#include "threads.h"
#include "turning.h"

namespace theano {
namespace panels {

namespace {

// Bytes of a panel's rows, by the vectors that make them up: two of 512 bits, three of 256 or 128.
constexpr std::int64_t kBytes512 = kMostBytes, kBytes256 = 96, kBytes128 = 48;

Multiply *kernel_for(const Work &work) {
#if defined(__x86_64__)
    if (work.width * work.itemsize == kBytes512) return multiply_avx512;
    if (has_fma()) return multiply_fma;
#endif
    return multiply_plain;
}

// A thread does so many multiplications at a time. Some chunks are shared with threads that are awake,
// which then have what they read in their caches; more of them wake threads.
constexpr double kChunk = 1 << 16, kShared = 8 * kChunk, kLarge = 16 * kChunk;

double products(const Work &work) {
    const double own = static_cast<double>(work.rows) * static_cast<double>(work.terms) *
                       static_cast<double>(work.columns);
    return work.first ? own + products(*work.first) : own;
}

// Rows that go through all panels while their results stay in the second cache.
constexpr std::int64_t kMostRows = 256;

// Fewer rows if the panels stay there too, so that each thread can have rows of its own.
std::int64_t block_rows(const Work &work) {
    constexpr std::int64_t kFewest = 16, kParts = 8, kCached = 1 << 19;
    if (work.terms * work.columns * work.itemsize > kCached) return kMostRows;
    const std::int64_t part = (work.rows + kParts - 1) / kParts;
    return std::clamp((part + kFewest - 1) / kFewest * kFewest, kFewest, kMostRows);
}

// Blocks of rows times panels.
std::int64_t items_of(const Work &work, std::int64_t block) {
    return (work.rows + block - 1) / block * work.panels;
}

void multiply_items(std::int64_t *args, std::int64_t begin, std::int64_t end) {
    const Work &work = *reinterpret_cast<const Work *>(args);
    std::int64_t block = block_rows(work);
    // A thread that does all of it alone goes through each panel once only.
    if (begin == 0 && end == items_of(work, block)) {
        block = kMostRows;
        end = items_of(work, block);
    }
    Multiply *kernel = kernel_for(work);
    for (std::int64_t item = begin; item < end; ++item) {
        const std::int64_t first = item / work.panels * block;
        kernel(work, item % work.panels, first, std::min(work.rows, first + block), nullptr);
    }
}

template <std::int64_t kBytes>
void copy_panels(const Work &work, std::int64_t panel, std::int64_t count, std::int64_t terms) {
    const std::int64_t apart = work.terms * kBytes;
    const char *from = work.source + panel * kBytes;
    char *to = work.packed + panel * apart;
    for (std::int64_t term = 0; term < terms; ++term, from += work.leading, to += kBytes) {
        for (std::int64_t i = 0; i < count; ++i) std::memcpy(to + i * apart, from + i * kBytes, kBytes);
    }
}

template <class T>
void pack_panels(const Work &work, std::int64_t panel, std::int64_t count) {
    constexpr auto kItem = static_cast<std::int64_t>(sizeof(T));
    const std::int64_t width = work.width, bytes = width * kItem, each = width * work.terms;
    // Rows are copied as wide as panels, with what lies behind their last column as long as that is still
    // the matrix: nobody reads it.
    const std::int64_t behind = (panel + count) * bytes - work.columns * kItem;
    std::int64_t whole = work.across == kItem ? work.terms : 0;
    if (behind > 0)
        whole = work.leading > 0 ? std::max<std::int64_t>(0, whole - 1 - behind / work.leading) : 0;
    if (bytes == kBytes512) copy_panels<kBytes512>(work, panel, count, whole);
    else if (bytes == kBytes256) copy_panels<kBytes256>(work, panel, count, whole);
    else copy_panels<kBytes128>(work, panel, count, whole);
    T *const packed = reinterpret_cast<T *>(work.packed) + panel * each;
    for (std::int64_t i = 0; whole < work.terms && i < count; ++i) {
        const std::int64_t column = (panel + i) * width, fits = std::min(width, work.columns - column);
        copy_rows(work.source + whole * work.leading + column * work.across, work.leading, work.across,
                  work.terms - whole, fits, packed + i * each + whole * width, width);
    }
    const T *const factor = static_cast<const T *>(work.factor);
    for (std::int64_t i = 0; factor && i < count * each; ++i) packed[i] *= *factor;
}

}  // namespace

std::int64_t width(std::int64_t itemsize, std::int64_t bits) {
    if (bits == 0) bits = 512;
    if (bits >= 512 && has_avx512()) return kBytes512 / itemsize;
    return (bits >= 256 ? kBytes256 : kBytes128) / itemsize;
}

bool fast() {
    static const bool found = has_fma();
    return found;
}

void pack(std::int64_t *args, std::int64_t begin, std::int64_t end) {
    const Work &work = *reinterpret_cast<const Work *>(args);
    for (std::int64_t panel = begin; panel < end; panel += kTogether) {
        const std::int64_t count = std::min(kTogether, end - panel);
        if (work.itemsize == sizeof(float)) pack_panels<float>(work, panel, count);
        else pack_panels<double>(work, panel, count);
    }
}

void multiply_panel(const Work &work, std::int64_t panel, std::int64_t first, std::int64_t last,
                    Ahead *ahead) {
    kernel_for(work)(work, panel, first, last, ahead);
}

bool large(const Work &work) { return products(work) >= kLarge; }

bool share(th_kernel *kernel, std::int64_t *args, std::int64_t items, const Work &work,
           const threads::Poll &poll) {
    const double all = products(work);
    if (all < kShared) {
        kernel(args, 0, items);
        return true;
    }
    const double grain = static_cast<double>(items) * kChunk / all;
    if (grain < 1 && large(work)) return threads::run(kernel, args, items, grain, poll);
    return threads::share(kernel, args, items, grain, large(work), poll);
}

bool multiply(Work &work, const threads::Poll &poll) {
    if (products(work) < kShared) {
        // To find out how it would be cut takes a tenth of the smallest.
        Multiply *kernel = kernel_for(work);
        for (std::int64_t panel = 0; panel < work.panels; ++panel)
            kernel(work, panel, 0, work.rows, nullptr);
        return true;
    }
    auto *args = reinterpret_cast<std::int64_t *>(&work);
    return share(multiply_items, args, items_of(work, block_rows(work)), work, poll);
}

}  // namespace panels
}  // namespace theano
