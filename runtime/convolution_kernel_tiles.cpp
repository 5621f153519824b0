// Gradients of kernels of 3 × 3 items, by minimal filtering F(3 × 3, 2 × 2): for each item of a tile
// a sum over tiles, of what is read of them times what is given for their windows.
#include "convolution_tiles.h"

#include <atomic>
#include <new>

namespace theano {
namespace convolution {

namespace {

// Sums of so many bytes are added up at a time.
constexpr std::int64_t kSums = 1 << 20;
// So many multiplications are done between two questions whether to give up.
constexpr double kUnasked = 1 << 30;
constexpr std::int64_t kFewestChannels = 8;

template <class T>
struct Job {
    const Plan &windows;
    const windows::Loops &loops;
    const std::int64_t groups;
    const Operand<const T> images, given;
    const Operand<T> factors;
    const Plan plan = of_tiles(windows);
    const std::vector<std::int64_t> items = of_planes(windows).factors();  // along the outer axes
    const std::int64_t channels = size_of(plan.channels), terms = channels * size_of(items);
    const std::int64_t rows = size_of(plan.rows), across = plan.across();
    const Panels panels{rows, loops.lanes};
    const std::int64_t sums_apart = spread<T>(terms * panels.items());
    // Of channels, each of which has sums of its own.
    const Parts slices{channels, count_slices()};
    const Cut cut = convolution::cut(
        plan, most_items(plan, slices.largest(), rows, loops, sizeof(T)), 1);
    T *sums = nullptr;  // of each group, for each item of a tile: of panels, for each term
    std::int64_t first_block = 0, last_block = 0;
    std::atomic<bool> failed{false}, unfit{false};

    std::int64_t count_slices() const {
        const std::int64_t bytes = kItems * sums_apart * static_cast<std::int64_t>(sizeof(T));
        const std::int64_t many = threads::get() == 1 ? 1 : 2 * threads::get();
        return std::clamp<std::int64_t>(channels / kFewestChannels, 1,
                                        std::max(many, (bytes + kSums - 1) / kSums));
    }
    T *sums_of(std::int64_t group, std::int64_t panel, std::int64_t term) const {
        return sums + group * kItems * sums_apart + panels.first(panel) * terms +
               term * panels.width(panel);
    }
    bool stops() const {
        return failed.load(std::memory_order_relaxed) || unfit.load(std::memory_order_relaxed);
    }

    static void add_slices(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        Job &job = *reinterpret_cast<Job *>(args);
        for (std::int64_t i = begin; i < end; ++i)
            job.add_slice(i / job.slices.count, i % job.slices.count);
    }
    void add_slice(std::int64_t group, std::int64_t slice);

    static constexpr std::int64_t kTerms = 8;  // that are written at a time
    std::int64_t writes() const { return (terms + kTerms - 1) / kTerms; }
    static void write_factors(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const Job &job = *reinterpret_cast<const Job *>(args);
        for (std::int64_t i = begin; i < end; ++i)
            job.write_terms(i / job.writes(), i % job.writes() * kTerms);
    }
    void write_terms(std::int64_t group, std::int64_t first) const;
};

// The tiles of a block and some channels, of which `plan` is, from the term `first` on.
template <class T>
class BlockOfTiles {
  public:
    BlockOfTiles(const Job<T> &job, const Plan &plan, std::int64_t number, std::int64_t group,
                 std::int64_t first)
        : job_(job), plan_(plan), block_(job.cut.block(plan, number)), group_(group), first_(first),
          added_(number > 0), tiles_(plan, job.loops, block_) {
        for (std::int64_t c = 0; c < size_of(plan.channels); ++c)
            for (std::int64_t item : tiles_.items) terms_.push_back(c * tiles_.apart + item);
        for (std::int64_t i = 0; i < block_.count[0] * block_.count[1]; ++i) {
            const std::int64_t outer = i / block_.count[1], inner = i % block_.count[1];
            for (std::int64_t t = 0; t < tiles_.count; ++t)
                places_.push_back((outer * block_.lengths[1] + inner) * tiles_.count + t);
        }
    }

