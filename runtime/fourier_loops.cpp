// For every processor, and once more each for those with AVX2 and with AVX-512.
#include "fourier_loops.h"

#include <type_traits>
#include <utility>

#include "vectors.h"

#if defined(__AVX512F__)
#define TH_LOOPS_OF loops_avx512
#define TH_BYTES 64
#elif defined(__AVX2__)
#define TH_LOOPS_OF loops_fma
#define TH_BYTES 32
#else
#define TH_LOOPS_OF loops_plain
#define TH_BYTES 16
#endif

namespace theano {
namespace fourier {

namespace {

template <class T>
struct Inner {
    using Own = Vectors<T, TH_BYTES>;
    using Vector = typename Own::Vector;
    using Item = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

    template <class V>
    struct ComplexOf {
        V re, im;

        ComplexOf operator+(const ComplexOf &o) const { return {re + o.re, im + o.im}; }
        ComplexOf operator-(const ComplexOf &o) const { return {re - o.re, im - o.im}; }
        ComplexOf operator*(T by) const { return {re * by, im * by}; }
        // Times -i.
        ComplexOf turned() const { return {im, -re}; }
        ComplexOf conjugate() const { return {re, -im}; }
        template <class W>
        ComplexOf times(const W &w_re, const W &w_im) const {
            return {re * w_re - im * w_im, re * w_im + im * w_re};
        }
    };
    using Complex = ComplexOf<Vector>;

    static TH_INLINE Complex load(const Numbers<T> &x, std::int64_t at) {
        return {Own::load(x.re + at), Own::load(x.im + at)};
    }
    static TH_INLINE void store(const Numbers<T> &y, std::int64_t at, const Complex &value) {
        Own::store(y.re + at, value.re);
        Own::store(y.im + at, value.im);
    }

    static TH_INLINE void transform(Complex (&a)[2]) {
        const Complex sum = a[0] + a[1];
        a[1] = a[0] - a[1];
        a[0] = sum;
    }
    static TH_INLINE void transform(Complex (&a)[3]) {
        constexpr T kSine = T(0.86602540378443864676372317075293618L);
        const Complex sum = a[1] + a[2], apart = ((a[1] - a[2]) * kSine).turned();
        const Complex middle = a[0] - sum * T(0.5);
        a[0] = a[0] + sum;
        a[1] = middle + apart;
        a[2] = middle - apart;
    }
    static TH_INLINE void transform(Complex (&a)[4]) {
        const Complex s = a[0] + a[2], d = a[0] - a[2], t = a[1] + a[3], e = (a[1] - a[3]).turned();
        a[0] = s + t;
        a[1] = d + e;
        a[2] = s - t;
        a[3] = d - e;
    }
    static TH_INLINE void transform(Complex (&a)[5]) {
        constexpr T kCosine1 = T(0.30901699437494742410229341718281906L);
        constexpr T kCosine2 = T(-0.80901699437494742410229341718281906L);
        constexpr T kSine1 = T(0.95105651629515357211643933337938214L);
        constexpr T kSine2 = T(0.58778525229247312916870595463907277L);
        const Complex s1 = a[1] + a[4], s2 = a[2] + a[3], d1 = a[1] - a[4], d2 = a[2] - a[3];
        const Complex m1 = a[0] + s1 * kCosine1 + s2 * kCosine2;
        const Complex m2 = a[0] + s1 * kCosine2 + s2 * kCosine1;
        const Complex e1 = (d1 * kSine1 + d2 * kSine2).turned();
        const Complex e2 = (d1 * kSine2 - d2 * kSine1).turned();
        a[0] = a[0] + s1 + s2;
        a[1] = m1 + e1;
        a[2] = m2 + e2;
        a[3] = m2 - e2;
        a[4] = m1 - e1;
    }

    static TH_INLINE void transform(Complex (&a)[8]) {
        constexpr T kHalf = T(0.70710678118654752440084436210484904L);
        Complex b[4] = {a[0], a[2], a[4], a[6]}, c[4] = {a[1], a[3], a[5], a[7]};
        transform(b);
        transform(c);
        c[1] = (c[1] + c[1].turned()) * kHalf;
        c[2] = c[2].turned();
        c[3] = (c[3].turned() - c[3]) * kHalf;
        TH_UNROLL for (int k = 0; k < 4; ++k) {
            a[k] = b[k] + c[k];
            a[k + 4] = b[k] - c[k];
        }
    }

