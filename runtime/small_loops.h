// The routines of small_systems.h, for vectors of some length.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "small_systems.h"
#include "vectors.h"

// A product is rounded before it is added, whatever the processor could do.
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#include "small_lanes.h"

// A loop over the rows of a matrix, which is written out where there is code for their number.
#if defined(__clang__)
#define TH_EACH _Pragma("unroll 4") for
#elif defined(__GNUC__)
#define TH_EACH _Pragma("GCC unroll 4") for
#else
#define TH_EACH for
#endif

namespace theano::small {
namespace {

template <class T, int kBytes>
struct Systems {
    using Memory = Lanes<T, kBytes>;
    using Vector = typename Memory::Vector;
    using Index = typename Memory::Index;
    using Number = decltype(Index{}[0] + 0);
    static constexpr int kLanes = Memory::kLanes;
    // The largest and the least sizes of pivots whose product is computed as it is written.
    static constexpr T kLarge = sizeof(T) == 8 ? T(1LL << 62) : T(1 << 7), kSmall = 1 / kLarge;
    static constexpr T kInfinity = static_cast<T>(__builtin_inf());

    static Vector all(T x) { return Vector{} + x; }
    static Index all_at(std::int64_t x) {
        return Index{} + static_cast<Number>(x);
    }
    // Without the bit of the sign.
    static Vector size_of(Vector x) { return Vector(Index(x) & ~Index(-Vector{})); }
    static Index between(Vector size, T least, T most) {
        return (size > all(least)) & (size < all(most));
    }
    static Vector root(Vector x) {
        for (int lane = 0; lane < kLanes; ++lane) {
            if constexpr (sizeof(T) == 8) x[lane] = __builtin_sqrt(x[lane]);
            else x[lane] = __builtin_sqrtf(x[lane]);
        }
        return x;
    }

    static void note(Group &g, Index done) {
        Number lanes[kLanes], every = -1;
        __builtin_memcpy(lanes, &done, kBytes);
        for (Number lane : lanes) every &= lane;
        g.all_done = every != 0;
        for (int lane = 0; !g.all_done && lane < kLanes; ++lane) g.done[lane] = lanes[lane] != 0;
    }

    // The routines for matrices of kRows rows; 0: of any number.
    template <int kRows>
    struct Of {
        static constexpr std::int64_t kMost = kRows ? kRows : kMostRows;

        struct Square {
            std::int64_t any;
            Vector items[kMost * kMost];  // rows from 0

            explicit Square(const Group &g) : any(g.stacks[0].rows) {}
            std::int64_t rows() const { return kRows ? kRows : any; }
            void load(const Matrices &s) { Memory::load(s, rows(), rows(), items); }
            void load_turned(const Matrices &s) {
                Matrices turned = s;
                turned.down = s.across;
                turned.across = s.down;
                load(turned);
            }
            void store(const Group &g, const Matrices &s) const {
                Memory::store(g, s, rows(), rows(), items);
            }
            Vector &at(std::int64_t i, std::int64_t j) { return items[i * rows() + j]; }
            const Vector &at(std::int64_t i, std::int64_t j) const { return items[i * rows() + j]; }

            // Where the sizes of the diagonal lie between two numbers.
            Index diagonal_between(T least, T most) const {
                const std::int64_t n = rows();
                Index result = all_at(-1);
                TH_EACH (std::int64_t i = 0; i < n; ++i)
                    result &= between(size_of(at(i, i)), least, most);
                return result;
            }
            Index usual() const { return diagonal_between(0, kInfinity); }

