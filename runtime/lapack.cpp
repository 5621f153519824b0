#include "lapack.h"

#include <algorithm>
#include <complex>
#include <cstring>
#include <mutex>

#include "copy.h"
#include "lapack_call.h"
#include "lapack_factors.h"
#include "lapack_functions.h"
#include "lapack_products.h"
#include "lapack_systems.h"
#include "lapack_tangents.h"
#include "numpy_api.h"
#include "processor.h"
#include "small_systems.h"
#include "threads.h"

namespace theano::lapack {

namespace {

struct Spelled {
    const char *real, *complex;
};
constexpr Spelled kSpelled[kNames] = {
    {"potrf", "potrf"}, {"potrs", "potrs"}, {"getrf", "getrf"}, {"getrs", "getrs"},
    {"getri", "getri"}, {"trtrs", "trtrs"}, {"syevd", "heevd"}, {"gesdd", "gesdd"},
    {"geqrf", "geqrf"}, {"orgqr", "ungqr"}, {"geev", "geev"},
};
constexpr const char *kTypes = "sdcz";

struct Spelling {
    const char *prefix, *suffix;
    int integer_bits;
};
// As in blas.cpp, for Fortran's interface.
constexpr Spelling kSpellings[] = {
    {"scipy_", "_64_", 64}, {"", "_64_", 64}, {"", "$NEWLAPACK$ILP64", 64},
    {"scipy_", "_", 32},    {"", "_64", 64},  {"", "$NEWLAPACK", 32},
    {"", "_", 32},
};

const char *routine_name(int name, int type) {
    return type >= blas::c ? kSpelled[name].complex : kSpelled[name].real;
}

bool try_spelling(const Spelling &spelling, Library &into) {
    Library made;
    made.integer_bits = spelling.integer_bits;
    for (int name = 0; name < kNames; ++name) {
        for (int type = blas::s; type <= blas::z; ++type) {
            std::string symbol = std::string(spelling.prefix) + kTypes[type] +
                                 routine_name(name, type) + spelling.suffix;
            made.routines[name][type] = blas::numpy_symbol(symbol.c_str());
            if (!made.routines[name][type]) return false;
        }
    }
    made.found = true;
    into = made;
    return true;
}

}  // namespace

Library &library() {
    static Library *instance = [] {
        auto *made = new Library;
        for (const Spelling &spelling : kSpellings) {
            if (try_spelling(spelling, *made)) break;
        }
        return made;
    }();
    return *instance;
}

namespace {

using Routine = std::int64_t(std::int64_t flags, const View *views);

template <class T, class I>
Routine *routine_of(std::int64_t number) {
    static constexpr Routine *kRoutines[TH_ROUTINES] = {
        cholesky<T, I>,
        solve<T, I>,
        solve_triangular<T, I>,
        solve_positive<T, I>,
        inverse<T, I>,
        det<T, I>,
        slogdet<T, I>,
        lu<T, I>,
        eigh<T, I>,
        svd<T, I>,
        qr<T, I>,
        keep_factor<T, I>,
        factor_solve<T, I>,
        factor_inverse<T, I>,
        factor_det<T, I>,
        factor_slogdet<T, I>,
        factor_adjugate<T, I>,
        pinv<T, I>,
        cholesky_tangent<T, I>,
        eig<T, I>,
        expm<T, I>,
        expm_tangent<T, I>,
        qr_raw<T, I>,
        cholesky_cotangent<T, I>,
        symmetric_product<T>,
        product_symmetric<T>,
    };
    return number >= 0 && number < TH_ROUTINES ? kRoutines[number] : nullptr;
}

template <class T>
Routine *routine_of_width(std::int64_t number) {
    return library().integer_bits == 64 ? routine_of<T, std::int64_t>(number)
                                        : routine_of<T, std::int32_t>(number);
}

Routine *find_routine(int typenum, std::int64_t number) {
    switch (typenum) {
        case NPY_FLOAT:
            return routine_of_width<float>(number);
        case NPY_DOUBLE:
            return routine_of_width<double>(number);
        case NPY_CFLOAT:
            return routine_of_width<std::complex<float>>(number);
        case NPY_CDOUBLE:
            return routine_of_width<std::complex<double>>(number);
        default:
            return nullptr;
    }
}

const small::Loops &small_loops(bool is_double) {
#if defined(__x86_64__)
    if (has_avx512()) return small::loops_avx512(is_double);
    if (has_fma()) return small::loops_fma(is_double);
#endif
    return small::loops_plain(is_double);
}

struct Batch {
    const Job &job;
    Routine *routine;
    const std::atomic<bool> *given_up;
    std::int64_t rank = 0, count = 1, shape[kMostDimensions];
    // What computes several matrices at once, and how many; of each stack the bytes from one matrix
    // to the next, or kUneven.
    small::Loops::Routine *together = nullptr;
    std::int64_t lanes = 1, steps[kMostStacks];
    static constexpr std::int64_t kUneven = std::numeric_limits<std::int64_t>::min();
    std::mutex mutex;
    Outcome outcome;