    // Returns whether there is the memory; `fits` becomes false where numbers are too large.
    bool add(bool &fits) {
        if (!tiles_.enter(job_.images.data + group_ * job_.images.apart, fits)) return false;
        if (!fits) return true;
        const std::int64_t widest = windows::kMostAcross * job_.loops.lanes;
        const std::int64_t apart = spread<T>(size_of(places_) * widest);
        Scratch turned, entered;
        turned_ = static_cast<T *>(turned.get(4 * block_.count[kX] * widest, sizeof(T)));
        entered_ = static_cast<T *>(entered.get(kItems * apart, sizeof(T)));
        if (!turned_ || !entered_) return false;
        for (std::int64_t panel = 0; panel < job_.panels.count(); ++panel) {
            fits = enter_given(panel, apart);
            if (!fits) return true;
            for (int item = 0; item < kItems; ++item) multiply(panel, item, apart);
        }
        return true;
    }

  private:
    // Transforms what is given for a panel: rows side by side, for each item of all tiles.
    bool enter_given(std::int64_t panel, std::int64_t apart) const {
        const std::int64_t width = job_.panels.width(panel), tiles = block_.count[kX];
        const std::int64_t pitch = 2 * tiles * width, rows = job_.panels.rows_of(panel);
        const Line *const lines = plan_.lines;
        const T *const from = job_.given.data + group_ * job_.given.apart + plan_.out +
                              job_.panels.first(panel) * job_.across;
        const std::int64_t step = job_.windows.lines[kX].out, x = 2 * block_.first[kX];
        const std::int64_t wide = std::min(2 * tiles, job_.windows.lines[kX].windows - x);
        T *to = entered_;
        for (std::int64_t i = 0; i < size_of(places_) / tiles; ++i, to += tiles * width) {
            const std::int64_t image = i / block_.count[kY];
            const std::int64_t y = 2 * (block_.first[kY] + i % block_.count[kY]);
            const T *row = from + (block_.first[0] + image / block_.count[1]) * lines[0].out +
                           (block_.first[1] + image % block_.count[1]) * lines[1].out +
                           y / 2 * lines[kY].out + x * step;
            for (int half = 0; half < 2; ++half, row += lines[kY].out / 2) {
                const std::int64_t some = y + half < job_.windows.lines[kY].windows ? wide : 0;
                T *const own = turned_ + half * pitch;
                if (some)
                    job_.loops.turn({row, rows, job_.across, some, step, own, width});
                std::fill(own + some * width, own + pitch, T(0));
            }
            if (!job_.loops.within(turned_, 2 * pitch, kMost<T>)) return false;
            job_.loops.enter_given({turned_, pitch, tiles, width, to, apart});
        }
        return true;
    }

    void multiply(std::int64_t panel, int item, std::int64_t apart) const {
        const std::int64_t width = job_.panels.width(panel), all = size_of(places_);
        const std::int64_t some = kTurned / static_cast<std::int64_t>(sizeof(T)) / width;
        const auto &loops = job_.loops.across[width / job_.loops.lanes - 1];
        T *const out = job_.sums_of(group_, panel, first_) + item * job_.sums_apart;
        windows::Gradients work{};
        work.planes = tiles_.data + item * tiles_.item_apart;
        for (std::int64_t tile = 0; tile < all; tile += some) {
            work.given = entered_ + item * apart + tile * width;
            work.windows = places_.data() + tile;
            work.n_windows = std::min(some, all - tile);
            work.added = added_ || tile > 0;
            differentiate(loops, work, terms_, out, width);
        }
    }

