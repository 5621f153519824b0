#include "along.h"

#include <algorithm>
#include <complex>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include "arrays.h"
#include "byte_sort.h"
#include "copy.h"
#include "half.h"
#include "include/theano_runtime.h"
#include "lines.h"
#include "selection.h"

namespace theano::along {

namespace {

// `long` is as wide as another type: what is compiled for that one serves both.
template <class T>
using FixedWidth =
    std::conditional_t<std::is_signed_v<T>,
                       std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>,
                       std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;

// Signed integers wrap around as unsigned ones do, with the same bits.
template <class T, bool kInteger = std::is_integral_v<T>>
struct Wrapping {
    using Type = T;
};

template <class T>
struct Wrapping<T, true> {
    using Type = std::make_unsigned_t<T>;
};

// Unsigned integers are widened: narrow ones would become `int`, where a product may overflow.
struct Plus {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (std::is_integral_v<T>) return static_cast<T>(std::uint64_t{a} + b);
        else return a + b;
    }

    Half operator()(Half a, Half b) const { return {float_to_half(a.value() + b.value())}; }
};

struct Times {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (std::is_integral_v<T>) return static_cast<T>(std::uint64_t{a} * b);
        else return a * b;
    }

    Half operator()(Half a, Half b) const { return {float_to_half(a.value() * b.value())}; }

    template <class T>
    std::complex<T> operator()(std::complex<T> a, std::complex<T> b) const {
        return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
    }
};

// NumPy's own functions, which need no lock.
const PyArray_ArrFuncs *numpy_functions[NPY_HALF + 1];
std::int64_t item_sizes[NPY_HALF + 1];

// Memory that a thread which was given up may still write to.
template <class T>
std::shared_ptr<T[]> shared_items(std::int64_t count) {
    return std::shared_ptr<T[]>(new T[static_cast<std::size_t>(count)]);
}

// Puts items in order, or says the numbers of items in their order, for which they stay.
template <class T>
bool put_in_order(const Lines &lines, T *items, std::int64_t *order, std::int64_t n) {
    if constexpr (sizeof(T) == 1) {
        if (lines.sort && n >= kFewBytes) return sort_bytes(items, n, numpy_functions[NPY_SHORT]->sort[0]);
    }
    if (lines.sort) return lines.sort(items, n, nullptr) >= 0;
    for (std::int64_t i = 0; i < n; ++i) order[i] = i;
    return lines.argsort(items, reinterpret_cast<npy_intp *>(order), n, nullptr) >= 0;
}

// The same for long lines, in a thread of its own.
template <class T>
Status sort_aside(const Lines &lines, const std::shared_ptr<T[]> &items,
                  const std::shared_ptr<std::int64_t[]> &order, std::int64_t n) {
    auto good = std::make_shared<bool>();
    auto all = [sort = lines.sort, argsort = lines.argsort, items, order, n, good] {
        static const threads::Poll never;
        const Lines same{0, 0, 0, sort, argsort, nullptr, nullptr, nullptr, nullptr, never};
        *good = put_in_order(same, items.get(), order.get(), n);
    };
    if (!threads::run_aside(all, lines.poll)) return Status::interrupted;
    return *good ? Status::done : Status::no_memory;
}

template <class T>
bool is_aligned(const void *at) {
    return reinterpret_cast<std::uintptr_t>(at) % alignof(T) == 0;
}

// Whether the items of each line lie side by side, where they may be read as they are.
template <class T>
bool has_plain_lines(const Lines &lines) {
    bool plain = is_aligned<T>(lines.source) && lines.strides[lines.axis] == sizeof(T);
    for (std::int64_t i = 0; i < lines.ndim; ++i)
        plain = plain && lines.strides[i] % static_cast<std::int64_t>(alignof(T)) == 0;
    return plain;
}

