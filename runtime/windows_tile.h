// The inner loops of convolutions for one kind of vectors: see windows.h, and vectors.h about what may
// stand here.
#pragma once

#include "turning.h"
#include "vectors.h"
#include "windows.h"

namespace theano {
namespace windows {

namespace {

// Loops over rows and vectors are written out, so that the sums stay in registers.
template <class T, int kBytes, int kRows, int kVectors>
void add(const Sums &work) {
    using V = Vectors<T, kBytes>;
    typename V::Vector sum[kRows][kVectors];
    T *out = static_cast<T *>(work.out);
    const std::int64_t across = work.across;
    const bool added = work.added;
    TH_UNROLL for (int r = 0; r < kRows; ++r) {
        TH_UNROLL for (int v = 0; v < kVectors; ++v) {
            sum[r][v] = typename V::Vector{};
            if (added) sum[r][v] = V::load(out + r * across + v * V::kLanes);
        }
    }
    const T *plane = static_cast<const T *>(work.planes);
    const T *factors = static_cast<const T *>(work.factors);
    const std::int64_t *const items = work.items, n_items = work.n_items, apart = work.apart;
    for (std::int64_t channel = work.channels; channel > 0; --channel, plane += apart) {
        for (std::int64_t item = 0; item < n_items; ++item, factors += kRows) {
            const T *const x = plane + items[item];
            typename V::Vector windows[kVectors];
            TH_UNROLL for (int v = 0; v < kVectors; ++v) windows[v] = V::load(x + v * V::kLanes);
            TH_UNROLL for (int r = 0; r < kRows; ++r) {
                const auto factor = factors[r] - typename V::Vector{};
                TH_UNROLL for (int v = 0; v < kVectors; ++v)
                    V::add_product(sum[r][v], windows[v], factor);
            }
        }
    }
    TH_UNROLL for (int r = 0; r < kRows; ++r) {
        TH_UNROLL for (int v = 0; v < kVectors; ++v)
            V::store(out + r * across + v * V::kLanes, sum[r][v]);
    }
}

// A piece is copied by whole vectors: what is too much is overwritten by the next one, and the
// last one has room.
template <class T, int kBytes, bool kShort>
void pack_pieces(const Packing &work) {
    using V = Vectors<T, kBytes>;
    const T *plane = static_cast<const T *>(work.planes);
    T *to = static_cast<T *>(work.packed);
    const Piece *const pieces = work.pieces, *const end = pieces + work.n_pieces;
    const std::int64_t n_items = work.n_items, apart = work.apart, width = work.width;
    for (std::int64_t channel = work.channels; channel > 0; --channel, plane += apart) {
        for (std::int64_t item = 0; item < n_items; ++item, to += width) {
            const T *const first = plane + work.items[item];
            for (const Piece *piece = pieces; piece < end; ++piece) {
                const T *const from = first + piece->plane;
                T *const at = to + piece->lane;
                V::store(at, V::load(from));
                for (std::int64_t i = V::kLanes; !kShort && i < piece->count; i += V::kLanes)
                    V::store(at + i, V::load(from + i));
            }
        }
    }
}

template <class T, int kBytes>
void pack(const Packing &work) {
    bool all_short = true;
    for (std::int64_t i = 0; i < work.n_pieces; ++i)
        all_short = all_short && work.pieces[i].count <= Vectors<T, kBytes>::kLanes;
    if (all_short) pack_pieces<T, kBytes, true>(work);
    else pack_pieces<T, kBytes, false>(work);
}

// Copies without touching what is behind: the last vector overlaps the one before.
template <class T, int kBytes>
void copy_items(T *to, const T *from, std::int64_t count) {
    using V = Vectors<T, kBytes>;
    if (count >= V::kLanes) {
        for (std::int64_t i = 0; i + V::kLanes < count; i += V::kLanes)
            V::store(to + i, V::load(from + i));
        V::store(to + count - V::kLanes, V::load(from + count - V::kLanes));
    } else if constexpr (V::kLanes > 2) {
        copy_items<T, kBytes / 2>(to, from, count);
    } else {
        for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
    }
}

template <class T, int kBytes>
void fill(const Filling &work) {
    const T *from = static_cast<const T *>(work.from);
    T *to = static_cast<T *>(work.to);
    const std::int64_t end = work.before + work.count, step = work.step;
    for (std::int64_t row = 0; row < work.rows; ++row, from += work.apart, to += work.length) {
        for (std::int64_t i = 0; i < work.before; ++i) to[i] = T(0);
        if (step == 1) {
            copy_items<T, kBytes>(to + work.before, from, work.count);
        } else if (step == 2) {
            T *const __restrict at = to + work.before;
            for (std::int64_t i = 0; i < work.count; ++i) at[i] = from[2 * i];
        } else {
            for (std::int64_t i = 0; i < work.count; ++i) to[work.before + i] = from[i * step];
        }
        for (std::int64_t i = end; i < work.length; ++i) to[i] = T(0);
    }
}

// Of vectors of groups, which lie side by side or far apart; lanes that have none are zeros.
template <class T, int kBytes>
void fill_groups(const Filling &work) {
    using V = Vectors<T, kBytes>;
    const T *from = static_cast<const T *>(work.from);
    T *to = static_cast<T *>(work.to);
    const std::int64_t end = work.before + work.count, groups = work.groups;
    const bool full = work.groups_apart == 1 && groups == V::kLanes;
    for (std::int64_t row = 0; row < work.rows; ++row, from += work.apart) {
        for (std::int64_t i = 0; i < work.before; ++i, to += V::kLanes)
            V::store(to, typename V::Vector{});
        if (!full) {
            turn<T>({from, groups, work.groups_apart, work.count, work.step, to, V::kLanes});
        } else {
            for (std::int64_t i = 0; i < work.count; ++i)
                V::store(to + i * V::kLanes, V::load(from + i * work.step));
        }
        to += work.count * V::kLanes;
        for (std::int64_t i = end; i < work.length; ++i, to += V::kLanes)
            V::store(to, typename V::Vector{});
    }
}

template <class T, int kBytes, int kWindows>
TH_INLINE void add_group_windows(const GroupSums &work, std::int64_t first) {
    using V = Vectors<T, kBytes>;
    const T *const planes = static_cast<const T *>(work.planes) + first * V::kLanes;
    const T *factors = static_cast<const T *>(work.factors);
    const std::int64_t n_terms = work.n_terms;
    typename V::Vector sum[kWindows] = {};
    for (std::int64_t term = 0; term < n_terms; ++term, factors += V::kLanes) {
        const typename V::Vector factor = V::load(factors);
        const T *const x = planes + work.terms[term] * V::kLanes;
        TH_UNROLL for (int w = 0; w < kWindows; ++w)
            V::add_product(sum[w], V::load(x + w * V::kLanes), factor);
    }
    T *const out = static_cast<T *>(work.out) + first * work.step;
    TH_UNROLL for (int w = 0; w < kWindows; ++w) V::store(out + w * work.step, sum[w]);
}

template <class T, int kBytes>
void add_groups(const GroupSums &work) {
    std::int64_t i = 0;
    for (; i + 8 <= work.windows; i += 8) add_group_windows<T, kBytes, 8>(work, i);
    if (work.windows & 4) add_group_windows<T, kBytes, 4>(work, i), i += 4;
    if (work.windows & 2) add_group_windows<T, kBytes, 2>(work, i), i += 2;
    if (work.windows & 1) add_group_windows<T, kBytes, 1>(work, i);
}

template <class T, int kBytes>
void add_items(T *to, const T *from, std::int64_t count) {
    using V = Vectors<T, kBytes>;
    std::int64_t i = 0;
    for (; i + V::kLanes <= count; i += V::kLanes)
        V::store(to + i, V::load(to + i) + V::load(from + i));
    if constexpr (V::kLanes > 1) {
        if (i < count) add_items<T, kBytes / 2>(to + i, from + i, count - i);
    }
}

template <class T, int kBytes>
void unpack(const Unpacking &work) {
    const T *sums = static_cast<const T *>(work.sums);
    for (std::int64_t row = 0; row < work.rows; ++row, sums += work.width) {
        T *const out = static_cast<T *>(work.out) + work.places[row];
        for (const Piece *piece = work.pieces; piece < work.pieces + work.n_pieces; ++piece) {
            const T *from = sums + piece->lane;
            T *to = out + piece->out;
            if (work.step == 1) {
                if (work.added) add_items<T, kBytes>(to, from, piece->count);
                else copy_items<T, kBytes>(to, from, piece->count);
                continue;
            }
            for (std::int64_t i = 0; i < piece->count; ++i) {
                T &item = to[i * work.step];
                item = work.added ? item + from[i] : from[i];
            }
        }
    }
}

// Whether all of some items are numbers of which none is larger.
template <class T, int kBytes>
bool within(const void *items, std::int64_t count, double most) {
    using V = Vectors<T, kBytes>;
    const T *from = static_cast<const T *>(items);
    const T limit = static_cast<T>(most);
    const typename V::Vector wide = limit - typename V::Vector{};
    auto all = wide == wide;
    std::int64_t i = 0;
    for (; i + V::kLanes <= count; i += V::kLanes) {
        const typename V::Vector x = V::load(from + i);
        all &= (x <= wide) & (x >= -wide);
    }
    bool found = true;
    for (int lane = 0; lane < V::kLanes; ++lane) found = found && all[lane];
    for (; i < count; ++i) found = found && from[i] <= limit && from[i] >= -limit;
    return found;
}

// Transforms four items that are kNext vectors apart.
template <class Vector, int kNext>
TH_INLINE void enter_four(Vector *x) {
    const Vector a = x[0], b = x[kNext], c = x[2 * kNext], d = x[3 * kNext];
    x[0] = a - c;
    x[kNext] = b + c;
    x[2 * kNext] = c - b;
    x[3 * kNext] = b - d;
}

template <class T, int kBytes>
void enter(const Entering &work) {
    using V = Vectors<T, kBytes>;
    const T *row = static_cast<const T *>(work.planes);
    T *to = static_cast<T *>(work.to);
    const std::int64_t plane = work.plane, pitch = work.pitch, apart = work.apart;
    for (std::int64_t i = 0; i < work.rows; ++i, row += pitch, to += work.count) {
        for (std::int64_t t = 0; t < work.count; t += V::kLanes) {
            typename V::Vector x[16];
            TH_UNROLL for (int y = 0; y < 4; ++y) {
                const T *const from = row + y % 2 * 2 * plane + y / 2 * pitch + t;
                x[4 * y] = V::load(from);
                x[4 * y + 1] = V::load(from + plane);
                x[4 * y + 2] = V::load(from + 1);
                x[4 * y + 3] = V::load(from + plane + 1);
            }
            TH_UNROLL for (int z = 0; z < 4; ++z) enter_four<typename V::Vector, 4>(x + z);
            TH_UNROLL for (int y = 0; y < 4; ++y) enter_four<typename V::Vector, 1>(x + 4 * y);
            TH_UNROLL for (int n = 0; n < 16; ++n) V::store(to + n * apart + t, x[n]);
        }
    }
}

// Writes a row of windows, every other one of which was given.
template <class T>
void write_in_turn(T *__restrict to, const T *__restrict even, const T *__restrict odd,
                   std::int64_t count) {
    for (std::int64_t i = 0; i < count / 2; ++i) {
        to[2 * i] = even[i];
        to[2 * i + 1] = odd[i];
    }
    if (count % 2) to[count - 1] = even[count / 2];
}

template <class T, int kBytes>
void leave(const Leaving &work) {
    using V = Vectors<T, kBytes>;
    const T *from = static_cast<const T *>(work.sums);
    T *out = static_cast<T *>(work.out), *const sums = static_cast<T *>(work.rows_of_sums);
    const std::int64_t apart = work.apart;
    const std::int64_t room = (work.count + V::kLanes - 1) / V::kLanes * V::kLanes;
    for (std::int64_t i = 0; i < work.rows; ++i, from += work.count, out += 2 * work.pitch) {
        for (std::int64_t t = 0; t < work.count; t += V::kLanes) {
            typename V::Vector x[16];
            TH_UNROLL for (int n = 0; n < 16; ++n) x[n] = V::load(from + n * apart + t);
            TH_UNROLL for (int y = 0; y < 2; ++y) {
                typename V::Vector sum[4];
                TH_UNROLL for (int z = 0; z < 4; ++z)
                    sum[z] = y ? x[4 + z] - x[8 + z] - x[12 + z] : x[z] + x[4 + z] + x[8 + z];
                V::store(sums + 2 * y * room + t, sum[0] + sum[1] + sum[2]);
                V::store(sums + (2 * y + 1) * room + t, sum[1] - sum[2] - sum[3]);
            }
        }
        write_in_turn(out, sums, sums + room, work.width);
        if (2 * i + 1 < work.height)
            write_in_turn(out + work.pitch, sums + 2 * room, sums + 3 * room, work.width);
    }
}

// Makes four of the first two of four items that are kNext vectors apart.
template <class Vector, int kNext>
TH_INLINE void enter_two(Vector *x) {
    const Vector a = x[0], b = x[kNext];
    x[kNext] = (a + b) / 2;
    x[2 * kNext] = (a - b) / 2;
    x[3 * kNext] = b;
}

template <class T, int kBytes>
void enter_given(const EnteringGiven &work) {
    using V = Vectors<T, kBytes>;
    const T *row = static_cast<const T *>(work.windows);
    T *to = static_cast<T *>(work.to);
    const std::int64_t width = work.width, pitch = work.pitch, apart = work.apart;
    for (std::int64_t i = 0; i < work.tiles; ++i, row += 2 * width, to += width) {
        for (std::int64_t lane = 0; lane < width; lane += V::kLanes) {
            typename V::Vector x[16];
            TH_UNROLL for (int n = 0; n < 4; ++n)
                x[n / 2 * 4 + n % 2] = V::load(row + n / 2 * pitch + n % 2 * width + lane);
            TH_UNROLL for (int z = 0; z < 2; ++z) enter_two<typename V::Vector, 4>(x + z);
            TH_UNROLL for (int y = 0; y < 4; ++y) enter_two<typename V::Vector, 1>(x + 4 * y);
            TH_UNROLL for (int n = 0; n < 16; ++n) V::store(to + n * apart + lane, x[n]);
        }
    }
}

// Makes three of four items that are kNext vectors apart.
template <class Vector, int kNext>
TH_INLINE void leave_three(Vector *x) {
    const Vector sum = x[kNext] + x[2 * kNext], difference = x[kNext] - x[2 * kNext];
    x[0] += sum;
    x[kNext] = difference;
    x[2 * kNext] = sum - x[3 * kNext];
}

template <class T, int kBytes>
void leave_kernels(const LeavingKernels &work) {
    using V = Vectors<T, kBytes>;
    const T *from = static_cast<const T *>(work.sums);
    T *to = static_cast<T *>(work.to);
    const std::int64_t width = work.width, apart = work.apart;
    for (std::int64_t i = 0; i < work.terms; ++i, from += width, to += 9 * width) {
        for (std::int64_t lane = 0; lane < width; lane += V::kLanes) {
            typename V::Vector x[16];
            TH_UNROLL for (int n = 0; n < 16; ++n) x[n] = V::load(from + n * apart + lane);
            TH_UNROLL for (int z = 0; z < 4; ++z) leave_three<typename V::Vector, 4>(x + z);
            TH_UNROLL for (int y = 0; y < 3; ++y) leave_three<typename V::Vector, 1>(x + 4 * y);
            TH_UNROLL for (int n = 0; n < 9; ++n)
                V::store(to + n * width + lane, x[n / 3 * 4 + n % 3]);
        }
    }
}

template <class T, int kBytes, int kTerms, int kVectors>
void differentiate_across(const Gradients &work) {
    using V = Vectors<T, kBytes>;
    constexpr int kWidth = V::kLanes * kVectors;
    typename V::Vector sum[kTerms][kVectors];
    T *out = static_cast<T *>(work.out);
    TH_UNROLL for (int t = 0; t < kTerms; ++t) {
        TH_UNROLL for (int v = 0; v < kVectors; ++v) {
            sum[t][v] = typename V::Vector{};
            if (work.added) sum[t][v] = V::load(out + t * kWidth + v * V::kLanes);
        }
    }
    std::int64_t terms[kTerms];
    TH_UNROLL for (int t = 0; t < kTerms; ++t) terms[t] = work.terms[t];
    const T *const planes = static_cast<const T *>(work.planes);
    const T *given = static_cast<const T *>(work.given);
    const std::int64_t *const windows = work.windows, n_windows = work.n_windows;
    for (std::int64_t window = 0; window < n_windows; ++window, given += kWidth) {
        const T *const plane = planes + windows[window];
        typename V::Vector channels[kVectors];
        TH_UNROLL for (int v = 0; v < kVectors; ++v) channels[v] = V::load(given + v * V::kLanes);
        TH_UNROLL for (int t = 0; t < kTerms; ++t) {
            const auto factor = plane[terms[t]] - typename V::Vector{};
            TH_UNROLL for (int v = 0; v < kVectors; ++v)
                V::add_product(sum[t][v], channels[v], factor);
        }
    }
    TH_UNROLL for (int t = 0; t < kTerms; ++t) {
        TH_UNROLL for (int v = 0; v < kVectors; ++v)
            V::store(out + t * kWidth + v * V::kLanes, sum[t][v]);
    }
}

// Adds up the products of the windows from `first` on of all rows, in whole vectors; returns the
// first window that is left.
template <class T, int kBytes, int kTerms>
std::int64_t add_along(const Gradients &work, std::int64_t first, T (&total)[kTerms]) {
    using V = Vectors<T, kBytes>;
    const std::int64_t end = first + (work.length - first) / V::kLanes * V::kLanes;
    if (end == first) return first;
    typename V::Vector sum[kTerms] = {};
    std::int64_t terms[kTerms];
    TH_UNROLL for (int t = 0; t < kTerms; ++t) terms[t] = work.terms[t];
    for (const Row *row = work.rows; row < work.rows + work.n_rows; ++row) {
        const T *const plane = static_cast<const T *>(work.planes) + row->plane;
        const T *const given = static_cast<const T *>(work.given) + row->given;
        for (std::int64_t x = first; x < end; x += V::kLanes) {
            const typename V::Vector own = V::load(given + x);
            TH_UNROLL for (int t = 0; t < kTerms; ++t)
                sum[t] = V::load(plane + terms[t] + x) * own + sum[t];
        }
    }
    TH_UNROLL for (int t = 0; t < kTerms; ++t) {
        T lanes[V::kLanes];
        V::store(lanes, sum[t]);
        for (int half = V::kLanes / 2; half > 0; half /= 2)
            for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
        total[t] += lanes[0];
    }
    return end;
}

template <class T, int kBytes, int kTerms>
void differentiate_along(const Gradients &work) {
    T total[kTerms] = {};
    std::int64_t x = add_along<T, kBytes>(work, 0, total);
    if constexpr (kBytes > 16) x = add_along<T, kBytes / 2>(work, x, total);
    if constexpr (kBytes > 32) x = add_along<T, kBytes / 4>(work, x, total);
    add_along<T, sizeof(T)>(work, x, total);
    T *out = static_cast<T *>(work.out);
    for (int t = 0; t < kTerms; ++t) out[t] = work.added ? out[t] + total[t] : total[t];
}

template <class T, int kBytes, int kTerms>
void differentiate_groups(const Gradients &work) {
    using V = Vectors<T, kBytes>;
    typename V::Vector sum[kTerms];
    T *const out = static_cast<T *>(work.out);
    std::int64_t terms[kTerms];
    TH_UNROLL for (int t = 0; t < kTerms; ++t) {
        sum[t] = work.added ? V::load(out + t * V::kLanes) : typename V::Vector{};
        terms[t] = work.terms[t] * V::kLanes;
    }
    const std::int64_t length = work.length, step = work.step;
    for (const Row *row = work.rows; row < work.rows + work.n_rows; ++row) {
        const T *plane = static_cast<const T *>(work.planes) + row->plane * V::kLanes;
        const T *given = static_cast<const T *>(work.given) + row->given;
        for (std::int64_t x = 0; x < length; ++x, plane += V::kLanes, given += step) {
            const typename V::Vector own = V::load(given);
            TH_UNROLL for (int t = 0; t < kTerms; ++t)
                V::add_product(sum[t], V::load(plane + terms[t]), own);
        }
    }
    TH_UNROLL for (int t = 0; t < kTerms; ++t) V::store(out + t * V::kLanes, sum[t]);
}

// The tables: kSums vectors of sums stay in registers.
template <class T, int kBytes, int kSums, int kRows, int kVectors>
constexpr void fill_add(Loops &found) {
    if constexpr (kVectors <= kMostVectors && kRows * kVectors <= kSums) {
        found.add[kRows - 1][kVectors - 1] = add<T, kBytes, kRows, kVectors>;
        fill_add<T, kBytes, kSums, kRows, kVectors + 1>(found);
    }
}

template <class T, int kBytes, int kSums, int kLargest, int kRows = 1>
constexpr void fill_rows(Loops &found) {
    fill_add<T, kBytes, kSums, kRows, 1>(found);
    if constexpr (kRows < kLargest) fill_rows<T, kBytes, kSums, kLargest, kRows + 1>(found);
}

template <class T, int kBytes, int kSums, int kTerms = 1>
constexpr void fill_gradients(Loops &found) {
    if constexpr (kTerms * 3 <= kSums) {
        found.across[0][kTerms - 1] = differentiate_across<T, kBytes, kTerms, 1>;
        found.across[1][kTerms - 1] = differentiate_across<T, kBytes, kTerms, 2>;
        found.across[2][kTerms - 1] = differentiate_across<T, kBytes, kTerms, 3>;
    }
    found.along[kTerms - 1] = differentiate_along<T, kBytes, kTerms>;
    found.groups[kTerms - 1] = differentiate_groups<T, kBytes, kTerms>;
    if constexpr (kTerms < kMostTerms) fill_gradients<T, kBytes, kSums, kTerms + 1>(found);
}

template <class T, int kBytes, int kSums, int kLargest>
constexpr Loops loops_of() {
    Loops found = {};
    found.lanes = kBytes / sizeof(T);
    found.rows = kLargest;
    fill_rows<T, kBytes, kSums, kLargest>(found);
    fill_gradients<T, kBytes, kSums>(found);
    found.fill = fill<T, kBytes>;
    found.fill_groups = fill_groups<T, kBytes>;
    found.add_groups = add_groups<T, kBytes>;
    found.pack = pack<T, kBytes>;
    found.unpack = unpack<T, kBytes>;
    found.turn = turn<T>;
    found.within = within<T, kBytes>;
    found.enter = enter<T, kBytes>;
    found.leave = leave<T, kBytes>;
    found.enter_given = enter_given<T, kBytes>;
    found.leave_kernels = leave_kernels<T, kBytes>;
    return found;
}

template <class T, int kBytes, int kSums, int kLargest>
constexpr Loops kLoops = loops_of<T, kBytes, kSums, kLargest>();

}  // namespace

}  // namespace windows
}  // namespace theano