    template <int kRadix>
    static void stage(const Numbers<T> &x, const Numbers<T> &y, std::int64_t row, std::int64_t m,
                      const T *factors) {
        for (std::int64_t p = 0; p < m; ++p, factors += 2 * (kRadix - 1)) {
            for (std::int64_t q = 0; q < row; q += Own::kLanes) {
                Complex a[kRadix];
                TH_UNROLL for (int k = 0; k < kRadix; ++k) a[k] = load(x, q + row * (p + m * k));
                transform(a);
                store(y, q + row * kRadix * p, a[0]);
                TH_UNROLL for (int k = 1; k < kRadix; ++k) {
                    // Of no turn, times 1: infinities stay what they are.
                    if (p) a[k] = a[k].times(factors[2 * k - 2], factors[2 * k - 1]);
                    store(y, q + row * (kRadix * p + k), a[k]);
                }
            }
        }
    }

    // Of an odd number: by its definition, of sums and differences of items as far from both ends.
    static void stage_of(std::int64_t radix, const Numbers<T> &x, const Numbers<T> &y, std::int64_t row,
                         std::int64_t m, const T *factors, const T *roots) {
        for (std::int64_t p = 0; p < m; ++p, factors += 2 * (radix - 1)) {
            for (std::int64_t q = 0; q < row; q += Own::kLanes) {
                const Complex first = load(x, q + row * p);
                Complex sums[kLargestPrime / 2 + 1], apart[kLargestPrime / 2 + 1], all = first;
                for (std::int64_t k = 1; k <= radix / 2; ++k) {
                    const Complex a = load(x, q + row * (p + m * k));
                    const Complex b = load(x, q + row * (p + m * (radix - k)));
                    sums[k] = a + b;
                    apart[k] = (b - a).turned();
                    all = all + sums[k];
                }
                store(y, q + row * radix * p, all);
                for (std::int64_t j = 1; j <= radix / 2; ++j) {
                    Complex middle = first, rest = {};
                    for (std::int64_t k = 1, at = j; k <= radix / 2; ++k) {
                        middle = middle + sums[k] * roots[2 * at];
                        rest = rest + apart[k] * roots[2 * at + 1];
                        at = at + j < radix ? at + j : at + j - radix;
                    }
                    const std::int64_t both[2] = {j, radix - j};
                    for (const std::int64_t at : both) {
                        Complex result = at == j ? middle + rest : middle - rest;
                        if (p) result = result.times(factors[2 * at - 2], factors[2 * at - 1]);
                        store(y, q + row * (radix * p + at), result);
                    }
                }
            }
        }
    }

    static void any_stage(std::int64_t radix, const Numbers<T> &x, const Numbers<T> &y,
                          std::int64_t row, std::int64_t m, const T *factors, const T *roots) {
        switch (radix) {
            case 2:
                return stage<2>(x, y, row, m, factors);
            case 3:
                return stage<3>(x, y, row, m, factors);
            case 4:
                return stage<4>(x, y, row, m, factors);
            case 5:
                return stage<5>(x, y, row, m, factors);
            case 8:
                return stage<8>(x, y, row, m, factors);
            default:
                return stage_of(radix, x, y, row, m, factors, roots);
        }
    }

    template <int... kItems>
    static TH_INLINE Vector items(const Vector &x, const Vector &y) {
        typedef Item Places __attribute__((vector_size(TH_BYTES)));
        return TH_SHUFFLE(x, y, Places, kItems...);
    }
    template <class>
    struct Lanes;
    template <int... i>
    struct Lanes<std::integer_sequence<int, i...>> {
        static constexpr int kLanes = Own::kLanes;

        // Parts of pairs, and pairs of parts.
        static TH_INLINE Complex take(const T *words) {
            const Vector x = Own::load(words), y = Own::load(words + kLanes);
            return {items<2 * i...>(x, y), items<2 * i + 1 ...>(x, y)};
        }
        static TH_INLINE void put(T *words, const Complex &x) {
            Own::store(words, items<(i / 2 + i % 2 * kLanes)...>(x.re, x.im));
            Own::store(words + kLanes, items<((i + kLanes) / 2 + i % 2 * kLanes)...>(x.re, x.im));
        }
        // Of blocks of items, every second of one and the one before it of the other; and the rest.
        template <int kBlock>
        static TH_INLINE Vector upper(const Vector &x, const Vector &y) {
            return items<(i & kBlock ? i - kBlock + kLanes : i)...>(x, y);
        }
        template <int kBlock>
        static TH_INLINE Vector lower(const Vector &x, const Vector &y) {
            return items<(i & kBlock ? i + kLanes : i + kBlock)...>(x, y);
        }
        static TH_INLINE Complex reversed(const Complex &x) {
            return {items<kLanes - 1 - i...>(x.re, x.re), items<kLanes - 1 - i...>(x.im, x.im)};
        }
    };
    using All = Lanes<std::make_integer_sequence<int, Own::kLanes>>;
    using One = ComplexOf<T>;

