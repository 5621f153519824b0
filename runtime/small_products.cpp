#include "small_products.h"

#include "panels.h"
#include "processor.h"

namespace theano::small {

namespace {

// Matrices that are read at once.
constexpr std::int64_t kTinyItems = 16, kTinyTerms = 4;

std::int64_t vector_bytes() { return has_avx512() ? 64 : has_fma() ? 32 : 16; }

}  // namespace

bool suits(std::int64_t rows, std::int64_t terms, std::int64_t columns, std::int64_t itemsize) {
    constexpr std::int64_t kMostRows = 32;
    return rows > 1 && rows <= kMostRows && terms > 0 && terms <= kMostTerms && columns > 1 &&
           columns * itemsize <= kMostVectors * vector_bytes();
}

bool suits_stack(std::int64_t rows, std::int64_t terms, std::int64_t columns, std::int64_t itemsize) {
    const bool vector = (rows == 1 && columns > 0) || (columns == 1 && rows > 0);
    const std::int64_t length = rows + columns - 1;
    const bool tiny = terms > 0 && terms <= kTinyTerms && length * terms <= kTinyItems;
    const bool short_rows = length > 1 && terms > 0 && terms <= kMostTerms &&
                            length * itemsize <= kMostVectors * vector_bytes();
    return suits(rows, terms, columns, itemsize) ||
           (vector && (short_rows || (has_avx512() && tiny)));
}

bool suits_rows(std::int64_t rows, std::int64_t terms, std::int64_t columns, std::int64_t itemsize) {
    constexpr std::int64_t kFewestRows = 256, kMostSum = 32, kVector = 64;
    return has_avx512() && rows >= kFewestRows && terms <= kMostSum && columns * itemsize == kVector;
}

bool suits_short(const Products &p, std::int64_t itemsize) {
    constexpr std::int64_t kFewestRows = 256, kHalf = 32;
    const std::int64_t longest = p.terms > p.columns ? p.terms : p.columns;
    return has_avx512() && p.rows >= kFewestRows && p.terms > 1 && p.columns > 1 &&
           longest * itemsize <= kHalf && p.a.across == itemsize &&
           p.a.down == p.terms * itemsize && !p.alpha && !p.beta;
}

void multiply_short(const Products &p, std::int64_t itemsize, std::int64_t begin, std::int64_t end) {
#if defined(__x86_64__)
    panels::short_rows_avx512(p, itemsize == sizeof(float), begin, end);
#else
    (void)p, (void)itemsize, (void)begin, (void)end;
#endif
}

namespace {

// Whether so many matrices are multiplied that it pays to find out first where their items go, each from
// within a few words.
bool suits_tiny(const Products &p, std::int64_t itemsize, std::int64_t count) {
    constexpr std::int64_t kFewest = 16;
    if (!has_avx512() || count < kFewest || p.terms < 1 || p.terms > kTinyTerms || p.alpha || p.beta)
        return false;
    const auto within = [&](const Stack &s, std::int64_t rows, std::int64_t columns) {
        if (s.down < 0 || s.across < 0 || s.down % itemsize || s.across % itemsize) return false;
        return (rows - 1) * s.down + (columns - 1) * s.across < kTinyItems * itemsize;
    };
    return p.rows * p.columns <= kTinyItems && within(p.a, p.rows, p.terms) &&
           within(p.b, p.terms, p.columns);
}

}  // namespace

void multiply(const Products &products, std::int64_t itemsize, std::int64_t begin, std::int64_t end) {
    const bool single = itemsize == sizeof(float);
#if defined(__x86_64__)
    if (suits_tiny(products, itemsize, end - begin))
        return panels::tiny_avx512(products, single, begin, end);
    if (has_avx512()) return panels::multiply_avx512(products, single, begin, end);
    if (has_fma()) return panels::multiply_fma(products, single, begin, end);
#endif
    panels::multiply_plain(products, single, begin, end);
}

}  // namespace theano::small