// Whether what lies behind the axis is packed.
template <class T>
bool has_packed_rows(const Lines &lines) {
    std::int64_t size = sizeof(T);
    for (std::int64_t i = lines.ndim - 1; i > lines.axis; --i) {
        if (lines.shape[i] != 1 && lines.strides[i] != size) return false;
        size *= lines.shape[i];
    }
    return true;
}

// Running totals: each item is combined with the one before it along the axis, rows of `inner` items
// one after the other, `step` bytes apart. Totals of a few columns, or of a few rows, stay in registers.
template <class T, class Combine>
struct Totals {
    std::int64_t inner, step;
    Combine combine;

    void add(const char *from, std::int64_t begin, std::int64_t end, T *to) const {
        if (inner <= kFew)
            return with_constant(inner, [&](auto count) { add_few<count()>(from, begin, end, to); });
        if (begin == 0) {
            std::memmove(to, from, static_cast<std::size_t>(inner) * sizeof(T));
            begin = 1;
        }
        for (std::int64_t row = begin; row < end; ++row) {
            const char *items = from + row * step;
            T *own = to + row * inner;
            const T *before = own - inner;
            for (std::int64_t i = 0; i < inner; ++i)
                own[i] = combine(before[i], item_at<T>(items + i * sizeof(T)));
        }
    }

    template <int kCount>
    void add_few(const char *from, std::int64_t begin, std::int64_t end, T *to) const {
        T totals[kCount];
        for (int i = 0; i < kCount; ++i)
            totals[i] = begin ? to[(begin - 1) * kCount + i] : item_at<T>(from + i * sizeof(T));
        if (begin == 0) std::copy_n(totals, kCount, to);
        for (std::int64_t row = begin ? begin : 1; row < end; ++row) {
            const char *items = from + row * step;
            for (int i = 0; i < kCount; ++i) {
                totals[i] = combine(totals[i], item_at<T>(items + i * sizeof(T)));
                to[row * kCount + i] = totals[i];
            }
        }
    }

    // Of lines of a few items.
    template <int kItems>
    void add_lines(const Starts::Some &lines, T *to) const {
        for (std::int64_t line = 0; line < lines.count; ++line, to += kItems) {
            const char *from = lines.at + line * lines.apart;
            T total = to[0] = item_at<T>(from);
            for (int i = 1; i < kItems; ++i)
                to[i] = total = combine(total, item_at<T>(from + i * step));
        }
    }

    // Of some lines at a time, whose totals do not wait for each other.
    void add_lines(const Starts::Some &lines, std::int64_t n, T *to) const {
        constexpr int kTogether = 4, kShort = 32;
        std::int64_t line = 0;
        for (; n <= kShort && line + kTogether <= lines.count; line += kTogether) {
            const char *from = lines.at + line * lines.apart;
            T totals[kTogether];
            for (int k = 0; k < kTogether; ++k)
                to[(line + k) * n] = totals[k] = item_at<T>(from + k * lines.apart);
            for (std::int64_t i = 1; i < n; ++i) {
                from += step;
                for (int k = 0; k < kTogether; ++k) {
                    totals[k] = combine(totals[k], item_at<T>(from + k * lines.apart));
                    to[(line + k) * n + i] = totals[k];
                }
            }
        }
        for (; line < lines.count; ++line)
            add_few<1>(lines.at + line * lines.apart, 0, n, to + line * n);
    }
};