    // Rows as columns: of blocks of half as many, from both at a time.
    template <int kHalf = Own::kLanes / 2>
    static TH_INLINE void exchange(Vector (&x)[Own::kLanes]) {
        TH_UNROLL for (int i = 0; i < Own::kLanes; ++i) {
            if (i & kHalf) continue;
            const Vector one = x[i], two = x[i | kHalf];
            x[i] = All::template upper<kHalf>(one, two);
            x[i | kHalf] = All::template lower<kHalf>(one, two);
        }
        if constexpr (kHalf > 1) exchange<kHalf / 2>(x);
    }

    static void turn(const Numbers<T> &x, const Numbers<T> &factors, std::int64_t rows,
                     std::int64_t apart, std::int64_t columns, const Numbers<T> &y,
                     std::int64_t width) {
        constexpr std::int64_t kLanes = Own::kLanes;
        for (std::int64_t row = 0; row < width; row += kLanes) {
            for (std::int64_t column = 0; column < columns; column += kLanes) {
                Vector re[kLanes] = {}, im[kLanes] = {};
                TH_UNROLL for (int i = 0; i < kLanes; ++i) {
                    if (row + i >= rows) break;
                    const std::int64_t at = (row + i) * apart + column;
                    Complex a = load(x, at);
                    // The first row has no factors but 1.
                    if (row + i) {
                        const Complex w = load(factors, at);
                        a = a.times(w.re, w.im);
                    }
                    re[i] = a.re;
                    im[i] = a.im;
                }
                exchange(re);
                exchange(im);
                TH_UNROLL for (int i = 0; i < kLanes; ++i) {
                    if (column + i < columns) store(y, (column + i) * width + row, {re[i], im[i]});
                }
            }
        }
    }

    static void split(const T *words, std::int64_t n, const Numbers<T> &y) {
        std::int64_t k = 0;
        for (; k + Own::kLanes <= n; k += Own::kLanes) store(y, k, All::take(words + 2 * k));
        for (; k < n; ++k) {
            y.re[k] = words[2 * k];
            y.im[k] = words[2 * k + 1];
        }
    }

    static void join(const Numbers<T> &x, std::int64_t n, T by, T *words) {
        std::int64_t k = 0;
        for (; k + Own::kLanes <= n; k += Own::kLanes) All::put(words + 2 * k, load(x, k) * by);
        for (; k < n; ++k) {
            words[2 * k] = x.re[k] * by;
            words[2 * k + 1] = x.im[k] * by;
        }
    }

    static void take(const T *lines, std::int64_t number, std::int64_t apart, std::int64_t count,
                     const Rows<T> &y) {
        constexpr std::int64_t kLanes = Own::kLanes;
        const std::int64_t whole = count / kLanes * kLanes;
        for (std::int64_t first = 0; first < theano::fourier::kLanes<T>; first += kLanes) {
            const T *const from = lines + first * apart;
            for (std::int64_t k = 0; k < whole; k += kLanes) {
                Vector x[kLanes] = {};
                TH_UNROLL for (int i = 0; i < kLanes; ++i) {
                    if (first + i < number) x[i] = Own::load(from + i * apart + k);
                }
                exchange(x);
                TH_UNROLL for (int i = 0; i < kLanes; ++i) Own::store(y.row(k + i) + first, x[i]);
            }
            for (std::int64_t k = whole; k < count; ++k)
                for (int i = 0; i < kLanes; ++i)
                    y.row(k)[first + i] = first + i < number ? from[i * apart + k] : T(0);
        }
    }

    static void put(const Rows<T> &x, std::int64_t count, T by, T *lines, std::int64_t number,
                    std::int64_t apart) {
        constexpr std::int64_t kLanes = Own::kLanes;
        const std::int64_t whole = count / kLanes * kLanes;
        for (std::int64_t first = 0; first < number; first += kLanes) {
            T *const to = lines + first * apart;
            for (std::int64_t k = 0; k < whole; k += kLanes) {
                Vector y[kLanes];
                TH_UNROLL for (int i = 0; i < kLanes; ++i) y[i] = Own::load(x.row(k + i) + first) * by;
                exchange(y);
                TH_UNROLL for (int i = 0; i < kLanes; ++i) {
                    if (first + i < number) Own::store(to + i * apart + k, y[i]);
                }
            }
            for (std::int64_t k = whole; k < count; ++k)
                for (std::int64_t i = 0; i < kLanes && first + i < number; ++i)
                    to[i * apart + k] = x.row(k)[first + i] * by;
        }
    }

