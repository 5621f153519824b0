// Sums over 3 × 3 items of neighbouring windows, by Winograd's minimal filtering F(2 × 2, 3 × 3).
#include "convolution_tiles.h"

#include <atomic>
#include <new>

namespace theano {
namespace convolution {

namespace {

// Whether windows have three neighbouring items along an axis, each the next one's neighbour.
bool has_three(const Line &line) {
    if (line.taps.size() != 3 || line.step != 1 || line.phases.size() != 1 || line.uncut)
        return false;
    bool found[3] = {};
    for (const Tap &tap : line.taps)
        if (tap.offset >= 0 && tap.offset < 3) found[tap.offset] = true;
    return found[0] && found[1] && found[2];
}

void set_tiles(Line &line) {
    line.step = 2;
    line.phases = {line.phases[0], line.phases[0] + 1};
    line.taps = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {1, 1, 0}};
    line.windows = (line.windows + 1) / 2;
    line.out *= 2;
}

}  // namespace

bool has_tiles(const Plan &plan) {
    if (plan.spread || !has_three(plan.lines[kY]) || !has_three(plan.lines[kX])) return false;
    for (int i = 0; i < kY; ++i)
        if (plan.lines[i].phases.size() != 1 || plan.lines[i].uncut) return false;
    return true;
}

bool saves_work(const Plan &plan, double of_row) {
    const Line &y = plan.lines[kY], &x = plan.lines[kX];
    const auto channels = static_cast<double>(plan.channels.size());
    const auto rows = static_cast<double>(plan.rows.size());
    const double product = channels * rows * (static_cast<double>(plan.taps()) / 9);
    const double outer = static_cast<double>(plan.lines[0].windows * plan.lines[1].windows);
    const double tiles = outer * static_cast<double>((y.windows + 1) / 2 * ((x.windows + 1) / 2));
    // In multiplications: to transform a tile; to transform factors, or to make them of sums.
    constexpr double kEnter = 120, kFactors = 850;
    const double of_tile = kItems * product + kEnter * channels + of_row * rows;
    const double cost = tiles * of_tile + kFactors * product;
    return plan.work() >= kLarge && plan.work() > 1.15 * cost;
}

Plan of_tiles(Plan plan) {
    set_tiles(plan.lines[kY]);
    set_tiles(plan.lines[kX]);
    return plan;
}

Plan of_planes(Plan plan) {
    for (int axis : {kY, kX}) plan.lines[axis].taps.assign(1, Tap{0, 0, 0});
    return plan;
}

void place_factors(const Plan &plan, std::int64_t (&place)[3][3]) {
    for (const Tap &y : plan.lines[kY].taps)
        for (const Tap &x : plan.lines[kX].taps)
            place[y.offset][x.offset] = y.factor + x.factor;
}

std::int64_t most_items(const Plan &plan, std::int64_t channels, std::int64_t rows,
                        const windows::Loops &loops, std::int64_t itemsize) {
    // What is transformed of some tiles, and their products, have about so many bytes. But of fewer
    // vectors of tiles, all factors would be read again too often.
    constexpr std::int64_t kSome = 3 << 19, kVectors = 12;
    const std::int64_t some = kSome / itemsize, of_tile = kItems * (channels + rows);
    const std::int64_t tiles = std::max(some / of_tile, kVectors * loops.lanes);
    double items = static_cast<double>(plan.phases() * channels * tiles);
    for (const Line &line : plan.lines)
        items *= 1 + static_cast<double>(line.reach()) / static_cast<double>(line.windows);
    return static_cast<std::int64_t>(items);
}

namespace {

template <class T>
struct Job {
    const Plan &windows;
    const windows::Loops &loops;
    const std::int64_t groups;
    const Operand<const T> images, factors;
    const Operand<T> result;
    const Plan plan = of_tiles(windows);
    const std::vector<std::int64_t> items = of_planes(windows).factors();
    const std::int64_t rows = size_of(plan.rows), terms = size_of(plan.channels) * size_of(items);
    const Parts row_tiles = parts_of(rows, loops.rows);
    const Cut cut = convolution::cut(
        plan, most_items(plan, size_of(plan.channels), rows, loops, sizeof(T)), parts());
    T *packed = nullptr;  // transformed factors: of each group, for each item of a tile
    std::atomic<bool> failed{false}, unfit{false};

