#include "matmul.h"

#include <algorithm>
#include <atomic>
#include <complex>
#include <cstring>
#include <thread>
#include <type_traits>

#include "blas.h"
#include "copy.h"
#include "half.h"
#include "numpy_api.h"
#include "panels.h"
#include "panels_product.h"
#include "small_products.h"
#include "threads.h"
#include "vector_products.h"

namespace theano {

namespace {

using blas::Operand;

// Products of this many multiplications are split over the threads, whatever their number, in
// blocks of fixed size.
constexpr double kSplitProduct = 1 << 21;
constexpr double kSplitVector = 1 << 19;

// A matrix as BLAS reads it; one by columns is copied if it is to be `by_rows`.
template <class T>
bool operand(const Matrix &matrix, Scratch &scratch, Operand<T> &out, bool by_rows = false) {
    constexpr std::int64_t item = sizeof(T);
    auto leads = [](std::int64_t stride, std::int64_t length) {
        return stride % item == 0 && stride / item >= std::max<std::int64_t>(1, length) &&
               blas::fits(stride / item, 1, 1);
    };
    std::int64_t rows = matrix.rows, columns = matrix.columns;
    const T *data = reinterpret_cast<const T *>(matrix.data);
    if ((columns == 1 || matrix.across == item) && (rows == 1 || leads(matrix.down, columns))) {
        out = {data, rows == 1 ? columns : matrix.down / item, false};
        return true;
    }
    if (!by_rows && (rows == 1 || matrix.down == item) && (columns == 1 || leads(matrix.across, rows))) {
        out = {data, columns == 1 ? rows : matrix.across / item, true};
        return true;
    }
    T *copy = static_cast<T *>(scratch.get(rows * columns, sizeof(T)));
    if (!copy) return false;
    const std::int64_t shape[2] = {rows, columns}, strides[2] = {matrix.down, matrix.across};
    copy_strided(2, shape, strides, sizeof(T), copy, matrix.data);
    out = {copy, columns, false};
    return true;
}

template <class T>
void scale(T *c, std::int64_t n, T beta) {
    for (std::int64_t i = 0; i < n; ++i) c[i] = beta == T(0) ? T(0) : beta * c[i];
}

// Asked in the midst of blocks, by any thread, whether the product is given up.
class Watch {
  public:
    explicit Watch(const threads::Poll &poll) : poll_(poll), owner_(std::this_thread::get_id()) {}
    bool given_up() {
        if (!given_up_.load(std::memory_order_relaxed) && owner_ == std::this_thread::get_id() &&
            poll_())
            given_up_.store(true, std::memory_order_relaxed);
        return given_up_.load(std::memory_order_relaxed);
    }
    const threads::Poll &poll() const { return poll_; }

  private:
    const threads::Poll poll_;
    const std::thread::id owner_;
    std::atomic<bool> given_up_{false};
};

// So many multiplications take a thread a tenth of a second or less: the sums of a larger block are
// added up in parts, which BLAS does as well, so that signals are noticed in between.
constexpr double kMostProducts = 3 << 27;

template <class T>
std::int64_t terms_at_once(std::int64_t height, std::int64_t width) {
    constexpr std::int64_t kUnit = 128;
    constexpr double cost = std::is_floating_point<T>::value ? 1 : 4;
    const double terms =
        kMostProducts / cost / static_cast<double>(height) / static_cast<double>(width);
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(terms / kUnit)) * kUnit;
}

// `use(first, count, beta)` for parts of k terms.
template <class T, class F>
void in_parts(std::int64_t k, std::int64_t terms, T beta, Watch &watch, F use) {
    for (std::int64_t l = 0; l < k; l += terms) {
        if (l > 0 && watch.given_up()) return;
        use(l, std::min(terms, k - l), l == 0 ? beta : T(1));
    }
}

// Some of the columns of an operand.
template <class T>
Operand<T> part_of(const Operand<T> &a, std::int64_t row, std::int64_t column) {
    return {a.data + (a.transposed ? row + column * a.leading : row * a.leading + column),
            a.leading, a.transposed};
}

template <class T>
struct GemmWork {
    std::int64_t m, n, k, height, width, across, terms;
    T alpha, beta;
    Operand<T> a, b;
    T *c;
    Watch *watch;

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        auto &work = *reinterpret_cast<const GemmWork *>(args);
        for (std::int64_t block = begin; block < end; ++block) work.compute(block);
    }

