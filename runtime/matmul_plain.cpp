#include <algorithm>
#include <complex>
#include <cstring>
#include <type_traits>

#include "copy.h"
#include "half.h"
#include "integer_products.h"
#include "matmul.h"
#include "numpy_api.h"
#include "processor.h"
#include "threads.h"

namespace theano {

namespace {

// Rows of C that are made together, sharing each row of B; and columns of C whose sums stay in the
// cache.
constexpr std::int64_t kRows = 4;
constexpr std::int64_t kColumns = 256;
constexpr double kSplit = 1 << 20;
// Integers in a vector of columns are added up for so many terms for each column.
constexpr std::int64_t kShort = 16;
// Of rows of so many products, a thread makes only as few at a time as share rows of B.
constexpr double kLong = 1 << 23;

// How to multiply and add. Integers use their unsigned kind, at least 32 bits wide, where wrapping
// is defined.
template <class T, class Enable = void>
struct Arithmetic {
    using Sum = T;
    static Sum zero() { return T(0); }
    static Sum widen(T value) { return value; }
    static T narrow(Sum value) { return value; }
    static Sum add(Sum x, Sum y) { return x + y; }
    static Sum multiply(Sum x, Sum y) { return x * y; }
};

template <class T>
struct Arithmetic<T,
                  std::enable_if_t<std::is_integral<T>::value && !std::is_same<T, bool>::value>> {
    using Sum = std::conditional_t<sizeof(T) <= 4, std::uint32_t, std::uint64_t>;
    static Sum zero() { return 0; }
    static Sum widen(T value) { return static_cast<Sum>(value); }
    static T narrow(Sum value) { return static_cast<T>(value); }
    static Sum add(Sum x, Sum y) { return x + y; }
    static Sum multiply(Sum x, Sum y) { return x * y; }
};

struct Truth {
    unsigned char value;
};

template <>
struct Arithmetic<Truth> {
    using Sum = unsigned char;
    static Sum zero() { return 0; }
    static Sum widen(Truth truth) { return truth.value != 0; }
    static Truth narrow(Sum value) { return {value}; }
    static Sum add(Sum x, Sum y) { return x | y; }
    static Sum multiply(Sum x, Sum y) { return x & y; }
};

struct Half {
    std::uint16_t bits;
};

template <>
struct Arithmetic<Half> {
    using Sum = float;
    static Sum zero() { return 0; }
    static Sum widen(Half half) { return half_to_float(half.bits); }
    static Half narrow(Sum value) { return {float_to_half(value)}; }
    static Sum add(Sum x, Sum y) { return x + y; }
    static Sum multiply(Sum x, Sum y) { return x * y; }
};

template <class R>
struct Arithmetic<std::complex<R>> {
    using Sum = std::complex<R>;
    static Sum zero() { return {}; }
    static Sum widen(Sum value) { return value; }
    static Sum narrow(Sum value) { return value; }
    static Sum add(Sum x, Sum y) { return x + y; }
    // NumPy's product: no repair of infinities.
    static Sum multiply(Sum x, Sum y) {
        return {x.real() * y.real() - x.imag() * y.imag(),
                x.real() * y.imag() + x.imag() * y.real()};
    }
};

const integers::Loops &integer_loops(std::int64_t itemsize) {
#if defined(__x86_64__)
    if (has_avx512()) return integers::loops_avx512(itemsize);
    if (has_fma()) return integers::loops_fma(itemsize);
#endif
    return integers::loops_plain(itemsize);
}

template <class T>
struct Product {
    using A = Arithmetic<T>;
    using Sum = typename A::Sum;
    static constexpr bool kIntegers = std::is_integral<T>::value;
    static constexpr std::int64_t kTogether = kIntegers ? integers::kRows : kRows;
    static constexpr std::int64_t kMany = 8 * integers::kRows;

    std::int64_t m, n, k;
    const char *a;
    std::int64_t a_down, a_across;
    const T *b;  // contiguous: (k, n), or (n, k) when `columns` is set
    bool columns;
    T *c;
    bool has_alpha, has_beta;
    Sum alpha, beta;
    std::int64_t group;  // rows that a thread makes at a time

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        auto &product = *reinterpret_cast<const Product *>(args);
        const std::int64_t last = std::min(product.m, end * product.group);
        for (std::int64_t i = begin * product.group; i < last; i += kTogether) {
            product.rows(i, std::min(kTogether, last - i));
        }
    }

    // Rows that a thread makes at a time, of each of which there are so many products.
    static std::int64_t group_of(std::int64_t m, double each) {
        if (kIntegers) return m >= kMany && each <= kLong ? kTogether : 4 * kRows;
        return each > kLong ? kRows : 4 * kRows;
    }

