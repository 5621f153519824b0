#include "panels_product.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "panels.h"
#include "processor.h"
#include "turning.h"

namespace theano {
namespace panels {

namespace {

// Sums are added up in parts of so many terms, of which some panels stay in the second cache: they have the
// same bits in any parts. So many fit on the stack.
constexpr std::int64_t kTerms = 512, kFewTerms = 128;

// Rows of A that stay in the nearest cache while they go through some panels: a tile, or the last ones.
constexpr std::int64_t kRows = 8, kMostRows = 12;

// Terms that lie within so many bytes are read where they are.
constexpr std::int64_t kNear = 1 << 17;

// Bytes of a matrix that is copied as a whole, not part by part.
constexpr std::int64_t kWhole = 1 << 22;

// After about so many products it is asked whether to go on.
constexpr double kUnasked = 1u << 31;

// Other processors have no product that `suits_product`.
#if defined(__x86_64__)
constexpr Multiply *multiply_unpacked = unpacked_avx512;
#else
constexpr Multiply *multiply_unpacked = nullptr;
#endif

// Rows of A in its own order: the first matrix of a part.
template <class T>
struct Rows {
    const char *source;
    std::int64_t down, across, rows, terms;
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
        copy_rows(source + first * down, down, across, count, terms, packed + first * terms, terms);
    }
};

// Runs a kernel that moves `each` items for each of `n`, over the threads if they are many.
bool move(th_kernel *kernel, void *work, std::int64_t n, std::int64_t each,
          const threads::Poll &poll) {
    constexpr double kChunk = 1 << 13, kLarge = 1 << 17;
    auto *args = static_cast<std::int64_t *>(work);
    const double all = static_cast<double>(n) * static_cast<double>(each);
    if (all < 2 * kChunk) {
        kernel(args, 0, n);
        return true;
    }
    return threads::share(kernel, args, n, kChunk / static_cast<double>(each), all >= kLarge, poll);
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

// Panels [left, right) and rows [top, bottom).
struct Range {
    std::int64_t left, right, top, bottom;
};

// C = alpha * A @ B + beta * C, of which some panels of B are packed where they are used, for all rows or
// for chunks of them.
template <class T>
struct Product {
    Matrix a, b;
    T *c;
    T alpha, beta;
    bool lower;                   // only what lies on and below the diagonal
    bool near;                    // whether rows of A are read where they are
    bool unpacked;                // whether B is
    std::int64_t most;            // terms at a time
    std::int64_t panels, groups;  // a group is packed at a time
    std::int64_t chunks;          // of rows
    std::int64_t begin, end;      // the terms that are added now

    static constexpr std::int64_t kItem = sizeof(T), kSide = Rows<T>::kSide;

    std::int64_t first_panel(std::int64_t group) const { return group * panels / groups; }
    std::int64_t first_row(std::int64_t chunk) const {
        return chunk == chunks ? a.rows : a.rows / kSide * chunk / chunks * kSide;
    }

    // A group of panels and a chunk of rows: what a thread computes at a time.
    Range range(std::int64_t item) const {
        const std::int64_t group = item / chunks, chunk = item % chunks, left = first_panel(group);
        const std::int64_t above = lower ? left * width(kItem, 0) : 0;
        return {left, first_panel(group + 1), std::max(first_row(chunk), above), first_row(chunk + 1)};
    }

    // What packs the terms from `first` on.
    Work packing(std::int64_t first, char *packed) const {
        return {kItem, width(kItem, 0), panels, a.rows, std::min(most, end - first), b.columns,
                b.down, b.across, first > 0 || beta != T(0), b.data + first * b.down, packed,
                reinterpret_cast<char *>(c), nullptr, alpha == T(1) ? nullptr : &alpha};
    }

    // What multiplies by them then.
    void multiplying(Work &work, std::int64_t first) const {
        work.factor = first > 0 || beta == T(1) ? nullptr : &beta;
        work.source = a.data + first * a.across;
        work.leading = a.down;
        work.across = a.across;
    }

    // The columns of a range in the terms from `first` on, which are packed next; they are fetched while
    // `work` is done for the panels and rows of `now`.
    Ahead next(const Work &work, std::int64_t first, const Range &then, const Range &now) const {
        const std::int64_t steps = (work.terms + Ahead::kStep - 1) / Ahead::kStep *
                                   ((now.bottom - now.top + kRows - 1) / kRows) *
                                   (now.right - now.left);
        const std::int64_t left = then.left * work.width;
        const std::int64_t right = std::min(then.right * work.width, b.columns);
        const std::int64_t terms = b.across == kItem ? std::min(most, end - first) : 0;
        return {b.data + first * b.down + left * kItem, b.down, (right - left) * kItem, terms,
                (terms + steps - 1) / steps};
    }

    // A range, after which the same thread computes another one.
    void compute(const Range &now, const Range &later, char *packed) const {
        for (std::int64_t first = begin; first < end && now.top < now.bottom; first += most) {
            Unpacked work{packing(first, packed), b.data + first * b.down, b.down};
            if (!unpacked) {
                work.packed -= now.left * work.width * work.terms * kItem;
                pack(reinterpret_cast<std::int64_t *>(&work), now.left, now.right);
            }
            multiplying(work, first);
            const std::int64_t after = first + work.terms;
            Ahead ahead = after < end ? next(work, after, now, now) : next(work, begin, later, now);
            for (std::int64_t row = now.top, stop; row < now.bottom; row = stop) {
                stop = now.bottom - row <= kMostRows ? now.bottom : row + kRows;
                for (std::int64_t panel = now.left; panel < now.right; ++panel) {
                    Ahead *const fetched = ahead.bytes ? &ahead : nullptr;
                    if (unpacked) multiply_unpacked(work, panel, row, stop, fetched);
                    else if (near) multiply_panel(work, panel, row, stop, fetched);
                    else multiply_copies(work, panel, row, stop);
                }
            }
        }
    }

    // Some rows of A at a time, copied into memory that there is on the stack.
    void multiply_copies(Work work, std::int64_t panel, std::int64_t row, std::int64_t stop) const {
        T rows[kSide * kFewTerms];
        const char *source = work.source + row * a.down;
        work.leading = work.terms * kItem;
        work.across = kItem;
        for (; row < stop; row += kSide, source += kSide * a.down) {
            const std::int64_t count = std::min(kSide, stop - row);
            Rows<T>{source, a.down, a.across, count, work.terms, rows}.pack(0);
            work.source = reinterpret_cast<const char *>(rows) - row * work.leading;
            multiply_panel(work, panel, row, row + count);
        }
    }

    // Adds the terms [begin, end).
    bool run(const threads::Poll &poll) {
        Work whole = packing(begin, nullptr);
        whole.terms = end - begin;
        return share(kernel, reinterpret_cast<std::int64_t *>(this), groups * chunks, whole, poll);
    }

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const auto &product = *reinterpret_cast<const Product *>(args);
        const std::int64_t together = (product.panels + product.groups - 1) / product.groups;
        const std::int64_t terms = together * std::min(product.most, product.end - product.begin);
        Scratch scratch;
        alignas(64) char few[kFewTerms * kMostBytes];
        const bool small = product.unpacked || terms <= kFewTerms;
        char *packed = small ? few : static_cast<char *>(scratch.get(terms, kMostBytes));
        for (std::int64_t item = begin; item < end; ++item) {
            const Range now = product.range(item);
            if (packed) product.compute(now, item + 1 < end ? product.range(item + 1) : Range{}, packed);
            else product.of_few_terms().compute_panels(now, few);
        }
    }

    Product of_few_terms() const {
        Product result = *this;
        result.most = std::min(most, kFewTerms);
        return result;
    }

    // One after the other.
    void compute_panels(const Range &all, char *packed) const {
        for (std::int64_t panel = all.left; panel < all.right; ++panel)
            compute({panel, panel + 1, all.top, all.bottom}, {}, packed);
    }
};

// Of products that are no larger BLAS packs nothing.
constexpr double kUnpacked = 1e6;

double products(const Matrix &a, const Matrix &b) {
    return static_cast<double>(a.rows) * static_cast<double>(a.columns) * static_cast<double>(b.columns);
}

// Whether less than a vector of columns is worth it: for others, BLAS takes two or three times as long.
bool suits_narrow(const Matrix &a, const Matrix &b, std::int64_t itemsize) {
    constexpr std::int64_t kFewRows = 64, kFewTerms = 8, kFewBytes = 16;
    return a.across == itemsize && a.rows >= kFewRows && a.columns >= kFewTerms &&
           b.columns * itemsize >= kFewBytes && products(a, b) > kUnpacked;
}

// Whether B is better read where it lies: for few rows of A, packing takes as long as a fifth of the product.
// Rows that lie whole pages apart are kept in the same places of the caches, which are few; what comes from
// memory, as weights of large layers do, comes sooner in long pieces.
bool suits_unpacked(const Matrix &a, const Matrix &b, std::int64_t itemsize) {
    constexpr std::int64_t kFewRows = 48, kPage = 4096, kCached = 1 << 21;
    return b.across == itemsize && b.down % itemsize == 0 && b.down % kPage != 0 && a.rows <= kFewRows &&
           a.columns <= kCached / itemsize / b.columns;
}

// Whether the transpose is better computed, of a B by columns, which is read where it lies then: packing it
// takes as long as so many rows more, vectors of A's columns that are not full as long as full ones.
bool suits_transpose(const Matrix &a, const Matrix &b, std::int64_t itemsize) {
    constexpr std::int64_t kFewest = 3, kMost = 64, kPacking = 8;
    const std::int64_t lanes = 64 / itemsize, rest = a.rows % (2 * lanes);
    const std::int64_t half = (rest + lanes / 2 - 1) / (lanes / 2) * (lanes / 2);
    const std::int64_t full = a.rows - rest + (half > lanes ? 2 * lanes : half);
    return b.down == itemsize && b.across % itemsize == 0 && a.rows >= kFewest && a.rows <= kMost &&
           full < a.rows + kPacking;
}

// Whether few rows are: BLAS takes twice as long to turn B, and longer for long sums, or less than a tile.
bool suits_few(const Matrix &a, const Matrix &b, std::int64_t itemsize, bool scaled) {
    constexpr std::int64_t kFew = 6, kFewTurned = 3, kLong = 256, kTile = 12;
    const bool turned = b.across != itemsize;
    const bool long_or_less = a.columns > kLong || a.rows < kTile;
    if (products(a, b) <= kUnpacked) return false;
    if (!scaled && suits_unpacked(a, b, itemsize)) return a.rows >= kFew;
    if (!scaled && turned && suits_transpose(a, b, itemsize)) return true;
    return itemsize == sizeof(float) && (turned ? a.rows >= kFewTurned : a.rows >= kFew && long_or_less);
}

template <class T>
MatmulStatus by_panels(const Matrix &a, const Matrix &b, T *c, T alpha, T beta, bool gram,
                       const threads::Poll &poll) {
    constexpr std::int64_t item = sizeof(T), kFewRows = 32, kManyRows = 128, kChunks = 4;
    const std::int64_t m = a.rows, k = a.columns, wide = width(item, 0), workers = threads::get();
    const std::int64_t panels = (b.columns + wide - 1) / wide, parts = (k + kTerms - 1) / kTerms;
    const std::int64_t most = (k + parts - 1) / parts, turns = (panels + workers - 1) / workers;
    const std::int64_t groups = std::min(panels, (turns + kTogether - 1) / kTogether * workers);
    // Where threads have about as many panels each, none is packed twice, for chunks of rows.
    std::int64_t chunks = 1;
    if (groups < workers)
        chunks = std::clamp<std::int64_t>(m / kFewRows, 1, (workers + groups - 1) / groups);
    else if (4 * panels < 3 * turns * workers)
        chunks = std::clamp<std::int64_t>(m / kManyRows, 1, kChunks);
    Product<T> product{a, b, c, alpha, beta, gram, true, false, most, panels, groups, chunks, 0, k};
    const bool in_place = a.across % item == 0 && a.down % item == 0 &&
                          (a.across == item || most * std::abs(a.across) <= kNear);
    const double each = static_cast<double>(m) * static_cast<double>(b.columns * most);
    std::int64_t span = most * static_cast<std::int64_t>(std::clamp(kUnasked / each, 1.0, kUnasked));
    Scratch scratch;
    T *rows = nullptr;
    if (!in_place) {
        if (m > kWhole / item / k) span = most;
        rows = static_cast<T *>(scratch.get(m * std::min(k, span), item));
        product.near = rows != nullptr;
        if (!rows) product = product.of_few_terms();
    }
    product.unpacked = product.near && alpha == T(1) && suits_unpacked(a, b, item);
    for (std::int64_t first = 0; first < k; first += span) {
        product.begin = first;
        product.end = std::min(k, first + span);
        if (rows) {
            const std::int64_t terms = product.end - first;
            Rows<T> part{a.data + first * a.across, a.down, a.across, m, terms, rows};
            if (!move(Rows<T>::kernel, &part, part.blocks(), Rows<T>::kSide * terms, poll))
                return MatmulStatus::interrupted;
            const char *start = reinterpret_cast<const char *>(rows) - first * item;
            product.a = {start, m, k, terms * item, item};
        }
        if (!product.run(poll)) return MatmulStatus::interrupted;
    }
    if (gram) mirror(c, b.columns);
    return MatmulStatus::done;
}

}  // namespace

bool suits_product(const Matrix &a, const Matrix &b, std::int64_t itemsize, bool scaled) {
    // Fewer columns do not make up for rows that must be turned.
    constexpr std::int64_t kFewRows = 16, kFewVectors = 3;
    if (!has_avx512()) return false;
    const std::int64_t lanes = 64 / itemsize;
    const std::int64_t fewest = a.across == itemsize ? lanes : kFewVectors * lanes;
    if (b.columns < fewest) return suits_narrow(a, b, itemsize);
    return a.rows >= kFewRows || suits_few(a, b, itemsize, scaled);
}

template <class T>
MatmulStatus product(const Matrix &a, const Matrix &b, T *c, T alpha, T beta, bool gram,
                     const threads::Poll &poll) {
    constexpr std::int64_t item = sizeof(T);
    Scratch scratch;
    if (alpha == T(1) && beta == T(0) && !gram && suits_transpose(a, b, item)) {
        if (auto *turned = static_cast<T *>(scratch.get(a.rows * b.columns, item))) {
            const MatmulStatus status =
                by_panels<T>(b.transposed(), a.transposed(), turned, T(1), T(0), false, poll);
            if (status != MatmulStatus::done) return status;
            copy_rows(reinterpret_cast<const char *>(turned), item, a.rows * item, a.rows, b.columns, c,
                      b.columns);
            return status;
        }
    }
    return by_panels<T>(a, b, c, alpha, beta, gram, poll);
}

template MatmulStatus product<float>(const Matrix &, const Matrix &, float *, float, float, bool,
                                     const threads::Poll &);
template MatmulStatus product<double>(const Matrix &, const Matrix &, double *, double, double, bool,
                                      const threads::Poll &);

}  // namespace panels
}  // namespace theano
