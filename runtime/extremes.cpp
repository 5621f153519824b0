#include "extremes.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "extremes_loops.h"
#include "numpy_api.h"
#include "processor.h"

namespace theano::extremes {

using along::Status;

namespace {

// Items that a thread searches at a time, and of a part of an axis that is searched by itself.
constexpr std::int64_t kPart = 1 << 15;
// Columns that are searched at a time, and how many rows a part of them has at least.
constexpr std::int64_t kColumns = 256, kLeastRows = 256;

// Of how many times so many items a thread searches as many at a time.
double chunk_of(std::int64_t items) { return kPart / static_cast<double>(items); }

const Loops &loops(Kind kind) {
#if defined(__x86_64__)
    static const bool wide = has_avx512(), fast = has_fma();
    if (wide) return loops_avx512(kind);
    if (fast) return loops_fma(kind);
#endif
    return loops_plain(kind);
}

// How items of a type are compared; false: not here.
bool find_kind(std::int64_t typenum, bool largest, std::int64_t size, Kind &kind, Turn &turn) {
    const Turn sign = Turn{1} << (8 * size - 1);
    const int number = static_cast<int>(typenum);
    turn = largest ? 0 : ~Turn{0};
    if (number == NPY_HALF) {
        kind = Kind::half;
    } else if (PyTypeNum_ISFLOAT(number) && (size == 4 || size == 8)) {
        kind = size == 4 ? Kind::single : Kind::double_;
        turn = largest ? 0 : sign;
    } else if (PyTypeNum_ISINTEGER(number) || PyTypeNum_ISBOOL(number)) {
        kind = size == 1 ? Kind::int8 : size == 2 ? Kind::int16 : size == 4 ? Kind::int32 : Kind::int64;
        if (PyTypeNum_ISUNSIGNED(number)) turn ^= sign;
    } else {
        return false;
    }
    return true;
}

template <class T>
void copy_items(const Work &work, std::int64_t begin, std::int64_t end) {
    std::int64_t outer = begin / work.inner, c = begin % work.inner;
    for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t at = (outer * work.n + work.places[i]) * work.inner + c;
        std::memcpy(work.items + i * sizeof(T), work.source + at * sizeof(T), sizeof(T));
        if (++c < work.inner) continue;
        c = 0;
        ++outer;
    }
}

// The items at places that were found.
void copy_items(const Work &work, std::int64_t size, std::int64_t begin, std::int64_t end) {
    if (!work.items) return;
    if (size == 1) copy_items<std::uint8_t>(work, begin, end);
    else if (size == 2) copy_items<std::uint16_t>(work, begin, end);
    else if (size == 4) copy_items<std::uint32_t>(work, begin, end);
    else copy_items<std::uint64_t>(work, begin, end);
}

// -- short rows ------------------------------------------------------------------------------------

struct ShortRows {
    const Work &work;
    const Loops &loops;
    std::int64_t size;
    Turn turn;

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const auto &all = *reinterpret_cast<const ShortRows *>(args);
        const Work &work = all.work;
        all.loops.rows(work.source + begin * work.n * all.size, end - begin, work.n, all.turn,
                       work.places + begin, work.items ? work.items + begin * all.size : nullptr);
    }
};

// -- columns, and parts of them --------------------------------------------------------------------

struct Columns {
    const Work &work;
    const Loops &loops;
    std::int64_t size;
    Turn turn;
    std::int64_t parts, rows;  // of an axis: how many, and the rows of each but the last
    std::int64_t *places;      // for each outer index and part, those of all columns

    std::int64_t blocks() const { return (work.inner + kColumns - 1) / kColumns; }

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const auto &all = *reinterpret_cast<const Columns *>(args);
        for (std::int64_t i = begin; i < end; ++i) all.search(i);
    }

    void search(std::int64_t number) const {
        const std::int64_t part = number / blocks(), column = number % blocks() * kColumns;
        const std::int64_t columns = std::min(kColumns, work.inner - column);
        const std::int64_t outer = part / parts, first = part % parts * rows;
        const std::int64_t step = work.inner * size;
        const char *from = work.source + (outer * work.n + first) * step + column * size;
        std::int64_t *to = places + part * work.inner + column;
        loops.columns(from, std::min(rows, work.n - first), step, columns, turn, to);
        for (std::int64_t c = 0; first && c < columns; ++c) to[c] += first;
        if (parts == 1) copy_items(work, size, to - places, to - places + columns);
    }

    // Of the places of all parts, those of the extreme items.
    void join(std::int64_t outer) const {
        const std::int64_t *found = places + outer * parts * work.inner;
        const char *source = work.source + outer * work.n * work.inner * size;
        std::unique_ptr<char[]> best(new char[static_cast<std::size_t>(parts * size)]);
        for (std::int64_t c = 0; c < work.inner; ++c) {
            for (std::int64_t part = 0; part < parts; ++part)
                std::memcpy(&best[static_cast<std::size_t>(part * size)],
                            source + (found[part * work.inner + c] * work.inner + c) * size,
                            static_cast<std::size_t>(size));
            std::int64_t first;
            loops.columns(best.get(), parts, size, 1, turn, &first);
            work.places[outer * work.inner + c] = found[first * work.inner + c];
        }
    }
};