    Batch(int typenum, const Job &job_, Routine *routine_, const std::atomic<bool> *given_up_)
        : job(job_), routine(routine_), given_up(given_up_) {
        for (int i = 0; i < job.count; ++i)
            rank = std::max(rank, job.stacks[i].ndim - job.stacks[i].core);
        std::fill(shape, shape + rank, 1);
        for (int i = 0; i < job.count; ++i) {
            const Stack &stack = job.stacks[i];
            std::int64_t own = stack.ndim - stack.core;
            for (std::int64_t axis = 0; axis < own; ++axis) {
                if (stack.shape[axis] != 1) shape[rank - own + axis] = stack.shape[axis];
            }
        }
        for (std::int64_t axis = 0; axis < rank; ++axis) count *= shape[axis];
        const bool real = typenum == NPY_FLOAT || typenum == NPY_DOUBLE;
        if (!real || count < small::kFewest) return;
        const small::Loops &loops = small_loops(typenum == NPY_DOUBLE);
        const std::int64_t rows = view(job.stacks[0], 0).rows;
        for (int i = 0; i < job.count; ++i) {
            const View one = view(job.stacks[i], 0);
            if (std::max(one.rows, one.columns) > small::kMostRows) return;
            steps[i] = step(job.stacks[i]);
        }
        together = loops.routine(rows, job.routine);
        if (together) lanes = loops.lanes;
    }

    std::int64_t step(const Stack &stack) const {
        if (rank == 0 || stack.ndim - stack.core != rank) return kUneven;
        for (std::int64_t axis = rank - 1; axis >= 0; --axis) {
            if (stack.shape[axis] != shape[axis]) return kUneven;
            if (axis == 0) continue;
            if (stack.strides[axis - 1] != stack.strides[axis] * shape[axis]) return kUneven;
        }
        return stack.strides[rank - 1];
    }

    View view(const Stack &stack, std::int64_t index) const {
        std::int64_t own = stack.ndim - stack.core, offset = 0;
        for (std::int64_t axis = rank - 1; axis >= rank - own; --axis) {
            // What is left is the place along the first axis: a division takes as long as a matrix.
            std::int64_t mine = axis - (rank - own), at = axis == 0 ? index : index % shape[axis];
            if (stack.shape[mine] != 1) offset += at * stack.strides[mine];
            if (axis > 0) index /= shape[axis];
        }
        View out{stack.data + offset, 1, 1, 0, 0};
        if (stack.core >= 1) {
            out.rows = stack.shape[own];
            out.down = stack.strides[own];
        }
        if (stack.core == 2) {
            out.columns = stack.shape[own + 1];
            out.across = stack.strides[own + 1];
        }
        return out;
    }

    void compute(std::int64_t index) {
        View views[kMostStacks];
        for (int i = 0; i < job.count; ++i) views[i] = view(job.stacks[i], index);
        std::int64_t info = routine(job.flags, views);
        if (info == 0) return;
        std::lock_guard<std::mutex> guard(mutex);
        if (info == kRealPartsOnly) {
            outcome.real_parts_only = true;
            return;
        }
        // The first of the stack, whichever thread is faster.
        if (outcome.status != Status::done && outcome.index < index) return;
        outcome.status = info == kNoMemory ? Status::no_memory : Status::failed;
        outcome.info = info;
        outcome.index = index;
    }

    void compute_together(std::int64_t begin, std::int64_t end) {
        small::Group group;
        group.flags = job.flags;
        for (int i = 0; i < job.count; ++i) {
            const View one = view(job.stacks[i], 0);
            group.stacks[i] = {one.rows, one.columns, one.down, one.across, {}};
        }
        for (std::int64_t first = begin; first < end; first += lanes) {
            if (stopped()) return;
            const std::int64_t last = std::min(lanes, end - first) - 1;  // lanes behind it repeat it
            for (int i = 0; i < job.count; ++i) {
                char *at = steps[i] == kUneven ? nullptr : job.stacks[i].data + first * steps[i];
                for (std::int64_t lane = 0; lane < lanes; ++lane) {
                    if (steps[i] == kUneven)
                        at = view(job.stacks[i], first + std::min(lane, last)).data;
                    group.stacks[i].data[lane] = at;
                    if (lane < last) at += steps[i];
                }
            }
            together(group);
            for (std::int64_t lane = 0; !group.all_done && lane <= last; ++lane)
                if (!group.done[lane]) compute(first + lane);
        }
    }

