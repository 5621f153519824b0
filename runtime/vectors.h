// Vectors of one width, for inner loops that are compiled for some processors.
//
// Everything here is private to the file that includes it, and calls built-in functions only: code of
// its own must not be linked into code for all processors.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// In front of a loop: the compiler writes it out.
#if defined(__clang__)
#define TH_UNROLL _Pragma("unroll")
#elif defined(__GNUC__)
#define TH_UNROLL _Pragma("GCC unroll 16")
#else
#define TH_UNROLL
#endif

// A function whose arguments are constants where it is called.
#define TH_INLINE inline __attribute__((always_inline))

// Items of two vectors by their numbers, constants; `type` is that of vectors of numbers.
#if defined(__clang__)
#define TH_SHUFFLE(x, y, type, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define TH_SHUFFLE(x, y, type, ...) __builtin_shuffle(x, y, type{__VA_ARGS__})
#endif

namespace theano {

namespace {

template <class T, int kBytes>
struct Vectors {
    typedef T Vector __attribute__((vector_size(kBytes)));
    static constexpr int kLanes = kBytes / sizeof(T);

    static Vector load(const T *from) {
        Vector x;
        __builtin_memcpy(&x, from, kBytes);
        return x;
    }
    static void store(T *to, Vector x) { __builtin_memcpy(to, &x, kBytes); }

    // With one rounding where the processor has that, which compilers choose differently from loop to loop.
    // Of a number x, `x - Vector{}` has all lanes, also if it is -0.
    static TH_INLINE void add_product(Vector &sum, const Vector &one, const Vector &two) {
#if defined(__AVX512F__)
        if constexpr (kBytes == 64 && sizeof(T) == 4) {
            sum = Vector(_mm512_fmadd_ps(__m512(one), __m512(two), __m512(sum)));
            return;
        } else if constexpr (kBytes == 64) {
            sum = Vector(_mm512_fmadd_pd(__m512d(one), __m512d(two), __m512d(sum)));
            return;
        }
#endif
#if defined(__FMA__)
        if constexpr (kBytes == 32 && sizeof(T) == 4) {
            sum = Vector(_mm256_fmadd_ps(__m256(one), __m256(two), __m256(sum)));
            return;
        } else if constexpr (kBytes == 32) {
            sum = Vector(_mm256_fmadd_pd(__m256d(one), __m256d(two), __m256d(sum)));
            return;
        } else if constexpr (kBytes == 16 && sizeof(T) == 4) {
            sum = Vector(_mm_fmadd_ps(__m128(one), __m128(two), __m128(sum)));
            return;
        } else if constexpr (kBytes == 16) {
            sum = Vector(_mm_fmadd_pd(__m128d(one), __m128d(two), __m128d(sum)));
            return;
        }
#endif
        sum = one * two + sum;
    }
};

}  // namespace

}  // namespace theano