    // Sums are the same however windows are cut.
    std::int64_t parts() const {
        if (threads::get() == 1) return 1;
        const std::int64_t most = (kParts + groups - 1) / groups;
        return std::clamp<std::int64_t>(plan.windows() / (3 * loops.lanes), 1, most);
    }
    bool stops() const {
        return failed.load(std::memory_order_relaxed) || unfit.load(std::memory_order_relaxed);
    }

    static void pack_factors(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        Job &job = *reinterpret_cast<Job *>(args);
        for (std::int64_t i = begin; i < end && !job.stops(); ++i) {
            if (!job.pack_tile(i / job.row_tiles.count, i % job.row_tiles.count))
                job.unfit.store(true, std::memory_order_relaxed);
        }
    }

    bool pack_tile(std::int64_t group, std::int64_t tile) const {
        const std::int64_t first = row_tiles.first(tile), count = row_tiles.size(tile);
        const T *const from = factors.data + group * factors.apart;
        T *const to = packed + group * kItems * rows * terms + first * terms;
        std::int64_t place[3][3];
        place_factors(windows, place);
        // Some terms at a time, which are then copied: what lies so far apart meets in the cache.
        constexpr std::int64_t kHeld = 16;
        T held[kItems][kHeld * windows::kMostRows];
        std::int64_t done = 0, here = 0;
        bool all = true;
        for (const Channel &channel : plan.channels) {
            for (std::int64_t item : items) {
                T x[kItems][windows::kMostRows] = {};
                for (std::int64_t r = 0; r < count; ++r) {
                    const Channel &row = plan.rows[static_cast<std::size_t>(first + r)];
                    const T *const own = from + channel.factor + item + row.factor;
                    for (int i = 0; i < 9; ++i)
                        x[i / 3 * 4 + i % 3][r] = own[place[i / 3][i % 3]];
                }
                all = all && loops.within(x, kItems * windows::kMostRows, kMost<T>);
                for (int i = 0; i < 3; ++i) transform<4>(x + i);
                for (int i = 0; i < 4; ++i) transform<1>(x + 4 * i);
                for (int i = 0; i < kItems; ++i) std::copy_n(x[i], count, held[i] + here * count);
                if (++here < kHeld && done + here < terms) continue;
                for (int i = 0; i < kItems; ++i)
                    std::copy_n(held[i], here * count, to + i * rows * terms + done * count);
                done += here;
                here = 0;
            }
        }
        return all;
    }

    // Three factors of some rows, kNext apart, become four.
    template <int kNext>
    static void transform(T (*x)[windows::kMostRows]) {
        for (int r = 0; r < windows::kMostRows; ++r) {
            const T a = x[0][r], b = x[kNext][r], c = x[2 * kNext][r];
            x[kNext][r] = (a + c + b) / 2;
            x[2 * kNext][r] = (a + c - b) / 2;
            x[3 * kNext][r] = c;
        }
    }

    static void add_blocks(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        Job &job = *reinterpret_cast<Job *>(args);
        for (std::int64_t i = begin; i < end && !job.stops(); ++i)
            job.add_block(i / job.cut.blocks(), i % job.cut.blocks());
    }

    void add_block(std::int64_t group, std::int64_t number);
};

// The sums of the windows of some tiles.
template <class T>
class BlockOfTiles {
  public:
    BlockOfTiles(const Job<T> &job, const Block &block, std::int64_t group)
        : job_(job), block_(block), group_(group), tiles_(job.plan, job.loops, block_),
          length_(((block.count[0] - 1) * block.lengths[1] + block.count[1]) * tiles_.count),
          width_(whole_lines<T>(length_)), sums_apart_(spread<T>(job.rows * width_)) {}

    // Returns whether there is the memory; `fits` becomes false where numbers are too large.
    bool add(bool &fits) {
        Scratch sums, side;
        // The last vector of a row of tiles may reach over the end.
        sums_ = static_cast<T *>(sums.get(kItems * sums_apart_ + job_.loops.lanes, sizeof(T)));
        side_ = static_cast<T *>(side.get(4 * whole_lines<T>(block_.count[kX]), sizeof(T)));
        if (!sums_ || !side_) return false;
        if (!tiles_.enter(job_.images.data + group_ * job_.images.apart, fits)) return false;
        if (!fits) return true;
        for (int item = 0; item < kItems; ++item) multiply(item);
        leave();
        return true;
    }

