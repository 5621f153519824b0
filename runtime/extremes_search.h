// The loops of `extremes_loops.h` for one width of vectors. All is private to the file that includes it.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "extremes_loops.h"
#include "vectors.h"

namespace theano::extremes {

namespace {

using std::int64_t;

// -- keys ------------------------------------------------------------------------------------------

template <int kBytes>
struct Bits;
template <>
struct Bits<1> {
    using Type = std::int8_t;
};
template <>
struct Bits<2> {
    using Type = std::int16_t;
};
template <>
struct Bits<4> {
    using Type = std::int32_t;
};
template <>
struct Bits<8> {
    using Type = int64_t;
};

// Whether a key, or each of a vector, comes before another one that was found earlier.
template <class T, class V>
TH_INLINE auto is_better(const V &key, const V &best) {
    // Without jumps: the first NaN, then no more.
    if constexpr (std::is_floating_point_v<T>)
        return (key > best) | ((key != key) & (best == best));
    else
        return key > best;
}

template <class T>
struct Plain {
    using Key = T;
    using Word = typename Bits<sizeof(T)>::Type;

    template <class V, class W>
    static TH_INLINE V key(W bits, Turn turn) {
        const W changed = bits ^ static_cast<Word>(turn);
        V key;
        __builtin_memcpy(&key, &changed, sizeof key);
        return key;
    }
};

struct Half {
    using Key = std::int16_t;
    using Word = std::int16_t;

    // Zeros are equal, and NaN is the largest.
    template <class V, class W>
    static TH_INLINE V key(W bits, Turn turn) {
        const W sign = bits >> 15, size = bits & static_cast<Word>(0x7fff);
        const W number = ((size ^ sign) - sign) ^ static_cast<Word>(turn);
        const W nan = (size > static_cast<Word>(0x7c00)) ? W{} - 1 : W{};
        return (number & ~nan) | (nan & static_cast<Word>(0x7fff));
    }
};

template <class L>
TH_INLINE typename L::Key key_at(const char *at, Turn turn) {
    typename L::Word bits;
    __builtin_memcpy(&bits, at, sizeof bits);
    return L::template key<typename L::Key>(bits, turn);
}

// -- columns ---------------------------------------------------------------------------------------

template <class L, int kBytes>
struct Columns {
    using Key = typename L::Key;
    using Word = typename L::Word;
    using Vector = typename Vectors<Key, kBytes>::Vector;
    using Words = typename Vectors<Word, kBytes>::Vector;
    static constexpr int kLanes = kBytes / sizeof(Key), kWidest = kBytes == 64 ? 8 : 4;
    // Rows whose numbers a word holds.
    static constexpr int64_t kRows = sizeof(Key) == 1 ? 127 : sizeof(Key) == 2 ? 32767 : 1 << 30;

    static TH_INLINE Vector load(const char *from, Turn turn) {
        Words bits;
        __builtin_memcpy(&bits, from, kBytes);
        return L::template key<Vector>(bits, turn);
    }

    // Of rows whose numbers a word holds, behind `first` others.
    template <int kVectors>
    static void search_some(const char *from, int64_t first, int64_t count, int64_t step, Turn turn,
                            int64_t *places) {
        Vector best[kVectors];
        Words at[kVectors], row = {};
        const char *next = from + first * step;
        TH_UNROLL for (int v = 0; v < kVectors; ++v) {
            best[v] = load(next + v * kBytes, turn);
            at[v] = Words{};
        }
        for (int64_t i = 1; i < count; ++i) {
            next += step;
            row += 1;
            TH_UNROLL for (int v = 0; v < kVectors; ++v) {
                const Vector key = load(next + v * kBytes, turn);
                const Words better = is_better<Key>(key, best[v]);
                best[v] = better ? key : best[v];
                at[v] = better ? row : at[v];
            }
        }
        Word found[kVectors * kLanes];
        Key keys[kVectors * kLanes];
        __builtin_memcpy(found, at, sizeof found);
        __builtin_memcpy(keys, best, sizeof keys);
        for (int lane = 0; lane < kVectors * kLanes; ++lane) {
            const char *own = from + lane * sizeof(Key);
            if (!first || is_better<Key>(keys[lane], key_at<L>(own + places[lane] * step, turn)))
                places[lane] = first + found[lane];
        }
    }

    template <int kVectors>
    static void search(const char *from, int64_t rows, int64_t step, Turn turn, int64_t *places) {
        for (int64_t first = 0; first < rows; first += kRows)
            search_some<kVectors>(from, first, rows - first < kRows ? rows - first : kRows, step,
                                  turn, places);
    }

    // As many vectors at once as there are columns for; the last one may be shared with those before.
    template <int kVectors>
    static int64_t some(const char *from, int64_t rows, int64_t step, int64_t done, int64_t columns,
                        Turn turn, int64_t *places) {
        for (; columns - done >= kVectors * kLanes; done += kVectors * kLanes)
            search<kVectors>(from + done * sizeof(Key), rows, step, turn, places + done);
        if constexpr (kVectors > 1)
            return some<kVectors / 2>(from, rows, step, done, columns, turn, places);
        return done;
    }

