// Rows of bytes, copied.
#pragma once

#include <cstdint>

#include "processor.h"

namespace theano {

// So many rows, and where they go.
struct Rows {
    const char *x;
    std::int64_t stride, nbytes, count;
    char *out;
    std::int64_t pitch;
};

void copy_rows_plain(const Rows &rows);
void copy_rows_avx512(const Rows &rows);

inline void copy_rows_of_bytes(const Rows &rows) {
#if defined(__x86_64__)
    static const bool wide = has_avx512();
    if (wide) return copy_rows_avx512(rows);
#endif
    copy_rows_plain(rows);
}

}  // namespace theano
