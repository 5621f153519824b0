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

// Sums are added up in parts of so many terms, whose panels stay in the nearest cache.
constexpr std::int64_t kTerms = 256;

// So many bytes of panels are packed on the stack.
constexpr std::int64_t kOnStack = 1 << 14;

// Terms that lie within so many bytes are read where they are.
constexpr std::int64_t kNear = 1 << 17;

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

// C = alpha * A @ B + beta * C, of which some panels of B are packed where they are used.
template <class T>
struct Product {
    Matrix a, b;
    T *c;
    T alpha, beta;
    std::int64_t most;            // terms at a time
    bool near;                    // whether rows of A are read where they are
    std::int64_t panels, groups;  // of some panels each, which are packed together

    static constexpr std::int64_t kItem = sizeof(T), kSide = Rows<T>::kSide;

    // What packs panels of the terms from `first` on.
    Work packing(std::int64_t first, char *packed) const {
        const std::int64_t n = b.columns;
        return {kItem, width(kItem, 0), panels, a.rows, std::min(most, a.columns - first), n,
                b.down, b.across, first > 0 || beta != T(0), b.data + first * b.down, packed,
                reinterpret_cast<char *>(c), nullptr, alpha == T(1) ? nullptr : &alpha};
    }

    // What multiplies by them then; the packed rows are A's if there are none.
    void multiplying(Work &work, std::int64_t first, const T *rows = nullptr) const {
        work.factor = first > 0 || beta == T(1) ? nullptr : &beta;
        work.source = rows ? reinterpret_cast<const char *>(rows) : a.data + first * a.across;
        work.leading = rows ? work.terms * kItem : a.down;
        work.across = rows ? kItem : a.across;
    }

    std::int64_t first_panel(std::int64_t group) const { return group * panels / groups; }

    // The columns of the panels [begin, end) of the part whose first term is `first`, which are packed
    // next; they are fetched while `work` is done for so many panels.
    Ahead next(const Work &work, std::int64_t first, std::int64_t begin, std::int64_t end,
               std::int64_t count) const {
        constexpr std::int64_t kRows = 8;
        const std::int64_t steps = (work.terms + Ahead::kStep - 1) / Ahead::kStep *
                                   ((work.rows + kRows - 1) / kRows) * count;
        const std::int64_t column = begin * work.width;
        const std::int64_t rows = b.across == kItem ? std::min(most, a.columns - first) : 0;
        return {b.data + first * b.down + column * kItem, b.down,
                (std::min(end * work.width, b.columns) - column) * kItem, rows,
                (rows + steps - 1) / steps};
    }

    // The panels [begin, end), after which the same thread computes those up to `later`.
    void compute(std::int64_t begin, std::int64_t end, std::int64_t later, char *packed) const {
        const std::int64_t count = end - begin;
        for (std::int64_t first = 0; first < a.columns; first += most) {
            Work work = packing(first, packed);
            work.packed -= begin * work.width * work.terms * kItem;
            pack(reinterpret_cast<std::int64_t *>(&work), begin, end);
            multiplying(work, first);
            const std::int64_t after = first + work.terms;
            Ahead ahead = after < a.columns ? next(work, after, begin, end, count)
                                            : next(work, 0, end, later, count);
            for (std::int64_t panel = begin; panel < end; ++panel) {
                if (near) multiply_panel(work, panel, 0, a.rows, ahead.bytes > 0 ? &ahead : nullptr);
                else multiply_copies(work, panel);
            }
        }
    }

    // Some rows of A at a time, copied into memory that there is on the stack.
    void multiply_copies(Work work, std::int64_t panel) const {
        T rows[kSide * kTerms];
        const char *source = work.source;
        work.leading = work.terms * kItem;
        work.across = kItem;
        for (std::int64_t row = 0; row < a.rows; row += kSide, source += kSide * a.down) {
            const std::int64_t count = std::min(kSide, a.rows - row);
            Rows<T>{source, a.down, a.across, count, work.terms, rows}.pack(0);
            work.source = reinterpret_cast<const char *>(rows) - row * work.leading;
            multiply_panel(work, panel, row, row + count);
        }
    }