            // Subtracts from row i of x, of `w` columns, the rows from `first` to `last`, times the
            // items of row or column i.
            void subtract(Vector *x, std::int64_t w, std::int64_t i, std::int64_t first,
                          std::int64_t last, bool turned = false) const {
                TH_EACH (std::int64_t j = first; j < last; ++j) {
                    const Vector item = turned ? at(j, i) : at(i, j);
                    for (std::int64_t c = 0; c < w; ++c) x[i * w + c] -= item * x[j * w + c];
                }
            }
            void divide(Vector *x, std::int64_t w, std::int64_t i) const {
                for (std::int64_t c = 0; c < w; ++c) x[i * w + c] /= at(i, i);
            }
            void solve_lower(Vector *x, std::int64_t w, bool unit) const {
                const std::int64_t n = rows();
                TH_EACH (std::int64_t i = 0; i < n; ++i) {
                    subtract(x, w, i, 0, i);
                    if (!unit) divide(x, w, i);
                }
            }
            void solve_upper(Vector *x, std::int64_t w) const {
                const std::int64_t n = rows();
                TH_EACH (std::int64_t i = n - 1; i >= 0; --i) {
                    subtract(x, w, i, i + 1, n);
                    divide(x, w, i);
                }
            }
            void solve_lower_turned(Vector *x, std::int64_t w, bool unit) const {
                const std::int64_t n = rows();
                TH_EACH (std::int64_t i = n - 1; i >= 0; --i) {
                    subtract(x, w, i, i + 1, n, true);
                    if (!unit) divide(x, w, i);
                }
            }
            void solve_upper_turned(Vector *x, std::int64_t w) const {
                const std::int64_t n = rows();
                TH_EACH (std::int64_t i = 0; i < n; ++i) {
                    subtract(x, w, i, 0, i, true);
                    divide(x, w, i);
                }
            }
        };

        // Solves for rows of some columns, in place: where the code is written out, one at a time.
        template <class Solve>
        static void each_column(Vector *items, std::int64_t n, std::int64_t columns, Solve solve) {
            if (!kRows) return solve(items, columns);
            TH_EACH (std::int64_t c = 0; c < columns; ++c) {
                Vector x[kMost];
                TH_EACH (std::int64_t i = 0; i < n; ++i) x[i] = items[i * columns + c];
                solve(x, 1);
                TH_EACH (std::int64_t i = 0; i < n; ++i) items[i * columns + c] = x[i];
            }
        }

        // -- P A = L U -------------------------------------------------------------------------

        struct Factor : Square {
            using Square::at, Square::rows;
            Index pivots[kMost] = {};  // rows from 0

            using Square::Square;

            void compute() {
                const std::int64_t n = rows();
                TH_EACH (std::int64_t k = 0; k < n; ++k) {
                    Vector best = size_of(at(k, k));
                    Index place = all_at(k);
                    TH_EACH (std::int64_t i = k + 1; i < n; ++i) {
                        const Vector size = size_of(at(i, k));
                        const Index larger = size > best;
                        best = larger ? size : best;
                        place = larger ? all_at(i) : place;
                    }
                    pivots[k] = place;
                    TH_EACH (std::int64_t j = 0; j < n; ++j) exchange(&at(0, j), n, k);
                    // Below a pivot of 0, all is 0.
                    const Vector pivot = at(k, k) == Vector{} ? all(1) : at(k, k);
                    TH_EACH (std::int64_t i = k + 1; i < n; ++i) {
                        const Vector factor = at(i, k) = at(i, k) / pivot;
                        TH_EACH (std::int64_t j = k + 1; j < n; ++j)
                            at(i, j) -= factor * at(k, j);
                    }
                }
            }

            // Exchanges item k of a column and that of its pivot.
            void exchange(Vector *x, std::int64_t apart, std::int64_t k) const {
                const std::int64_t n = rows();
                TH_EACH (std::int64_t i = k + 1; i < n; ++i) {
                    const Index here = pivots[k] == all_at(i);
                    const Vector one = x[k * apart], two = x[i * apart];
                    x[k * apart] = here ? two : one;
                    x[i * apart] = here ? one : two;
                }
            }

            void solve(Vector *x, std::int64_t w) const {
                const std::int64_t n = rows();
                TH_EACH (std::int64_t k = 0; k < n; ++k) exchange_rows(x, w, k);
                this->solve_lower(x, w, true);
                this->solve_upper(x, w);
            }
            void solve_turned(Vector *x, std::int64_t w) const {
                const std::int64_t n = rows();
                this->solve_upper_turned(x, w);
                this->solve_lower_turned(x, w, true);
                TH_EACH (std::int64_t k = n - 1; k >= 0; --k) exchange_rows(x, w, k);
            }

            void exchange_rows(Vector *x, std::int64_t w, std::int64_t k) const {
                for (std::int64_t c = 0; c < w; ++c) exchange(x + c, w, k);
            }

