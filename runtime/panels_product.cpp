#include "panels_product.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "panels.h"
#include "processor.h"

namespace theano {
namespace panels {

namespace {

// Sums are added up in parts of so many terms, whose panels stay in the nearest cache.
constexpr std::int64_t kTerms = 256;

// So many bytes of panels are packed on the stack.
constexpr std::int64_t kOnStack = 1 << 14;

// Terms that lie within so many bytes are read where they are.
constexpr std::int64_t kNear = 1 << 17;

// Rows of A in its own order, which are multiplied by alpha: the first matrix of a part.
template <class T>
struct Rows {
    const char *source;
    std::int64_t down, across, rows, terms;
    T alpha;
    T *packed;

    // Rows that are read side by side if they lie so.
    static constexpr std::int64_t kSide = 64 / sizeof(T);

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        auto &work = *reinterpret_cast<const Rows *>(args);
        for (std::int64_t block = begin; block < end; ++block) work.pack(block * kSide);
    }

    std::int64_t blocks() const { return (rows + kSide - 1) / kSide; }

    void pack(std::int64_t first) const {
        const std::int64_t count = std::min(kSide, rows - first);
        const char *from = source + first * down;
        T *to = packed + first * terms;
        if (across == sizeof(T)) {
            for (std::int64_t r = 0; r < count; ++r, from += down, to += terms) {
                std::memcpy(to, from, static_cast<std::size_t>(terms) * sizeof(T));
                for (std::int64_t t = 0; alpha != T(1) && t < terms; ++t) to[t] *= alpha;
            }
        } else if (down == sizeof(T) && count == kSide) {
            for (std::int64_t t = 0; t < terms; ++t) {
                T side[kSide];
                std::memcpy(side, from + t * across, sizeof side);
                for (std::int64_t r = 0; r < kSide; ++r) to[r * terms + t] = alpha * side[r];
            }
        } else {
            for (std::int64_t r = 0; r < count; ++r) {
                for (std::int64_t t = 0; t < terms; ++t) {
                    T item;
                    std::memcpy(&item, from + r * down + t * across, sizeof item);
                    to[r * terms + t] = alpha * item;
                }
            }
        }
    }
};

// Runs a kernel that moves `each` items for each of `n`, over the threads if they are many.
bool move(th_kernel *kernel, void *work, std::int64_t n, std::int64_t each,
          const threads::Poll &poll) {
    constexpr std::int64_t kChunk = 1 << 13, kLarge = 1 << 17;
    auto *args = static_cast<std::int64_t *>(work);
    if (n * each < 2 * kChunk) {
        kernel(args, 0, n);
        return true;
    }
    return threads::share(kernel, args, n, std::max<std::int64_t>(1, kChunk / each),
                          n * each >= kLarge, poll);
}

// Only what lies on and below the diagonal, some rows at a time.
bool multiply_lower(const Work &work, const threads::Poll &poll) {
    constexpr std::int64_t kRows = 128;
    for (std::int64_t row = 0; row < work.rows; row += kRows) {
        Work part = work;
        part.rows = std::min(kRows, work.rows - row);
        part.panels = std::min(work.panels, (row + part.rows + work.width - 1) / work.width);
        part.source += row * work.leading;
        part.out += row * work.columns * work.itemsize;
        if (!multiply(part, poll)) return false;
    }
    return true;
}

template <class T>
void mirror(T *c, std::int64_t n) {
    constexpr std::int64_t kSide = 16;
    for (std::int64_t i = 0; i < n; i += kSide) {
        for (std::int64_t j = 0; j <= i; j += kSide) {
            for (std::int64_t r = i; r < std::min(n, i + kSide); ++r) {
                for (std::int64_t s = j; s < std::min(r, j + kSide); ++s) c[s * n + r] = c[r * n + s];
            }
        }
    }
}

// The same sums with the memory that there is on the stack: few terms of one panel at a time.
template <class T>
MatmulStatus multiply_in_pieces(const Matrix &a, const Matrix &b, T *c, T alpha, bool added,
                                const threads::Poll &poll) {
    constexpr std::int64_t item = sizeof(T), kFew = 32, kSide = Rows<T>::kSide;
    const std::int64_t n = b.columns, wide = width(item, 0);
    T rows[kSide * kFew];
    char packed[kFew * 128];  // the bytes of a panel's rows are at most these
    for (std::int64_t column = 0; column < n; column += wide) {
        if (poll()) return MatmulStatus::interrupted;
        for (std::int64_t l = 0; l < a.columns; l += kFew) {
            const std::int64_t terms = std::min(kFew, a.columns - l);
            Work work{item, wide, 1, 0, terms, std::min(wide, n - column), b.down, b.across, 0,
                      b.data + l * b.down + column * b.across, packed, nullptr, nullptr};
            pack(reinterpret_cast<std::int64_t *>(&work), 0, 1);
            // The panel is the one of its number where its columns are those of the result.
            const std::int64_t panel = column / wide;
            work.packed -= column * terms * item;
            work.columns = n;
            work.leading = terms * item;
            work.across = item;
            work.added = added || l > 0;
            work.source = reinterpret_cast<const char *>(rows);
            for (std::int64_t row = 0; row < a.rows; row += kSide) {
                work.rows = std::min(kSide, a.rows - row);
                Rows<T>{a.data + row * a.down + l * a.across, a.down, a.across, work.rows, terms,
                        alpha, rows}
                    .pack(0);
                work.out = reinterpret_cast<char *>(c + row * n);
                multiply_panel(work, panel, 0, work.rows);
            }
        }
    }
    return MatmulStatus::done;
}

}  // namespace

bool suits_product(const Matrix &a, const Matrix &b, std::int64_t itemsize) {
    // Fewer columns do not make up for rows that must be turned.
    constexpr std::int64_t kFewRows = 16, kFewVectors = 3;
    const std::int64_t lanes = 64 / itemsize;
    const std::int64_t fewest = a.across == itemsize ? lanes : kFewVectors * lanes;
    return has_avx512() && a.rows >= kFewRows && b.columns >= fewest;
}

template <class T>
MatmulStatus product(const Matrix &a, const Matrix &b, T *c, T alpha, T beta, bool gram,
                     const threads::Poll &poll) {
    constexpr std::int64_t item = sizeof(T), kFewPanels = 4;
    const std::int64_t m = a.rows, n = b.columns, k = a.columns, wide = width(item, 0);
    const std::int64_t count = (n + wide - 1) / wide, parts = (k + kTerms - 1) / kTerms;
    const std::int64_t most = (k + parts - 1) / parts;
    // Few panels do not make up for copies, nor are terms copied that are near each other in the cache.
    const bool near = a.across == item ? parts == 1 || count <= kFewPanels
                                       : most * std::abs(a.across) <= kNear;
    const bool as_it_is = a.across % item == 0 && a.down % item == 0 && alpha == T(1) && near;
    Scratch a_scratch, b_scratch;
    T *rows = as_it_is ? nullptr : static_cast<T *>(a_scratch.get(m * most, item));
    const std::int64_t packed_bytes = count * wide * most * item;
    alignas(64) char few[kOnStack];
    char *packed = packed_bytes <= kOnStack ? few
                                            : static_cast<char *>(b_scratch.get(packed_bytes, 1));
    for (std::int64_t i = 0; beta != T(0) && beta != T(1) && i < m * n; ++i) c[i] *= beta;
    if (!packed || (!rows && !as_it_is))
        return multiply_in_pieces(a, b, c, alpha, beta != T(0), poll);
    for (std::int64_t l = 0; l < k; l += most) {
        const std::int64_t terms = std::min(most, k - l);
        Work work{item,       wide,     count, m, terms, n, b.down, b.across, l > 0 || beta != T(0),
                  b.data + l * b.down, packed, reinterpret_cast<char *>(c), nullptr};
        if (!move(pack, &work, count, wide * terms, poll)) return MatmulStatus::interrupted;
        work.source = a.data + l * a.across;
        work.leading = a.down;
        work.across = a.across;
        if (rows) {
            Rows<T> first{work.source, a.down, a.across, m, terms, alpha, rows};
            if (!move(Rows<T>::kernel, &first, first.blocks(), Rows<T>::kSide * terms, poll))
                return MatmulStatus::interrupted;
            work.source = reinterpret_cast<const char *>(rows);
            work.leading = terms * item;
            work.across = item;
        }
        if (!(gram ? multiply_lower(work, poll) : multiply(work, poll)))
            return MatmulStatus::interrupted;
    }
    if (gram) mirror(c, n);
    return MatmulStatus::done;
}

template MatmulStatus product<float>(const Matrix &, const Matrix &, float *, float, float, bool,
                                     const threads::Poll &);
template MatmulStatus product<double>(const Matrix &, const Matrix &, double *, double, double, bool,
                                      const threads::Poll &);

}  // namespace panels
}  // namespace theano