    MatmulStatus run(const threads::Poll &poll) {
        Work whole = packing(0, nullptr);
        whole.terms = a.columns;
        auto *args = reinterpret_cast<std::int64_t *>(this);
        return share(kernel, args, groups, whole, poll) ? MatmulStatus::done
                                                        : MatmulStatus::interrupted;
    }

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const auto &product = *reinterpret_cast<const Product *>(args);
        Scratch scratch;
        alignas(64) char one[kTerms * kMostBytes];
        const std::int64_t together = (product.panels + product.groups - 1) / product.groups;
        const std::int64_t terms = together * product.most;
        auto *some = terms <= kTerms ? one : static_cast<char *>(scratch.get(terms, kMostBytes));
        for (std::int64_t group = begin; group < end; ++group) {
            const std::int64_t first = product.first_panel(group), last = product.first_panel(group + 1);
            const std::int64_t later = group + 1 < end ? product.first_panel(group + 2) : last;
            if (some) product.compute(first, last, later, some);
            for (std::int64_t panel = first; !some && panel < last; ++panel)
                product.compute(panel, panel + 1, panel + 1, one);
        }
    }
};

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
    constexpr std::int64_t item = sizeof(T), kFewPanels = 4, kShared = 1 << 21;
    const std::int64_t m = a.rows, n = b.columns, k = a.columns, wide = width(item, 0);
    const std::int64_t count = (n + wide - 1) / wide, parts = (k + kTerms - 1) / kTerms;
    const std::int64_t most = (k + parts - 1) / parts;
    // Panels that serve a few rows only are packed where they are used, if all threads have about as
    // many, or too little to do to wait for each other after each part.
    const std::int64_t workers = threads::get(), turns = (count + workers - 1) / workers;
    const std::int64_t groups = std::min(count, (turns + kTogether - 1) / kTogether * workers);
    const bool even = 4 * count >= 3 * turns * workers;
    const bool few = m <= kMostRows && !gram && (even || m * n * most < kShared);
    // Few panels do not make up for copies, nor are terms copied that are near each other in the cache.
    const bool near = a.across == item ? few || parts == 1 || count <= kFewPanels
                                       : most * std::abs(a.across) <= kNear;
    const bool as_it_is = a.across % item == 0 && a.down % item == 0 && near;
    Scratch a_scratch, b_scratch;
    T *rows = as_it_is ? nullptr : static_cast<T *>(a_scratch.get(m * (few ? k : most), item));
    Product<T> product{a, b, c, alpha, beta, most, as_it_is, count, groups};
    if (few && rows) {
        Rows<T> all{a.data, a.down, a.across, m, k, rows};
        if (!move(Rows<T>::kernel, &all, all.blocks(), Rows<T>::kSide * k, poll))
            return MatmulStatus::interrupted;
        product.a = {reinterpret_cast<const char *>(rows), m, k, k * item, item};
        product.near = true;
    }
    if (few) return product.run(poll);
    const std::int64_t packed_bytes = count * wide * most * item;
    alignas(64) char on_stack[kOnStack];
    char *packed = packed_bytes <= kOnStack ? on_stack
                                            : static_cast<char *>(b_scratch.get(packed_bytes, 1));
    if (!packed || (!rows && !as_it_is)) return product.run(poll);
    for (std::int64_t first = 0; first < k; first += most) {
        Work work = product.packing(first, packed);
        if (!move(pack, &work, count, wide * work.terms, poll)) return MatmulStatus::interrupted;
        product.multiplying(work, first, rows);
        if (rows) {
            Rows<T> part{a.data + first * a.across, a.down, a.across, m, work.terms, rows};
            if (!move(Rows<T>::kernel, &part, part.blocks(), Rows<T>::kSide * work.terms, poll))
                return MatmulStatus::interrupted;
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
