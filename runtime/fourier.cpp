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
#include "turning.h"

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

std::vector<std::int64_t> radices_of(std::int64_t n) {
    std::vector<std::int64_t> result;
    for (std::int64_t radix = 4; radix <= kLargestPrime; radix += radix == 4 ? -2 : radix == 2 ? 1 : 2) {
        for (; n % radix == 0; n /= radix) result.push_back(radix);
    }
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
// The first part of a long one has so many items at least.
constexpr std::int64_t kFewest = 16;

template <class T>
std::vector<std::int64_t> part_of(const std::vector<std::int64_t> &radices, bool first) {
    std::vector<std::int64_t> result;
    std::int64_t n = 1;
    for (std::int64_t radix : radices) {
        if ((n < kFewest) == first) result.push_back(radix);
        if (n < kFewest) n *= radix;
    }
    return result;
}

// What is known of a length. A long line is a matrix of which columns are transformed, and then, turned,
// rows. A length with a large prime is a sum of products, by three transforms of another length, as
// L. Bluestein has it.
template <class T>
struct Plan {
    std::int64_t n;
    std::vector<std::int64_t> radices;
    bool by_sums, is_short;
    Stages<T> first, second;
    std::vector<T> factor_re, factor_im;
    std::vector<T> turns;  // of pairs of real numbers: the first n + 1 roots of twice the length
    std::unique_ptr<Plan<double>> longer;
    std::vector<double> chirp, spectrum;

    explicit Plan(std::int64_t n_, bool across = false)
        : n(n_),
          radices(radices_of(n_)),
          by_sums(n_ > 1 && radices.empty()),
          is_short(n_ < (across ? kShortAcross : kShort)),
          first(is_short ? radices : part_of<T>(radices, true)),
          second(is_short ? std::vector<std::int64_t>() : part_of<T>(radices, false)) {
        const Roots twice(2 * n), once(n);
        for (std::int64_t k = 0; k <= n; ++k) twice.add(k, turns);
        if (by_sums) {
            sums();
            return;
        }
        std::vector<T> pair;
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
    std::int64_t own_bytes() const { return rounded_up(room() * sizeof(T), 64); }
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

    using Item = std::pair<T, T>;

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

    static T word(const char *line, std::int64_t at) {
        T value;
        std::memcpy(&value, line + at * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
        return value;
    }

    void block(std::int64_t number, char *memory) const {
        const bool near = work.inner == 1;
        if (plan.lines() == 1)
            return near ? block_of<1, true>(number, memory) : block_of<1, false>(number, memory);
        if (near) block_of<kLanes<T>, true>(number, memory);
        else block_of<kLanes<T>, false>(number, memory);
    }

    // Of `kWide` lines, whose items are neighbours if they are `kNear`.
    template <std::int64_t kWide, bool kNear>
    void block_of(std::int64_t number, char *memory) const {
        const std::int64_t first = number % in_blocks() * kWide;
        const std::int64_t lines = std::min(kWide, in_row() - first), outer = number / in_blocks();
        // Numbers from one line to the next of the source and the result, and before the first line.
        const std::int64_t length = work.kind == kHalf ? work.n / 2 + 1 : work.n;
        const std::int64_t from = work.inner > 1 ? 1 : work.given, to = work.inner > 1 ? 1 : length;
        const std::int64_t start = outer * work.given * work.inner + first * from;
        const std::int64_t result = outer * length * work.inner + first * to;
        const Numbers<T> x = plan.buffer(memory, 0);
        if (lines < kWide) {
            std::fill(x.re, x.re + plan.n * kWide, T(0));
            std::fill(x.im, x.im + plan.n * kWide, T(0));
        }
        if (kWide > 1 && reads_pairs()) {
            read_pairs(start, lines, x, plan.buffer(memory, 1).re);
        } else {
            for (std::int64_t i = 0; i < lines; ++i)
                read<kWide, kNear>(start + i * from, {x.re + i, x.im + i});
        }
        const Numbers<T> y = plan.run(memory);
        if (kWide > 1 && writes_pairs()) {
            write_pairs(result, lines, y, plan.buffer(memory, y.re == x.re ? 1 : 0).re);
        } else {
            for (std::int64_t i = 0; i < lines; ++i)
                write<kWide, kNear>(result + i * to, {y.re + i, y.im + i});
        }
    }

    // Whether pairs of words are read, and written, as they are: those of some lines then at once. Real
    // numbers are pairs where they follow each other.
    bool reads_pairs() const {
        if (work.given != work.n) return false;
        return work.kind == kHalf ? paired && work.inner == 1
                                  : work.kind == kForward || work.kind == kInverse;
    }
    bool writes_pairs() const {
        return work.kind == kFromHalf ? paired && work.inner == 1 : work.kind != kHalf;
    }
    bool swaps() const {
        return work.kind == kInverse || work.kind == kInverseReal || work.kind == kFromHalf;
    }

    // Pairs of words, from number `start` on, of which `lines` lie side by side or follow each other.
    void read_pairs(std::int64_t start, std::int64_t lines, const Numbers<T> &x, T *turned) const {
        constexpr std::int64_t kWide = kLanes<T>;
        T *const re = swaps() ? x.im : x.re, *const im = swaps() ? x.re : x.im;
        const bool real = work.kind == kHalf;
        const T *source = reinterpret_cast<const T *>(work.source) + start * (real ? 1 : 2);
        if (work.inner == 1) {
            turn<T>({source, lines, 2 * plan.n, 2 * plan.n, 1, turned, kWide});
            for (std::int64_t k = 0; k < plan.n; ++k) {
                std::memcpy(re + k * kWide, turned + 2 * k * kWide, kWide * sizeof(T));
                std::memcpy(im + k * kWide, turned + (2 * k + 1) * kWide, kWide * sizeof(T));
            }
            return;
        }
        for (std::int64_t k = 0; k < plan.n; ++k, source += 2 * work.inner) {
            for (std::int64_t i = 0; i < lines; ++i) {
                std::memcpy(re + k * kWide + i, source + 2 * i, sizeof(T));
                std::memcpy(im + k * kWide + i, source + 2 * i + 1, sizeof(T));
            }
        }
    }

    void write_pairs(std::int64_t start, std::int64_t lines, const Numbers<T> &y, T *turned) const {
        constexpr std::int64_t kWide = kLanes<T>;
        const T *const re = swaps() ? y.im : y.re, *const im = swaps() ? y.re : y.im;
        const bool real = work.kind == kFromHalf;
        T *out = reinterpret_cast<T *>(work.out) + start * (real ? 1 : 2);
        if (work.inner == 1) {
            for (std::int64_t k = 0; k < plan.n; ++k) {
                for (std::int64_t i = 0; i < kWide; ++i) {
                    turned[2 * k * kWide + i] = re[k * kWide + i] * by;
                    turned[(2 * k + 1) * kWide + i] = im[k * kWide + i] * by;
                }
            }
            turn<T>({turned, 2 * plan.n, kWide, lines, 1, out, 2 * plan.n});
            return;
        }
        for (std::int64_t k = 0; k < plan.n; ++k, out += 2 * work.inner) {
            for (std::int64_t i = 0; i < lines; ++i) {
                const T pair[2] = {re[k * kWide + i] * by, im[k * kWide + i] * by};
                std::memcpy(out + 2 * i, pair, sizeof pair);
            }
        }
    }

    // A line whose first item is number `at` of the source.
    template <std::int64_t kWide, bool kNear>
    void read(std::int64_t at, const Numbers<T> &x) const {
        const std::int64_t n = plan.n, apart = kNear ? 1 : work.inner;
        const bool real = work.kind == kForwardReal || work.kind == kInverseReal || work.kind == kHalf;
        const char *line = work.source + at * (real ? 1 : 2) * static_cast<std::int64_t>(sizeof(T));
        const std::int64_t given = std::min(work.given, work.kind == kFromHalf ? work.n / 2 + 1 : work.n);
        if (work.kind == kFromHalf) return read_half<kWide, kNear>(line, given, x);
        if (paired) {
            for (std::int64_t k = 0; k < n; ++k) {
                x.re[k * kWide] = 2 * k < given ? word(line, 2 * k * apart) : T(0);
                x.im[k * kWide] = 2 * k + 1 < given ? word(line, (2 * k + 1) * apart) : T(0);
            }
            return;
        }
        T *const re = swaps() ? x.im : x.re, *const im = swaps() ? x.re : x.im;
        if (real) {
            for (std::int64_t k = 0; k < given; ++k) re[k * kWide] = word(line, k * apart);
            for (std::int64_t k = 0; k < given; ++k) im[k * kWide] = T(0);
        } else {
            for (std::int64_t k = 0; k < given; ++k) {
                re[k * kWide] = word(line, 2 * k * apart);
                im[k * kWide] = word(line, 2 * k * apart + 1);
            }
        }
        for (std::int64_t k = given; k < n; ++k) re[k * kWide] = im[k * kWide] = T(0);
    }

    // Half a spectrum, whose other half follows; the imaginary parts of both ends are none.
    template <std::int64_t kWide, bool kNear>
    void read_half(const char *line, std::int64_t given, const Numbers<T> &x) const {
        const std::int64_t n = work.n, apart = kNear ? 2 : 2 * work.inner;
        const auto pair = [&](std::int64_t k) -> Item {
            return {word(line, k * apart), word(line, k * apart + 1)};
        };
        const auto item = [&](std::int64_t k) -> Item {
            if (k >= given) return {T(0), T(0)};
            return {word(line, k * apart), k == 0 || 2 * k == n ? T(0) : word(line, k * apart + 1)};
        };
        if (!paired) {
            for (std::int64_t k = 0; k < n; ++k) {
                const auto [re, im] = item(2 * k > n ? n - k : k);
                x.im[k * kWide] = re;
                x.re[k * kWide] = 2 * k > n ? -im : im;
            }
            return;
        }
        const bool whole = given > plan.n;
        const T *const turns = plan.turns.data();
        for (std::int64_t k = 0; k < plan.n; ++k) {
            const auto [re, im] = whole && k ? pair(k) : item(k);
            const auto [re2, im2] = whole && k ? pair(plan.n - k) : item(plan.n - k);
            const T even_re = re + re2, even_im = im - im2, d_re = re - re2, d_im = im + im2;
            const T w_re = turns[2 * k], w_im = -turns[2 * k + 1];
            const T odd_re = d_re * w_re - d_im * w_im, odd_im = d_re * w_im + d_im * w_re;
            x.im[k * kWide] = even_re - odd_im;
            x.re[k * kWide] = even_im + odd_re;
        }
    }

    static void put(char *line, std::int64_t at, T value) {
        std::memcpy(line + at * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
    }

    template <std::int64_t kWide, bool kNear>
    void write(std::int64_t at, const Numbers<T> &y) const {
        const std::int64_t n = plan.n, apart = kNear ? 1 : work.inner;
        const bool real = work.kind == kFromHalf;
        char *line = work.out + at * (real ? 1 : 2) * static_cast<std::int64_t>(sizeof(T));
        const T *const re = swaps() ? y.im : y.re, *const im = swaps() ? y.re : y.im;
        if (real && paired) {
            for (std::int64_t k = 0; k < n; ++k) {
                put(line, 2 * k * apart, re[k * kWide] * by);
                put(line, (2 * k + 1) * apart, im[k * kWide] * by);
            }
        } else if (real) {
            for (std::int64_t k = 0; k < n; ++k) put(line, k * apart, re[k * kWide] * by);
        } else if (paired) {
            write_half<kWide, kNear>(line, y);
        } else {
            const std::int64_t length = work.kind == kHalf ? n / 2 + 1 : n;
            for (std::int64_t k = 0; k < length; ++k) {
                put(line, 2 * k * apart, re[k * kWide] * by);
                put(line, 2 * k * apart + 1, im[k * kWide] * by);
            }
        }
    }

    // The transform of real numbers from that of pairs of them.
    template <std::int64_t kWide, bool kNear>
    void write_half(char *line, const Numbers<T> &y) const {
        const std::int64_t n = plan.n, apart = kNear ? 2 : 2 * work.inner;
        const T *const turns = plan.turns.data(), *const re = y.re, *const im = y.im, factor = by;
        for (std::int64_t k = 1; k < n; ++k) {
            const std::int64_t own = k * kWide, other = (n - k) * kWide;
            const T even_re = re[own] + re[other], even_im = im[own] - im[other];
            const T odd_re = im[own] + im[other], odd_im = re[other] - re[own];
            const T w_re = turns[2 * k], w_im = turns[2 * k + 1];
            put(line, k * apart, (even_re + odd_re * w_re - odd_im * w_im) * factor);
            put(line, k * apart + 1, (even_im + odd_re * w_im + odd_im * w_re) * factor);
        }
        // Both ends are real.
        for (std::int64_t end : {0, 1}) {
            put(line, end * n * apart, (end ? re[0] - im[0] : re[0] + im[0]) * 2 * factor);
            put(line, end * n * apart + 1, T(0));
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
    const auto grain = std::max<std::int64_t>(1, static_cast<std::int64_t>(kChunk / each));
    const bool large = each * static_cast<double>(blocks) >= kLarge;
    if (!threads::share(Lines<T>::kernel, args, blocks, grain, large, poll)) return Status::interrupted;
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
