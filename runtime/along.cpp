#include "along.h"

#include <algorithm>
#include <complex>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include "arrays.h"
#include "half.h"
#include "include/theano_runtime.h"

namespace theano::along {

namespace {

// A half as an item: compared and added as a float.
struct Half {
    std::uint16_t bits;
    float value() const { return half_to_float(bits); }
};

// NaN after all numbers, complex numbers by their real parts first: NumPy's order.
template <class T>
bool before(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) return a < b || (b != b && a == a);
    return a < b;
}

bool before(Half a, Half b) { return before(a.value(), b.value()); }

template <class T>
bool before(std::complex<T> a, std::complex<T> b) {
    T ar = a.real(), br = b.real(), ai = a.imag(), bi = b.imag();
    if (ar < br) return ai == ai || bi != bi;
    if (ar > br) return bi != bi && ai == ai;
    if (ar == br || (ar != ar && br != br)) return before(ai, bi);
    return br != br;
}

struct Before {
    template <class T>
    bool operator()(T a, T b) const {
        return before(a, b);
    }
};

template <class T>
T plus(T a, T b) {
    // Integers wrap around.
    if constexpr (std::is_integral_v<T>) {
        using Wide = std::make_unsigned_t<std::common_type_t<T, int>>;
        return static_cast<T>(static_cast<Wide>(a) + static_cast<Wide>(b));
    } else {
        return a + b;
    }
}

Half plus(Half a, Half b) { return {float_to_half(a.value() + b.value())}; }

template <class T>
T times(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
        using Wide = std::make_unsigned_t<std::common_type_t<T, int>>;
        return static_cast<T>(static_cast<Wide>(a) * static_cast<Wide>(b));
    } else {
        return a * b;
    }
}

Half times(Half a, Half b) { return {float_to_half(a.value() * b.value())}; }