            void invert(Vector *to) const {
                const std::int64_t n = rows();
                TH_EACH (std::int64_t i = 0; i < n; ++i)
                    TH_EACH (std::int64_t j = 0; j < n; ++j) to[i * n + j] = all(i == j);
                each_column(to, n, n, [&](Vector *x, std::int64_t w) { solve(x, w); });
            }

            Vector det() const {
                const std::int64_t n = rows();
                Vector product = all(1), sign = all(1);
                TH_EACH (std::int64_t i = 0; i < n; ++i) {
                    product *= at(i, i);
                    sign = pivots[i] == all_at(i) ? sign : -sign;
                }
                return sign * product;
            }
            Index usual_det() const { return this->diagonal_between(kSmall, kLarge); }
        };

        struct Made : Factor {
            explicit Made(const Group &g) : Factor(g) {
                this->load(g.stacks[0]);
                this->compute();
            }
        };
        // A factor that was kept, whose rows are columns.
        struct Kept : Factor {
            using Pivots = Lanes<Number, kBytes>;
            explicit Kept(const Group &g) : Factor(g) {
                this->load_turned(g.stacks[0]);
                const std::int64_t n = this->rows();
                Pivots::template load<std::int64_t>(g.stacks[1], n, 1, this->pivots);
                TH_EACH (std::int64_t i = 0; i < n; ++i) this->pivots[i] -= all_at(1);
            }
        };

        // -- routines --------------------------------------------------------------------------

        // What `solve` makes of the columns of `given`, written behind it.
        template <class Solve>
        static void by_columns(const Group &g, int given, std::int64_t n, Solve solve) {
            const Matrices &b = g.stacks[given];
            Vector items[kMost * kMostRows];
            Memory::load(b, n, b.columns, items);
            each_column(items, n, b.columns, solve);
            Memory::store(g, g.stacks[given + 1], n, b.columns, items);
        }

        template <class Source, int kRight>
        static void solve_with(Group &g) {
            const Source f(g);
            note(g, f.usual());
            if (kRight > 1 && (g.flags & TH_ADJOINT))
                by_columns(g, kRight, f.rows(), [&](Vector *x, std::int64_t w) { f.solve_turned(x, w); });
            else by_columns(g, kRight, f.rows(), [&](Vector *x, std::int64_t w) { f.solve(x, w); });
        }

        template <class Source, int kOut>
        static void invert_with(Group &g) {
            const Source f(g);
            note(g, f.usual());
            Square x(g);
            f.invert(x.items);
            x.store(g, g.stacks[kOut]);
        }

        template <class Source, int kOut>
        static void det_with(Group &g) {
            const Source f(g);
            note(g, f.usual_det());
            const Vector det = f.det();
            Memory::store(g, g.stacks[kOut], 1, 1, &det);
        }

        static void adjugate(Group &g) {
            const Kept f(g);
            note(g, f.usual_det());
            const std::int64_t n = f.rows();
            const Vector det = f.det();
            Square x(g);
            f.invert(x.items);
            TH_EACH (std::int64_t i = 0; i < n; ++i)
                TH_EACH (std::int64_t j = 0; j < n; ++j) x.at(i, j) *= det;
            x.store(g, g.stacks[2]);
        }

        static void keep(Group &g) {
            Made f(g);
            note(g, f.usual());
            const std::int64_t n = f.rows();
            Square columns(g);
            TH_EACH (std::int64_t i = 0; i < n; ++i) {
                TH_EACH (std::int64_t j = 0; j < n; ++j) columns.at(j, i) = f.at(i, j);
                f.pivots[i] += all_at(1);
            }
            columns.store(g, g.stacks[1]);
            Kept::Pivots::template store<std::int64_t>(g, g.stacks[2], n, 1, f.pivots);
        }

        static void solve_triangular(Group &g) {
            Square a(g);
            a.load(g.stacks[0]);
            note(g, a.usual());
            if (g.flags & TH_LOWER)
                by_columns(g, 1, a.rows(), [&](Vector *x, std::int64_t w) { a.solve_lower(x, w, false); });
            else by_columns(g, 1, a.rows(), [&](Vector *x, std::int64_t w) { a.solve_upper(x, w); });
        }

