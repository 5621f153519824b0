// For every processor, and once more each for those with AVX2 and with AVX-512.
#include "fourier_loops.h"

#include "turning.h"

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

    struct Complex {
        Vector re, im;

        Complex operator+(const Complex &o) const { return {re + o.re, im + o.im}; }
        Complex operator-(const Complex &o) const { return {re - o.re, im - o.im}; }
        Complex operator*(T by) const { return {re * by, im * by}; }
        // Times -i.
        Complex turned() const { return {im, -re}; }
        Complex times(T w_re, T w_im) const { return {re * w_re - im * w_im, re * w_im + im * w_re}; }
    };

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
            default:
                return stage_of(radix, x, y, row, m, factors, roots);
        }
    }

    static void turn(const Numbers<T> &x, const Numbers<T> &factors, std::int64_t rows,
                     std::int64_t apart, std::int64_t columns, const Numbers<T> &y,
                     std::int64_t width) {
        // The first row and column have no factors but 1.
        for (std::int64_t at = apart; at < rows * apart; at += Own::kLanes) {
            const Complex a = load(x, at), w = load(factors, at);
            store(x, at, {a.re * w.re - a.im * w.im, a.re * w.im + a.im * w.re});
        }
        theano::turn<T>({x.re, rows, apart, columns, 1, y.re, width});
        theano::turn<T>({x.im, rows, apart, columns, 1, y.im, width});
    }
};

template <class T>
constexpr Loops<T> kLoops = {Inner<T>::any_stage, Inner<T>::turn};

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