template <class T, class Combine>
Status accumulate(const Lines &given, std::int64_t outer, std::int64_t n, std::int64_t inner,
                  Combine combine) {
    T *to = reinterpret_cast<T *>(given.destination);
    Lines lines = given;
    std::int64_t packed[kMostDimensions];
    if (!has_packed_rows<T>(lines)) {
        copy_strided(lines.ndim, lines.shape, lines.strides, sizeof(T), to, lines.source);
        std::int64_t size = sizeof(T);
        for (std::int64_t i = lines.ndim - 1; i >= 0; size *= lines.shape[i--]) packed[i] = size;
        lines.source = given.destination;
        lines.strides = packed;
    }
    const Totals<T, Combine> totals{inner, lines.strides[lines.axis], combine};
    Starts starts(lines, lines.axis);
    const std::int64_t weight = n * inner;
    bool done = true;
    if (weight <= kPiece)
        done = in_pieces(outer, weight, lines.poll, [&](std::int64_t line, std::int64_t end) {
            while (line < end) {
                const Starts::Some some = starts.next(inner == 1 ? end - line : 1);
                T *own = to + line * weight;
                if (inner > 1) totals.add(some.at, 0, n, own);
                else if (n > kFew) totals.add_lines(some, n, own);
                else with_constant(n, [&](auto count) { totals.template add_lines<count()>(some, own); });
                line += some.count;
            }
        });
    for (std::int64_t line = 0; weight > kPiece && done && line < outer; ++line) {
        const char *from = starts.next();
        done = (line == 0 || !lines.poll()) &&
               in_pieces(n, inner, lines.poll, [&](std::int64_t begin, std::int64_t end) {
                   totals.add(from, begin, end, to + line * weight);
               });
    }
    return done ? Status::done : Status::interrupted;
}

// Lines of a few items, for which a call of NumPy's function would take longer: without jumps, each item
// goes in front of those before it that it is less than.
template <int kItems, class T>
void sort_few(const Starts::Some &lines, std::int64_t step, T *to) {
    for (std::int64_t line = 0; line < lines.count; ++line, to += kItems) {
        const char *from = lines.at + line * lines.apart;
        T own[kItems];
        for (int i = 0; i < kItems; ++i) {
            own[i] = item_at<T>(from + i * step);
            for (int j = i; j > 0; --j) {
                // Zeros of both signs stay in their order, and NaN goes behind numbers.
                const T one = own[j - 1], two = own[j];
                const bool less = !(two >= one) & (two == two);
                own[j - 1] = less ? two : one;
                own[j] = less ? one : two;
            }
        }
        std::copy_n(own, kItems, to);
    }
}

template <class T>
Status sort_short_lines(const Lines &lines, std::int64_t count, std::int64_t n) {
    Starts starts(lines, lines.ndim);
    T *to = reinterpret_cast<T *>(lines.destination);
    const bool done = in_pieces(count, n, lines.poll, [&](std::int64_t line, std::int64_t end) {
        while (line < end) {
            const Starts::Some some = starts.next(end - line);
            with_constant(n, [&](auto items) {
                sort_few<items()>(some, lines.strides[lines.axis], to + line * n);
            });
            line += some.count;
        }
    });
    return done ? Status::done : Status::interrupted;
}

// A thread that may be given up, for a long line, has memory of its own. Short lines are put in order
// where the result lies, if their items lie side by side there.
template <class T>
Status sort_lines(const Lines &lines, std::int64_t outer, std::int64_t n, std::int64_t inner) {
    const bool positions = lines.argsort != nullptr, aside = n >= kLong;
    const bool straight = !aside && inner == 1 && is_aligned<std::max_align_t>(lines.destination);
    const bool as_it_is = positions && !aside && has_plain_lines<T>(lines);
    const auto items = shared_items<T>((straight && !positions) || as_it_is ? 1 : n);
    const auto order = shared_items<std::int64_t>(positions && !straight ? n : 1);
    const std::size_t size = positions ? sizeof(std::int64_t) : sizeof(T);
    const std::int64_t step = lines.strides[lines.axis];
    Status status = Status::done;
    Starts starts(lines, lines.ndim);
    if constexpr (std::is_arithmetic_v<T>) {
        if (!positions && inner == 1 && n <= kFew) return sort_short_lines<T>(lines, outer, n);
    }
    const bool done = in_pieces(outer * inner, n, lines.poll, [&](std::int64_t line, std::int64_t end) {
        for (; status == Status::done && line < end; ++line) {
            const char *from = starts.next();
            char *to = lines.destination + (line / inner * n * inner + line % inner) * size;
            T *own = straight && !positions ? reinterpret_cast<T *>(to) : items.get();
            std::int64_t *places = straight ? reinterpret_cast<std::int64_t *>(to) : order.get();
            // NumPy's function does not write to what it says the order of.
            if (as_it_is) own = reinterpret_cast<T *>(const_cast<char *>(from));
            bool moved = as_it_is || in_pieces(n, 1, lines.poll, [&](std::int64_t i, std::int64_t last) {
                if (step == sizeof(T)) std::memcpy(&own[i], from + i * step, (last - i) * step);
                else for (; i < last; ++i) std::memcpy(&own[i], from + i * step, sizeof(T));
            });
            if (!moved) status = Status::interrupted;
            else if (aside) status = sort_aside(lines, items, order, n);
            else if (!put_in_order(lines, own, places, n)) status = Status::no_memory;
            if (status != Status::done || straight) continue;
            const char *result = positions ? reinterpret_cast<const char *>(places)
                                           : reinterpret_cast<const char *>(own);
            moved = in_pieces(n, 1, lines.poll, [&](std::int64_t i, std::int64_t last) {
                for (; i < last; ++i) std::memcpy(to + i * inner * size, result + i * size, size);
            });
            if (!moved) status = Status::interrupted;
        }
    });
    return done ? status : Status::interrupted;
}