  private:
    void multiply(int item) const {
        const std::int64_t vectors = (length_ + job_.loops.lanes - 1) / job_.loops.lanes;
        const std::int64_t most =
            job_.loops.vectors(static_cast<int>(job_.row_tiles.largest()));
        const Parts parts = parts_of(vectors, most);
        const T *const factors =
            job_.packed + (group_ * kItems + item) * job_.rows * job_.terms;
        windows::Sums work{};
        work.channels = size_of(job_.plan.channels);
        work.apart = tiles_.apart;
        work.items = tiles_.items.data();
        work.n_items = size_of(tiles_.items);
        work.across = width_;
        for (std::int64_t i = 0; i < parts.count; ++i) {
            const std::int64_t first = parts.first(i) * job_.loops.lanes;
            work.planes = tiles_.data + item * tiles_.item_apart + first;
            for (std::int64_t tile = 0; tile < job_.row_tiles.count; ++tile) {
                const std::int64_t row = job_.row_tiles.first(tile);
                work.factors = factors + row * job_.terms;
                work.out = sums_ + item * sums_apart_ + row * width_ + first;
                job_.loops.add[job_.row_tiles.size(tile) - 1][parts.size(i) - 1](work);
            }
        }
    }

    // Makes windows of the products.
    void leave() const {
        const Line *const lines = job_.plan.lines;
        const std::int64_t high = job_.windows.lines[kY].windows - 2 * block_.first[kY];
        const std::int64_t wide = job_.windows.lines[kX].windows - 2 * block_.first[kX];
        for (std::int64_t r = 0; r < job_.rows; ++r) {
            T *const to = job_.result.data + group_ * job_.result.apart + job_.plan.out +
                          job_.plan.rows[static_cast<std::size_t>(r)].at +
                          block_.first[kY] * lines[kY].out + block_.first[kX] * lines[kX].out;
            for (std::int64_t i = 0; i < block_.count[0] * block_.count[1]; ++i) {
                const std::int64_t outer = i / block_.count[1], inner = i % block_.count[1];
                const std::int64_t from = (outer * block_.lengths[1] + inner) * tiles_.count;
                job_.loops.leave({sums_ + r * width_ + from, sums_apart_,
                                  block_.count[kY], block_.count[kX],
                                  to + (block_.first[0] + outer) * lines[0].out +
                                      (block_.first[1] + inner) * lines[1].out,
                                  lines[kY].out / 2, std::min(high, 2 * block_.count[kY]),
                                  std::min(wide, 2 * block_.count[kX]), side_});
            }
        }
    }

    const Job<T> &job_;
    const Block block_;
    const std::int64_t group_;
    Tiles<T> tiles_;
    const std::int64_t length_, width_;  // of a row of sums: what there is, and room for it
    const std::int64_t sums_apart_;      // between items of tiles
    T *sums_ = nullptr, *side_ = nullptr;
};

template <class T>
void Job<T>::add_block(std::int64_t group, std::int64_t number) try {
    bool fits = true;
    if (!BlockOfTiles<T>(*this, cut.block(plan, number), group).add(fits))
        failed.store(true, std::memory_order_relaxed);
    if (!fits) unfit.store(true, std::memory_order_relaxed);
} catch (const std::bad_alloc &) {
    failed.store(true, std::memory_order_relaxed);
}

}  // namespace

bool suits_tiles(const Plan &plan) {
    constexpr double kLeave = 50;  // to make windows of sums
    return has_tiles(plan) && plan.lines[kX].out == 1 && saves_work(plan, kLeave);
}

template <class T>
Status add_tiles(const Plan &plan, const windows::Loops &loops, std::int64_t groups,
                 Operand<const T> images, Operand<const T> factors, Operand<T> result,
                 const threads::Poll &poll, bool &fits) {
    const double work = plan.work() * static_cast<double>(groups);
    Job<T> job{plan, loops, groups, images, factors, result};
    Scratch packed;
    job.packed = static_cast<T *>(packed.get(groups * kItems * job.rows * job.terms, sizeof(T)));
    if (!job.packed) return Status::no_memory;
    if (!run(Job<T>::pack_factors, &job, groups * job.row_tiles.count, work, poll) ||
        !run(Job<T>::add_blocks, &job, groups * job.cut.blocks(), work, poll))
        return Status::interrupted;
    fits = !job.unfit.load();
    return job.failed.load() ? Status::no_memory : Status::done;
}

template Status add_tiles<float>(const Plan &, const windows::Loops &, std::int64_t,
                                 Operand<const float>, Operand<const float>, Operand<float>,
                                 const threads::Poll &, bool &);
template Status add_tiles<double>(const Plan &, const windows::Loops &, std::int64_t,
                                  Operand<const double>, Operand<const double>, Operand<double>,
                                  const threads::Poll &, bool &);

}  // namespace convolution
}  // namespace theano
