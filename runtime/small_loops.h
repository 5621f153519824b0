// The routines of small_systems.h, for vectors of some length.
#pragma once

#include <cstdint>

#include "small_systems.h"

// A product is rounded before it is added, whatever the processor could do.
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

namespace theano::small {
namespace {

template <class T, int kBytes>
struct Systems {
    typedef T Vector __attribute__((vector_size(kBytes)));
    using Mask = decltype(Vector() < Vector());
    static constexpr std::int64_t kLanes = kBytes / sizeof(T);
    // The largest and the least sizes of pivots whose product is computed as it is written.
    static constexpr T kLarge = sizeof(T) == 8 ? T(1LL << 62) : T(1 << 7), kSmall = 1 / kLarge;

    static Vector all(T x) { return Vector{} + x; }
    static Vector size_of(Vector x) { return x < Vector{} ? -x : x; }

    // -- between memory and lanes --------------------------------------------------------------

    template <class Item = T>
    static void load(const Group &g, int stack, std::int64_t rows, std::int64_t columns, Vector *to) {
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            const Matrix &m = g.matrices[stack][lane];
            for (std::int64_t i = 0; i < rows; ++i) {
                for (std::int64_t j = 0; j < columns; ++j) {
                    Item item;
                    __builtin_memcpy(&item, m.data + i * m.down + j * m.across, sizeof item);
                    to[i * columns + j][lane] = static_cast<T>(item);
                }
            }
        }
    }

    template <class Item = T>
    static void store(const Group &g, int stack, std::int64_t rows, std::int64_t columns,
                      const Vector *from) {
        for (std::int64_t lane = 0; lane < g.count; ++lane) {
            const Matrix &m = g.matrices[stack][lane];
            for (std::int64_t i = 0; g.done[lane] && i < rows; ++i) {
                for (std::int64_t j = 0; j < columns; ++j) {
                    Item item = static_cast<Item>(from[i * columns + j][lane]);
                    __builtin_memcpy(m.data + i * m.down + j * m.across, &item, sizeof item);
                }
            }
        }
    }

    static void note(Group &g, Mask done) {
        for (std::int64_t lane = 0; lane < kLanes; ++lane) g.done[lane] = done[lane] != 0;
    }

    // -- P A = L U -----------------------------------------------------------------------------

    struct Factor {
        std::int64_t n;
        Vector items[kMostRows * kMostRows], pivots[kMostRows];  // rows from 0

        void compute() {
            for (std::int64_t k = 0; k < n; ++k) {
                Vector *top = items + k * n, best = size_of(top[k]), place = all(static_cast<T>(k));
                for (std::int64_t i = k + 1; i < n; ++i) {
                    Vector size = size_of(items[i * n + k]);
                    Mask larger = size > best;
                    best = larger ? size : best;
                    place = larger ? all(static_cast<T>(i)) : place;
                }
                pivots[k] = place;
                exchange(items, n, k);
                // Below a pivot of 0, all is 0.
                Vector pivot = top[k] == Vector{} ? all(1) : top[k];
                for (std::int64_t i = k + 1; i < n; ++i) {
                    Vector *row = items + i * n, factor = row[k] = row[k] / pivot;
                    for (std::int64_t j = k + 1; j < n; ++j) row[j] -= factor * top[j];
                }
            }
        }

        // Exchanges row k of a matrix and the row of its pivot.
        void exchange(Vector *x, std::int64_t columns, std::int64_t k) const {
            for (std::int64_t i = k + 1; i < n; ++i) {
                Mask here = pivots[k] == all(static_cast<T>(i));
                for (std::int64_t j = 0; j < columns; ++j) {
                    Vector one = x[k * columns + j], two = x[i * columns + j];
                    x[k * columns + j] = here ? two : one;
                    x[i * columns + j] = here ? one : two;
                }
            }
        }

        // Where all pivots have a size between two others.
        Mask between(T least, T most) const {
            Mask result = all(1) == all(1);
            for (std::int64_t i = 0; i < n; ++i) {
                Vector size = size_of(items[i * (n + 1)]);
                result &= (size > all(least)) & (size < all(most));
            }
            return result;
        }
        Mask usual() const { return between(0, static_cast<T>(__builtin_inf())); }

        void solve(Vector *x, std::int64_t columns) const {
            for (std::int64_t k = 0; k < n; ++k) exchange(x, columns, k);
            for (std::int64_t i = 1; i < n; ++i) subtract(x, columns, i, 0, i, n, 1);
            for (std::int64_t i = n - 1; i >= 0; --i) {
                subtract(x, columns, i, i + 1, n, n, 1);
                divide(x, columns, i);
            }
        }

        void solve_transposed(Vector *x, std::int64_t columns) const {
            for (std::int64_t i = 0; i < n; ++i) {
                subtract(x, columns, i, 0, i, 1, n);
                divide(x, columns, i);
            }
            for (std::int64_t i = n - 2; i >= 0; --i) subtract(x, columns, i, i + 1, n, 1, n);
            for (std::int64_t k = n - 1; k >= 0; --k) exchange(x, columns, k);
        }

        // Subtracts from row i of x the rows from `first` to `last`, times the items of row i.
        void subtract(Vector *x, std::int64_t columns, std::int64_t i, std::int64_t first,
                      std::int64_t last, std::int64_t down, std::int64_t across) const {
            for (std::int64_t j = first; j < last; ++j) {
                Vector item = items[i * down + j * across];
                for (std::int64_t c = 0; c < columns; ++c) x[i * columns + c] -= item * x[j * columns + c];
            }
        }

