// Matrices of a group between memory and vectors that have one of them in each lane.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "small_systems.h"
#include "vectors.h"

namespace theano::small {
namespace {

template <class T, int kBytes>
struct Lanes {
    typedef T Vector __attribute__((vector_size(kBytes)));
    using Index = decltype(Vector() < Vector());
    static constexpr int kLanes = kBytes / sizeof(T);
    using All = std::make_integer_sequence<int, kLanes>;

    // Reads what each lane has at a place, as vectors of T.
    template <class Item = T>
    TH_INLINE static void load(const Matrices &s, std::int64_t rows, std::int64_t columns,
                               Vector *to) {
        const bool turned = lies_in_columns<Item>(s, rows, columns);
        if (turned) std::swap(rows, columns);
        const std::int64_t down = turned ? s.across : s.down, across = turned ? s.down : s.across;
        Vector held[kMostRows * kMostRows], *items = turned ? held : to;
        std::int64_t done = 0;
        if (std::is_same_v<Item, T> && lies_in_rows<Item>(down, across, rows, columns))
            done = by_blocks(rows * columns, [&](std::int64_t at) {
                Vector block[kLanes];
                TH_UNROLL for (int i = 0; i < kLanes; ++i)
                    __builtin_memcpy(block + i, s.data[i] + at * sizeof(T), kBytes);
                turn(block);
                TH_UNROLL for (int i = 0; i < kLanes; ++i) items[at + i] = block[i];
            });
        for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < columns; ++j) {
                if (i * columns + j < done) continue;
                items[i * columns + j] = gather<Item>(s, i * down + j * across, All());
            }
        }
        if (!turned) return;
        for (std::int64_t i = 0; i < rows; ++i)
            for (std::int64_t j = 0; j < columns; ++j)
                to[j * rows + i] = items[i * columns + j];
    }

    // Writes them for the lanes that have results.
    template <class Item = T>
    TH_INLINE static void store(const Group &g, const Matrices &s, std::int64_t rows,
                                std::int64_t columns, const Vector *from) {
        std::int64_t done = 0;
        if (std::is_same_v<Item, T> && g.all_done &&
            lies_in_rows<Item>(s.down, s.across, rows, columns))
            done = by_blocks(rows * columns, [&](std::int64_t at) {
                Vector block[kLanes];
                TH_UNROLL for (int i = 0; i < kLanes; ++i) block[i] = from[at + i];
                turn(block);
                TH_UNROLL for (int i = 0; i < kLanes; ++i)
                    __builtin_memcpy(s.data[i] + at * sizeof(T), block + i, kBytes);
            });
        for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < columns; ++j) {
                if (i * columns + j < done) continue;
                const Vector x = from[i * columns + j];
                const std::int64_t offset = i * s.down + j * s.across;
                if (g.all_done)
                    TH_UNROLL for (int lane = 0; lane < kLanes; ++lane)
                        write<Item>(s.data[lane] + offset, x[lane]);
                else
                    for (int lane = 0; lane < kLanes; ++lane)
                        if (g.done[lane]) write<Item>(s.data[lane] + offset, x[lane]);
            }
        }
    }

  private:
    template <class Item>
    static bool lies_in_rows(std::int64_t down, std::int64_t across, std::int64_t rows,
                             std::int64_t columns) {
        constexpr auto item = static_cast<std::int64_t>(sizeof(Item));
        return (columns == 1 || across == item) && (rows == 1 || down == columns * item);
    }
    template <class Item>
    static bool lies_in_columns(const Matrices &s, std::int64_t rows, std::int64_t columns) {
        return rows > 1 && columns > 1 && lies_in_rows<Item>(s.across, s.down, columns, rows);
    }

    // Calls `use` with the first item of blocks of as many as there are lanes, the last of which
    // may begin in the one before; returns where those begin that are not worth a block.
    template <class Use>
    static std::int64_t by_blocks(std::int64_t count, Use use) {
        std::int64_t at = 0;
        for (; at + kLanes <= count; at += kLanes) use(at);
        if (at == 0 || count - at <= kLanes / 4) return at;
        use(count - kLanes);
        return count;
    }

    template <class Item, int... kAt>
    static Vector gather(const Matrices &s, std::int64_t offset,
                         std::integer_sequence<int, kAt...>) {
        return Vector{read<Item>(s.data[kAt] + offset)...};
    }
    template <class Item>
    static T read(const char *from) {
        Item item;
        __builtin_memcpy(&item, from, sizeof item);
        return static_cast<T>(item);
    }
    template <class Item>
    static void write(char *to, T x) {
        const Item item = static_cast<Item>(x);
        __builtin_memcpy(to, &item, sizeof item);
    }

    // Exchanges rows and columns: of squares of two items, then of four, and so on.
    template <int kStep = 1>
    static void turn(Vector (&x)[kLanes]) {
        if constexpr (kStep < kLanes) {
            TH_UNROLL for (int i = 0; i < kLanes; ++i)
                if (!(i & kStep)) exchange<kStep>(x[i], x[i + kStep], All());
            turn<2 * kStep>(x);
        }
    }
    template <int kStep, int... kAt>
    static void exchange(Vector &a, Vector &b, std::integer_sequence<int, kAt...>) {
        const Vector first = a;
        a = TH_SHUFFLE(first, b, Index, (kAt & kStep ? kAt - kStep + kLanes : kAt)...);
        b = TH_SHUFFLE(first, b, Index, (kAt & kStep ? kAt + kLanes : kAt + kStep)...);
    }
};

}  // namespace
}  // namespace theano::small
