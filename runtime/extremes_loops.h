// Searches for the largest items, their inner loops compiled for several kinds of vectors.
//
// Items are compared as keys, the largest of which is looked for: integers with a sign, or floats.
#pragma once

#include <cstdint>

namespace theano::extremes {

// How items are read as keys: halves as integers, others by their bits.
enum class Kind { int8, int16, int32, int64, half, single, double_ };

// Bits that are changed in each item, or key of a half: those that turn the order around, or that make
// numbers without a sign numbers with one.
using Turn = std::uint64_t;

struct Loops {
    // Where the largest of each of `columns` side by side is, in `rows` that are `step` bytes apart.
    void (*columns)(const char *from, std::int64_t rows, std::int64_t step, std::int64_t columns,
                    Turn turn, std::int64_t *places);
    // Where the largest of each of `rows` side by side is, of n items, 1 to kMost; and these items, if
    // `items` is not null.
    void (*rows)(const char *from, std::int64_t rows, std::int64_t n, Turn turn,
                 std::int64_t *places, char *items);
};

// Rows of at most kFew items are searched in vectors, of at most kMost faster than by a call for each.
constexpr std::int64_t kFew = 8, kMost = 32;

const Loops &loops_plain(Kind kind), &loops_fma(Kind kind), &loops_avx512(Kind kind);

}  // namespace theano::extremes
