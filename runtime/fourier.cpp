#include "fourier.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <complex>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "fourier_loops.h"
#include "matmul.h"
#include "processor.h"

namespace theano {
namespace fourier {

namespace {

template <class T>
const Loops<T> &loops() {
#if defined(__x86_64__)
    if (has_avx512()) return loops_avx512<T>();
    if (has_fma()) return loops_fma<T>();
#endif
    return loops_plain<T>();
}

std::int64_t rounded_up(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }

using Precise = std::complex<long double>;

// exp(-2 pi i k / n): of an angle within an eighth of a turn, so that each part is precise.
Precise root(std::int64_t k, std::int64_t n) {
    constexpr long double kTurn = 6.283185307179586476925286766559005768L;
    const bool below = 2 * k > n;
    if (below) k = n - k;
    const bool left = 4 * k > n;
    const std::int64_t part = left ? n - 2 * k : 2 * k;  // of 2 n
    const bool steep = 4 * part > n;
    const long double angle = kTurn * static_cast<long double>(steep ? n - 2 * part : 2 * part) /
                              (4 * static_cast<long double>(n));
    const long double one = std::cos(angle), two = std::sin(angle);
    const long double re = steep ? two : one, im = steep ? one : two;
    return {left ? -re : re, below ? im : -im};
}

// All n of them: of many, as products of two of a few.
class Roots {
  public:
    explicit Roots(std::int64_t n) : n_(n), part_(n < kFew ? 0 : kPart) {
        for (std::int64_t k = 0; k < part_; ++k) low_.push_back(root(k, n));
        for (std::int64_t k = 0; part_ && k < n; k += part_) high_.push_back(root(k, n));
    }

    // Writes two numbers behind others.
    template <class T>
    void add(std::int64_t k, std::vector<T> &to) const {
        k %= n_;
        const Precise value = part_ ? product(high_[k / part_], low_[k % part_]) : root(k, n_);
        to.push_back(static_cast<T>(value.real()));
        to.push_back(static_cast<T>(value.imag()));
    }

  private:
    static constexpr std::int64_t kFew = 512, kPart = 256;

    static Precise product(const Precise &x, const Precise &y) {
        return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
    }

    std::int64_t n_, part_;
    std::vector<Precise> low_, high_;
};

// The largest first, of powers of 2 as few as there may be.
std::vector<std::int64_t> radices_of(std::int64_t n) {
    std::vector<std::int64_t> result;
    const auto take = [&](std::int64_t radix) {
        n /= radix;
        result.push_back(radix);
    };
    // 16 is 4 times 4, not 8 times 2.
    while (n % 8 == 0 && n % 32 != 16) take(8);
    for (std::int64_t radix : {4, 2})
        while (n % radix == 0) take(radix);
    for (std::int64_t radix = 3; radix <= kLargestPrime; radix += 2)
        while (n % radix == 0) take(radix);
    if (n > 1) result.clear();
    return result;
}

// Transforms of all columns of a matrix with n rows.
template <class T>
struct Stages {
    std::int64_t n = 1;
    std::vector<std::int64_t> radices;
    std::vector<T> factors, roots;

    explicit Stages(const std::vector<std::int64_t> &all) : radices(all) {
        for (std::int64_t radix : radices) n *= radix;
        std::int64_t rest = n;
        for (std::int64_t radix : radices) {
            const Roots all_roots(rest), few(radix);
            for (std::int64_t p = 0; p < rest / radix; ++p)
                for (std::int64_t k = 1; k < radix; ++k) all_roots.add(p * k, factors);
            for (std::int64_t k = 0; k < radix; ++k) few.add(k, roots);
            rest /= radix;
        }
    }