template <class T>
std::complex<T> times(std::complex<T> a, std::complex<T> b) {
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

template <class T>
using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;

// Unsigned numbers in the order of floats that are not NaN; both zeros are the same.
template <class T>
Bits<T> key_of(T x) {
    constexpr Bits<T> kSign = Bits<T>{1} << (8 * sizeof(T) - 1);
    if (x == 0) return kSign;
    Bits<T> bits;
    std::memcpy(&bits, &x, sizeof x);
    return bits & kSign ? ~bits : bits | kSign;
}

// Sorts floats by the bytes of their keys, the lowest first; `spare` has room for them.
template <class T>
void sort_by_bytes(T *items, T *spare, std::size_t n) {
    constexpr std::size_t kBytes = sizeof(T);
    std::vector<std::size_t> counts(kBytes * 256);
    for (std::size_t i = 0; i < n; ++i) {
        Bits<T> key = key_of(items[i]);
        for (std::size_t byte = 0; byte < kBytes; ++byte)
            ++counts[byte * 256 + (key >> (8 * byte) & 255)];
    }
    T *from = items, *to = spare;
    for (std::size_t byte = 0; byte < kBytes; ++byte) {
        std::size_t *places = &counts[byte * 256], sum = 0;
        if (std::find(places, places + 256, n) != places + 256) continue;  // all alike
        for (std::size_t value = 0; value < 256; ++value) {
            std::size_t count = places[value];
            places[value] = sum;
            sum += count;
        }
        for (std::size_t i = 0; i < n; ++i)
            to[places[key_of(from[i]) >> (8 * byte) & 255]++] = from[i];
        std::swap(from, to);
    }
    if (from != items) std::copy(from, from + n, items);
}

constexpr std::ptrdiff_t kShort = 512;

template <class T>
void sort(T *begin, T *end) {
    if constexpr (std::is_integral_v<T>) {
        std::sort(begin, end);  // equal integers are the same
    } else if constexpr (std::is_floating_point_v<T>) {
        T *numbers = std::stable_partition(begin, end, [](T x) { return x == x; });
        if (numbers - begin < kShort) {
            std::stable_sort(begin, numbers);
            return;
        }
        std::vector<T> spare(static_cast<std::size_t>(numbers - begin));
        sort_by_bytes(begin, spare.data(), spare.size());
    } else {
        std::stable_sort(begin, end, Before());
    }
}

// One line of an array, and what becomes of it.
template <class T>
void compute(std::int64_t operation, T *items, std::int64_t *order, std::int64_t n) {
    switch (operation) {
        case TH_SORT:
            sort(items, items + n);
            return;
        case TH_ARGSORT:
            for (std::int64_t i = 0; i < n; ++i) order[i] = i;
            std::stable_sort(order, order + n, [items](std::int64_t i, std::int64_t j) {
                return before(items[i], items[j]);
            });
            return;
        case TH_CUMSUM:
            for (std::int64_t i = 1; i < n; ++i) items[i] = plus(items[i - 1], items[i]);
            return;
        default:
            for (std::int64_t i = 1; i < n; ++i) items[i] = times(items[i - 1], items[i]);
    }
}

struct Lines {
    std::int64_t operation, ndim, axis;
    const std::int64_t *shape, *strides;
    const char *source;
    char *destination;
};

template <class T>
Status each_line(const Lines &lines) {
    std::int64_t n = lines.shape[lines.axis], inner = 1, outer = 1;
    for (std::int64_t i = 0; i < lines.axis; ++i) outer *= lines.shape[i];
    for (std::int64_t i = lines.axis + 1; i < lines.ndim; ++i) inner *= lines.shape[i];
    if (n == 0 || inner == 0 || outer == 0) return Status::done;
    bool positions = lines.operation == TH_ARGSORT;
    auto count = static_cast<std::size_t>(n);
    std::unique_ptr<T[]> items(new (std::nothrow) T[count]);
    std::unique_ptr<std::int64_t[]> order(new (std::nothrow) std::int64_t[positions ? count : 1]);
    if (!items || !order) return Status::no_memory;
    std::size_t size = positions ? sizeof(std::int64_t) : sizeof(T);
    std::int64_t step = lines.strides[lines.axis];
    for (std::int64_t line = 0; line < outer * inner; ++line) {
        const char *from = lines.source;
        std::int64_t rest = line;
        for (std::int64_t i = lines.ndim - 1; i >= 0; --i) {
            if (i == lines.axis) continue;
            from += rest % lines.shape[i] * lines.strides[i];
            rest /= lines.shape[i];
        }
        for (std::int64_t i = 0; i < n; ++i) std::memcpy(&items[i], from + i * step, sizeof(T));
        compute(lines.operation, items.get(), order.get(), n);
        const char *result = positions ? reinterpret_cast<const char *>(order.get())
                                       : reinterpret_cast<const char *>(items.get());
        char *to = lines.destination + (line / inner * n * inner + line % inner) * size;
        for (std::int64_t i = 0; i < n; ++i)
            std::memcpy(to + i * inner * size, result + i * size, size);
    }
    return Status::done;
}

Status of_type(int typenum, const Lines &lines) {
    switch (typenum) {
        case NPY_BOOL:
        case NPY_UBYTE:
            return each_line<std::uint8_t>(lines);
        case NPY_BYTE:
            return each_line<std::int8_t>(lines);
        case NPY_SHORT:
            return each_line<short>(lines);
        case NPY_USHORT:
            return each_line<unsigned short>(lines);
        case NPY_INT:
            return each_line<int>(lines);
        case NPY_UINT:
            return each_line<unsigned int>(lines);
        case NPY_LONG:
            return each_line<long>(lines);
        case NPY_ULONG:
            return each_line<unsigned long>(lines);
        case NPY_LONGLONG:
            return each_line<long long>(lines);
        case NPY_ULONGLONG:
            return each_line<unsigned long long>(lines);
        case NPY_HALF:
            return each_line<Half>(lines);
        case NPY_FLOAT:
            return each_line<float>(lines);
        case NPY_DOUBLE:
            return each_line<double>(lines);
        case NPY_CFLOAT:
            return each_line<std::complex<float>>(lines);
        case NPY_CDOUBLE:
            return each_line<std::complex<double>>(lines);
        default:
            return Status::unknown;
    }
}

}  // namespace

Status run(std::int64_t operation, int typenum, std::int64_t ndim, std::int64_t axis,
           const std::int64_t *shape, const std::int64_t *strides, const char *source,
           char *destination) {
    if (operation < 0 || operation >= TH_ALONG_OPERATIONS || axis < 0 || axis >= ndim)
        return Status::unknown;
    try {
        return of_type(typenum, {operation, ndim, axis, shape, strides, source, destination});
    } catch (const std::bad_alloc &) {
        return Status::no_memory;
    }
}

}  // namespace theano::along
