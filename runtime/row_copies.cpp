// For processors with and without AVX-512: see vectors.h about what may stand here.
#include "row_copies.h"

#include "vectors.h"

#if !defined(TH_ROWS)
#define TH_ROWS copy_rows_plain
#endif

namespace theano {

namespace {

// Visits the places of rows in turn.
template <class Visit>
void each_row(const Rows &rows, const Visit &visit) {
    const char *x = rows.x;
    char *out = rows.out;
    for (std::int64_t i = 0; i < rows.count; ++i, x += rows.stride, out += rows.pitch) visit(out, x);
}

// Rows of `kBytes` bytes, or of less than twice as many: their first and their last ones.
template <int kBytes>
void copy_short(const Rows &rows) {
    const std::int64_t rest = rows.nbytes - kBytes;
    if (rest == 0) {
        each_row(rows, [](char *out, const char *x) { __builtin_memcpy(out, x, kBytes); });
        return;
    }
    each_row(rows, [rest](char *out, const char *x) {
        char last[kBytes];
        __builtin_memcpy(last, x + rest, kBytes);
        __builtin_memcpy(out, x, kBytes);
        __builtin_memcpy(out + rest, last, kBytes);
    });
}

inline void copy_longer(const Rows &rows) {
    constexpr std::int64_t kBytes = 64;
    const std::int64_t last = rows.nbytes - kBytes;
    each_row(rows, [last](char *out, const char *x) {
        for (std::int64_t at = 0; at < last; at += kBytes) __builtin_memcpy(out + at, x + at, kBytes);
        __builtin_memcpy(out + last, x + last, kBytes);
    });
}

// Longer rows are copied by the C library.
constexpr std::int64_t kLongRow = 1 << 15;

}  // namespace

void TH_ROWS(const Rows &rows) {
    const std::int64_t n = rows.nbytes;
    if (n >= kLongRow)
        each_row(rows, [n](char *out, const char *x) { __builtin_memcpy(out, x, static_cast<unsigned long>(n)); });
    else if (n >= 64) copy_longer(rows);
    else if (n >= 32) copy_short<32>(rows);
    else if (n >= 16) copy_short<16>(rows);
    else if (n >= 8) copy_short<8>(rows);
    else if (n >= 4) copy_short<4>(rows);
    else if (n >= 2) copy_short<2>(rows);
    else if (n == 1) copy_short<1>(rows);
}

}  // namespace theano
