#include "panels.h"

#include <algorithm>
#include <cstring>

namespace theano {
namespace panels {

using Multiply = void(const Work &work, std::int64_t panel, std::int64_t first, std::int64_t last);

Multiply multiply_plain;
#if defined(__x86_64__)
Multiply multiply_fma, multiply_avx512;
#endif

namespace {

// Bytes of a panel's rows, by the vectors that make them up: two of 512 bits, three of 256 or 128.
constexpr std::int64_t kBytes512 = 128, kBytes256 = 96, kBytes128 = 48;

bool has_fma() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return false;
#endif
}

bool has_avx512() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f");
#else
    return false;
#endif
}

Multiply *kernel_for(const Work &work) {
#if defined(__x86_64__)
    if (work.width * work.itemsize == kBytes512) return multiply_avx512;
    if (has_fma()) return multiply_fma;
#endif
    return multiply_plain;
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

std::int64_t items(const Work &work) { return (work.rows + kBlock - 1) / kBlock * work.panels; }

void pack(std::int64_t *args, std::int64_t begin, std::int64_t end) {
    const Work &work = *reinterpret_cast<const Work *>(args);
    const std::int64_t size = work.itemsize;
    for (std::int64_t panel = begin; panel < end; ++panel) {
        const std::int64_t column = panel * work.width;
        const std::int64_t fits = std::min(work.width, work.columns - column);
        char *to = work.packed + column * work.terms * size;
        const char *from = work.source + column * work.across;
        for (std::int64_t term = 0; term < work.terms; ++term, from += work.leading) {
            if (work.across == size) {
                std::memcpy(to, from, static_cast<std::size_t>(fits * size));
            } else {
                for (std::int64_t i = 0; i < fits; ++i)
                    std::memcpy(to + i * size, from + i * work.across,
                                static_cast<std::size_t>(size));
            }
            std::memset(to + fits * size, 0, static_cast<std::size_t>((work.width - fits) * size));
            to += work.width * size;
        }
    }
}

void multiply(std::int64_t *args, std::int64_t begin, std::int64_t end) {
    const Work &work = *reinterpret_cast<const Work *>(args);
    Multiply *kernel = kernel_for(work);
    for (std::int64_t item = begin; item < end; ++item) {
        const std::int64_t first = item / work.panels * kBlock;
        kernel(work, item % work.panels, first, std::min(work.rows, first + kBlock));
    }
}

}  // namespace panels
}  // namespace theano
