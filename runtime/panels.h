// Products of float matrices, of which the second one was packed before.
//
// The packed matrix consists of panels: some columns, row after row, padded with any numbers. A product
// goes through a panel for a few rows at a time, whose sums stay in registers. Each sum is carried
// from the first term to the last, so its bits depend neither on threads nor on blocks.
#pragma once

#include <cstdint>

#include "small_products.h"
#include "threads.h"

namespace theano {
namespace panels {

// What the kernels take; one word each, so that compiled programs can write it.
struct Work {
    std::int64_t itemsize;         // 4 or 8
    std::int64_t width;            // columns of a panel
    std::int64_t panels;           // how many
    std::int64_t rows, terms, columns;
    std::int64_t leading, across;  // bytes between the rows and between the columns of x, or of y
    std::int64_t added;            // `multiply`: whether to add to what is in the result
    const char *source;            // x, whose rows are packed; `pack`: y
    char *packed;
    char *out;                     // C-contiguous
    const Work *first;             // `multiply`: a product of as many rows and columns that the sums
                                   // begin with, in whose `out` nothing is written; or nullptr
    const void *factor;            // one item, or nullptr. `pack`: y is multiplied by it; `multiply`:
                                   // what is in the result, if it is added to
};

// Work with a matrix that is read where it lies, instead of a packed one.
struct Unpacked : Work {
    const char *matrix;  // the first of its terms that are added
    std::int64_t down;   // bytes between its rows, whose items lie side by side
};

// Bytes of a panel's rows at most.
constexpr std::int64_t kMostBytes = 128;

// Panels that are packed together: what is read in one piece arrives sooner.
constexpr std::int64_t kTogether = 8;

// Columns of a panel for vectors of so many bits; 0: the widest.
std::int64_t width(std::int64_t itemsize, std::int64_t bits);

// Rows of memory that are read next. They are fetched into the second cache by a product that is
// computed meanwhile, some of them with every kStep terms.
struct Ahead {
    static constexpr std::int64_t kStep = 16;
    const char *row;
    std::int64_t down, bytes;  // from one row to the next, and of each
    std::int64_t left, each;   // how many there are, and at a time
};

// The loops for each kind of vectors: over the rows [first, last) and a panel, or over small products.
using Multiply = void(const Work &work, std::int64_t panel, std::int64_t first, std::int64_t last,
                      Ahead *ahead);
using MultiplySmall = void(const small::Products &products, bool single, std::int64_t begin,
                           std::int64_t end);
Multiply multiply_plain;
MultiplySmall multiply_plain;
#if defined(__x86_64__)
Multiply multiply_fma, multiply_avx512;
Multiply unpacked_avx512;  // for work that is Unpacked
MultiplySmall multiply_fma, multiply_avx512;
// Of one product, the rows [begin, end).
MultiplySmall short_rows_avx512;
// Of matrices of up to 16 items and up to 4 terms.
MultiplySmall tiny_avx512;
#endif

// Whether this processor has vector instructions that multiply and add.
bool fast();

// Whether a product is worth letting Python's lock go, and waking threads.
bool large(const Work &work);

// A kernel (th_kernel) over panels; `args` is a Work.
void pack(std::int64_t *args, std::int64_t begin, std::int64_t end);
// Multiplies the rows [first, last) by one panel.
void multiply_panel(const Work &work, std::int64_t panel, std::int64_t first, std::int64_t last,
                    Ahead *ahead = nullptr);
// Runs a kernel whose items are parts of a product, over the threads there are; false if it was given up.
bool share(th_kernel *kernel, std::int64_t *args, std::int64_t items, const Work &work,
           const threads::Poll &poll);
// Multiplies, in the same way.
bool multiply(Work &work, const threads::Poll &poll);

}  // namespace panels
}  // namespace theano