    const Job<T> &job_;
    const Plan &plan_;
    const Block block_;
    const std::int64_t group_, first_;
    const bool added_;
    Tiles<T> tiles_;
    std::vector<std::int64_t> terms_, places_;  // of channels' items; of tiles
    T *turned_ = nullptr, *entered_ = nullptr;
};

template <class T>
void Job<T>::add_slice(std::int64_t group, std::int64_t slice) try {
    const std::int64_t first = slices.first(slice), last = slices.first(slice + 1);
    Plan some = plan;
    some.channels.assign(plan.channels.begin() + first, plan.channels.begin() + last);
    for (std::int64_t number = first_block; number < last_block && !stops(); ++number) {
        bool fits = true;
        if (!BlockOfTiles<T>(*this, some, number, group, first * size_of(items)).add(fits))
            failed.store(true, std::memory_order_relaxed);
        if (!fits) unfit.store(true, std::memory_order_relaxed);
    }
} catch (const std::bad_alloc &) {
    failed.store(true, std::memory_order_relaxed);
}

template <class T>
void Job<T>::write_terms(std::int64_t group, std::int64_t first) const {
    constexpr std::int64_t kWidest = windows::kMostAcross * 64 / sizeof(T), kPlaces = 9 * kTerms;
    T kernels[kPlaces * kWidest], turned[kPlaces * kWidest];
    std::int64_t place[3][3];
    place_factors(windows, place);
    const std::int64_t some = std::min(kTerms, terms - first);
    for (std::int64_t panel = 0; panel < panels.count(); ++panel) {
        const T *const own_sums = sums_of(group, panel, first);
        loops.leave_kernels({own_sums, sums_apart, some, panels.width(panel), kernels});
        loops.turn({kernels, 9 * some, panels.width(panel), panels.rows_of(panel), 1, turned,
                    kPlaces});
        for (std::int64_t r = 0; r < panels.rows_of(panel); ++r) {
            T *const row = factors.data + group * factors.apart +
                           plan.rows[static_cast<std::size_t>(panels.first(panel) + r)].factor;
            const T *own = turned + r * kPlaces;
            for (std::int64_t term = first; term < first + some; ++term, own += 9) {
                const auto channel = static_cast<std::size_t>(term / size_of(items));
                const auto item = static_cast<std::size_t>(term % size_of(items));
                T *const to = row + plan.channels[channel].factor + items[item];
                for (int i = 0; i < 9; ++i) to[place[i / 3][i % 3]] = own[i];
            }
        }
    }
}

}  // namespace

bool suits_kernel_tiles(const Plan &plan) {
    constexpr double kEnterGiven = 120;  // to transform what is given for a tile
    return has_tiles(plan) && plan.across() != 0 && saves_work(plan, kEnterGiven);
}

template <class T>
Status add_kernel_tiles(const Plan &plan, const windows::Loops &loops, std::int64_t groups,
                        Operand<const T> images, Operand<const T> given, Operand<T> factors,
                        const threads::Poll &poll, bool &fits) {
    const double work = plan.work() * static_cast<double>(groups);
    Job<T> job{plan, loops, groups, images, given, factors};
    Scratch sums;
    job.sums = static_cast<T *>(sums.get(groups * kItems * job.sums_apart, sizeof(T)));
    if (!job.sums) return Status::no_memory;
    const std::int64_t blocks = job.cut.blocks();
    const double unasked = std::max(1.0, kUnasked / work * static_cast<double>(blocks));
    const auto together = static_cast<std::int64_t>(std::min(unasked, static_cast<double>(blocks)));
    for (; job.first_block < blocks && !job.stops(); job.first_block = job.last_block) {
        job.last_block = std::min(blocks, job.first_block + together);
        if (!run(Job<T>::add_slices, &job, groups * job.slices.count, work, poll) || poll())
            return Status::interrupted;
    }
    fits = !job.unfit.load();
    if (job.stops()) return job.failed.load() ? Status::no_memory : Status::done;
    return run(Job<T>::write_factors, &job, groups * job.writes(), work, poll)
               ? Status::done
               : Status::interrupted;
}

template Status add_kernel_tiles<float>(const Plan &, const windows::Loops &, std::int64_t,
                                        Operand<const float>, Operand<const float>, Operand<float>,
                                        const threads::Poll &, bool &);
template Status add_kernel_tiles<double>(const Plan &, const windows::Loops &, std::int64_t,
                                         Operand<const double>, Operand<const double>,
                                         Operand<double>, const threads::Poll &, bool &);

}  // namespace convolution
}  // namespace theano