        void divide(Vector *x, std::int64_t columns, std::int64_t i) const {
            for (std::int64_t c = 0; c < columns; ++c) x[i * columns + c] /= items[i * (n + 1)];
        }
    };

    static void load_matrix(const Group &g, Factor &f) {
        f.n = g.n;
        load(g, 0, g.n, g.n, f.items);
        f.compute();
    }

    // A factor that was kept, whose rows are columns.
    static void load_factor(const Group &g, Factor &f) {
        f.n = g.n;
        Vector columns[kMostRows * kMostRows];
        load(g, 0, g.n, g.n, columns);
        for (std::int64_t i = 0; i < g.n; ++i)
            for (std::int64_t j = 0; j < g.n; ++j) f.items[i * g.n + j] = columns[j * g.n + i];
        load<std::int64_t>(g, 1, g.n, 1, f.pivots);
        for (std::int64_t i = 0; i < g.n; ++i) f.pivots[i] -= all(1);
    }

    // -- routines ------------------------------------------------------------------------------

    using Loader = void(const Group &, Factor &);

    template <Loader *kLoad, int kRight>
    static void solve_with(Group &g) {
        Factor f;
        kLoad(g, f);
        Vector x[kMostRows * kMostRows];
        load(g, kRight, g.n, g.columns, x);
        if (kRight > 1 && (g.flags & TH_ADJOINT)) f.solve_transposed(x, g.columns);
        else f.solve(x, g.columns);
        note(g, f.usual());
        store(g, kRight + 1, g.n, g.columns, x);
    }

    template <Loader *kLoad, int kOut>
    static void invert_with(Group &g) {
        Factor f;
        kLoad(g, f);
        Vector x[kMostRows * kMostRows];
        for (std::int64_t i = 0; i < g.n; ++i)
            for (std::int64_t j = 0; j < g.n; ++j) x[i * g.n + j] = all(i == j);
        f.solve(x, g.n);
        note(g, f.usual());
        store(g, kOut, g.n, g.n, x);
    }

    template <Loader *kLoad, int kOut>
    static void det_with(Group &g) {
        Factor f;
        kLoad(g, f);
        Vector product = all(1), sign = all(1);
        for (std::int64_t i = 0; i < g.n; ++i) {
            product *= f.items[i * (g.n + 1)];
            sign = f.pivots[i] == all(static_cast<T>(i)) ? sign : -sign;
        }
        product = sign * product;
        note(g, f.between(kSmall, kLarge));
        store(g, kOut, 1, 1, &product);
    }

    static void keep(Group &g) {
        Factor f;
        load_matrix(g, f);
        note(g, f.usual());
        Vector columns[kMostRows * kMostRows];
        for (std::int64_t i = 0; i < g.n; ++i)
            for (std::int64_t j = 0; j < g.n; ++j) columns[j * g.n + i] = f.items[i * g.n + j];
        for (std::int64_t i = 0; i < g.n; ++i) f.pivots[i] += all(1);
        store(g, 1, g.n, g.n, columns);
        store<std::int64_t>(g, 2, g.n, 1, f.pivots);
    }

    static void factor_positive(Group &g) {
        const std::int64_t n = g.n;
        Vector a[kMostRows * kMostRows];
        // The upper factor is the transpose of the lower one, of the transpose.
        if (!(g.flags & TH_LOWER)) transpose(g);
        load(g, 0, n, n, a);
        Mask positive = all(1) == all(1);
        for (std::int64_t j = 0; j < n; ++j) {
            for (std::int64_t i = j; i < n; ++i) {
                Vector sum = a[i * n + j];
                for (std::int64_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
                if (i == j) {
                    positive &= (sum > Vector{}) & (sum < all(static_cast<T>(__builtin_inf())));
                    for (std::int64_t lane = 0; lane < kLanes; ++lane)
                        sum[lane] = root(positive[lane] ? sum[lane] : T(1));
                    a[j * n + j] = sum;
                } else {
                    a[i * n + j] = sum / a[j * n + j];
                    a[j * n + i] = Vector{};
                }
            }
        }
        note(g, positive);
        store(g, 1, n, n, a);
    }

    static T root(T x) {
        if constexpr (sizeof(T) == 8) return __builtin_sqrt(x);
        else return __builtin_sqrtf(x);
    }

    static void transpose(Group &g) {
        for (std::int64_t stack = 0; stack < 2; ++stack) {
            for (std::int64_t lane = 0; lane < kLanes; ++lane) {
                Matrix &m = g.matrices[stack][lane];
                m = {m.data, m.across, m.down};
            }
        }
    }

    static const Loops &loops() {
        static const Loops made = [] {
            Loops loops = {kLanes, {}};
            loops.routines[TH_CHOLESKY] = factor_positive;
            loops.routines[TH_SOLVE] = solve_with<load_matrix, 1>;
            loops.routines[TH_INVERSE] = invert_with<load_matrix, 1>;
            loops.routines[TH_DET] = det_with<load_matrix, 1>;
            loops.routines[TH_FACTOR] = keep;
            loops.routines[TH_FACTOR_SOLVE] = solve_with<load_factor, 2>;
            loops.routines[TH_FACTOR_INVERSE] = invert_with<load_factor, 2>;
            loops.routines[TH_FACTOR_DET] = det_with<load_factor, 2>;
            return loops;
        }();
        return made;
    }
};

template <int kBytes>
const Loops &loops_of(bool is_double) {
    return is_double ? Systems<double, kBytes>::loops() : Systems<float, kBytes>::loops();
}

}  // namespace
}  // namespace theano::small
