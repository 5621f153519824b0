// Vectors of one width, for inner loops that are compiled for some processors.
//
// Everything here is private to the file that includes it, and calls built-in functions only: code of
// its own must not be linked into code for all processors.
#pragma once

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
};

}  // namespace

}  // namespace theano