    void store(T *to, Sum value) const {
        if (has_alpha) value = A::multiply(alpha, value);
        if (has_beta) value = A::add(value, A::multiply(beta, A::widen(*to)));
        *to = A::narrow(value);
    }

    Sum item(std::int64_t i, std::int64_t j) const {
        return A::widen(*reinterpret_cast<const T *>(a + i * a_down + j * a_across));
    }

    // Without memory for a copy of `right`.
    void items(const Matrix &right) const {
        for (std::int64_t i = 0; i < m; ++i) {
            for (std::int64_t j = 0; j < n; ++j) {
                Sum sum = A::zero();
                for (std::int64_t l = 0; l < k; ++l) {
                    const char *at = right.data + l * right.down + j * right.across;
                    sum = A::add(sum, A::multiply(item(i, l),
                                                  A::widen(*reinterpret_cast<const T *>(at))));
                }
                store(c + i * n + j, sum);
            }
        }
    }

    void rows(std::int64_t first, std::int64_t count) const {
        if (columns) dots(first, count);
        else if constexpr (kIntegers) tiles(first, count);
        else axpys(first, count);
    }

    void tiles(std::int64_t first, std::int64_t count) const {
        using Own = std::conditional_t<sizeof(T) <= 2, std::uint16_t, Sum>;
        alignas(64) Own sums[integers::kRows * integers::kBytes / sizeof(Own)];
        const integers::Loops &loops = integer_loops(sizeof(T));
        const integers::Work work{a, a_down, a_across, b, k, n};
        const bool few = n <= integers::kFew;
        const std::int64_t apart = few ? integers::kFew : loops.width;
        for (std::int64_t j0 = 0; j0 < n; j0 += apart) {
            const std::int64_t width = std::min(apart, n - j0);
            (few ? loops.multiply_few : loops.multiply)(work, first, count, j0, sums);
            std::int64_t i = few && !has_alpha && !has_beta ? store_few(first, count, sums) : 0;
            for (; i < count; ++i) {
                for (std::int64_t j = 0; j < width; ++j)
                    store(c + (first + i) * n + j0 + j, sums[i * apart + j]);
            }
        }
    }

    // What a row has behind its columns, the next one writes anew; returns the first that has no room.
    template <class Own>
    std::int64_t store_few(std::int64_t first, std::int64_t count, const Own *sums) const {
        const std::int64_t rows = std::max<std::int64_t>(0, count - (integers::kFew + n - 1) / n + 1);
        for (std::int64_t i = 0; i < rows; ++i) {
            T row[integers::kFew];
            for (int j = 0; j < integers::kFew; ++j)
                row[j] = static_cast<T>(sums[i * integers::kFew + j]);
            std::memcpy(c + (first + i) * n, row, sizeof(row));
        }
        return rows;
    }

    void dots(std::int64_t first, std::int64_t count) const {
        for (std::int64_t i = first; i < first + count; ++i) {
            const T *row = reinterpret_cast<const T *>(a + i * a_down);
            for (std::int64_t j = 0; j < n; ++j) {
                const T *column = b + j * k;
                Sum sum = A::zero();
                const bool contiguous = a_across == static_cast<std::int64_t>(sizeof(T));
                if (kIntegers && contiguous) {
                    if constexpr (kIntegers)
                        sum = static_cast<Sum>(integer_loops(sizeof(T)).dot(row, column, k));
                } else if (contiguous) {
                    for (std::int64_t l = 0; l < k; ++l) {
                        sum = A::add(sum, A::multiply(A::widen(row[l]), A::widen(column[l])));
                    }
                } else {
                    for (std::int64_t l = 0; l < k; ++l) {
                        sum = A::add(sum, A::multiply(item(i, l), A::widen(column[l])));
                    }
                }
                store(c + i * n + j, sum);
            }
        }
    }