    // Of rows of `row` items in x; in which of both the results are.
    Numbers<T> run(Numbers<T> x, Numbers<T> y, std::int64_t row) const {
        const T *own = factors.data(), *own_roots = roots.data();
        std::int64_t rest = n;
        for (std::int64_t radix : radices) {
            rest /= radix;
            loops<T>().stage(radix, x, y, row, rest, own, own_roots);
            own += 2 * (radix - 1) * rest;
            own_roots += 2 * radix;
            row *= radix;
            std::swap(x, y);
        }
        return x;
    }
};

// Shorter lines are computed some at a time, an item of each in a vector; where some lie side by side, up
// to a length of which so many stay in the cache.
constexpr std::int64_t kShort = 256, kShortAcross = 1 << 12;

// What stages of all columns of a matrix take, about: each reads and writes all, and computes.
inline std::int64_t effort(const std::vector<std::int64_t> &radices, std::int64_t rows,
                           std::int64_t columns) {
    std::int64_t result = 0;
    for (std::int64_t radix : radices) result += (16 + radix) * rows * columns;
    return result;
}

// The rows of a matrix that is a long line: of lengths nearly alike, and few that are only there to fill
// vectors, of `lanes` items.
inline std::int64_t rows_of(std::int64_t n, std::int64_t lanes) {
    std::int64_t best = 1, least = -1;
    auto root = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
    for (std::int64_t d = root; d > 1; --d) {
        if (n % d) continue;
        for (const std::int64_t rows : {d, n / d}) {
            const std::int64_t columns = n / rows;
            const std::int64_t wide = rounded_up(columns, lanes), turned = rounded_up(rows, lanes);
            // Rows are moved apart before, and together in the end.
            const std::int64_t moves = (wide != columns) + (turned != rows);
            const std::int64_t all = effort(radices_of(rows), rows, wide) +
                                     effort(radices_of(columns), columns, turned) + 16 * moves * n;
            if (least >= 0 && all >= least) continue;
            least = all;
            best = rows;
        }
    }
    return best;
}

// What is known of a length. A long line is a matrix of which columns are transformed, and then, turned,
// rows. A length with a large prime is a sum of products, by three transforms of another length, as
// L. Bluestein has it.
template <class T>
struct Plan {
    std::int64_t n;
    bool by_sums, is_short;
    std::int64_t rows;
    Stages<T> first, second;
    std::vector<T> factor_re, factor_im;
    std::vector<T> turn_re, turn_im;  // of pairs of real numbers: the first roots of twice the length
    std::unique_ptr<Plan<double>> longer;
    std::vector<double> chirp, spectrum;

    explicit Plan(std::int64_t n_, bool across = false)
        : n(n_),
          by_sums(n_ > 1 && radices_of(n_).empty()),
          is_short(n_ < (across ? kShortAcross : kShort)),
          rows(is_short || by_sums ? n_ : rows_of(n_, kLanes<T>)),
          first(radices_of(rows)),
          second(radices_of(n_ / rows)) {
        const Roots twice(2 * n), once(n);
        std::vector<T> pair;
        for (std::int64_t k = 0; k < n; ++k) {
            pair.clear();
            twice.add(k, pair);
            turn_re.push_back(pair[0]);
            turn_im.push_back(pair[1]);
        }
        if (by_sums) {
            sums();
            return;
        }
        for (std::int64_t i = 0; !is_short && i < first.n; ++i) {
            for (std::int64_t j = 0; j < width(); ++j) {
                pair.clear();
                once.add(j < second.n ? i * j : 0, pair);
                factor_re.push_back(pair[0]);
                factor_im.push_back(pair[1]);
            }
        }
    }

    // Lines at a time, and of the parts of a long one the items of a row.
    std::int64_t lines() const { return is_short && !by_sums ? kLanes<T> : 1; }
    std::int64_t width() const { return rounded_up(second.n, kLanes<T>); }
    std::int64_t turned_width() const { return rounded_up(first.n, kLanes<T>); }
    // Numbers of which there are four arrays, and the bytes of all that is needed.
    std::int64_t room() const {
        if (by_sums || is_short) return n * lines();
        return std::max(first.n * width(), second.n * turned_width());
    }
    // Also for the words of a spectrum of real numbers, one more pair for each line.
    std::int64_t own_bytes() const { return rounded_up((room() + lines()) * sizeof(T), 64); }
    std::int64_t bytes() const { return 4 * own_bytes() + (by_sums ? longer->bytes() : 0); }
    std::int64_t size() const {
        return 6 * n + static_cast<std::int64_t>(spectrum.size()) + (longer ? longer->size() : 0);
    }

    Numbers<T> buffer(char *memory, int number) const {
        char *const own = memory + 2 * number * own_bytes();
        return {reinterpret_cast<T *>(own), reinterpret_cast<T *>(own + own_bytes())};
    }