template <class T>
Status work(const Lines &lines) {
    std::int64_t n = lines.shape[lines.axis], inner = 1, outer = 1;
    for (std::int64_t i = 0; i < lines.axis; ++i) outer *= lines.shape[i];
    for (std::int64_t i = lines.axis + 1; i < lines.ndim; ++i) inner *= lines.shape[i];
    if (n == 0 || inner == 0 || outer == 0) return Status::done;
    using Total = typename Wrapping<T>::Type;
    if (lines.operation == TH_CUMSUM) return accumulate<Total>(lines, outer, n, inner, Plus());
    if (lines.operation == TH_CUMPROD) return accumulate<Total>(lines, outer, n, inner, Times());
    return sort_lines<T>(lines, outer, n, inner);
}

struct Selection {
    Lines lines;
    std::int64_t first, count;
    std::int64_t *places;
};

template <class T>
Status work(const Selection &selection) {
    const Lines &lines = selection.lines;
    const std::int64_t n = lines.shape[lines.axis], first = selection.first, count = selection.count;
    std::int64_t inner = 1, outer = 1;
    for (std::int64_t i = 0; i < lines.axis; ++i) outer *= lines.shape[i];
    for (std::int64_t i = lines.axis + 1; i < lines.ndim; ++i) inner *= lines.shape[i];
    if (count <= 0 || inner == 0 || outer == 0) return Status::done;
    // INVARIANT: nothing grows where a thread may be given up, which could not say so.
    const std::int64_t room = std::min(n, 2 * std::min(first + count, n - first) + 16);
    const auto kept = std::make_shared<std::vector<Numbered<T>>>();
    kept->reserve(static_cast<std::size_t>(room));
    const auto items = shared_items<T>(n);
    const auto order = shared_items<std::int64_t>(count);
    const std::int64_t step = lines.strides[lines.axis];
    bool finished = true;
    Starts starts(lines, lines.ndim);
    const bool done = in_pieces(outer * inner, n, lines.poll, [&](std::int64_t line, std::int64_t end) {
        for (; finished && line < end; ++line) {
            const char *from = starts.next();
            // A thread that may be given up has items of its own.
            const bool in_place = step == sizeof(T) && n < kLong &&
                                  reinterpret_cast<std::uintptr_t>(from) % alignof(T) == 0;
            finished = in_place || in_pieces(n, 1, lines.poll, [&](std::int64_t i, std::int64_t last) {
                for (; i < last; ++i) std::memcpy(&items[i], from + i * step, sizeof(T));
            });
            if (!finished) return;
            const T *all_items = in_place ? reinterpret_cast<const T *>(from) : items.get();
            auto all = [=] { select_line(all_items, n, first, count, room, *kept, order.get()); };
            if (n < kLong) all();
            else finished = threads::run_aside(all, lines.poll);
            if (!finished) return;
            std::int64_t *to = selection.places + line / inner * count * inner + line % inner;
            for (std::int64_t i = 0; i < count; ++i) to[i * inner] = order[i];
        }
    });
    return done && finished ? Status::done : Status::interrupted;
}

