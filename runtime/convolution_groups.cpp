// Convolutions of many groups of few channels, as of each channel by itself: groups lie side by side in
// vectors, and a window at a time is added up, of some of them. Channels may lie anywhere in memory.
#include <atomic>
#include <new>

#include "convolution_add.h"
#include "matmul.h"

namespace theano {
namespace convolution {

namespace {

// Planes of so many bytes stay near while they are filled and read.
constexpr std::int64_t kNear = 64 << 10;

// What sums and gradients of kernels share: vectors of groups, and how windows are cut into blocks.
template <class T>
struct Vectors {
    const Plan &plan;
    const windows::Loops &loops;
    const std::int64_t groups;
    const double work;
    const std::int64_t lanes = loops.lanes, count = (groups + lanes - 1) / lanes;
    const std::int64_t parts = work < kLarge ? 1 : kParts;
    const Cut cut = convolution::cut(
        plan, kNear / static_cast<std::int64_t>(sizeof(T)) / lanes, (parts + count - 1) / count);
    // What is known of a block is the same for all vectors of a band.
    const Parts bands{count, std::min(count, (parts + cut.blocks() - 1) / cut.blocks())};
    const std::int64_t terms = plan.terms(), step = plan.lines[kLines - 1].out;
    const std::vector<std::int64_t> term_factors = plan.term_factors();

    std::int64_t sums() const { return size_of(plan.rows) * terms * lanes; }
    std::int64_t groups_of(std::int64_t vector) const {
        return std::min(lanes, groups - vector * lanes);
    }
};

// Rows of windows that follow each other in the result.
struct Run {
    std::int64_t out, windows;
};

// A block of windows of one vector after the other, and memory to work in.
template <class T>
class Place {
  public:
    explicit Place(const Vectors<T> &job) : job_(job), block_(job.cut.block(job.plan, 0)) {
        const std::int64_t *const n = block_.count;
        planes = static_cast<T *>(planes_.get(block_.size(job.plan) * job.lanes, sizeof(T)));
        side_ = static_cast<T *>(memory_.get(n[0] * n[1] * n[2] * n[3] * job.lanes, sizeof(T)));
        if (!planes || !side_) throw std::bad_alloc();
    }

    void move(std::int64_t number) {
        block_ = job_.cut.block(job_.plan, number);
        length = block_.count[kLines - 1];
        terms = block_.terms(job_.plan);
        rows_ = block_.rows(job_.plan);
        runs_.clear();
        for (const windows::Row &row : rows_) {
            if (!runs_.empty() && row.given == runs_.back().out + runs_.back().windows * job_.step)
                runs_.back().windows += length;
            else
                runs_.push_back({row.given, length});
        }
        beside_ = rows_;
        for (std::size_t i = 0; i < rows_.size(); ++i)
            beside_[i].given = static_cast<std::int64_t>(i) * length * job_.lanes;
    }

    void fill(std::int64_t vector, const Operand<const T> &images) const {
        const T *const from = images.data + vector * job_.lanes * images.apart;
        fill_planes_of_groups(job_.plan, block_, job_.loops, from, job_.groups_of(vector),
                              images.apart, planes);
    }

    // Whole vectors of an array are read and written where they lie side by side, else beside it.
    template <class U>
    U *begin(std::int64_t vector, U *own, std::int64_t apart) {
        const bool direct = apart == 1 && job_.groups_of(vector) == job_.lanes;
        step = direct ? job_.step : job_.lanes;
        rows = direct ? &rows_ : &beside_;
        return direct ? own : side_;
    }
    void read(std::int64_t vector, const T *from, std::int64_t apart) const {
        T *to = side_;
        for (const Run &run : runs_) {
            job_.loops.turn({from + run.out, job_.groups_of(vector), apart, run.windows, job_.step,
                             to, job_.lanes});
            to += run.windows * job_.lanes;
        }
    }
    void write(std::int64_t vector, T *out, std::int64_t apart) const {
        const std::int64_t groups = job_.groups_of(vector);
        const T *from = side_;
        for (const Run &run : runs_) {
            T *const to = out + run.out;
            if (job_.step == 1) {
                job_.loops.turn({from, run.windows, job_.lanes, groups, 1, to, run.windows, apart});
            } else {
                for (std::int64_t i = 0; i < run.windows; ++i)
                    for (std::int64_t g = 0; g < groups; ++g)
                        to[i * job_.step + g * apart] = from[i * job_.lanes + g];
            }
            from += run.windows * job_.lanes;
        }
    }