    void axpys(std::int64_t first, std::int64_t count) const {
        Sum sums[kRows][kColumns];
        for (std::int64_t j0 = 0; j0 < n; j0 += kColumns) {
            std::int64_t width = std::min(kColumns, n - j0);
            for (std::int64_t i = 0; i < count; ++i) std::fill(sums[i], sums[i] + width, A::zero());
            for (std::int64_t l = 0; l < k; ++l) {
                const T *row = b + l * n + j0;
                for (std::int64_t i = 0; i < count; ++i) {
                    Sum factor = item(first + i, l);
                    Sum *to = sums[i];
                    for (std::int64_t j = 0; j < width; ++j) {
                        to[j] = A::add(to[j], A::multiply(factor, A::widen(row[j])));
                    }
                }
            }
            for (std::int64_t i = 0; i < count; ++i) {
                for (std::int64_t j = 0; j < width; ++j)
                    store(c + (first + i) * n + j0 + j, sums[i][j]);
            }
        }
    }
};

template <class T>
MatmulStatus multiply(const Matrix &a, const Matrix &b, void *c, const void *alpha,
                      const void *beta, const threads::Poll &poll) {
    using A = Arithmetic<T>;
    std::int64_t m = a.rows, n = b.columns, k = a.columns;
    if (m == 0 || n == 0) return MatmulStatus::done;
    // Few columns: rows of A against columns of B keep the inner loop long, if there are many terms.
    bool columns = n < 8 && !(Product<T>::kIntegers && k <= kShort * n);
    Matrix source = columns ? b.transposed() : b;
    Scratch scratch;
    const T *data = reinterpret_cast<const T *>(b.data);
    constexpr std::int64_t item = sizeof(T);
    bool in_place = (source.columns <= 1 || source.across == item) &&
                    (source.rows <= 1 || source.down == source.columns * item);
    bool fits = true;
    if (!in_place && k > 0) {
        T *copy = static_cast<T *>(scratch.get(n * k, sizeof(T)));
        fits = copy != nullptr;
        const std::int64_t shape[2] = {source.rows, source.columns},
                           strides[2] = {source.down, source.across};
        if (fits) copy_strided(2, shape, strides, sizeof(T), copy, source.data);
        data = copy;
    }
    auto read = [](const void *from) {
        return from ? A::widen(*static_cast<const T *>(from)) : A::zero();
    };
    typename A::Sum old = read(beta);
    Product<T> product{m,
                       n,
                       k,
                       a.data,
                       a.down,
                       a.across,
                       data,
                       columns,
                       static_cast<T *>(c),
                       alpha != nullptr,
                       old != A::zero(),
                       read(alpha),
                       old,
                       Product<T>::group_of(m, static_cast<double>(n) * static_cast<double>(k))};
    const std::int64_t groups = (m + product.group - 1) / product.group;
    if (!fits) {
        product.items(b);
        return MatmulStatus::done;
    }
    auto *args = reinterpret_cast<std::int64_t *>(&product);
    double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    if (work < kSplit) {
        Product<T>::kernel(args, 0, groups);
        return MatmulStatus::done;
    }
    const bool done = threads::run(Product<T>::kernel, args, groups, threads::kLongItems, poll);
    return done ? MatmulStatus::done : MatmulStatus::interrupted;
}

}  // namespace

MatmulStatus plain_matmul(int typenum, const Matrix &a, const Matrix &b, void *c, const void *alpha,
                          const void *beta, const threads::Poll &poll) {
    switch (typenum) {
        case NPY_BOOL:
            return multiply<Truth>(a, b, c, alpha, beta, poll);
        case NPY_BYTE:
            return multiply<signed char>(a, b, c, alpha, beta, poll);
        case NPY_UBYTE:
            return multiply<unsigned char>(a, b, c, alpha, beta, poll);
        case NPY_SHORT:
            return multiply<short>(a, b, c, alpha, beta, poll);
        case NPY_USHORT:
            return multiply<unsigned short>(a, b, c, alpha, beta, poll);
        case NPY_INT:
            return multiply<int>(a, b, c, alpha, beta, poll);
        case NPY_UINT:
            return multiply<unsigned int>(a, b, c, alpha, beta, poll);
        case NPY_LONG:
            return multiply<long>(a, b, c, alpha, beta, poll);
        case NPY_ULONG:
            return multiply<unsigned long>(a, b, c, alpha, beta, poll);
        case NPY_LONGLONG:
            return multiply<long long>(a, b, c, alpha, beta, poll);
        case NPY_ULONGLONG:
            return multiply<unsigned long long>(a, b, c, alpha, beta, poll);
        case NPY_HALF:
            return multiply<Half>(a, b, c, alpha, beta, poll);
        case NPY_FLOAT:
            return multiply<float>(a, b, c, alpha, beta, poll);
        case NPY_DOUBLE:
            return multiply<double>(a, b, c, alpha, beta, poll);
        case NPY_LONGDOUBLE:
            return multiply<long double>(a, b, c, alpha, beta, poll);
        case NPY_CFLOAT:
            return multiply<std::complex<float>>(a, b, c, alpha, beta, poll);
        case NPY_CDOUBLE:
            return multiply<std::complex<double>>(a, b, c, alpha, beta, poll);
        case NPY_CLONGDOUBLE:
            return multiply<std::complex<long double>>(a, b, c, alpha, beta, poll);
        default:
            return MatmulStatus::bad_type;
    }
}

}  // namespace theano