struct Search {
    bool right;
    std::int64_t n, step;  // the sorted items: how many, and the bytes from one to the next
    const char *sorted;
    std::int64_t count;
    const char *wanted;
    std::int64_t *places;
    const threads::Poll &poll;
};

// What is left is halved as often for each item, so that the processor need not guess a way, and
// for several items in turns, so that it does not wait for each one's memory.
template <class T, bool right>
void find_places(const Search &search, std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t kTogether = 8;
    auto load = [](const char *from) {
        T item;
        std::memcpy(&item, from, sizeof item);
        return item;
    };
    for (std::int64_t k = begin; k < end; k += kTogether) {
        const std::int64_t count = std::min(kTogether, end - k);
        T items[kTogether];
        std::int64_t low[kTogether] = {};
        for (std::int64_t i = 0; i < count; ++i)
            items[i] = load(search.wanted + (k + i) * static_cast<std::int64_t>(sizeof(T)));
        for (std::int64_t left = search.n; left > 0;) {
            const std::int64_t half = (left + 1) / 2;
            for (std::int64_t i = 0; i < count; ++i) {
                const T other = load(search.sorted + (low[i] + half - 1) * search.step);
                const bool behind = right ? !before(items[i], other) : before(other, items[i]);
                low[i] += half & -static_cast<std::int64_t>(behind);
            }
            left -= half;
        }
        std::copy_n(low, count, search.places + k);
    }
}

template <class T>
Status work(const Search &search) {
    auto find = [&](std::int64_t k, std::int64_t end) {
        if (search.right) find_places<T, true>(search, k, end);
        else find_places<T, false>(search, k, end);
    };
    return in_pieces(search.count, 1, search.poll, find) ? Status::done : Status::interrupted;
}

// Numbers the rows of a matrix in their order. NumPy compares what is part of a row in another way
// than items alone: among halves NaN comes first.
Status order_rows(const PyArray_ArrFuncs &numpy, std::int64_t item, const std::int64_t *shape,
                  const std::int64_t *strides, const char *source, std::int64_t *order,
                  const threads::Poll &poll) {
    const std::int64_t n = shape[0], row = shape[1] * item;
    // INVARIANT: the items of an existing array.
    const auto memory = shared_items<std::complex<double>>(n * row / 16 + 1);
    const auto own = shared_items<std::int64_t>(n);
    copy_strided(2, shape, strides, static_cast<std::size_t>(item),
                 reinterpret_cast<char *>(memory.get()), source);
    auto sort = [memory, own, n, row, item, compare = numpy.compare] {
        const char *items = reinterpret_cast<const char *>(memory.get());
        for (std::int64_t i = 0; i < n; ++i) own[i] = i;
        std::stable_sort(own.get(), own.get() + n, [&](std::int64_t i, std::int64_t j) {
            const char *a = items + i * row, *b = items + j * row;
            for (std::int64_t at = 0; at < row; at += item) {
                int found = compare(a + at, b + at, nullptr);
                if (found != 0) return found < 0;
            }
            return false;
        });
    };
    if (n < kLong / 8) sort();
    else if (!threads::run_aside(sort, poll)) return Status::interrupted;
    std::copy(own.get(), own.get() + n, order);
    return Status::done;
}

