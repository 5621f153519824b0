// Rows of a matrix written as columns. May stand in inner loops: see vectors.h.
#pragma once

#include <cstdint>

#include "vectors.h"

namespace theano {

// What to turn; distances in items.
struct Turning {
    const void *given;
    std::int64_t rows, apart;   // how many, and from one to the next
    std::int64_t length, step;  // the same of a row's items
    void *turned;
    std::int64_t width;         // items of a row of `turned`: what is left of it is zeros
    std::int64_t pitch = 0;     // from one of these to the next, if not `width`
};

namespace {

// Four vectors of four floats each, or two of two doubles, with rows and columns exchanged.
inline void exchange(Vectors<float, 16>::Vector (&x)[4]) {
    using V = Vectors<float, 16>::Vector;
    typedef std::int32_t I __attribute__((vector_size(16)));
    const V a = TH_SHUFFLE(x[0], x[1], I, 0, 4, 1, 5), b = TH_SHUFFLE(x[2], x[3], I, 0, 4, 1, 5);
    const V c = TH_SHUFFLE(x[0], x[1], I, 2, 6, 3, 7), d = TH_SHUFFLE(x[2], x[3], I, 2, 6, 3, 7);
    x[0] = TH_SHUFFLE(a, b, I, 0, 1, 4, 5);
    x[1] = TH_SHUFFLE(a, b, I, 2, 3, 6, 7);
    x[2] = TH_SHUFFLE(c, d, I, 0, 1, 4, 5);
    x[3] = TH_SHUFFLE(c, d, I, 2, 3, 6, 7);
}

inline void exchange(Vectors<double, 16>::Vector (&x)[2]) {
    using V = Vectors<double, 16>::Vector;
    typedef std::int64_t I __attribute__((vector_size(16)));
    const V a = TH_SHUFFLE(x[0], x[1], I, 0, 2);
    x[1] = TH_SHUFFLE(x[0], x[1], I, 1, 3);
    x[0] = a;
}

template <class T>
void turn(const Turning &work) {
    using V = Vectors<T, 16>;
    const T *given = static_cast<const T *>(work.given);
    T *turned = static_cast<T *>(work.turned);
    const std::int64_t pitch = work.pitch ? work.pitch : work.width, length = work.length;
    const bool whole = work.step == 1 && length >= V::kLanes;
    std::int64_t row = 0;
    for (; row + V::kLanes <= work.rows; row += V::kLanes) {
        const T *const from = given + row * work.apart;
        // The last vectors overlap those before.
        for (std::int64_t next = 0; whole && next < length; next += V::kLanes) {
            const std::int64_t x = next + V::kLanes <= length ? next : length - V::kLanes;
            typename V::Vector part[V::kLanes];
            TH_UNROLL for (int i = 0; i < V::kLanes; ++i)
                part[i] = V::load(from + i * work.apart + x);
            exchange(part);
            TH_UNROLL for (int i = 0; i < V::kLanes; ++i)
                V::store(turned + (x + i) * pitch + row, part[i]);
        }
        for (int i = 0; !whole && i < V::kLanes; ++i)
            for (std::int64_t x = 0; x < length; ++x)
                turned[x * pitch + row + i] = from[i * work.apart + x * work.step];
    }
    for (; row < work.width; ++row) {
        const bool here = row < work.rows;
        const T *const from = given + (here ? row * work.apart : 0);
        for (std::int64_t x = 0; x < length; ++x)
            turned[x * pitch + row] = here ? from[x * work.step] : T(0);
    }
}

// Writes rows of items, `down` and `across` bytes apart, as rows of `width` items; what is left of
// each is zeros.
template <class T>
void copy_rows(const char *from, std::int64_t down, std::int64_t across, std::int64_t rows,
               std::int64_t columns, T *to, std::int64_t width) {
    constexpr auto kItem = static_cast<std::int64_t>(sizeof(T));
    if (down == kItem && across % kItem == 0)
        return turn<T>({from, columns, across / kItem, rows, 1, to, width});
    for (std::int64_t row = 0; row < rows; ++row, from += down, to += width) {
        if (across == kItem) {
            __builtin_memcpy(to, from, static_cast<unsigned long>(columns * kItem));
        } else {
            for (std::int64_t i = 0; i < columns; ++i)
                __builtin_memcpy(to + i, from + i * across, sizeof(T));
        }
        for (std::int64_t i = columns; i < width; ++i) to[i] = T(0);
    }
}

}  // namespace

}  // namespace theano