    T *planes = nullptr;
    std::int64_t length = 0, step = 0;  // of a row of windows; between windows
    std::vector<std::int64_t> terms;    // where they are in the first window
    const std::vector<windows::Row> *rows = nullptr;

  private:
    const Vectors<T> &job_;
    Block block_;
    Scratch planes_, memory_;
    T *side_ = nullptr;
    std::vector<windows::Row> rows_, beside_;
    std::vector<Run> runs_;
};

template <class T>
struct Sums : Vectors<T> {
    const Operand<const T> images, factors;
    const Operand<T> result;
    T *packed = nullptr;  // the factors of each vector: of rows, of terms
    std::atomic<bool> failed{false};

    static void pack_factors(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const Sums &job = *reinterpret_cast<const Sums *>(args);
        for (std::int64_t vector = begin; vector < end; ++vector) job.pack(vector);
    }

    void pack(std::int64_t vector) const {
        T *to = packed + vector * this->sums();
        const T *const from = factors.data + vector * this->lanes * factors.apart;
        const std::int64_t groups = this->groups_of(vector);
        for (const Channel &row : this->plan.rows) {
            for (std::int64_t factor : this->term_factors) {
                const T *const own = from + row.factor + factor;
                for (std::int64_t g = 0; g < this->lanes; ++g)
                    *to++ = g < groups ? own[g * factors.apart] : T(0);
            }
        }
    }

    static void add_blocks(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        Sums &job = *reinterpret_cast<Sums *>(args);
        for (std::int64_t i = begin; i < end && !job.failed.load(std::memory_order_relaxed); ++i)
            job.add_block(i / job.bands.count, i % job.bands.count);
    }

    void add_block(std::int64_t number, std::int64_t band) try {
        Place<T> place(*this);
        place.move(number);
        for (std::int64_t i = this->bands.first(band); i < this->bands.first(band + 1); ++i) {
            place.fill(i, images);
            add_vector(place, i);
        }
    } catch (const std::bad_alloc &) {
        failed.store(true, std::memory_order_relaxed);
    }

    void add_vector(Place<T> &place, std::int64_t vector) const {
        const T *factors = packed + vector * this->sums();
        for (const Channel &row : this->plan.rows) {
            T *const own = result.data + vector * this->lanes * result.apart + row.at;
            T *const out = place.begin(vector, own, result.apart);
            for (const windows::Row &at : *place.rows)
                this->loops.add_groups({place.planes + at.plane * this->lanes, place.terms.data(),
                                        this->terms, factors, place.length, out + at.given,
                                        place.step});
            if (out != own) place.write(vector, own, result.apart);
            factors += this->terms * this->lanes;
        }
    }
};

template <class T>
struct Gradients : Vectors<T> {
    const Operand<const T> images, given;
    const Operand<T> factors;
    // The windows are added up in parts, apart from each other.
    const Parts blocks{this->cut.blocks(),
                       std::min((this->parts + this->count - 1) / this->count, this->cut.blocks())};
    T *sums_of_parts = nullptr;  // of each vector, for each part: of rows, of terms
    std::atomic<bool> failed{false};

    T *sums_of(std::int64_t vector, std::int64_t part) const {
        return sums_of_parts + (vector * blocks.count + part) * this->sums();
    }

    static void add_parts(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        Gradients &job = *reinterpret_cast<Gradients *>(args);
        for (std::int64_t i = begin; i < end && !job.failed.load(std::memory_order_relaxed); ++i)
            job.add_part(i / job.bands.count, i % job.bands.count);
    }

    void add_part(std::int64_t part, std::int64_t band) try {
        Place<T> place(*this);
        for (std::int64_t number = blocks.first(part); number < blocks.first(part + 1); ++number) {
            place.move(number);
            for (std::int64_t i = this->bands.first(band); i < this->bands.first(band + 1); ++i) {
                place.fill(i, images);
                add_vector(place, i, sums_of(i, part), number > blocks.first(part));
            }
        }
    } catch (const std::bad_alloc &) {
        failed.store(true, std::memory_order_relaxed);
    }

    void add_vector(Place<T> &place, std::int64_t vector, T *out, bool added) const {
        windows::Gradients work{};
        work.planes = place.planes;
        work.length = place.length;
        work.added = added;
        for (const Channel &row : this->plan.rows) {
            const T *const own = given.data + vector * this->lanes * given.apart + row.at;
            const T *const from = place.begin(vector, own, given.apart);
            if (from != own) place.read(vector, own, given.apart);
            work.given = from;
            work.rows = place.rows->data();
            work.n_rows = size_of(*place.rows);
            work.step = place.step;
            differentiate(this->loops.groups, work, place.terms, out, this->lanes);
            out += this->terms * this->lanes;
        }
    }