    static void each(const char *from, int64_t rows, int64_t step, int64_t columns, Turn turn,
                     int64_t *places) {
        const int64_t done = some<kWidest>(from, rows, step, 0, columns, turn, places);
        if (done == columns) return;
        const int64_t last = columns - kLanes;
        if (last >= 0)
            search<1>(from + last * sizeof(Key), rows, step, turn, places + last);
        else if constexpr (kBytes > 8 && kLanes > 1)
            Columns<L, kBytes / 2>::each(from, rows, step, columns, turn, places);
        else
            for (int64_t c = 0; c < columns; ++c) one_column(from + c * sizeof(Key), rows, step, turn, places + c);
    }

    static void one_column(const char *from, int64_t rows, int64_t step, Turn turn, int64_t *place) {
        Key best = key_at<L>(from, turn);
        *place = 0;
        for (int64_t i = 1; i < rows; ++i) {
            const Key key = key_at<L>(from + i * step, turn);
            const bool better = is_better<Key>(key, best);
            best = better ? key : best;
            *place = better ? i : *place;
        }
    }

    // Some rows of few columns are searched as one long row.
    static void run(const char *from, int64_t rows, int64_t step, int64_t columns, Turn turn,
                    int64_t *places) {
        constexpr int64_t kMost = 4 * kLanes, kManyRows = 8;
        int64_t together = 0;
        if (columns > 0 && columns < kLanes && step == columns * static_cast<int64_t>(sizeof(Key)))
            together = (rows < kManyRows * kMost / columns ? kLanes : kMost) / columns;
        if (together < 2 || rows < kManyRows * together)
            return each(from, rows, step, columns, turn, places);
        int64_t found[kMost];
        const int64_t wide = together * columns, whole = rows / together;
        each(from, whole, step * together, wide, turn, found);
        for (int64_t c = 0; c < columns; ++c) {
            int64_t place = found[c] * together;
            Key best = key_at<L>(from + place * step + c * sizeof(Key), turn);
            auto compare = [&](int64_t row) {
                const Key key = key_at<L>(from + row * step + c * sizeof(Key), turn);
                const bool better = is_better<Key>(key, best);
                if (!better && (row > place || is_better<Key>(best, key))) return;
                best = key;
                place = row;
            };
            for (int64_t i = 1; i < together; ++i) compare(found[c + i * columns] * together + i);
            for (int64_t row = whole * together; row < rows; ++row) compare(row);
            places[c] = place;
        }
    }
};

// -- rows of few items -----------------------------------------------------------------------------

// Of words that are keys by themselves: as many rows as a vector has lanes, read as vectors of which
// shuffles make those of first items, of second items, and so on.
template <class T, int kBytes, int kItems>
struct Rows {
    using L = Plain<T>;
    using Vector = typename Vectors<T, kBytes>::Vector;
    using Words = typename Vectors<typename L::Word, kBytes>::Vector;
    static constexpr int kLanes = kBytes / sizeof(T);
    typedef int64_t Places __attribute__((vector_size(kLanes * 8)));
    using Lanes = std::make_integer_sequence<int, kLanes>;

    // From which of two vectors' lanes item `k` of a row is taken, the second of which is part `index`.
    static constexpr int source(int lane, int k, int index) {
        const int at = lane * kItems + k;
        if (at / kLanes == index) return kLanes + at % kLanes;
        return index > 1 ? lane : at % kLanes;
    }

    template <int k, int index, int... lane>
    static TH_INLINE Vector every(const Vector *parts, Vector chosen,
                                  std::integer_sequence<int, lane...>) {
        if constexpr (index == kItems) {
            return chosen;
        } else {
            chosen = TH_SHUFFLE(chosen, parts[index], Words, source(lane, k, index)...);
            return every<k, index + 1>(parts, chosen, Lanes());
        }
    }

    template <int k>
    static TH_INLINE void compare(const Vector *parts, Vector &best, Words &at) {
        if constexpr (k < kItems) {
            const Vector key = every<k, 1>(parts, parts[0], Lanes());
            const Words better = is_better<T>(key, best);
            best = better ? key : best;
            at = better ? Words{} + k : at;
            compare<k + 1>(parts, best, at);
        }
    }