    void compute(std::int64_t block) const {
        std::int64_t i = block / across * height, j = block % across * width;
        in_parts(k, terms, beta, *watch, [&](std::int64_t l, std::int64_t count, T keep) {
            blas::gemm<T>(std::min(height, m - i), std::min(width, n - j), count, alpha,
                          part_of(a, i, l), part_of(b, l, j), keep, c + i * n + j, n);
        });
    }
};

template <class W>
MatmulStatus run_blocks(W &work, std::int64_t count) {
    auto *args = reinterpret_cast<std::int64_t *>(&work);
    const bool done = threads::run(W::kernel, args, count, threads::kLongItems, work.watch->poll());
    return done && !work.watch->given_up() ? MatmulStatus::done : MatmulStatus::interrupted;
}

// Blocks are strips of the longer side: BLAS packs the matrix along the other side anew for each.
constexpr std::int64_t kStrip = 256, kThickStrip = 512, kLongStrip = 4096;

// Equal parts of about `aim`, a multiple of 16.
std::int64_t block_side(std::int64_t length, std::int64_t aim) {
    std::int64_t parts = (length + aim - 1) / aim;
    std::int64_t side = (length + parts - 1) / parts;
    return (side + 15) / 16 * 16;
}

template <class T>
MatmulStatus split_gemm(std::int64_t m, std::int64_t n, std::int64_t k, T alpha,
                        const Operand<T> &a, const Operand<T> &b, T beta, T *c,
                        const threads::Poll &poll) {
    const double products = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    blas::OneThread one(products);
    if (products < kSplitProduct) {
        blas::gemm<T>(m, n, k, alpha, a, b, beta, c, n);
        return MatmulStatus::done;
    }
    auto thickness = [](std::int64_t side) { return side > 1024 ? kThickStrip : kStrip; };
    std::int64_t height = block_side(m, m >= n ? thickness(m) : kLongStrip);
    std::int64_t width = block_side(n, m >= n ? kLongStrip : thickness(n));
    std::int64_t down = (m + height - 1) / height, across = (n + width - 1) / width;
    Watch watch(poll);
    GemmWork<T> work{m, n, k, height, width, across, terms_at_once<T>(height, width),
                     alpha, beta, a, b, c, &watch};
    return run_blocks(work, down * across);
}

// Whether b is the transpose of a.
bool is_gram(const Matrix &a, const Matrix &b) {
    return a.data == b.data && a.rows == b.columns && a.columns == b.rows &&
           (a.rows == 1 || a.down == b.across) && (a.columns == 1 || a.across == b.down);
}

// C = alpha * A @ A^T, of which BLAS computes the lower triangle, in square blocks.
template <class T>
struct GramWork {
    std::int64_t n, k, side, terms;
    T alpha;
    Operand<T> a;
    T *c;
    Watch *watch;

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        auto &work = *reinterpret_cast<const GramWork *>(args);
        std::int64_t number = 0;
        for (std::int64_t i = 0; i < work.n; i += work.side) {
            for (std::int64_t j = 0; j <= i; j += work.side, ++number) {
                if (number >= begin && number < end) work.compute(i, j);
            }
        }
    }

    void compute(std::int64_t i, std::int64_t j) const {
        const std::int64_t height = std::min(side, n - i), width = std::min(side, n - j);
        T *out = c + i * n + j;
        in_parts(k, terms, T(0), *watch, [&](std::int64_t l, std::int64_t count, T keep) {
            const Operand<T> rows = part_of(a, i, l);
            if (i == j) {
                blas::syrk<T>(height, count, alpha, rows, keep, out, n);
                return;
            }
            Operand<T> turned = part_of(a, j, l);
            turned.transposed = !turned.transposed;
            blas::gemm<T>(height, width, count, alpha, rows, turned, keep, out, n);
        });
        for (std::int64_t r = 0; r < height; ++r) {
            for (std::int64_t s = 0; s < (i == j ? r : width); ++s)
                c[(j + s) * n + i + r] = out[r * n + s];
        }
    }
};

template <class T>
MatmulStatus gram(std::int64_t n, std::int64_t k, T alpha, const Operand<T> &a, T *c,
                  const threads::Poll &poll) {
    const double products = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(k);
    blas::OneThread one(products);
    const bool split = products >= kSplitProduct;
    const std::int64_t side = split ? block_side(n, kStrip) : n;
    Watch watch(poll);
    GramWork<T> work{n, k, side, terms_at_once<T>(side, side), alpha, a, c, &watch};
    const std::int64_t parts = (n + side - 1) / side;
    if (split) return run_blocks(work, parts * (parts + 1) / 2);
    GramWork<T>::kernel(reinterpret_cast<std::int64_t *>(&work), 0, 1);
    return MatmulStatus::done;
}