    // The transforms of the lines in buffer 0, whose items lie side by side; where they are.
    Numbers<T> run(char *memory) const {
        const Numbers<T> a = buffer(memory, 0), b = buffer(memory, 1);
        if (by_sums) return run_sums(a, memory + 4 * own_bytes());
        if (is_short) return first.run(a, b, kLanes<T>);
        const std::int64_t wide = width(), turned = turned_width();
        const bool whole = wide == second.n;
        if (!whole) move(a, second.n, second.n, b, wide, first.n);
        const Numbers<T> columns = whole ? first.run(a, b, wide) : first.run(b, a, wide);
        const Numbers<T> other = columns.re == a.re ? b : a;
        const Numbers<T> factors = {const_cast<T *>(factor_re.data()),
                                    const_cast<T *>(factor_im.data())};
        loops<T>().turn(columns, factors, first.n, wide, second.n, other, turned);
        const Numbers<T> rows = second.run(other, columns, turned);
        if (turned == first.n) return rows;
        const Numbers<T> result = rows.re == a.re ? b : a;
        move(rows, turned, first.n, result, first.n, second.n);
        return result;
    }

    static void move(const Numbers<T> &x, std::int64_t apart, std::int64_t count, const Numbers<T> &y,
                     std::int64_t width, std::int64_t rows) {
        for (std::int64_t row = 0; row < rows; ++row) {
            for (auto [from, to] : {std::pair{x.re, y.re}, std::pair{x.im, y.im}}) {
                std::memcpy(to + row * width, from + row * apart, count * sizeof(T));
                std::fill(to + row * width + count, to + row * width + std::max(count, width), T(0));
            }
        }
    }

    void sums() {
        std::int64_t size = 1;
        while (size < 2 * n - 1) size *= 2;
        longer = std::make_unique<Plan<double>>(size);
        const Roots twice(2 * n);
        // INVARIANT: k² of a length whose arrays there are does not overflow.
        for (std::int64_t k = 0; k < n; ++k) twice.add(k * k, chirp);
        std::vector<char> memory(static_cast<std::size_t>(longer->bytes() + 64));
        char *aligned = memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64);
        const Numbers<double> x = longer->buffer(aligned, 0);
        const std::int64_t apart = longer->lines();
        std::fill(x.re, x.re + longer->room(), 0.0);
        std::fill(x.im, x.im + longer->room(), 0.0);
        for (std::int64_t k = 0; k < n; ++k) {
            for (std::int64_t at : {k, (size - k) % size}) {
                x.re[at * apart] = chirp[2 * k];
                x.im[at * apart] = -chirp[2 * k + 1];
            }
        }
        const Numbers<double> all = longer->run(aligned);
        for (std::int64_t k = 0; k < size; ++k) {
            spectrum.push_back(all.re[k * apart] / static_cast<double>(size));
            spectrum.push_back(all.im[k * apart] / static_cast<double>(size));
        }
    }

    Numbers<T> run_sums(const Numbers<T> &a, char *memory) const {
        const Numbers<double> x = longer->buffer(memory, 0);
        const std::int64_t apart = longer->lines(), size = longer->n;
        std::fill(x.re, x.re + longer->room(), 0.0);
        std::fill(x.im, x.im + longer->room(), 0.0);
        for (std::int64_t k = 0; k < n; ++k) {
            const double re = chirp[2 * k], im = chirp[2 * k + 1];
            x.re[k * apart] = a.re[k] * re - a.im[k] * im;
            x.im[k * apart] = a.re[k] * im + a.im[k] * re;
        }
        const Numbers<double> y = longer->run(memory);
        // The inverse transform is the transform with both parts exchanged, before and after.
        for (std::int64_t k = 0; k < size; ++k) {
            const double w_re = spectrum[2 * k], w_im = spectrum[2 * k + 1];
            const double re = y.re[k * apart], im = y.im[k * apart];
            x.im[k * apart] = re * w_re - im * w_im;
            x.re[k * apart] = re * w_im + im * w_re;
        }
        const Numbers<double> z = longer->run(memory);
        for (std::int64_t k = 0; k < n; ++k) {
            const double re = z.im[k * apart], im = z.re[k * apart];
            const double w_re = chirp[2 * k], w_im = chirp[2 * k + 1];
            a.re[k] = static_cast<T>(re * w_re - im * w_im);
            a.im[k] = static_cast<T>(re * w_im + im * w_re);
        }
        return a;
    }
};

// Plans of so many numbers in all are kept; when there are more, all are forgotten.
constexpr std::int64_t kKept = 1 << 22;

template <class T>
std::shared_ptr<const Plan<T>> plan_for(std::int64_t n, bool across) {
    static std::mutex mutex;
    static std::map<std::pair<std::int64_t, bool>, std::shared_ptr<const Plan<T>>> kept;
    static std::int64_t size = 0;
    {
        std::lock_guard<std::mutex> lock(mutex);
        const auto found = kept.find({n, across});
        if (found != kept.end()) return found->second;
    }
    auto plan = std::make_shared<const Plan<T>>(n, across);
    std::lock_guard<std::mutex> lock(mutex);
    if (size + plan->size() > kKept) {
        kept.clear();
        size = 0;
    }
    if (kept.emplace(std::pair(n, across), plan).second) size += plan->size();
    return plan;
}

template <class T>
struct Lines {
    const Work &work;
    const Plan<T> &plan;  // of half as many numbers, if these are pairs of real ones
    bool paired;
    T by;                 // what results are multiplied by
    std::atomic<bool> no_memory{false};

