// Short rows of arrays joined side by side: `concatenate([x, y], axis=1)`.
#pragma once

#include <cstdint>

namespace theano::joins {

// What lies in each row of the result from one of the arrays: so many bytes side by side, and so many from one row
// to the next.
struct Part {
    std::int64_t nbytes, stride;
    const char *x;
};

// What `join_rows` does: every row of its range is a row of each part, one after the other. Its words are these,
// then the parts.
struct Work {
    std::int64_t parts, pitch;  // bytes of a row, the sum of those of its parts
    char *out;                  // contiguous
};

void join_rows(std::int64_t *args, std::int64_t begin, std::int64_t end);

constexpr std::int64_t kVector = 64, kMostMerged = 16;

// Where the bytes of several rows of one part, or words of 2 bytes, lie in a vector, and go to in one.
struct Source {
    alignas(64) unsigned char numbers[64];
    std::uint64_t written;
    std::int64_t span;  // bytes that are read
    const char *x;
    std::int64_t step;
};

// Groups of rows, side by side. Of the first ones, whole vectors, or their first halves, may be read, and whole ones
// be written: what a vector has behind the rows, the next one writes anew.
struct Groups {
    std::int64_t parts, count, whole, nbytes;  // of a group
    bool half;
    char *out;
    Source sources[kMostMerged];
};

// By bytes, where the processor picks these; by words of 2 bytes.
void merge_bytes_vbmi(const Groups &groups);
void merge_words_avx512(const Groups &groups);

}  // namespace theano::joins
