// Eigenvalues of any matrix, and its exponential: computed in double precision whatever the type.
#pragma once

#include "lapack_call.h"

namespace theano::lapack {

// Eigenvalues and eigenvectors; of a real matrix their real parts.
template <class T, class I>
std::int64_t eig(std::int64_t, const View *v) {
    using D = Wide<T>;
    const View &a = v[0];
    std::int64_t count = a.rows;
    if (count == 0) return 0;
    Work<D> x(a.size()), vectors(a.size()), values(count);
    Work<double> other(2 * count);
    if (!x || !vectors || !values || !other || !widen<T>(a, true, x.get())) return kNoMemory;
    if (!all_finite(x.get(), a.size())) return kNotFinite;
    double *imaginary = other.get();
    I n = static_cast<I>(count), one = 1, info = 0, size = -1;
    D answer(0), unused(0);
    auto step = [&](D *work) {
        if constexpr (is_complex<T>)
            call<D>(geev, "N", "V", &n, x.get(), &n, values.get(), &unused, &one, vectors.get(), &n,
                    work, &size, other.get(), &info);
        else
            call<D>(geev, "N", "V", &n, x.get(), &n, values.get(), imaginary, &unused, &one,
                    vectors.get(), &n, work, &size, &info);
    };
    step(&answer);
    if (info != 0) return info;
    Work<D> work(asked(answer));
    if (!work) return kNoMemory;
    size = static_cast<I>(asked(answer));
    step(work.get());
    if (info != 0) return info;
    bool lost = false;
    for (std::int64_t j = 0; j < count; ++j) {
        std::int64_t column = j;
        if constexpr (!is_complex<T>) {
            lost = lost || imaginary[j] != 0;
            // The second of a conjugate pair: LAPACK keeps the imaginary part in its column.
            if (imaginary[j] < 0) --column;
        }
        v[1].as<T>()[j] = T(values.get()[j]);
        for (std::int64_t i = 0; i < count; ++i)
            v[2].as<T>()[i * count + j] = T(vectors.get()[column * count + i]);
    }
    return lost ? kRealPartsOnly : 0;
}

// Scaling and squaring after A. H. Al-Mohy and N. J. Higham, "A new scaling and squaring algorithm
// for the matrix exponential" (2009), with norms of powers that are computed instead of estimated.
template <class D, class I>
class Exponential {
  public:
    Exponential(std::int64_t n, bool with_tangent)
        : n_(n), size_(n * n), whole_(with_tangent ? 2 * size_ : size_), memory_(8 * whole_),
          pivots_(n), rows_(2 * n) {
        if (!memory_ || !pivots_ || !rows_) return;
        for (int k = 0; k < 8; ++k) parts_[k] = memory_.get() + k * whole_;
    }

    explicit operator bool() const { return parts_[0] != nullptr; }
    // Rows first: the matrix and its tangent, and afterwards those of its exponential.
    D *matrix() const { return parts_[0]; }
    D *tangent() const { return parts_[0] + size_; }

    std::int64_t compute() {
        D *a = matrix();
        bool lower = !tangents() && triangular(true), upper = !tangents() && triangular(false);
        if (lower && upper) {
            for (std::int64_t i = 0; i < n_; ++i) a[i * (n_ + 1)] = std::exp(a[i * (n_ + 1)]);
            return 0;
        }
        double whole = norm(a);
        if (!std::isfinite(whole)) {
            std::fill_n(a, whole_, D(std::numeric_limits<double>::quiet_NaN()));
            return 0;
        }
        // So that no power overflows; with a tangent, so that all is exact.
        int squarings = std::max(tangents() ? halvings(whole, 4.74) : std::ilogb(whole) - 60, 0);
        scale(1, squarings);
        int degree = choose(squarings);
        std::int64_t info = approximate(degree);
        if (info != 0) return info;
        if (lower || upper) settle(0, lower);
        for (int done = 1; done <= squarings; ++done) {
            multiply(result_, result_, spare_);
            std::swap(result_, spare_);
            if (lower || upper) settle(done, lower);
        }
        std::copy_n(result_, whole_, a);
        return 0;
    }