    // Lines that lie side by side, or follow each other, and how many such rows of lines there are.
    std::int64_t in_row() const { return work.inner > 1 ? work.inner : work.outer; }
    std::int64_t in_blocks() const { return (in_row() + plan.lines() - 1) / plan.lines(); }
    std::int64_t blocks() const { return in_blocks() * (work.inner > 1 ? work.outer : 1); }

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        auto &all = *reinterpret_cast<Lines *>(args);
        Scratch scratch;
        auto *memory = static_cast<char *>(scratch.get(all.plan.bytes() + 64, 1));
        if (!memory) {
            all.no_memory = true;
            return;
        }
        memory += 64 - reinterpret_cast<std::uintptr_t>(memory) % 64;
        for (; begin < end; ++begin) all.block(begin, memory);
    }

    bool near() const { return work.inner == 1; }
    bool from_half() const { return work.kind == kFromHalf; }
    bool swaps() const {
        return work.kind == kInverse || work.kind == kInverseReal || from_half();
    }
    // Words of an item of the source and of the result, and of a line of both.
    std::int64_t unit() const {
        return work.kind == kForwardReal || work.kind == kInverseReal || work.kind == kHalf ? 1 : 2;
    }
    std::int64_t out_unit() const { return from_half() ? 1 : 2; }
    std::int64_t wanted() const { return (from_half() ? work.n / 2 + 1 : work.n) * unit(); }
    std::int64_t length() const {
        return (work.kind == kHalf ? work.n / 2 + 1 : work.n) * out_unit();
    }

    // Real and imaginary parts as the rows of words, and words as they are.
    Rows<T> parts(const Numbers<T> &x) const { return {x.re, x.im, plan.lines()}; }
    Rows<T> words(T *at) const { return {at, at + plan.lines(), 2 * plan.lines()}; }
    Numbers<const T> turns() const { return {plan.turn_re.data(), plan.turn_im.data()}; }

    void block(std::int64_t number, char *memory) const {
        const std::int64_t first = number % in_blocks() * plan.lines(), outer = number / in_blocks();
        const std::int64_t lines = std::min(plan.lines(), in_row() - first);
        const std::int64_t given = work.source_length * unit(), row = work.inner;
        const T *const source = reinterpret_cast<const T *>(work.source) + outer * given * row +
                                first * (near() ? given : unit());
        T *const out = reinterpret_cast<T *>(work.out) + outer * length() * row +
                       first * (near() ? length() : out_unit());
        const Numbers<T> x = plan.buffer(memory, 0);
        read(source, lines, swaps() ? Numbers<T>{x.im, x.re} : x, plan.buffer(memory, 1).re);
        const Numbers<T> y = plan.run(memory);
        T *const room = plan.buffer(memory, y.re == x.re ? 1 : 0).re;
        write(swaps() ? Numbers<T>{y.im, y.re} : y, out, lines, room);
    }

    void read(const T *source, std::int64_t lines, const Numbers<T> &x, T *room) const {
        const std::int64_t n = plan.n, wide = plan.lines();
        if (from_half() && paired) {
            const bool direct = near() && wide == 1 && work.source_length * 2 >= wanted();
            if (!direct) take(source, lines, words(room));
            return loops<T>().from_half(direct ? source : room, n, wide, turns(), x);
        }
        if (unit() == 1 && !paired) {
            take(source, lines, words(x.re));
            std::fill(x.im, x.im + n * wide, T(0));
            return;
        }
        take(source, lines, parts(x));
        if (!from_half()) return;
        // The imaginary part of the first is none; the other half are conjugates.
        std::fill(x.im, x.im + wide, T(0));
        for (std::int64_t k = 1; 2 * k < n; ++k) {
            for (std::int64_t i = 0; i < wide; ++i) {
                x.re[(n - k) * wide + i] = x.re[k * wide + i];
                x.im[(n - k) * wide + i] = -x.im[k * wide + i];
            }
        }
    }