template <class Work>
Status of_type(int typenum, const Work &todo) {
    switch (typenum) {
        case NPY_BOOL:
        case NPY_UBYTE:
            return work<std::uint8_t>(todo);
        case NPY_BYTE:
            return work<std::int8_t>(todo);
        case NPY_SHORT:
            return work<std::int16_t>(todo);
        case NPY_USHORT:
            return work<std::uint16_t>(todo);
        case NPY_INT:
            return work<std::int32_t>(todo);
        case NPY_UINT:
            return work<std::uint32_t>(todo);
        case NPY_LONG:
            return work<FixedWidth<long>>(todo);
        case NPY_ULONG:
            return work<FixedWidth<unsigned long>>(todo);
        case NPY_LONGLONG:
            return work<std::int64_t>(todo);
        case NPY_ULONGLONG:
            return work<std::uint64_t>(todo);
        case NPY_HALF:
            return work<Half>(todo);
        case NPY_FLOAT:
            return work<float>(todo);
        case NPY_DOUBLE:
            return work<double>(todo);
        case NPY_CFLOAT:
            return work<std::complex<float>>(todo);
        case NPY_CDOUBLE:
            return work<std::complex<double>>(todo);
        default:
            return Status::unknown;
    }
}

template <class Act>
Status unless_no_memory(Act act) {
    try {
        return act();
    } catch (const std::bad_alloc &) {
        return Status::no_memory;
    }
}

}  // namespace

void find_functions() {
    for (int typenum = 0; typenum <= NPY_HALF; ++typenum) {
        PyArray_Descr *type = PyArray_DescrFromType(typenum);
        numpy_functions[typenum] = type ? PyDataType_GetArrFuncs(type) : nullptr;
        item_sizes[typenum] = type ? PyDataType_ELSIZE(type) : 0;
        Py_XDECREF(type);
    }
}

const PyArray_ArrFuncs *functions_of(std::int64_t typenum) {
    return typenum < 0 || typenum > NPY_HALF ? nullptr : numpy_functions[typenum];
}

std::int64_t size_of(std::int64_t typenum) {
    return typenum < 0 || typenum > NPY_HALF ? 0 : item_sizes[typenum];
}

Status run(std::int64_t operation, int typenum, std::int64_t ndim, std::int64_t axis,
           const std::int64_t *shape, const std::int64_t *strides, const char *source,
           char *destination, const threads::Poll &poll) {
    if (operation < 0 || operation >= TH_ALONG_OPERATIONS || axis < 0 || axis >= ndim)
        return Status::unknown;
    const PyArray_ArrFuncs *numpy = functions_of(typenum);
    if (!numpy) return Status::unknown;
    if (operation == TH_ARGSORT_ROWS) {
        if (ndim != 2 || axis != 0) return Status::unknown;
        return unless_no_memory([&] {
            return order_rows(*numpy, item_sizes[typenum], shape, strides, source,
                              reinterpret_cast<std::int64_t *>(destination), poll);
        });
    }
    Lines lines{operation, ndim, axis, nullptr, nullptr, shape, strides, source, destination, poll};
    if (operation < TH_CUMSUM) {
        if (operation < TH_ARGSORT) lines.sort = numpy->sort[operation - TH_SORT];
        else lines.argsort = numpy->argsort[operation - TH_ARGSORT];
        if (!lines.sort && !lines.argsort) return Status::unknown;
    }
    return unless_no_memory([&] { return of_type(typenum, lines); });
}

Status search(bool right, int typenum, std::int64_t n, std::int64_t step, const char *sorted,
              std::int64_t count, const char *wanted, std::int64_t *places,
              const threads::Poll &poll) {
    return of_type(typenum, Search{right, n, step, sorted, count, wanted, places, poll});
}

Status select(int typenum, std::int64_t ndim, std::int64_t axis, std::int64_t first,
              std::int64_t count, const std::int64_t *shape, const std::int64_t *strides,
              const char *source, std::int64_t *places, const threads::Poll &poll) {
    if (axis < 0 || axis >= ndim) return Status::unknown;
    const Lines lines{TH_ALONG_OPERATIONS, ndim, axis, nullptr, nullptr, shape, strides, source,
                      nullptr, poll};
    const Selection selection{lines, first, count, places};
    return unless_no_memory([&] { return of_type(typenum, selection); });
}

}  // namespace theano::along
