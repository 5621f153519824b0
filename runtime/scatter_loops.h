// Rows that are written at positions, the inner loops compiled for several kinds of vectors.
//
// They are written one after the other, so that no result depends on the vectors.
#pragma once

#include <cstdint>

namespace theano::scatter {

// Rows of `length` items, `count` of them: row k of y changes what is `offsets[k]` bytes behind `out`.
struct Rows {
    char *out;
    const char *y;
    const std::int64_t *offsets;
    std::int64_t count, pitch;  // bytes from one row of y to the next
    std::int64_t length;
    std::int64_t out_step, y_step;  // bytes from an item of a row to the next, for `apart`
};

// What is written: integers of 1, 2, 4 and 8 bytes in the place of what was there; or sums.
enum Kind {
    kSet,
    kSum = kSet + 4,
    kEither = kSum + 4,  // of truth values
    kSingle,
    kDouble,
    kHalf,
    kKinds
};

struct Loops {
    // Items of a row lie side by side in both arrays; y has one for all of them; or they are `step`s apart.
    void (*packed)(const Rows &), (*same)(const Rows &), (*apart)(const Rows &);
};

// Positions of an array that are `step` bytes apart; negative ones count from the end of an axis.
struct Line {
    const char *items;
    std::int64_t type, step, count, length, stride;
};

struct Functions {
    Loops loops[kKinds];
    // Adds where rows begin.
    void (*add_offsets)(const Line &, std::int64_t *offsets);
};

extern const Functions functions_plain, functions_fma, functions_avx512;

}  // namespace theano::scatter