        // -- A = L L^T -------------------------------------------------------------------------

        // Puts L in the place of A, whose lower triangle is read; where there is one.
        static Index factor_positive(Square &a) {
            const std::int64_t n = a.rows();
            Index positive = all_at(-1);
            TH_EACH (std::int64_t j = 0; j < n; ++j) {
                TH_EACH (std::int64_t i = j; i < n; ++i) {
                    Vector sum = a.at(i, j);
                    TH_EACH (std::int64_t k = 0; k < j; ++k) sum -= a.at(i, k) * a.at(j, k);
                    if (i == j) {
                        positive &= between(sum, 0, kInfinity);
                        a.at(j, j) = root(positive ? sum : all(1));
                    } else {
                        a.at(i, j) = sum / a.at(j, j);
                        a.at(j, i) = Vector{};
                    }
                }
            }
            return positive;
        }

        // The upper factor is the transpose of the lower one, of the transpose.
        static void cholesky(Group &g) {
            Square a(g);
            const bool lower = g.flags & TH_LOWER;
            if (lower) a.load(g.stacks[0]);
            else a.load_turned(g.stacks[0]);
            note(g, factor_positive(a));
            Matrices out = g.stacks[1];
            if (!lower) std::swap(out.down, out.across);
            a.store(g, out);
        }

        static void solve_positive(Group &g) {
            Square a(g);
            if (g.flags & TH_LOWER) a.load(g.stacks[0]);
            else a.load_turned(g.stacks[0]);
            note(g, factor_positive(a));
            by_columns(g, 1, a.rows(), [&](Vector *x, std::int64_t w) {
                a.solve_lower(x, w, false);
                a.solve_lower_turned(x, w, false);
            });
        }

        // As `small_cholesky_cotangent` of lapack_tangents.h.
        static void cholesky_cotangent(Group &g) {
            Square l(g), out(g);
            l.load(g.stacks[0]);
            out.load(g.stacks[1]);
            note(g, l.usual());
            const std::int64_t n = l.rows();
            TH_EACH (std::int64_t i = n - 1; i >= 0; --i) {
                Vector sum = out.at(i, i);
                TH_EACH (std::int64_t r = i + 1; r < n; ++r) {
                    out.at(r, i) /= l.at(i, i);
                    sum -= l.at(r, i) * out.at(r, i);
                    out.at(i, r) = Vector{};
                }
                const Vector slope = sum / l.at(i, i);
                TH_EACH (std::int64_t k = 0; k < i; ++k) out.at(i, k) -= slope * l.at(i, k);
                TH_EACH (std::int64_t r = i + 1; r < n; ++r) {
                    const Vector item = out.at(r, i);
                    TH_EACH (std::int64_t k = 0; k < i; ++k) {
                        out.at(r, k) -= item * l.at(i, k);
                        out.at(i, k) -= item * l.at(r, k);
                    }
                }
                out.at(i, i) = slope / 2;
            }
            out.store(g, g.stacks[2]);
        }

        static void list(Loops::Routine **routines) {
            routines[TH_CHOLESKY] = cholesky;
            routines[TH_SOLVE] = solve_with<Made, 1>;
            routines[TH_SOLVE_TRIANGULAR] = solve_triangular;
            routines[TH_SOLVE_POSITIVE] = solve_positive;
            routines[TH_INVERSE] = invert_with<Made, 1>;
            routines[TH_DET] = det_with<Made, 1>;
            routines[TH_FACTOR] = keep;
            routines[TH_FACTOR_SOLVE] = solve_with<Kept, 2>;
            routines[TH_FACTOR_INVERSE] = invert_with<Kept, 2>;
            routines[TH_FACTOR_DET] = det_with<Kept, 2>;
            routines[TH_FACTOR_ADJUGATE] = adjugate;
            routines[TH_CHOLESKY_COTANGENT] = cholesky_cotangent;
        }
    };

    static const Loops &loops() {
        static const Loops made = [] {
            Loops loops = {kLanes, {}};
            Of<0>::list(loops.routines[0]);
            Of<0>::list(loops.routines[1]);
            Of<2>::list(loops.routines[2]);
            Of<3>::list(loops.routines[3]);
            Of<4>::list(loops.routines[4]);
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