    static void run(const char *from, int64_t rows, Turn turn, int64_t *places, char *items) {
        constexpr int64_t size = sizeof(T);
        int64_t row = 0;
        for (; row + kLanes <= rows; row += kLanes, from += kItems * kBytes) {
            Vector parts[kItems];
            TH_UNROLL for (int i = 0; i < kItems; ++i)
                parts[i] = Columns<L, kBytes>::load(from + i * kBytes, turn);
            Vector best = every<0, 1>(parts, parts[0], Lanes());
            Words at = {};
            compare<1>(parts, best, at);
            const Places wide = __builtin_convertvector(at, Places);
            __builtin_memcpy(places + row, &wide, sizeof wide);
            if (!items) continue;
            Words bits;
            __builtin_memcpy(&bits, &best, kBytes);
            bits ^= static_cast<typename L::Word>(turn);
            __builtin_memcpy(items + row * size, &bits, kBytes);
        }
        for (; row < rows; ++row, from += kItems * size) {
            Columns<L, kBytes>::one_column(from, kItems, size, turn, places + row);
            if (items) __builtin_memcpy(items + row * size, from + places[row] * size, size);
        }
    }
};

template <class T, int kBytes>
void rows_of_words(const char *from, int64_t rows, int64_t n, Turn turn, int64_t *places,
                   char *items) {
    using Run = void (*)(const char *, int64_t, Turn, int64_t *, char *);
    static constexpr Run kRun[kFew] = {
        Rows<T, kBytes, 1>::run, Rows<T, kBytes, 2>::run, Rows<T, kBytes, 3>::run,
        Rows<T, kBytes, 4>::run, Rows<T, kBytes, 5>::run, Rows<T, kBytes, 6>::run,
        Rows<T, kBytes, 7>::run, Rows<T, kBytes, 8>::run,
    };
    kRun[n - 1](from, rows, turn, places, items);
}

// Of smaller items, some rows of keys at a time are made words.
template <class L, int kBytes>
void rows_of_parts(const char *from, int64_t rows, int64_t n, Turn turn, int64_t *places) {
    constexpr int64_t kTogether = 64, size = sizeof(typename L::Key);
    std::int32_t keys[kTogether * kFew];
    for (int64_t row = 0; row < rows; row += kTogether) {
        const int64_t count = rows - row < kTogether ? rows - row : kTogether;
        const char *own = from + row * n * size;
        for (int64_t i = 0; i < count * n; ++i) keys[i] = key_at<L>(own + i * size, turn);
        rows_of_words<std::int32_t, kBytes>(reinterpret_cast<const char *>(keys), count, n, 0,
                                            places + row, nullptr);
    }
}

// Of longer rows, some at a time, whose comparisons do not wait for each other; false if there is a NaN.
template <class L, int kTogether>
bool some_rows(const char *from, int64_t n, Turn turn, int64_t *places) {
    constexpr int64_t size = sizeof(typename L::Key);
    typename L::Key best[kTogether];
    int64_t at[kTogether] = {};
    bool numbers = true;
    for (int r = 0; r < kTogether; ++r) {
        best[r] = key_at<L>(from + r * n * size, turn);
        numbers &= best[r] == best[r];
    }
    for (int64_t i = 1; i < n; ++i) {
        for (int r = 0; r < kTogether; ++r) {
            const auto key = key_at<L>(from + (r * n + i) * size, turn);
            const bool better = key > best[r];
            numbers &= key == key;
            best[r] = better ? key : best[r];
            at[r] = better ? i : at[r];
        }
    }
    for (int r = 0; r < kTogether; ++r) places[r] = at[r];
    return numbers;
}

template <class L>
void longer_rows(const char *from, int64_t rows, int64_t n, Turn turn, int64_t *places) {
    constexpr int64_t kTogether = 8, size = sizeof(typename L::Key);
    for (int64_t row = 0, count = 1; row < rows; row += count, from += count * n * size) {
        count = rows - row < kTogether ? 1 : kTogether;
        if (count > 1 && some_rows<L, kTogether>(from, n, turn, places + row)) continue;
        for (int64_t r = 0; r < count; ++r)
            Columns<L, 16>::one_column(from + r * n * size, n, size, turn, places + row + r);
    }
}

template <class L, int kBytes>
void find_in_rows(const char *from, int64_t rows, int64_t n, Turn turn, int64_t *places,
                  char *items) {
    using Key = typename L::Key;
    if (n > kFew) {
        longer_rows<L>(from, rows, n, turn, places);
    } else if constexpr (sizeof(Key) >= 4) {
        return rows_of_words<Key, kBytes>(from, rows, n, turn, places, items);
    } else {
        rows_of_parts<L, kBytes>(from, rows, n, turn, places);
    }
    for (int64_t i = 0; items && i < rows; ++i)
        __builtin_memcpy(items + i * sizeof(Key), from + (i * n + places[i]) * sizeof(Key),
                         sizeof(Key));
}

template <class L, int kBytes>
constexpr Loops of_keys() {
    return {Columns<L, kBytes>::run, find_in_rows<L, kBytes>};
}

template <int kBytes>
const Loops &loops_of(Kind kind) {
    static constexpr Loops kLoops[] = {
        of_keys<Plain<std::int8_t>, kBytes>(),  of_keys<Plain<std::int16_t>, kBytes>(),
        of_keys<Plain<std::int32_t>, kBytes>(), of_keys<Plain<int64_t>, kBytes>(),
        of_keys<Half, kBytes>(),                of_keys<Plain<float>, kBytes>(),
        of_keys<Plain<double>, kBytes>(),
    };
    return kLoops[static_cast<int>(kind)];
}

}  // namespace

}  // namespace theano::extremes