  private:
    std::int64_t n_, size_, whole_;
    Work<D> memory_;
    Work<I> pivots_;
    Work<double> rows_;
    // A, A^2, A^4, A^6, A^8, and three others; behind each, where they are asked for, its tangent.
    D *parts_[8] = {};
    D *result_ = nullptr, *spare_ = nullptr;
    double weights_[14] = {};

    bool tangents() const { return whole_ > size_; }

    bool triangular(bool lower) const {
        for (std::int64_t i = 0; i < n_; ++i) {
            const D *row = matrix() + i * n_;
            auto zero = [](D x) { return x == D(0); };
            if (!(lower ? std::all_of(row + i + 1, row + n_, zero) : std::all_of(row, row + i, zero)))
                return false;
        }
        return true;
    }

    double norm(const D *x) const {
        double most = 0;
        for (std::int64_t i = 0; i < n_; ++i) {
            double sum = 0;
            for (std::int64_t j = 0; j < n_; ++j) sum += std::abs(x[i * n_ + j]);
            // NaN stays.
            if (sum > most || sum != sum) most = sum;
        }
        return most;
    }

    void product(double factor, const D *x, const D *y, double keep, D *out) const {
        blas::gemm<D>(n_, n_, n_, D(factor), {x, n_, false}, {y, n_, false}, D(keep), out, n_);
    }

    void multiply(const D *x, const D *y, D *out, double keep = 0) const {
        product(1, x, y, keep, out);
        if (!tangents()) return;
        product(1, x, y + size_, keep, out + size_);
        product(1, x + size_, y, 1, out + size_);
    }

    static int halvings(double norm, double wanted) {
        return norm > wanted ? static_cast<int>(std::ceil(std::log2(norm / wanted))) : 0;
    }

    // Divides the first `count` parts, which are powers of A, as if A were divided by 2^squarings.
    void scale(int count, int squarings) const {
        if (squarings == 0) return;
        for (int k = 0; k < count; ++k) {
            double factor = std::ldexp(1.0, -squarings * std::max(2 * k, 1));
            for (std::int64_t i = 0; i < whole_; ++i) parts_[k][i] *= factor;
        }
    }

    // How often A must be halved more, so that the approximation of a degree has no error that its
    // powers do not show: from the norm of a power of |A|.
    int more(int degree) const {
        double *now = rows_.get(), *next = now + n_, exponent = 0;
        std::fill_n(now, n_, 1.0);
        for (int step = 0; step < 2 * degree + 1; ++step) {
            for (std::int64_t i = 0; i < n_; ++i) {
                next[i] = 0;
                for (std::int64_t j = 0; j < n_; ++j)
                    next[i] += std::abs(matrix()[i * n_ + j]) * now[j];
            }
            double most = *std::max_element(next, next + n_);
            if (most == 0) return 0;
            exponent += std::log2(most);
            for (std::int64_t i = 0; i < n_; ++i) now[i] = next[i] / most;
        }
        double coefficient = 0;  // of the first term that is left out
        for (int k = 1; k <= 2 * degree + 1; ++k) coefficient -= std::log2(k);
        for (int k = 1; k <= degree; ++k)
            coefficient -= std::log2(static_cast<double>(degree + k) / k);
        double relative = coefficient + exponent - std::log2(norm(matrix())) + 53;
        return std::max(static_cast<int>(std::ceil(relative / (2 * degree))), 0);
    }

    double root(const D *power, int of) const { return std::pow(norm(power), 1.0 / of); }

