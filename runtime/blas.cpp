#include "blas.h"

#include <atomic>
#include <cstring>
#include <mutex>

#include "platform.h"

namespace theano::blas {

namespace {

constexpr const char *kTypes = "sdcz";
void *numpy_library = nullptr;

struct Spelling {
    const char *prefix, *suffix;
    int integer_bits;
};

// Wheels of NumPy, OpenBLAS with 64-bit integers, Apple's Accelerate, and the plain C interface.
constexpr Spelling kSpellings[] = {
    {"scipy_cblas_", "64_", 64}, {"cblas_", "64_", 64}, {"cblas_", "$NEWLAPACK$ILP64", 64},
    {"scipy_cblas_", "", 32},    {"cblas_", "_64", 64}, {"cblas_", "$NEWLAPACK", 32},
    {"cblas_", "", 32},
};

constexpr const char *kThreadSetters[] = {
    "scipy_openblas_set_num_threads_local64_",
    "openblas_set_num_threads_local64_",
    "scipy_openblas_set_num_threads_local",
    "openblas_set_num_threads_local",
};

// Libraries that hide those have these: NumPy's, from 2.5 on.
constexpr const char *kThreadFunctions[][2] = {
    {"scipy_openblas_set_num_threads64_", "scipy_openblas_get_num_threads64_"},
    {"openblas_set_num_threads64_", "openblas_get_num_threads64_"},
    {"scipy_openblas_set_num_threads", "scipy_openblas_get_num_threads"},
    {"openblas_set_num_threads", "openblas_get_num_threads"},
};

ThreadSetter setter_in(void *library) {
    ThreadSetter found;
    for (const char *name : kThreadSetters) {
        found.exchange = reinterpret_cast<int (*)(int)>(platform::find_symbol(library, name));
        if (found) return found;
    }
    for (const auto &names : kThreadFunctions) {
        found.set = reinterpret_cast<void (*)(int)>(platform::find_symbol(library, names[0]));
        found.get = reinterpret_cast<int (*)()>(platform::find_symbol(library, names[1]));
        if (found) return found;
    }
    return {};
}

bool try_spelling(const Spelling &spelling, Library &into) {
    Library made;
    auto find = [&](char type, const char *routine) {
        std::string name = std::string(spelling.prefix) + type + routine + spelling.suffix;
        return platform::find_symbol(numpy_library, name.c_str());
    };
    for (int type = s; type <= z; ++type) {
        made.gemm[type] = find(kTypes[type], "gemm");
        made.gemv[type] = find(kTypes[type], "gemv");
        made.syrk[type] = find(kTypes[type], "syrk");
        if (!made.gemm[type] || !made.gemv[type]) return false;
    }
    made.found = true;
    made.integer_bits = spelling.integer_bits;
    made.example = std::string(spelling.prefix) + "dgemm" + spelling.suffix;
    made.origin = "numpy";
    made.set_threads = setter_in(numpy_library);
    into = made;
    return true;
}

// The setter of OpenBLAS is local in name only: it changes the process. So the first to come sets 1
// thread, and the last to leave puts the old number back.
struct Setter {
    ThreadSetter set;
    int before;
};
constexpr int kMostSetters = 4;
std::mutex setter_mutex;
int setter_users = 0;
Setter setters[kMostSetters];
std::atomic<int> setter_count{0};

void add_setter(const ThreadSetter &set) {
    std::lock_guard<std::mutex> guard(setter_mutex);
    const int count = setter_count.load();
    if (!set || count == kMostSetters) return;
    for (int i = 0; i < count; ++i) {
        if (setters[i].set == set) return;
    }
    setters[count] = {set, setter_users > 0 ? set(1) : 1};
    setter_count.store(count + 1);
}

enum Order { row_major = 101 };
enum Transpose { plain = 111, transposed = 112 };
enum Triangle { upper = 121, lower = 122 };

template <class T>
struct Scalar {
    using Passed = T;
    static T pass(const T &value) { return value; }
};
template <class T>
struct Scalar<std::complex<T>> {
    using Passed = const void *;
    static const void *pass(const std::complex<T> &value) { return &value; }
};

template <class I, class T>
void c_gemm(std::int64_t m, std::int64_t n, std::int64_t k, const T &alpha, const Operand<T> &a,
            const Operand<T> &b, const T &beta, T *out, std::int64_t ldc) {
    using P = typename Scalar<T>::Passed;
    using F = void(int, int, int, I, I, I, P, const void *, I, const void *, I, P, void *, I);
    auto *call = reinterpret_cast<F *>(library().gemm[TypeOf<T>::value]);
    call(row_major, a.transposed ? transposed : plain, b.transposed ? transposed : plain,
         static_cast<I>(m), static_cast<I>(n), static_cast<I>(k), Scalar<T>::pass(alpha), a.data,
         static_cast<I>(a.leading), b.data, static_cast<I>(b.leading), Scalar<T>::pass(beta), out,
         static_cast<I>(ldc));
}

// In Fortran's order our row-major C is its transpose, and C^T = B^T A^T.
template <class I, class T>
void fortran_gemm(std::int64_t m, std::int64_t n, std::int64_t k, const T &alpha,
                  const Operand<T> &a, const Operand<T> &b, const T &beta, T *out,
                  std::int64_t ldc) {
    using F = void(const char *, const char *, const I *, const I *, const I *, const T *,
                   const T *, const I *, const T *, const I *, const T *, T *, const I *);
    auto *call = reinterpret_cast<F *>(library().gemm[TypeOf<T>::value]);
    I rows = static_cast<I>(m), columns = static_cast<I>(n), inner = static_cast<I>(k);
    I lda = static_cast<I>(a.leading), ldb = static_cast<I>(b.leading), ld = static_cast<I>(ldc);
    call(b.transposed ? "T" : "N", a.transposed ? "T" : "N", &columns, &rows, &inner, &alpha,
         b.data, &ldb, a.data, &lda, &beta, out, &ld);
}

template <class I, class T>
void c_syrk(std::int64_t n, std::int64_t k, const T &alpha, const Operand<T> &a, const T &beta,
            T *out, std::int64_t ldc) {
    using P = typename Scalar<T>::Passed;
    using F = void(int, int, int, I, I, P, const void *, I, P, void *, I);
    auto *call = reinterpret_cast<F *>(library().syrk[TypeOf<T>::value]);
    call(row_major, lower, a.transposed ? transposed : plain, static_cast<I>(n), static_cast<I>(k),
         Scalar<T>::pass(alpha), a.data, static_cast<I>(a.leading), Scalar<T>::pass(beta), out,
         static_cast<I>(ldc));
}

// Our lower triangle is the upper one of the transpose.
template <class I, class T>
void fortran_syrk(std::int64_t n, std::int64_t k, const T &alpha, const Operand<T> &a,
                  const T &beta, T *out, std::int64_t ldc) {
    using F = void(const char *, const char *, const I *, const I *, const T *, const T *,
                   const I *, const T *, T *, const I *);
    auto *call = reinterpret_cast<F *>(library().syrk[TypeOf<T>::value]);
    I size = static_cast<I>(n), inner = static_cast<I>(k), lda = static_cast<I>(a.leading),
      ld = static_cast<I>(ldc);
    call("U", a.transposed ? "N" : "T", &size, &inner, &alpha, a.data, &lda, &beta, out, &ld);
}

template <class I, class T>
void c_gemv(std::int64_t m, std::int64_t k, const T &alpha, const Operand<T> &a, const T *x,
            std::int64_t step, const T &beta, T *y) {
    using P = typename Scalar<T>::Passed;
    using F = void(int, int, I, I, P, const void *, I, const void *, I, P, void *, I);
    auto *call = reinterpret_cast<F *>(library().gemv[TypeOf<T>::value]);
    call(row_major, a.transposed ? transposed : plain, static_cast<I>(a.transposed ? k : m),
         static_cast<I>(a.transposed ? m : k), Scalar<T>::pass(alpha), a.data,
         static_cast<I>(a.leading), x, static_cast<I>(step), Scalar<T>::pass(beta), y, 1);
}

template <class I, class T>
void fortran_gemv(std::int64_t m, std::int64_t k, const T &alpha, const Operand<T> &a, const T *x,
                  std::int64_t step, const T &beta, T *y) {
    using F = void(const char *, const I *, const I *, const T *, const T *, const I *, const T *,
                   const I *, const T *, T *, const I *);
    auto *call = reinterpret_cast<F *>(library().gemv[TypeOf<T>::value]);
    I rows = static_cast<I>(a.transposed ? m : k), columns = static_cast<I>(a.transposed ? k : m);
    I leading = static_cast<I>(a.leading), increment = static_cast<I>(step), one = 1;
    call(a.transposed ? "N" : "T", &rows, &columns, &alpha, a.data, &leading, x, &increment, &beta,
         y, &one);
}

}  // namespace

Library &library() {
    static Library *instance = new Library;
    return *instance;
}

void find_in_numpy(const char *path) {
    if (library().found) return;
    numpy_library = platform::find_library(path);
    if (!numpy_library) return;
    for (const Spelling &spelling : kSpellings) {
        if (try_spelling(spelling, library())) {
            add_setter(library().set_threads);
            return;
        }
    }
}

void find_setter(const char *path) {
    if (void *found = platform::find_library(path)) add_setter(setter_in(found));
}

void *numpy_symbol(const char *name) {
    return numpy_library ? platform::find_symbol(numpy_library, name) : nullptr;
}

void offer_from_scipy(const std::string &name, const char *signature, void *pointer) {
    Library &all = library();
    const char *type = std::strchr(kTypes, name[0]);
    if (all.found || !type) return;
    auto index = type - kTypes;
    if (name.compare(1, std::string::npos, "gemm") == 0) {
        all.gemm[index] = pointer;
        // The first parameter that is not a character is the number of rows.
        all.integer_bits = std::strstr(signature, "int *") && !std::strstr(signature, "int64") &&
                                   !std::strstr(signature, "long")
                               ? 32
                               : 64;
    }
    if (name.compare(1, std::string::npos, "gemv") == 0) all.gemv[index] = pointer;
    if (name.compare(1, std::string::npos, "syrk") == 0) all.syrk[index] = pointer;
}

void finish_scipy() {
    Library &all = library();
    if (all.found) return;
    for (int type = s; type <= z; ++type) {
        if (!all.gemm[type] || !all.gemv[type]) return;
    }
    all.fortran = true;
    all.origin = "scipy";
    all.example = "dgemm";
    all.found = true;
}

void enter_one_thread() {
    std::lock_guard<std::mutex> guard(setter_mutex);
    if (setter_users++ > 0) return;
    for (int i = 0; i < setter_count.load(); ++i) setters[i].before = setters[i].set(1);
}

void leave_one_thread() {
    std::lock_guard<std::mutex> guard(setter_mutex);
    if (--setter_users > 0) return;
    for (int i = 0; i < setter_count.load(); ++i) {
        if (setters[i].before != 1) setters[i].set(setters[i].before);
    }
}

OneThread::OneThread(double products) : many_(products >= kMany && setter_count.load() > 0) {
    if (many_) enter_one_thread();
}

OneThread::~OneThread() {
    if (many_) leave_one_thread();
}

bool fits(std::int64_t a, std::int64_t b, std::int64_t c) {
    if (library().integer_bits == 64) return true;
    constexpr std::int64_t most = 0x7fffffff;
    return a <= most && b <= most && c <= most;
}

template <class T>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, T alpha, Operand<T> a, Operand<T> b,
          T beta, T *out, std::int64_t ldc) {
    bool wide = library().integer_bits == 64;
    if (library().fortran) {
        if (wide) fortran_gemm<std::int64_t, T>(m, n, k, alpha, a, b, beta, out, ldc);
        else fortran_gemm<std::int32_t, T>(m, n, k, alpha, a, b, beta, out, ldc);
    } else if (wide) {
        c_gemm<std::int64_t, T>(m, n, k, alpha, a, b, beta, out, ldc);
    } else {
        c_gemm<std::int32_t, T>(m, n, k, alpha, a, b, beta, out, ldc);
    }
}