template <class T>
struct GemvWork {
    std::int64_t m, k, step;
    T alpha, beta;
    Operand<T> a;
    const T *x;
    T *y;
    const vector_products::Loops *loops;
    std::int64_t block = 0;

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        auto &work = *reinterpret_cast<const GemvWork *>(args);
        const std::int64_t block = work.block;
        if (work.loops) return work.compute(begin * block, std::min(work.m, end * block));
        for (std::int64_t i = begin; i < end; ++i)
            work.compute(i * block, std::min(work.m, (i + 1) * block));
    }

    // Rows of one call of BLAS, on which the bits of a row may depend. Own loops give the same bits
    // in any parts: of columns, those are read at the speed of memory that are as long as may be.
    std::int64_t chosen_block() const {
        const std::int64_t least = ((1 << 16) / k + 15) / 16 * 16;
        if (!loops || !a.transposed) return std::max<std::int64_t>(64, least);
        const std::int64_t share = (m / threads::get() + 63) / 64 * 64;
        return std::max(least, std::clamp<std::int64_t>(share, 256, 4096));
    }

    void compute(std::int64_t begin, std::int64_t end) const {
        if (loops) {
            const vector_products::Product product{a.data, a.leading, k, x, y, &alpha, &beta};
            return (a.transposed ? loops->columns : loops->rows)(product, begin, end);
        }
        Operand<T> rows = a;
        rows.data += a.transposed ? begin : begin * a.leading;
        blas::gemv<T>(end - begin, k, alpha, rows, x, step, beta, y + begin);
    }
};

// y = alpha * A @ x + beta * y, x given by its first item and its stride in bytes.
template <class T>
MatmulStatus matrix_vector(const Matrix &matrix, const char *x, std::int64_t stride, T alpha,
                           T beta, T *y, const threads::Poll &poll) {
    Scratch matrix_scratch, vector_scratch;
    constexpr std::int64_t item = sizeof(T);
    std::int64_t m = matrix.rows, k = matrix.columns, step = 1;
    Operand<T> a;
    if (!operand(matrix, matrix_scratch, a)) return MatmulStatus::no_memory;
    const T *vector = reinterpret_cast<const T *>(x);
    const vector_products::Loops *loops = vector_products::loops_for<T>(a.transposed ? m : k, m * k);
    const bool strided = stride > 0 && stride % item == 0 && blas::fits(stride / item, 1, 1);
    if (k > 1 && (loops ? stride == item : strided)) {
        step = stride / item;
    } else if (k > 1) {
        T *copy = static_cast<T *>(vector_scratch.get(k, sizeof(T)));
        if (!copy) return MatmulStatus::no_memory;
        copy_strided(1, &k, &stride, sizeof(T), copy, x);
        vector = copy;
    }
    const double products = static_cast<double>(m) * static_cast<double>(k);
    blas::OneThread one(products);
    GemvWork<T> work{m, k, step, alpha, beta, a, vector, y, loops};
    if (products < kSplitVector) {
        work.compute(0, m);
        return MatmulStatus::done;
    }
    // Chosen once: the number of threads may be set meanwhile.
    work.block = work.chosen_block();
    const bool done = threads::run(GemvWork<T>::kernel, reinterpret_cast<std::int64_t *>(&work),
                                   (m + work.block - 1) / work.block, threads::kLongItems, poll);
    return done ? MatmulStatus::done : MatmulStatus::interrupted;
}

// BLAS packs both matrices in each call, which costs most where sums are short. So many rows make up
// for packing one of them, if so many columns fill a panel.
constexpr std::int64_t kShortSum = 256, kManyRows = 64, kManyColumns = 32;

template <class T>
bool suits_panels(const Matrix &a, const Matrix &b, bool gram, T alpha, T beta) {
    if (!std::is_floating_point<T>::value || !panels::fast()) return false;
    constexpr std::int64_t item = sizeof(T);
    // Of a matrix and its transpose, BLAS computes half as much without packing it twice.
    const bool narrow = gram && a.rows <= kManyRows && a.columns > kShortSum;
    if (panels::suits_product(a, b, item, alpha != T(1)) && !narrow) return true;
    return a.columns <= kShortSum && a.rows >= kManyRows && b.columns >= kManyColumns &&
           a.across == item && a.down % item == 0 && alpha == T(1) &&
           (beta == T(0) || beta == T(1));
}