Status search_columns(const Work &work, const Loops &loops, std::int64_t size, Turn turn,
                      const threads::Poll &poll) {
    const std::int64_t wide = std::min(work.inner, kColumns);
    const std::int64_t least = std::max(kLeastRows, kPart / wide);
    const std::int64_t rows = work.n < 2 * least ? work.n : least;
    Columns all{work, loops, size, turn, (work.n + rows - 1) / rows, rows, work.places};
    std::unique_ptr<std::int64_t[]> found;
    if (all.parts > 1) {
        found.reset(new std::int64_t[static_cast<std::size_t>(work.outer * all.parts * work.inner)]);
        all.places = found.get();
    }
    if (!threads::run(Columns::kernel, reinterpret_cast<std::int64_t *>(&all),
                      work.outer * all.parts * all.blocks(), chunk_of(rows * wide), poll))
        return Status::interrupted;
    if (all.parts == 1) return Status::done;
    for (std::int64_t outer = 0; outer < work.outer; ++outer) all.join(outer);
    copy_items(work, size, 0, work.outer * work.inner);
    return Status::done;
}

// -- rows, by NumPy's own functions ----------------------------------------------------------------

struct Rows {
    const Work &work;
    PyArray_ArgFunc *find;
    std::int64_t size, parts;
    std::int64_t *places;

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const auto &all = *reinterpret_cast<const Rows *>(args);
        for (std::int64_t i = begin; i < end; ++i) all.search(i);
    }

    void search(std::int64_t i) const {
        const std::int64_t row = i / parts, first = (i - row * parts) * kPart;
        const char *from = work.source + (row * work.n + first) * size;
        places[i] = first + extreme(from, std::min(kPart, work.n - first));
        if (parts == 1) copy_items(work, size, i, i + 1);
    }

    std::int64_t extreme(const char *items, std::int64_t count) const {
        npy_intp at = 0;
        find(const_cast<char *>(items), count, &at, nullptr);
        return at;
    }
};

Status search_rows(const Work &work, PyArray_ArgFunc *find, std::int64_t size,
                   const threads::Poll &poll) {
    Rows all{work, find, size, (work.n + kPart - 1) / kPart, work.places};
    // INVARIANT: there is more than one part of a row only if it is longer than a part.
    std::unique_ptr<std::int64_t[]> found;
    std::unique_ptr<char[]> best;
    if (all.parts > 1) {
        found.reset(new std::int64_t[static_cast<std::size_t>(work.outer * all.parts)]);
        best.reset(new char[static_cast<std::size_t>(all.parts * size)]);
        all.places = found.get();
    }
    if (!threads::run(Rows::kernel, reinterpret_cast<std::int64_t *>(&all), work.outer * all.parts,
                      chunk_of(work.n), poll))
        return Status::interrupted;
    if (all.parts == 1) return Status::done;
    for (std::int64_t row = 0; row < work.outer; ++row) {
        const std::int64_t *own = found.get() + row * all.parts;
        for (std::int64_t i = 0; i < all.parts; ++i)
            std::memcpy(&best[static_cast<std::size_t>(i * size)],
                        work.source + (row * work.n + own[i]) * size,
                        static_cast<std::size_t>(size));
        work.places[row] = own[all.extreme(best.get(), all.parts)];
    }
    copy_items(work, size, 0, work.outer);
    return Status::done;
}

struct Items {
    const Work &work;
    std::int64_t size;

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const auto &all = *reinterpret_cast<const Items *>(args);
        copy_items(all.work, all.size, begin, end);
    }
};

Status search(const Work &work, const threads::Poll &poll) {
    const PyArray_ArrFuncs *numpy = along::functions_of(work.typenum);
    const std::int64_t size = along::size_of(work.typenum);
    Kind kind;
    Turn turn;
    if (!numpy || !find_kind(work.typenum, work.largest, size, kind, turn)) return Status::unknown;
    if (work.outer == 0 || work.n == 0 || work.inner == 0) return Status::done;
    if (work.has_places) {
        Items all{work, size};
        const bool done = threads::run(Items::kernel, reinterpret_cast<std::int64_t *>(&all),
                                       work.outer * work.inner, kPart, poll);
        return done ? Status::done : Status::interrupted;
    }
    if (work.inner == 1 && work.n <= kMost) {
        ShortRows all{work, loops(kind), size, turn};
        const bool done = threads::run(ShortRows::kernel, reinterpret_cast<std::int64_t *>(&all),
                                       work.outer, chunk_of(work.n), poll);
        return done ? Status::done : Status::interrupted;
    }
    // NumPy searches among halves one by one.
    if (work.inner == 1 && kind != Kind::half)
        return search_rows(work, work.largest ? numpy->argmax : numpy->argmin, size, poll);
    return search_columns(work, loops(kind), size, turn, poll);
}

}  // namespace

Status run(const Work &work, const threads::Poll &poll) {
    try {
        return search(work, poll);
    } catch (const std::bad_alloc &) {
        return Status::no_memory;
    }
}

}  // namespace theano::extremes