template <class T>
void syrk(std::int64_t n, std::int64_t k, T alpha, Operand<T> a, T beta, T *out,
          std::int64_t ldc) {
    bool wide = library().integer_bits == 64;
    if (library().fortran) {
        if (wide) fortran_syrk<std::int64_t, T>(n, k, alpha, a, beta, out, ldc);
        else fortran_syrk<std::int32_t, T>(n, k, alpha, a, beta, out, ldc);
    } else if (wide) {
        c_syrk<std::int64_t, T>(n, k, alpha, a, beta, out, ldc);
    } else {
        c_syrk<std::int32_t, T>(n, k, alpha, a, beta, out, ldc);
    }
}

template <class T>
void gemv(std::int64_t m, std::int64_t k, T alpha, Operand<T> a, const T *x, std::int64_t step,
          T beta, T *y) {
    bool wide = library().integer_bits == 64;
    if (library().fortran) {
        if (wide) fortran_gemv<std::int64_t, T>(m, k, alpha, a, x, step, beta, y);
        else fortran_gemv<std::int32_t, T>(m, k, alpha, a, x, step, beta, y);
    } else if (wide) {
        c_gemv<std::int64_t, T>(m, k, alpha, a, x, step, beta, y);
    } else {
        c_gemv<std::int32_t, T>(m, k, alpha, a, x, step, beta, y);
    }
}

#define THEANO_INSTANTIATE(T)                                                                     \
    template void gemm<T>(std::int64_t, std::int64_t, std::int64_t, T, Operand<T>, Operand<T>, T, \
                          T *, std::int64_t);                                                     \
    template void syrk<T>(std::int64_t, std::int64_t, T, Operand<T>, T, T *, std::int64_t);       \
    template void gemv<T>(std::int64_t, std::int64_t, T, Operand<T>, const T *, std::int64_t, T,  \
                          T *)
THEANO_INSTANTIATE(float);
THEANO_INSTANTIATE(double);
THEANO_INSTANTIATE(std::complex<float>);
THEANO_INSTANTIATE(std::complex<double>);

}  // namespace theano::blas