    // The words of some lines, side by side; those that a line lacks are 0.
    void take(const T *source, std::int64_t lines, const Rows<T> &to) const {
        const std::int64_t wide = plan.lines(), count = std::min(work.source_length * unit(), wanted());
        if (near() && wide > 1) {
            loops<T>().take(source, lines, work.source_length * unit(), count, to);
        } else if (near() && to.step == 1) {
            loops<T>().split(source, count / 2, {to.even, to.odd});
            if (count % 2) to.even[count / 2] = source[count - 1];
        } else if (near()) {
            std::copy(source, source + count, to.even);
        } else {
            for (std::int64_t k = 0; k < count; k += unit(), source += work.inner * unit()) {
                if (unit() == 2) loops<T>().split(source, lines, {to.row(k), to.row(k + 1)});
                else std::copy(source, source + lines, to.row(k));
                for (std::int64_t j = k; j < k + unit(); ++j)
                    std::fill(to.row(j) + lines, to.row(j) + wide, T(0));
            }
        }
        for (std::int64_t k = count; k < wanted(); ++k) std::fill(to.row(k), to.row(k) + wide, T(0));
    }

    void write(const Numbers<T> &y, T *out, std::int64_t lines, T *room) const {
        const std::int64_t wide = plan.lines();
        if (work.kind == kHalf && paired) {
            const bool direct = near() && wide == 1;
            loops<T>().half(y, plan.n, wide, turns(), by, direct ? out : room);
            if (!direct) put(words(room), T(1), out, lines);
        } else {
            put(from_half() && !paired ? words(y.re) : parts(y), by, out, lines);
        }
    }

    void put(const Rows<T> &from, T factor, T *out, std::int64_t lines) const {
        const std::int64_t count = length();
        if (near() && plan.lines() > 1) {
            loops<T>().put(from, count, factor, out, lines, count);
        } else if (near() && from.step == 1) {
            loops<T>().join({from.even, from.odd}, count / 2, factor, out);
        } else if (near()) {
            for (std::int64_t k = 0; k < count; ++k) out[k] = from.even[k] * factor;
        } else {
            for (std::int64_t k = 0; k < count; k += out_unit(), out += work.inner * out_unit()) {
                if (out_unit() == 2) loops<T>().join({from.row(k), from.row(k + 1)}, lines, factor, out);
                else for (std::int64_t i = 0; i < lines; ++i) out[i] = from.row(k)[i] * factor;
            }
        }
    }
};

template <class T>
Status transform_of(const Work &work, const threads::Poll &poll) {
    const bool paired = (work.kind == kHalf || work.kind == kFromHalf) && work.n % 2 == 0;
    const auto plan = plan_for<T>(paired ? work.n / 2 : work.n, 4 * work.inner >= kLanes<T>);
    const auto n = static_cast<double>(work.n);
    double by = work.divided == 0 ? 1 : work.divided == 1 ? 1 / n : 1 / std::sqrt(n);
    if (paired && work.kind == kHalf) by /= 2;
    Lines<T> lines{work, *plan, paired, static_cast<T>(by)};
    const std::int64_t blocks = lines.blocks();
    // About as many instructions, and so many as are worth sharing, and waking threads for.
    constexpr double kChunk = 1 << 15, kLarge = 16 * kChunk;
    const double each = 2 * n * static_cast<double>(plan->lines()) * (1 + std::log2(n));
    auto *args = reinterpret_cast<std::int64_t *>(&lines);
    const bool large = each * static_cast<double>(blocks) >= kLarge;
    if (!threads::share(Lines<T>::kernel, args, blocks, kChunk / each, large, poll))
        return Status::interrupted;
    return lines.no_memory ? Status::no_memory : Status::done;
}

}  // namespace

Status transform(const Work &work, const threads::Poll &poll) {
    if (work.outer == 0 || work.inner == 0) return Status::done;
    try {
        return work.itemsize == sizeof(float) ? transform_of<float>(work, poll)
                                              : transform_of<double>(work, poll);
    } catch (const std::bad_alloc &) {
        return Status::no_memory;
    }
}

}  // namespace fourier
}  // namespace theano
