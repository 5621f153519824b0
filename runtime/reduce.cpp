// Reductions in parts, whose results are reduced in turn.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "call.h"

namespace theano {

namespace {

struct Release {
    void operator()(std::int64_t *memory) const { pool::release(memory); }
};
using Words = std::unique_ptr<std::int64_t[], Release>;

std::int64_t parts(std::int64_t n, std::int64_t size) { return n / size + (n % size != 0); }

// Memory for `words` words and then, for each reduction, `count` partial results. nullptr after recording
// that there is none.
Words partial_results(Call *call, const th_reduction &how, std::int64_t words, std::int64_t count) {
    std::int64_t items = 0;
    for (std::int64_t i = 0; i < how.results; ++i) items += (how.itemsizes[i] * count + 7) / 8;
    const std::int64_t bytes = 8 * (words + items);
    Words memory(static_cast<std::int64_t *>(pool::allocate(bytes)));
    if (!memory) out_of_memory(call, bytes);
    return memory;
}

// Writes where partial results are that start at `memory`.
void write_places(const th_reduction &how, std::int64_t count, std::int64_t *memory,
                  std::int64_t *places) {
    for (std::int64_t i = 0; i < how.results; ++i) {
        places[i] = reinterpret_cast<std::int64_t>(memory);
        memory += (how.itemsizes[i] * count + 7) / 8;
    }
}

// A kernel from a place of its range on.
struct Rest {
    th_kernel *kernel;
    std::int64_t *args, first;

    static void run(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const auto &all = *reinterpret_cast<const Rest *>(args);
        all.kernel(all.args, all.first + begin, all.first + end);
    }
};

// Makes partial results of a byte until one decides, some and then twice as many; sets how many count.
bool run_until_settled(Call *call, th_kernel *kernel, std::int64_t *args, std::int64_t &count,
                       double work, const th_reduction &how, std::int64_t partial) {
    constexpr double kFirst = 1 << 18;
    const auto *results = reinterpret_cast<const std::uint8_t *>(partial);
    const double each = work / static_cast<double>(std::max<std::int64_t>(1, count));
    auto piece = static_cast<std::int64_t>(std::clamp(kFirst / each, 1.0, kFirst));
    for (std::int64_t begin = 0; begin < count; begin += piece, piece *= 2) {
        const std::int64_t some = std::min(piece, count - begin);
        Rest rest{kernel, args, begin};
        if (!run_kernel(call, Rest::run, reinterpret_cast<std::int64_t *>(&rest), some,
                        each * static_cast<double>(some), how.unit))
            return false;
        if (std::memchr(results + begin, static_cast<int>(how.settled), static_cast<std::size_t>(some)))
            count = begin + some;
    }
    return true;
}

// The kernel `number`, if those after it are there, too, that combine its results.
th_kernel *kernel_with_combines(Call *call, std::int64_t number, const th_reduction &how) {
    th_kernel *kernel = kernel_of(call, number);
    for (std::int64_t i = 1; kernel && i <= how.results; ++i)
        if (!kernel_of(call, number + i)) return nullptr;
    return kernel;
}

// Makes `count` partial results of each column one, by the kernels from `number` on.
void combine(Call *call, std::int64_t number, const th_reduction &how, std::int64_t columns,
             std::int64_t count, const std::int64_t *partial, const std::int64_t *results) {
    for (std::int64_t i = 0; i < how.results; ++i) {
        std::int64_t places[] = {partial[i], results[i]};
        kernel_of(call, number + i)(places, columns, count);
    }
}

bool reduce_everything(Call *call, std::int64_t number, std::int64_t *args, const th_reduction &how,
                     double work) {
    th_kernel *kernel = kernel_with_combines(call, number, how);
    if (!kernel) return false;
    std::int64_t count = parts(args[how.range], how.block);
    std::int64_t *results = args + how.first, *partial = results - how.results;
    Words memory;
    const bool single = count == 1 && how.carried;
    if (single) {
        std::copy_n(results, how.results, partial);
    } else if (!how.has_partials) {
        memory = partial_results(call, how, 0, count);
        if (!memory) return false;
        write_places(how, count, memory.get(), partial);
    }
    const bool done = how.settled < 0
                          ? run_kernel(call, kernel, args, count, work, how.unit)
                          : run_until_settled(call, kernel, args, count, work, how, *partial);
    if (!done) return false;
    if (!single) combine(call, number + 1, how, 1, count, partial, results);
    return true;
}

bool reduce_in_blocks(Call *call, std::int64_t number, std::int64_t *args, const th_reduction &how,
                    double work, std::int64_t rows) {
    const std::int64_t count = parts(args[how.rows], rows), n = how.results;
    th_kernel *kernel = kernel_with_combines(call, number + 1, how);
    if (!kernel) return false;
    std::int64_t columns = 1;
    for (std::int64_t i = 0; i < how.ndim; ++i)
        if (how.kept >> i & 1) columns *= args[i];
    const Words memory = partial_results(call, how, 2 * n, count * columns);
    if (!memory) return false;
    std::int64_t *partial = memory.get(), *to = partial + n, *results = args + how.first;
    write_places(how, count * columns, to + n, partial);
    std::copy_n(results, n, to);
    std::copy_n(partial, n, results);
    args[how.words] = rows;
    const bool done = run_kernel(call, kernel, args, count, work, 1);
    // A loop that calls the kernel again writes only those arguments that change.
    std::copy_n(to, n, results);
    if (done) combine(call, number + 2, how, columns, count, partial, to);
    return done;
}

}  // namespace

std::int64_t block_rows(std::int64_t rows, std::int64_t n, std::int64_t unit, double total) {
    // A column of partial results is worth its memory for so many points; there are at least so many
    // rows in a block and at most so many blocks, and more than a few.
    constexpr double kBlock = 1 << 16;
    constexpr std::int64_t kLeastRows = 256, kMostBlocks = 32, kFewBlocks = 4;
    // A range of so many units gives all threads enough to do.
    constexpr std::int64_t kManyUnits = 64;
    if (rows < kFewBlocks * kLeastRows || total < kFewBlocks * kBlock || n >= kManyUnits * unit)
        return 0;
    const double in_row = total / static_cast<double>(rows);
    const std::int64_t block =
        std::max({kLeastRows, static_cast<std::int64_t>(std::ceil(kBlock / in_row)),
                  (rows - 1) / kMostBlocks + 1});
    return rows / block >= kFewBlocks ? block : 0;
}

std::int32_t reduce(th_call *head, std::int64_t number, std::int64_t *args, const th_reduction *how) {
    Call *call = call_of(head);
    double total = 1;
    for (std::int64_t i = 0; i < how->ndim; ++i) total *= static_cast<double>(args[i]);
    const double work = total * static_cast<double>(how->weight);
    bool done = false;
    if (how->kept == 0) {
        done = reduce_everything(call, number, args, *how, work);
    } else {
        const std::int64_t n = args[how->range];
        const std::int64_t rows =
            how->rows < 0 ? 0 : block_rows(args[how->rows], n, how->unit, total);
        if (rows)
            done = reduce_in_blocks(call, number, args, *how, work, rows);
        else if (th_kernel *kernel = kernel_of(call, number))
            done = run_kernel(call, kernel, args, n, work, how->unit);
    }
    return done ? 0 : -1;
}

}  // namespace theano
