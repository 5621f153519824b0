// Items of each row of an array at the same positions: `x[:, [2, 0, 1]]`.
#pragma once

#include <cstdint>

namespace theano::columns {

// What `take_columns` does: out[i, j] = x[i, positions[j]] for every row i of its range and every j. Its words are
// these, then the length and the stride of each axis in front of the last.
struct Work {
    std::int64_t axes, itemsize, count;   // of positions
    // Bytes of a position, less than 0 without a sign, 0 where position j is j; the last axis.
    std::int64_t type, length, stride;
    // Where position j is j, so many items in turn are so many bytes apart, as those of a row of a small matrix are;
    // from these to the next it is one stride.
    std::int64_t together, step;
    const char *x, *positions;            // contiguous, and all within the axis
    char *out;                            // contiguous
};

struct Axis {
    std::int64_t length, stride;
};

void take_columns(std::int64_t *args, std::int64_t begin, std::int64_t end);

// Groups of rows, so many bytes from one to the next, and as many bytes of each are written side by side. Of the
// first ones, whole vectors may be read and be written: what these have behind a group, the next one writes anew.
struct Groups {
    const char *x;
    std::int64_t step, count, whole;
    char *out;
    std::int64_t nbytes;
};

// Where the items of a group lie, all within a vector from its first byte on: the numbers of bytes, or of words
// of 4 bytes.
struct Picked {
    alignas(64) unsigned char numbers[64];
    std::int64_t span;  // bytes that are read
};

constexpr std::int64_t kWord = 4, kVector = 64, kShort = 16;

// By words; by bytes within the first `kShort`; by any bytes, where the processor picks these.
void pick_words_avx512(const Picked &picked, const Groups &groups);
void pick_few_avx512(const Picked &picked, const Groups &groups);
void pick_bytes_vbmi(const Picked &picked, const Groups &groups);

}  // namespace theano::columns