    // How many small matrices make a piece of work that is worth a thread.
    std::int64_t grain() const {
        const Stack &first = job.stacks[0];
        double n = static_cast<double>(std::max<std::int64_t>(first.shape[first.ndim - 1], 1));
        double m = static_cast<double>(std::max<std::int64_t>(first.shape[first.ndim - 2], 1));
        return static_cast<std::int64_t>(std::clamp(65536 / (m * n * n), 1.0, 65536.0));
    }

    bool stopped() const { return given_up && given_up->load(std::memory_order_relaxed); }

    static void kernel(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        auto &batch = *reinterpret_cast<Batch *>(args);
        if (batch.together) return batch.compute_together(begin, end);
        for (std::int64_t index = begin; index < end && !batch.stopped(); ++index)
            batch.compute(index);
    }
};

}  // namespace

bool found() { return library().found; }

void offer_from_scipy(const std::string &name, const char *signature, void *pointer) {
    Library &all = library();
    const char *type = name.empty() ? nullptr : std::strchr(kTypes, name[0]);
    if (all.found || !type || !*type) return;
    auto index = static_cast<int>(type - kTypes);
    for (int i = 0; i < kNames; ++i) {
        if (name.compare(1, std::string::npos, routine_name(i, index)) != 0) continue;
        all.routines[i][index] = pointer;
        all.integer_bits = std::strstr(signature, "int *") && !std::strstr(signature, "int64") &&
                                   !std::strstr(signature, "long")
                               ? 32
                               : 64;
    }
    all.found = all.complete();
}

namespace {

Outcome run_routine(int typenum, const Job &job, const std::atomic<bool> *given_up) {
    Routine *routine = library().found ? find_routine(typenum, job.routine) : nullptr;
    if (!routine) return {Status::bad_routine};
    Batch batch(typenum, job, routine, given_up);
    blas::OneThread one;
    if (batch.count == 1) batch.compute(0);
    else if (batch.count > 1)
        threads::run(Batch::kernel, reinterpret_cast<std::int64_t *>(&batch), batch.count,
                     batch.grain());
    return batch.outcome;
}

// NumPy computes these in double precision whatever the type, SciPy and Theano the others as they are.
bool is_numpys(std::int64_t routine) {
    return routine == TH_INVERSE || routine == TH_DET || routine == TH_SLOGDET || routine == TH_QR ||
           routine == TH_QR_RAW;
}

template <class To, class From>
void convert(const char *from, std::int64_t count, char *to) {
    const auto *read = reinterpret_cast<const From *>(from);
    std::transform(read, read + count, reinterpret_cast<To *>(to), [](From x) { return To(x); });
}

template <class T>
Outcome run_in_double(const Job &job, const std::atomic<bool> *given_up) {
    using D = Wide<T>;
    const int modulus = job.routine == TH_SLOGDET ? job.count - 1 : -1;
    std::int64_t strides[kMostStacks][kMostDimensions], counts[kMostStacks], all = 0;
    for (int i = 0; i < job.count; ++i) {
        counts[i] = 1;
        for (std::int64_t axis = job.stacks[i].ndim - 1; axis >= 0; --axis) {
            const std::size_t itemsize = i == modulus ? sizeof(double) : sizeof(D);
            strides[i][axis] = counts[i] * static_cast<std::int64_t>(itemsize);
            counts[i] *= job.stacks[i].shape[axis];
        }
        all += counts[i];
    }
    const Work<D> wide(all);
    const Work<T> narrow(counts[0]);
    if (!wide || !narrow) return {Status::no_memory};
    const Stack &read = job.stacks[0];
    copy_strided(read.ndim, read.shape, read.strides, sizeof(T), narrow.get(), read.data);
    std::copy_n(narrow.get(), counts[0], wide.get());
    Job in_double = job;
    D *memory = wide.get();
    for (int i = 0; i < job.count; memory += counts[i++]) {
        in_double.stacks[i].data = reinterpret_cast<char *>(memory);
        in_double.stacks[i].strides = strides[i];
    }
    const Outcome outcome = run_routine(is_complex<T> ? NPY_CDOUBLE : NPY_DOUBLE, in_double, given_up);
    for (int i = 1; i < job.count && outcome.status == Status::done; ++i)
        (i == modulus ? convert<Real<T>, double> : convert<T, D>)(in_double.stacks[i].data, counts[i],
                                                                  job.stacks[i].data);
    return outcome;
}

}  // namespace

Outcome run(int typenum, const Job &job, const std::atomic<bool> *given_up) {
    if (is_numpys(job.routine) && library().found) {
        if (typenum == NPY_FLOAT) return run_in_double<float>(job, given_up);
        if (typenum == NPY_CFLOAT) return run_in_double<std::complex<float>>(job, given_up);
    }
    return run_routine(typenum, job, given_up);
}

}  // namespace theano::lapack
