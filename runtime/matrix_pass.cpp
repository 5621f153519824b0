// Products of one matrix from both sides, with what lies between them, in one pass over its rows:
// s = alpha * A @ x + beta * s, a kernel that makes t of s, item by item, and A.T @ t.
#include <algorithm>

#include "call.h"
#include "matmul.h"
#include "vector_products.h"

namespace theano {

namespace {

// One word each, so that compiled programs can write it.
struct Work {
    std::int64_t typenum, rows, columns, down, across, step;  // strides in bytes; `step` is that of x
    const char *matrix, *x;
    char *scores;       // s
    const char *terms;  // t
    char *sums;         // A.T @ t
    const void *alpha, *beta;  // nullptr: 1 and 0
};

// Rows are read for the second time from the nearest cache if it has room for those that are added at
// once, else from the second one; longer rows are for no cache.
constexpr std::int64_t kNearest = 1 << 15, kSecond = 1 << 19, kLongest = 1 << 16;
// Of so many items, sums are added up apart from others, by any thread; there are at most so many.
constexpr std::int64_t kBlock = 1 << 18, kMostBlocks = 64;
// As many terms are added at once.
constexpr std::int64_t kTogether = 8;

std::int64_t multiple(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }

template <class T>
struct Pass {
    const Work &work;
    const vector_products::Loops &loops;
    th_kernel *between;  // or nullptr
    std::int64_t *args, tile, block;
    T *partial;  // the sums of each block

    static void kernel(std::int64_t *address, std::int64_t begin, std::int64_t end) {
        auto &pass = *reinterpret_cast<const Pass *>(address);
        for (; begin < end; ++begin)
            pass.add_up(begin * pass.block, std::min(pass.work.rows, (begin + 1) * pass.block),
                        pass.partial + begin * pass.work.columns);
    }

    void add_up(std::int64_t begin, std::int64_t end, T *sums) const {
        constexpr T kNone(0), kOne(1);
        const std::int64_t leading = work.down / static_cast<std::int64_t>(sizeof(T));
        const auto *matrix = reinterpret_cast<const T *>(work.matrix);
        const auto *terms = reinterpret_cast<const T *>(work.terms);
        const vector_products::Product scores{matrix,
                                              leading,
                                              work.columns,
                                              work.x,
                                              work.scores,
                                              work.alpha ? work.alpha : &kOne,
                                              work.beta ? work.beta : &kNone};
        for (std::int64_t first = begin; first < end; first += tile) {
            const std::int64_t last = std::min(end, first + tile);
            loops.rows(scores, first, last);
            if (between) between(args, first, last);
            const vector_products::Product added{
                matrix + first * leading, leading, last - first, terms + first, sums, &kOne,
                first == begin ? &kNone : &kOne};
            loops.columns(added, 0, work.columns);
        }
    }
};

// nullptr where products one after the other do no worse.
template <class T>
const vector_products::Loops *loops_for(const Work &work) {
    constexpr std::int64_t item = sizeof(T);
    const bool in_order = work.across == item && work.down % item == 0 && work.step == item;
    const bool any = work.rows > 0 && work.columns > 0 && work.columns * item <= kLongest;
    if (!in_order || !any) return nullptr;
    return vector_products::loops_for<T>(work.columns, work.rows * work.columns);
}

template <class T>
std::int32_t run(Call *call, const Work &work, const vector_products::Loops &loops,
                 th_kernel *between, std::int64_t *args) {
    const std::int64_t rows = work.rows, columns = work.columns;
    const std::int64_t count = std::clamp<std::int64_t>(rows * columns / kBlock, 1, kMostBlocks);
    const std::int64_t bytes = kTogether * columns * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t cache = bytes <= kNearest ? kNearest : kSecond;
    Pass<T> pass{work,
                 loops,
                 between,
                 args,
                 kTogether * (cache / bytes),
                 multiple((rows + count - 1) / count, kTogether),
                 reinterpret_cast<T *>(work.sums)};
    if (count == 1) {
        pass.add_up(0, rows, pass.partial);
        return 0;
    }
    let_lock_go(call);
    if (interrupted(call)) return -1;
    const std::int64_t blocks = (rows + pass.block - 1) / pass.block;
    Scratch scratch;
    pass.partial = static_cast<T *>(scratch.get(blocks * columns, sizeof(T)));
    if (!pass.partial)
        return out_of_memory(call, blocks * columns * static_cast<std::int64_t>(sizeof(T)));
    if (!threads::run(Pass<T>::kernel, reinterpret_cast<std::int64_t *>(&pass), blocks,
                      threads::kLongItems, poll_of(call)))
        return -1;
    T *sums = reinterpret_cast<T *>(work.sums);
    std::copy_n(pass.partial, columns, sums);
    for (std::int64_t i = 1; i < blocks; ++i)
        for (std::int64_t j = 0; j < columns; ++j) sums[j] += pass.partial[i * columns + j];
    return 0;
}

// One after the other.
std::int32_t run_apart(Call *call, const Work &work, th_kernel *between, std::int64_t *args,
                       double weight) {
    const Matrix matrix{work.matrix, work.rows, work.columns, work.down, work.across};
    const Matrix x{work.x, work.columns, 1, work.step, 0};
    const int typenum = static_cast<int>(work.typenum);
    const std::int64_t item = typenum == NPY_DOUBLE ? sizeof(double) : sizeof(float);
    const Matrix terms{work.terms, work.rows, 1, item, 0};
    ensure_blas(call);
    const auto multiply = [&](const Matrix &one, const Matrix &two, char *out, const void *alpha,
                              const void *beta) {
        return report_product(call, typenum,
                              matmul(typenum, one, two, out, alpha, beta, poll_of(call)));
    };
    if (multiply(matrix, x, work.scores, work.alpha, work.beta)) return -1;
    const double instructions = weight * static_cast<double>(work.rows);
    if (between && !run_kernel(call, between, args, work.rows, instructions, 1)) return -1;
    return multiply(matrix.transposed(), terms, work.sums, nullptr, nullptr);
}

}  // namespace

std::int32_t matrix_pass(th_call *head, std::int64_t number, std::int64_t *args, std::int64_t weight,
                         std::int64_t *words) {
    Call *call = call_of(head);
    th_kernel *between = number < 0 ? nullptr : kernel_of(call, number);
    if (number >= 0 && !between) return -1;
    const auto &work = *reinterpret_cast<const Work *>(words);
    if (work.typenum == NPY_DOUBLE) {
        if (const auto *loops = loops_for<double>(work))
            return run<double>(call, work, *loops, between, args);
    } else if (const auto *loops = loops_for<float>(work)) {
        return run<float>(call, work, *loops, between, args);
    }
    return run_apart(call, work, between, args, static_cast<double>(weight));
}

}  // namespace theano
