// The inner loops of Fourier transforms, for each kind of vectors.
#pragma once

#include <cstdint>

namespace theano {
namespace fourier {

// Real and imaginary parts, apart.
template <class T>
struct Numbers {
    T *re, *im;
};

// Items of some lines: the first, the third, ... in rows `step` apart, as the others.
template <class T>
struct Rows {
    T *even, *odd;
    std::int64_t step;

    T *row(std::int64_t k) const { return (k % 2 ? odd : even) + k / 2 * step; }
};

// Items of a block that is computed together: a multiple of the items of any vector.
template <class T>
constexpr std::int64_t kLanes = 64 / sizeof(T);

// The largest prime that has a stage of its own.
constexpr std::int64_t kLargestPrime = 61;

template <class T>
struct Loops {
    // One stage of T. G. Stockham's order of the fast transform: of x, `radix` times `m` rows of `row`
    // items, as many transforms of `radix` numbers. `factors` are the `radix - 1` by which the results are
    // multiplied, for each of the `m`; those of a prime radix above 5 are behind `roots`.
    void (*stage)(std::int64_t radix, const Numbers<T> &x, const Numbers<T> &y, std::int64_t row,
                  std::int64_t m, const T *factors, const T *roots);
    // Rows of `apart` items, of which `columns` count, times factors that lie likewise, as the columns of
    // y, whose rows have `width` items.
    void (*turn)(const Numbers<T> &x, const Numbers<T> &factors, std::int64_t rows, std::int64_t apart,
                 std::int64_t columns, const Numbers<T> &y, std::int64_t width);
    // Pairs of words taken apart, or put together and multiplied.
    void (*split)(const T *words, std::int64_t n, const Numbers<T> &y);
    void (*join)(const Numbers<T> &x, std::int64_t n, T by, T *words);
    // Lines of `count` words, `apart` from one to the next, side by side; and back, multiplied.
    void (*take)(const T *lines, std::int64_t number, std::int64_t apart, std::int64_t count,
                 const Rows<T> &y);
    void (*put)(const Rows<T> &x, std::int64_t count, T by, T *lines, std::int64_t number,
                std::int64_t apart);
    // Half a spectrum of `2 n` real numbers, `n + 1` pairs of words, of the transform x of pairs of them; and
    // back, the inverse of that: of one line, or of `kLanes` side by side. `turns` are the first roots of
    // twice the length.
    void (*half)(const Numbers<T> &x, std::int64_t n, std::int64_t wide, const Numbers<const T> &turns,
                 T by, T *words);
    void (*from_half)(const T *words, std::int64_t n, std::int64_t wide, const Numbers<const T> &turns,
                      const Numbers<T> &y);
};

template <class T>
const Loops<T> &loops_plain();
#if defined(__x86_64__)
template <class T>
const Loops<T> &loops_fma();
template <class T>
const Loops<T> &loops_avx512();
#endif

}  // namespace fourier
}  // namespace theano
