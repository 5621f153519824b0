// Products of matrices of integers, modulo powers of two: the order of the terms, and whether they have
// signs, change nothing.
#pragma once

#include <cstdint>

namespace theano {
namespace integers {

// A's items lie anywhere; B is contiguous, (terms, columns).
struct Work {
    const char *a;
    std::int64_t down, across;  // bytes between the rows and between the columns of A
    const void *b;
    std::int64_t terms, columns;
};

// Rows of A at most, and bytes of each one's sums, that are made at a time.
constexpr std::int64_t kRows = 64, kBytes = 128;
// Columns of B that are few.
constexpr std::int64_t kFew = 8;

// For one size of items. Sums have two bytes for items of one, else as many as these.
struct Loops {
    std::int64_t width;  // columns at a time
    // The sums of some rows of A in the columns from `column` on; each row of them has `width`.
    void (*multiply)(const Work &work, std::int64_t row, std::int64_t rows, std::int64_t column,
                     void *sums);
    // The same of all columns where these are few: each row of sums has kFew.
    void (*multiply_few)(const Work &work, std::int64_t row, std::int64_t rows, std::int64_t column,
                         void *sums);
    // Of contiguous items.
    std::uint64_t (*dot)(const void *x, const void *y, std::int64_t terms);
};

const Loops &loops_plain(std::int64_t itemsize);
#if defined(__x86_64__)
const Loops &loops_fma(std::int64_t itemsize), &loops_avx512(std::int64_t itemsize);
#endif

}  // namespace integers
}  // namespace theano