    static void write_factors(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const Gradients &job = *reinterpret_cast<const Gradients *>(args);
        for (std::int64_t vector = begin; vector < end; ++vector) job.write(vector);
    }

    void write(std::int64_t vector) const {
        T *sum = sums_of(vector, 0);
        for (std::int64_t part = 1; part < blocks.count; ++part) {
            const T *const more = sums_of(vector, part);
            for (std::int64_t i = 0; i < this->sums(); ++i) sum[i] += more[i];
        }
        T *const to = factors.data + vector * this->lanes * factors.apart;
        for (const Channel &row : this->plan.rows) {
            for (std::int64_t factor : this->term_factors) {
                for (std::int64_t g = 0; g < this->groups_of(vector); ++g)
                    to[g * factors.apart + row.factor + factor] = sum[g];
                sum += this->lanes;
            }
        }
    }
};

}  // namespace

bool suits_groups(const Plan &plan, const windows::Loops &loops, const Work &work) {
    // Groups of more channels and kernels are added up one by one.
    constexpr std::int64_t kFew = 8, kFewOfKernels = 16;
    const bool of_kernels = work.gives == kKernels;
    if (plan.spread || work.channels * work.kernels > (of_kernels ? kFewOfKernels : kFew)) return false;
    if (work.image_last || work.result_last) return 2 * work.groups >= loops.lanes;
    // Of long rows, each channel by itself, vectors of windows need no turning.
    if (of_kernels && plan.rows.size() == 1 && plan.lines[kLines - 1].windows >= 3 * loops.lanes)
        return false;
    const std::int64_t vectors = (work.groups + loops.lanes - 1) / loops.lanes;
    return 4 * work.groups >= 3 * vectors * loops.lanes;
}

template <class T>
Status add_groups(const Plan &plan, const windows::Loops &loops, std::int64_t groups,
                  Operand<const T> images, Operand<const T> factors, Operand<T> result,
                  const threads::Poll &poll) {
    const double work = plan.work() * static_cast<double>(groups);
    Sums<T> job{{plan, loops, groups, work}, images, factors, result};
    Scratch packed;
    job.packed = static_cast<T *>(packed.get(job.count * job.sums(), sizeof(T)));
    if (!job.packed) return Status::no_memory;
    if (!run(Sums<T>::pack_factors, &job, job.count, work, poll) ||
        !run(Sums<T>::add_blocks, &job, job.bands.count * job.cut.blocks(), work, poll))
        return Status::interrupted;
    return job.failed.load() ? Status::no_memory : Status::done;
}

template <class T>
Status add_kernels_of_groups(const Plan &plan, const windows::Loops &loops, std::int64_t groups,
                             Operand<const T> images, Operand<const T> given, Operand<T> factors,
                             const threads::Poll &poll) {
    const double work = plan.work() * static_cast<double>(groups);
    Gradients<T> job{{plan, loops, groups, work}, images, given, factors};
    Scratch sums;
    job.sums_of_parts = static_cast<T *>(
        sums.get(job.count * job.blocks.count * job.sums(), sizeof(T)));
    if (!job.sums_of_parts) return Status::no_memory;
    if (!run(Gradients<T>::add_parts, &job, job.bands.count * job.blocks.count, work, poll))
        return Status::interrupted;
    if (job.failed.load()) return Status::no_memory;
    return run(Gradients<T>::write_factors, &job, job.count, work, poll) ? Status::done
                                                                        : Status::interrupted;
}

template Status add_groups<float>(const Plan &, const windows::Loops &, std::int64_t,
                                  Operand<const float>, Operand<const float>, Operand<float>,
                                  const threads::Poll &);
template Status add_groups<double>(const Plan &, const windows::Loops &, std::int64_t,
                                   Operand<const double>, Operand<const double>, Operand<double>,
                                   const threads::Poll &);
template Status add_kernels_of_groups<float>(const Plan &, const windows::Loops &, std::int64_t,
                                             Operand<const float>, Operand<const float>,
                                             Operand<float>, const threads::Poll &);
template Status add_kernels_of_groups<double>(const Plan &, const windows::Loops &, std::int64_t,
                                              Operand<const double>, Operand<const double>,
                                              Operand<double>, const threads::Poll &);

}  // namespace convolution
}  // namespace theano