// BLAS takes two or three times as long for a matrix that lies by columns, if its rows have fewer bytes
// and are few, and so many are multiplied by it.
constexpr std::int64_t kNarrow = 64, kTall = 512;

// To copy the other triangle takes as long as to sum terms of so many bytes.
constexpr std::int64_t kCopied = 384;

// So few products are made before a call of BLAS has begun.
constexpr std::int64_t kFew = 64;

template <class T>
bool few_products(const Matrix &a, const Matrix &b, T *c, T alpha, T beta) {
    if (!std::is_floating_point<T>::value || a.rows > kFew || b.columns > kFew ||
        a.columns > kFew || a.rows * a.columns * b.columns > kFew)
        return false;
    for (std::int64_t i = 0; i < a.rows; ++i) {
        for (std::int64_t j = 0; j < b.columns; ++j, ++c) {
            const char *x = a.data + i * a.down, *y = b.data + j * b.across;
            T sum(0), one, two;
            for (std::int64_t l = 0; l < a.columns; ++l, x += a.across, y += b.down) {
                std::memcpy(&one, x, sizeof one);
                std::memcpy(&two, y, sizeof two);
                sum += one * two;
            }
            *c = beta == T(0) ? alpha * sum : alpha * sum + beta * *c;
        }
    }
    return true;
}

struct SmallPairs {
    small::Products products;
    std::int64_t itemsize;

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const auto &work = *reinterpret_cast<const SmallPairs *>(args);
        small::multiply(work.products, work.itemsize, begin, end);
    }
};

// Small products, one after the other, over the threads if they are many.
MatmulStatus small_pairs(SmallPairs &work, const threads::Poll &poll) {
    constexpr double kChunk = 1 << 14, kLarge = 1 << 18;
    const small::Products &p = work.products;
    const auto one = static_cast<double>(p.rows * p.terms * p.columns);
    const bool large = one * static_cast<double>(p.count) >= kLarge;
    const bool done = threads::share(SmallPairs::kernel, reinterpret_cast<std::int64_t *>(&work),
                                     p.count, kChunk / one, large, poll);
    return done ? MatmulStatus::done : MatmulStatus::interrupted;
}

struct ShortRows {
    static constexpr std::int64_t kRows = 128;
    small::Products product;
    std::int64_t itemsize;

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const auto &work = *reinterpret_cast<const ShortRows *>(args);
        small::multiply_short(work.product, work.itemsize, begin * kRows,
                              std::min(end * kRows, work.product.rows));
    }

    MatmulStatus run(const threads::Poll &poll) {
        constexpr std::int64_t kChunk = 1 << 6, kLarge = 1 << 10;
        const std::int64_t count = (product.rows + kRows - 1) / kRows;
        const bool done = threads::share(kernel, reinterpret_cast<std::int64_t *>(this), count,
                                         kChunk, count >= kLarge, poll);
        return done ? MatmulStatus::done : MatmulStatus::interrupted;
    }
};

// One product of many rows in blocks of them, as small products with the same matrix.
MatmulStatus tall_product(const small::Products &one, std::int64_t item, const threads::Poll &poll) {
    constexpr std::int64_t kRows = 128;
    SmallPairs blocks{one, item};
    small::Products rest = one, &p = blocks.products;
    p.count = one.rows / kRows;
    p.rows = kRows;
    p.a.step = kRows * one.a.down;
    p.step = kRows * one.columns * item;
    const MatmulStatus status = small_pairs(blocks, poll);
    rest.rows = one.rows % kRows;
    if (status != MatmulStatus::done || rest.rows == 0) return status;
    rest.a.data += p.count * p.a.step;
    rest.c += p.count * p.step;
    small::multiply(rest, item, 0, 1);
    return MatmulStatus::done;
}