    // Computes the powers that the approximation needs, and scales them.
    int choose(int &squarings) const {
        auto &p = parts_;
        multiply(p[0], p[0], p[1]);
        multiply(p[1], p[1], p[2]);
        multiply(p[1], p[2], p[3]);
        if (tangents()) return 13;
        double sixth = root(p[3], 6), size = std::max(root(p[2], 4), sixth);
        if (size <= 1.495585217958292e-2 && more(3) == 0) return 3;
        if (size <= 2.539398330063230e-1 && more(5) == 0) return 5;
        multiply(p[2], p[2], p[4]);
        double eighth = root(p[4], 8);
        size = std::max(sixth, eighth);
        if (size <= 9.504178996162932e-1 && more(7) == 0) return 7;
        if (size <= 2.097847961257068 && more(9) == 0) return 9;
        multiply(p[2], p[3], p[5]);
        size = std::min(size, std::max(eighth, root(p[5], 10)));
        int halved = halvings(size, 4.25);
        scale(4, halved);
        int again = more(13);
        scale(4, again);
        squarings += halved + again;
        return 13;
    }

    // The sum of weights[2 k + odd] A^(2 k).
    void combine(int first, int last, const double *weights, D *out) const {
        std::fill_n(out, whole_, D(0));
        for (int k = first; k <= last; ++k) {
            double weight = weights[2 * k];
            if (k == 0)
                for (std::int64_t i = 0; i < n_; ++i) out[i * (n_ + 1)] += weight;
            else
                for (std::int64_t i = 0; i < whole_; ++i) out[i] += weight * parts_[k][i];
        }
    }

    // Padé's approximation (V + U) / (V - U), with the odd powers in U.
    std::int64_t approximate(int degree) {
        weights_[degree] = 1;
        for (int j = degree - 1; j >= 0; --j)
            weights_[j] = weights_[j + 1] * (2 * degree - j) * (j + 1) / (degree - j);
        D *odd = parts_[5], *even = parts_[6], *other = parts_[7];
        for (int part = 0; part < 2; ++part) {
            D *sum = part ? odd : even;
            combine(0, degree == 13 ? 3 : degree / 2, weights_ + part, sum);
            if (degree != 13) continue;
            combine(1, 3, weights_ + part + 6, other);
            multiply(parts_[3], other, sum, 1);
        }
        multiply(parts_[0], odd, other);
        for (std::int64_t i = 0; i < whole_; ++i) {
            odd[i] = even[i] + other[i];
            even[i] -= other[i];
        }
        // The rows here are LAPACK's columns, and the factors commute.
        I n = static_cast<I>(n_), info = 0;
        call<D>(getrf, &n, &n, even, &n, pivots_.get(), &info);
        if (info != 0) return info;
        call<D>(getrs, "N", &n, &n, even, &n, pivots_.get(), odd, &n, &info);
        if (tangents()) {
            // X Q = P, so X' Q = P' - X Q'.
            product(-1, odd, even + size_, 1, odd + size_);
            call<D>(getrs, "N", &n, &n, even, &n, pivots_.get(), odd + size_, &n, &info);
        }
        result_ = odd;
        spare_ = other;
        return info;
    }

    // Of a triangular matrix, the zeros and the diagonal are known after each squaring.
    void settle(int done, bool lower) const {
        clear_triangle(result_, n_, lower);
        for (std::int64_t i = 0; i < size_; i += n_ + 1)
            result_[i] = std::exp(matrix()[i] * std::ldexp(1.0, done));
    }
};

template <class T, class I>
std::int64_t expm(std::int64_t, const View *v) {
    using D = Wide<T>;
    const View &a = v[0];
    if (a.rows == 0) return 0;
    Exponential<D, I> function(a.rows, false);
    if (!function || !widen<T>(a, false, function.matrix())) return kNoMemory;
    std::int64_t info = function.compute();
    for (std::int64_t i = 0; i < a.size(); ++i) v[1].as<T>()[i] = T(function.matrix()[i]);
    return info;
}

template <class T, class I>
std::int64_t expm_tangent(std::int64_t, const View *v) {
    using D = Wide<T>;
    const View &a = v[0];
    if (a.rows == 0) return 0;
    Exponential<D, I> function(a.rows, true);
    if (!function || !widen<T>(a, false, function.matrix()) ||
        !widen<T>(v[1], false, function.tangent()))
        return kNoMemory;
    std::int64_t info = function.compute();
    for (std::int64_t i = 0; i < a.size(); ++i) v[2].as<T>()[i] = T(function.tangent()[i]);
    return info;
}

}  // namespace theano::lapack