    // Of numbers as far from both ends.
    template <class V, class W>
    static TH_INLINE ComplexOf<V> half_of(const ComplexOf<V> &own, const ComplexOf<V> &other,
                                          const W &turn_re, const W &turn_im) {
        const ComplexOf<V> o = other.conjugate();
        return own + o + (own - o).turned().times(turn_re, turn_im);
    }
    template <class V, class W>
    static TH_INLINE ComplexOf<V> from_half_of(const ComplexOf<V> &own, const ComplexOf<V> &other,
                                               const W &turn_re, const W &turn_im) {
        const ComplexOf<V> o = other.conjugate();
        return own + o - (own - o).times(turn_re, -turn_im).turned();
    }

    static void half(const Numbers<T> &x, std::int64_t n, std::int64_t wide,
                     const Numbers<const T> &turns, T by, T *words) {
        std::int64_t k = 1;
        for (std::int64_t i = 0; i < wide; ++i) {
            words[i] = (x.re[i] + x.im[i]) * 2 * by;
            words[2 * n * wide + i] = (x.re[i] - x.im[i]) * 2 * by;
            words[wide + i] = words[(2 * n + 1) * wide + i] = T(0);
        }
        for (; wide == 1 && k + Own::kLanes <= n; k += Own::kLanes) {
            const Complex other = All::reversed(load(x, n - k - Own::kLanes + 1));
            const Vector re = Own::load(turns.re + k), im = Own::load(turns.im + k);
            All::put(words + 2 * k, half_of(load(x, k), other, re, im) * by);
        }
        for (; k < n; ++k) {
            if (wide == 1) {
                const One own = {x.re[k], x.im[k]}, other = {x.re[n - k], x.im[n - k]};
                const One result = half_of(own, other, turns.re[k], turns.im[k]) * by;
                words[2 * k] = result.re;
                words[2 * k + 1] = result.im;
                continue;
            }
            const Numbers<T> y = {words + 2 * k * wide, words + (2 * k + 1) * wide};
            for (std::int64_t i = 0; i < wide; i += Own::kLanes) {
                const Complex own = load(x, k * wide + i), other = load(x, (n - k) * wide + i);
                store(y, i, half_of(own, other, turns.re[k], turns.im[k]) * by);
            }
        }
    }

    static void from_half(const T *words, std::int64_t n, std::int64_t wide,
                          const Numbers<const T> &turns, const Numbers<T> &y) {
        std::int64_t k = 1;
        for (std::int64_t i = 0; i < wide; ++i) {
            y.re[i] = words[i] + words[2 * n * wide + i];
            y.im[i] = words[i] - words[2 * n * wide + i];
        }
        for (; wide == 1 && k + Own::kLanes <= n; k += Own::kLanes) {
            const Complex other = All::reversed(All::take(words + 2 * (n - k - Own::kLanes + 1)));
            const Vector re = Own::load(turns.re + k), im = Own::load(turns.im + k);
            store(y, k, from_half_of(All::take(words + 2 * k), other, re, im));
        }
        for (; k < n; ++k) {
            const T *const one = words + 2 * k * wide, *const two = words + 2 * (n - k) * wide;
            if (wide == 1) {
                const One own = {one[0], one[1]}, other = {two[0], two[1]};
                const One result = from_half_of(own, other, turns.re[k], turns.im[k]);
                y.re[k] = result.re;
                y.im[k] = result.im;
                continue;
            }
            for (std::int64_t i = 0; i < wide; i += Own::kLanes) {
                const Complex own = {Own::load(one + i), Own::load(one + wide + i)};
                const Complex other = {Own::load(two + i), Own::load(two + wide + i)};
                store(y, k * wide + i, from_half_of(own, other, turns.re[k], turns.im[k]));
            }
        }
    }
};

template <class T>
constexpr Loops<T> kLoops = {
    Inner<T>::any_stage, Inner<T>::turn, Inner<T>::split, Inner<T>::join,
    Inner<T>::take,      Inner<T>::put,  Inner<T>::half,  Inner<T>::from_half,
};

}  // namespace

template <>
const Loops<float> &TH_LOOPS_OF<float>() {
    return kLoops<float>;
}
template <>
const Loops<double> &TH_LOOPS_OF<double>() {
    return kLoops<double>;
}

}  // namespace fourier
}  // namespace theano