template <class T>
MatmulStatus float_matmul(const Matrix &a, const Matrix &b, T *c, T alpha, T beta,
                          const threads::Poll &poll) {
    std::int64_t m = a.rows, n = b.columns, k = a.columns;
    if (m == 0 || n == 0) return MatmulStatus::done;
    if (k == 0) {
        scale(c, m * n, beta);
        return MatmulStatus::done;
    }
    if constexpr (std::is_floating_point<T>::value) {
        const T *const scale = alpha == T(1) ? nullptr : &alpha;
        const T *const old = beta == T(0) ? nullptr : &beta;
        const small::Products one{1, m, k, n, {a.data, 0, a.down, a.across},
                                  {b.data, 0, b.down, b.across}, reinterpret_cast<char *>(c),
                                  m * n * static_cast<std::int64_t>(sizeof(T)), scale, old};
        if (small::suits(m, k, n, sizeof(T))) {
            small::multiply(one, sizeof(T), 0, 1);
            return MatmulStatus::done;
        }
        if (small::suits_short(one, sizeof(T))) return ShortRows{one, sizeof(T)}.run(poll);
        if (small::suits_rows(m, k, n, sizeof(T)))
            return tall_product(one, sizeof(T), poll);
    }
    if (few_products(a, b, c, alpha, beta)) return MatmulStatus::done;
    if (n == 1) return matrix_vector<T>(a, b.data, b.down, alpha, beta, c, poll);
    if (m == 1) return matrix_vector<T>(b.transposed(), a.data, a.across, alpha, beta, c, poll);
    if constexpr (std::is_floating_point<T>::value) {
        constexpr std::int64_t item = sizeof(T);
        const bool gram = beta == T(0) && k * item >= kCopied && is_gram(a, b);
        if (suits_panels(a, b, gram, alpha, beta))
            return panels::product<T>(a, b, c, alpha, beta, gram, poll);
    }
    Scratch a_scratch, b_scratch;
    Operand<T> a_operand, b_operand;
    if (!operand(a, a_scratch, a_operand)) return MatmulStatus::no_memory;
    if (beta == T(0) && is_gram(a, b) && blas::library().syrk[blas::TypeOf<T>::value])
        return gram<T>(m, k, alpha, a_operand, c, poll);
    const bool by_rows = n * static_cast<std::int64_t>(sizeof(T)) < kNarrow && k <= kShortSum && m >= kTall;
    if (!operand(b, b_scratch, b_operand, by_rows)) return MatmulStatus::no_memory;
    return split_gemm<T>(m, n, k, alpha, a_operand, b_operand, beta, c, poll);
}

template <class T>
MatmulStatus blas_matmul(int typenum, const Matrix &a, const Matrix &b, void *c, const void *alpha,
                         const void *beta, const threads::Poll &poll) {
    if (!blas::library().found || !blas::fits(a.rows, a.columns, b.columns)) {
        return plain_matmul(typenum, a, b, c, alpha, beta, poll);
    }
    T scale_product = alpha ? *static_cast<const T *>(alpha) : T(1);
    T scale_old = beta ? *static_cast<const T *>(beta) : T(0);
    return float_matmul<T>(a, b, static_cast<T *>(c), scale_product, scale_old, poll);
}

// The same matrix in single precision: its rows or, where they lie side by side, its columns do so.
bool widen(const Matrix &matrix, Scratch &scratch, Matrix &wide) {
    constexpr std::int64_t kHalf = sizeof(std::uint16_t), kItem = sizeof(float);
    const bool by_columns = matrix.down == kHalf && matrix.across != kHalf;
    const Matrix from = by_columns ? matrix.transposed() : matrix;
    float *to = static_cast<float *>(scratch.get(from.rows * from.columns, sizeof(float)));
    if (!to) return false;
    wide = {reinterpret_cast<const char *>(to), from.rows, from.columns, from.columns * kItem, kItem};
    if (by_columns) wide = wide.transposed();
    const bool one = from.across == kHalf && from.down == from.columns * kHalf;
    const std::int64_t rows = one ? 1 : from.rows, length = one ? from.rows * from.columns : from.columns;
    for (std::int64_t i = 0; i < rows; ++i, to += length) {
        const char *const row = from.data + i * from.down;
        if (from.across == kHalf) {
            halves_to_floats(reinterpret_cast<const std::uint16_t *>(row), length, to);
            continue;
        }
        for (std::int64_t j = 0; j < length; ++j)
            to[j] = half_to_float(*reinterpret_cast<const std::uint16_t *>(row + j * from.across));
    }
    return true;
}

