// BLAS by function pointer, from the library that NumPy, or else SciPy, has loaded.
#pragma once

#include <complex>
#include <cstdint>
#include <string>

namespace theano::blas {

// In the order of the arrays of pointers below.
enum Type { s = 0, d = 1, c = 2, z = 3 };

template <class T>
struct TypeOf;
template <>
struct TypeOf<float> {
    static constexpr Type value = s;
};
template <>
struct TypeOf<double> {
    static constexpr Type value = d;
};
template <>
struct TypeOf<std::complex<float>> {
    static constexpr Type value = c;
};
template <>
struct TypeOf<std::complex<double>> {
    static constexpr Type value = z;
};

// What sets the number of threads of a library; some have a function that returns the number before.
struct ThreadSetter {
    int (*exchange)(int) = nullptr;
    void (*set)(int) = nullptr;
    int (*get)() = nullptr;

    explicit operator bool() const { return exchange || (set && get); }
    bool operator==(const ThreadSetter &other) const {
        return exchange == other.exchange && set == other.set;
    }
    // Returns the number before.
    int operator()(int count) const {
        if (exchange) return exchange(count);
        const int before = get();
        set(count);
        return before;
    }
};

struct Library {
    bool found = false;
    bool fortran = false;  // Fortran's interface instead of C's
    int integer_bits = 32;
    void *gemm[4] = {}, *gemv[4] = {};
    void *syrk[4] = {};  // nullptr: there is none
    ThreadSetter set_threads;
    std::string origin, example;  // where from; the name that dgemm had there
};

// What was found. A search that found nothing may be repeated after `find_in_scipy`.
Library &library();
// Looks in the library behind NumPy's own extension module at `path`. Without effect once one is
// found.
void find_in_numpy(const char *path);
// A symbol of that library, or nullptr.
void *numpy_symbol(const char *name);
// Takes one pointer from scipy.linalg.cython_blas: `name` as "dgemm", `signature` the name of its
// capsule.
void offer_from_scipy(const std::string &name, const char *signature, void *pointer);
void finish_scipy();

// Looks for a way to set the number of threads of the BLAS behind another loaded module at `path`.
void find_setter(const char *path);
// From the first of these until the last, what is called in any library that was found uses one
// thread.
void enter_one_thread();
void leave_one_thread();

// While one lives, calls of BLAS use one thread: ours split the work, so that bits do not depend on
// their number. OpenBLAS itself starts no thread for so few `products` of items as are not `many`.
class OneThread {
  public:
    static constexpr double kMany = 1 << 12;

    explicit OneThread(double products = kMany);
    ~OneThread();
    OneThread(const OneThread &) = delete;
    OneThread &operator=(const OneThread &) = delete;

  private:
    bool many_;
};

// Row-major matrix with unit distance between columns, or the transpose of one.
template <class T>
struct Operand {
    const T *data;
    std::int64_t leading;
    bool transposed;
};

// C (m, n; row-major, leading dimension ldc) = alpha * A (m, k) @ B (k, n) + beta * C
template <class T>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, T alpha, Operand<T> a, Operand<T> b,
          T beta, T *out, std::int64_t ldc);
// The lower triangle of C (n, n; row-major, leading dimension ldc) = alpha * A (n, k) @ A^T + beta * C.
// Needs library().syrk.
template <class T>
void syrk(std::int64_t n, std::int64_t k, T alpha, Operand<T> a, T beta, T *out, std::int64_t ldc);
// y (m; contiguous) = alpha * A (m, k) @ x + beta * y; `step` is in items and not 0.
template <class T>
void gemv(std::int64_t m, std::int64_t k, T alpha, Operand<T> a, const T *x, std::int64_t step,
          T beta, T *y);

// True if the library's integers can hold all of these.
bool fits(std::int64_t a, std::int64_t b, std::int64_t c);

}  // namespace theano::blas