// Half: in single precision, rounded once at the end.
MatmulStatus half_matmul(const Matrix &a, const Matrix &b, void *c, const void *alpha,
                         const void *beta, const threads::Poll &poll) {
    Scratch a_scratch, b_scratch, c_scratch;
    Matrix wide_a, wide_b;
    const std::int64_t size = a.rows * b.columns;
    float *sum = static_cast<float *>(c_scratch.get(size, sizeof(float)));
    if (!widen(a, a_scratch, wide_a) || !widen(b, b_scratch, wide_b) || !sum)
        return MatmulStatus::no_memory;
    MatmulStatus status =
        blas_matmul<float>(NPY_FLOAT, wide_a, wide_b, sum, nullptr, nullptr, poll);
    if (status != MatmulStatus::done) return status;
    float scale_product = alpha ? half_to_float(*static_cast<const std::uint16_t *>(alpha)) : 1.0f;
    float scale_old = beta ? half_to_float(*static_cast<const std::uint16_t *>(beta)) : 0.0f;
    std::uint16_t *out = static_cast<std::uint16_t *>(c);
    if (scale_old == 0.0f) {
        floats_to_halves(sum, scale_product, size, out);
        return MatmulStatus::done;
    }
    for (std::int64_t i = 0; i < size; ++i)
        out[i] = float_to_half(scale_product * sum[i] + scale_old * half_to_float(out[i]));
    return MatmulStatus::done;
}

MatmulStatus matmul_of_type(int typenum, const Matrix &a, const Matrix &b, void *c,
                            const void *alpha, const void *beta, const threads::Poll &poll) {
    switch (typenum) {
        case NPY_HALF:
            return half_matmul(a, b, c, alpha, beta, poll);
        case NPY_FLOAT:
            return blas_matmul<float>(typenum, a, b, c, alpha, beta, poll);
        case NPY_DOUBLE:
            return blas_matmul<double>(typenum, a, b, c, alpha, beta, poll);
        case NPY_CFLOAT:
            return blas_matmul<std::complex<float>>(typenum, a, b, c, alpha, beta, poll);
        case NPY_CDOUBLE:
            return blas_matmul<std::complex<double>>(typenum, a, b, c, alpha, beta, poll);
        default:
            return plain_matmul(typenum, a, b, c, alpha, beta, poll);
    }
}

}  // namespace

MatmulStatus matmul(int typenum, const Matrix &a, const Matrix &b, void *c, const void *alpha,
                    const void *beta, const threads::Poll &poll) {
    // INVARIANT: who finds no memory has not begun to write. A product may come when nothing may
    // fail any more.
    const MatmulStatus status = matmul_of_type(typenum, a, b, c, alpha, beta, poll);
    return status == MatmulStatus::no_memory ? plain_matmul(typenum, a, b, c, alpha, beta, poll)
                                             : status;
}

MatmulStatus matmul_pairs(const Pairs &p, const threads::Poll &poll) {
    const bool single = p.typenum == NPY_FLOAT, real = single || p.typenum == NPY_DOUBLE;
    const std::int64_t item = single ? sizeof(float) : sizeof(double);
    if (real && small::suits_stack(p.rows, p.terms, p.columns, item)) {
        SmallPairs work{{p.count, p.rows, p.terms, p.columns, {p.a, p.a_step, p.a_down, p.a_across},
                         {p.b, p.b_step, p.b_down, p.b_across}, p.c, p.c_step, nullptr, p.beta},
                        item};
        // A column is the row that its vector has with the transposed matrix.
        if (p.columns == 1 && p.rows > 1)
            work.products = {p.count, 1, p.terms, p.rows, {p.b, p.b_step, p.b_across, p.b_down},
                             {p.a, p.a_step, p.a_across, p.a_down}, p.c, p.c_step, nullptr, p.beta};
        return small_pairs(work, poll);
    }
    // Products of some size look for signals themselves.
    constexpr std::int64_t kPolled = 256;
    for (std::int64_t i = 0; i < p.count; ++i) {
        const Matrix a{p.a + i * p.a_step, p.rows, p.terms, p.a_down, p.a_across};
        const Matrix b{p.b + i * p.b_step, p.terms, p.columns, p.b_down, p.b_across};
        const MatmulStatus status = matmul(static_cast<int>(p.typenum), a, b, p.c + i * p.c_step,
                                           nullptr, p.beta, poll);
        if (status != MatmulStatus::done) return status;
        if (i % kPolled == kPolled - 1 && poll()) return MatmulStatus::interrupted;
    }
    return MatmulStatus::done;
}

}  // namespace theano
