// The result of a convolution, or the gradient of images: for each row and window a sum over terms.
#include <algorithm>
#include <atomic>
#include <new>

#include "convolution_add.h"
#include "matmul.h"

namespace theano {
namespace convolution {

namespace {

// Sums of more terms are added in blocks, each of which stays in the nearest caches.
constexpr std::int64_t kTerms = 512;
// So many tiles of rows make up for planes of their own.
constexpr std::int64_t kSliced = 16;

// Terms that are added at a time: all items of some channels, or some items of one.
struct Terms {
    std::int64_t channel, channels, item, items;
    std::int64_t count() const { return channels * items; }
};

std::vector<Terms> blocks_of(std::int64_t channels, std::int64_t items) {
    std::vector<Terms> found;
    const std::int64_t many = std::max<std::int64_t>(1, kTerms / items);
    for (std::int64_t c = 0; c < channels; c += many) {
        for (std::int64_t i = 0; i < items; i += kTerms)
            found.push_back({c, std::min(many, channels - c), i, std::min(kTerms, items - i)});
    }
    return found;
}

// Windows of which vectors are made.
class Lanes {
  public:
    Lanes(const Plan &plan, const Block &block, bool direct)
        : plan_(plan), block_(block), between_(direct && !block.flat()) {}

    // Windows are read where they lie, with those between the rows, whose sums are dropped: the rows
    // of a slice are one run. Where there are none in between, or windows are packed, all are one run.
    std::int64_t runs() const { return between_ ? block_.count[0] * block_.count[1] : 1; }
    std::int64_t length() const {
        if (between_) return (block_.count[2] - 1) * block_.lengths[3] + block_.count[3];
        return block_.count[0] * block_.count[1] * block_.count[2] * block_.count[3];
    }
    // Where a run begins in a plane.
    std::int64_t start(std::int64_t run) const {
        const std::int64_t outer = run / block_.count[1], inner = run % block_.count[1];
        return (outer * block_.lengths[1] + inner) * block_.lengths[2] * block_.lengths[3];
    }
    void pieces(std::int64_t run, std::int64_t first, std::int64_t count,
                std::vector<windows::Piece> &to) const {
        const std::int64_t pitch = between_ ? block_.lengths[3] : block_.count[3];
        std::int64_t row = first / pitch, x = first % pitch;
        for (std::int64_t lane = 0; lane < count; ++row, x = 0) {
            const std::int64_t some = std::min(block_.count[3] - x, count - lane);
            if (some > 0)
                to.push_back(piece(between_ ? run * block_.count[2] + row : row, x, lane, some));
            lane += std::min(pitch - x, count - lane);
        }
    }

  private:
    windows::Piece piece(std::int64_t row, std::int64_t x, std::int64_t lane,
                         std::int64_t count) const {
        std::int64_t at[kLines] = {0, 0, 0, x};
        for (int i = kLines - 2; i >= 0; --i) {
            at[i] = row % block_.count[i];
            row /= block_.count[i];
        }
        std::int64_t plane = 0, out = plan_.out;
        for (int i = 0; i < kLines; ++i) {
            plane = plane * block_.lengths[i] + at[i];
            out += (block_.first[i] + at[i]) * plan_.lines[i].out;
        }
        return {lane, plane, out, count};
    }

    const Plan &plan_;
    const Block &block_;
    const bool between_;
};

// Vectors of windows, of all rows, and where their sums go.
template <class T>
struct Tile {
    std::int64_t run, first, vectors;
    std::vector<windows::Piece> pieces;
    T *out;
    std::int64_t across;
    bool aside;  // whether the sums are to be copied from `out`
};

template <class T>
class BlockOfSums;

template <class T>
struct Job {
    const Plan &plan;
    const windows::Loops &loops;
    const std::int64_t groups;
    const double work;
    const Operand<const T> images, factors;
    const Operand<T> result;
    const std::vector<Terms> blocks = blocks_of(size_of(plan.channels), plan.taps());
    const std::vector<std::int64_t> item_factors = plan.factors(), places = plan.places();
    const std::int64_t rows = size_of(plan.rows), terms = plan.terms(), apart = plan.across();
    const Parts row_tiles = parts_of(rows, loops.rows);
    // Windows are added up in blocks, and rows in slices, apart from each other.
    const std::int64_t parts = work < kLarge ? 1 : (kParts + groups - 1) / groups;
    const Parts slices{row_tiles.count, count_slices()};
    const Cut cut = convolution::cut(plan, most_items(), Parts{parts, slices.count}.largest());
    // What is known of a block is the same for all groups.
    const Parts bands{groups, std::min(groups, kParts)};
    T *packed = nullptr;  // the factors of a group after those of another
    std::atomic<bool> failed{false};

    // Of all planes, those for a block of terms are to stay in the second cache.
    std::int64_t most_items() const {
        return kCached * std::min<std::int64_t>(4, size_of(blocks)) /
               static_cast<std::int64_t>(sizeof(T));
    }
    std::int64_t count_slices() const {
        return plan.spread ? 1 : std::clamp<std::int64_t>(row_tiles.count / kSliced, 1, parts);
    }
    std::int64_t most_vectors() const {
        return loops.vectors(static_cast<int>(row_tiles.largest()));
    }

    static void pack_factors(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        const Job &job = *reinterpret_cast<const Job *>(args);
        for (std::int64_t i = begin; i < end; ++i)
            job.pack_tile(i / job.row_tiles.count, i % job.row_tiles.count);
    }

    void pack_tile(std::int64_t group, std::int64_t tile) const {
        const std::int64_t first = row_tiles.first(tile), count = row_tiles.size(tile);
        T *to = packed + (group * rows + first) * terms;
        const T *const from = factors.data + group * factors.apart;
        const Channel *const row = plan.rows.data() + first;
        for (const Channel &channel : plan.channels) {
            for (std::int64_t item : item_factors) {
                const T *factor = from + channel.factor + item;
                for (std::int64_t r = 0; r < count; ++r) *to++ = factor[row[r].factor];
            }
        }
    }

    static void add_blocks(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        Job &job = *reinterpret_cast<Job *>(args);
        for (std::int64_t i = begin; i < end && !job.failed.load(std::memory_order_relaxed); ++i) {
            const std::int64_t slice = i % job.slices.count, rest = i / job.slices.count;
            if (!job.add_block(rest / job.cut.blocks(), rest % job.cut.blocks(), slice))
                job.failed.store(true, std::memory_order_relaxed);
        }
    }

    bool add_block(std::int64_t band, std::int64_t number, std::int64_t slice) const try {
        BlockOfSums<T> block(*this, cut.block(plan, number), slice);
        for (std::int64_t group = bands.first(band); group < bands.first(band + 1); ++group)
            if (!block.add(group)) return false;
        return true;
    } catch (const std::bad_alloc &) {
        return false;
    }
};

// The sums of some windows, of one group after the other.
template <class T>
class BlockOfSums {
  public:
    BlockOfSums(const Job<T> &job, const Block &block, std::int64_t slice)
        : job_(job), block_(block), first_(job.slices.first(slice)),
          last_(job.slices.first(slice + 1)), row_(job.row_tiles.first(first_)),
          rows_(job.row_tiles.first(last_) - row_), direct_(suits_direct()),
          items_(block_.items(job.plan)), lanes_(job.plan, block_, direct_) {
        const std::int64_t lanes = job_.loops.lanes, vectors = (lanes_.length() + lanes - 1) / lanes;
        const Parts run = parts_of(vectors, job_.most_vectors());
        for (std::int64_t i = 0; i < lanes_.runs() * run.count; ++i) {
            const std::int64_t n = i % run.count;
            tiles_.push_back(tile(i / run.count, run.first(n), run.size(n)));
        }
    }

    // The sums of a group.
    bool add(std::int64_t group) {
        group_ = group;
        const std::int64_t most = job_.most_vectors() * job_.loops.lanes;
        // Where factors do not stay in the second cache, several tiles are added up with some of them.
        const std::int64_t bytes = rows_ * most * static_cast<std::int64_t>(sizeof(T));
        const std::int64_t together =
            job_.blocks.size() == 1 ? 1 : std::max<std::int64_t>(1, kCached / bytes);
        if (!sums_) sums_ = static_cast<T *>(sums_memory_.get(together * rows_ * most, sizeof(T)));
        if (!sums_ || !(in_place() || filled())) return false;
        if (!direct_ && !packed_) {
            const std::int64_t room = most_terms() * most + job_.loops.lanes;
            packed_ = static_cast<T *>(packed_memory_.get(room, sizeof(T)));
            if (!packed_) return false;
        }
        for (std::int64_t i = 0; i < size_of(tiles_); i += together) {
            const std::int64_t end = std::min(i + together, size_of(tiles_));
            for (std::int64_t j = i; j < end; ++j) place(tiles_[j], sums_ + (j - i) * rows_ * most);
            add_tiles(tiles_.data() + i, tiles_.data() + end);
        }
        return true;
    }

  private:
    // Whether it takes less to compute the sums between rows as well than to pack windows.
    bool suits_direct() const {
        const double lanes = static_cast<double>(job_.loops.lanes);
        const double row = static_cast<double>(block_.count[3]);
        const double between = static_cast<double>(block_.lengths[3]) / row - 1;
        const double moves = 4 * std::max(1.0, lanes / row);
        return block_.flat() || block_.count[2] == 1 ||
               between < moves / static_cast<double>(rows_);
    }

    bool filled() {
        if (!filled_)
            filled_ = static_cast<T *>(planes_memory_.get(block_.size(job_.plan), sizeof(T)));
        if (!filled_) return false;
        const T *const images = job_.images.data + group_ * job_.images.apart;
        fill_planes(job_.plan, block_, job_.loops, images, filled_);
        planes_ = filled_;
        apart_ = block_.apart;
        return true;
    }

    // Whether images are planes already, behind which vectors may read on.
    bool in_place() {
        const Line &last = job_.plan.lines[kLines - 1];
        const std::vector<Channel> &channels = job_.plan.channels;
        if (block_.count[0] * block_.count[1] * block_.count[2] != 1 || !block_.flat() ||
            job_.plan.phases() != 1 || last.before != 0 || last.step != 1 || last.apart != 1 ||
            block_.first[kLines - 1] + block_.count[kLines - 1] > last.length)
            return false;
        std::int64_t start = group_ * job_.images.apart + block_.first[kLines - 1];
        for (int i = 0; i < kLines - 1; ++i) {
            const Line &line = job_.plan.lines[i];
            const std::int64_t at = line.phases[0] + block_.first[i] * line.step - line.before;
            if (at < 0 || at >= line.length) return false;
            start += at * line.apart;
        }
        apart_ = channels.size() > 1 ? channels[1].at - channels[0].at : 0;
        for (std::size_t i = 1; i < channels.size(); ++i)
            if (channels[i].at - channels[i - 1].at != apart_) return false;
        const std::int64_t room = block_.count[kLines - 1] + job_.most_vectors() * job_.loops.lanes;
        if (apart_ < 0 || start + channels.back().at + room > job_.images.size) return false;
        planes_ = job_.images.data + start + channels[0].at;
        // Vectors of many channels that are far apart would meet in the same places of the cache.
        constexpr std::size_t kMostApart = 128;
        if (channels.size() > kMostApart) direct_ = false;
        return true;
    }

    std::int64_t most_terms() const {
        std::int64_t most = 0;
        for (const Terms &some : job_.blocks) most = std::max(most, some.count());
        return most;
    }

    T *result() const { return job_.result.data + group_ * job_.result.apart; }

    Tile<T> tile(std::int64_t run, std::int64_t from, std::int64_t vectors) const {
        const std::int64_t width = vectors * job_.loops.lanes, first = from * job_.loops.lanes;
        Tile<T> found{run, first, vectors, {}, nullptr, width, true};
        const std::int64_t count = std::min(width, lanes_.length() - first);
        lanes_.pieces(run, first, count, found.pieces);
        const bool whole = found.pieces.size() == 1 && found.pieces[0].count == width;
        const bool even = job_.plan.lines[kLines - 1].out == 1 && job_.apart > 0;
        if (whole && even && !job_.plan.spread) {
            found.across = job_.apart;
            found.aside = false;
        }
        return found;
    }

    void place(Tile<T> &tile, T *sums) const {
        tile.out = sums;
        if (!tile.aside)
            tile.out = result() + tile.pieces[0].out + job_.places[static_cast<std::size_t>(row_)];
    }

    void add_tiles(const Tile<T> *begin, const Tile<T> *end) const {
        for (const Terms &some : job_.blocks) {
            for (const Tile<T> *tile = begin; tile < end; ++tile) add_terms(*tile, some);
        }
        for (const Tile<T> *tile = begin; tile < end; ++tile) {
            if (!tile->aside) continue;
            job_.loops.unpack({tile->out, rows_, tile->across, tile->pieces.data(),
                               size_of(tile->pieces), result(), job_.places.data() + row_,
                               job_.plan.lines[kLines - 1].out, job_.plan.spread});
        }
    }

    void add_terms(const Tile<T> &tile, const Terms &some) const {
        const std::int64_t one = 0, width = tile.vectors * job_.loops.lanes;
        const T *const channel = planes_ + some.channel * apart_;
        windows::Sums work{};
        work.planes = channel + lanes_.start(tile.run) + tile.first;
        work.channels = some.channels;
        work.apart = apart_;
        work.items = items_.data() + some.item;
        work.n_items = some.items;
        if (!direct_) {
            job_.loops.pack({channel, work.channels, work.apart, work.items, work.n_items,
                             tile.pieces.data(), size_of(tile.pieces), packed_, width});
            work.planes = packed_;
            work.channels = some.count();
            work.apart = width;
            work.items = &one;
            work.n_items = 1;
        }
        work.across = tile.across;
        work.added = &some != &job_.blocks[0];
        const std::int64_t before = some.channel * size_of(items_) + some.item;
        for (std::int64_t i = first_; i < last_; ++i) {
            const std::int64_t row = job_.row_tiles.first(i), rows = job_.row_tiles.size(i);
            work.factors = job_.packed + (group_ * job_.rows + row) * job_.terms + before * rows;
            work.out = tile.out + (row - row_) * tile.across;
            job_.loops.add[rows - 1][tile.vectors - 1](work);
        }
    }

    const Job<T> &job_;
    const Block block_;
    const std::int64_t first_, last_;  // row tiles
    const std::int64_t row_, rows_;
    bool direct_;
    const std::vector<std::int64_t> items_;
    const Lanes lanes_;
    std::vector<Tile<T>> tiles_;
    std::int64_t group_ = 0;
    const T *planes_ = nullptr;
    std::int64_t apart_ = 0;  // items between planes of channels
    Scratch planes_memory_, sums_memory_, packed_memory_;
    T *filled_ = nullptr, *sums_ = nullptr, *packed_ = nullptr;
};

}  // namespace

template <class T>
Status add_terms(const Plan &plan, const windows::Loops &loops, std::int64_t groups,
                 Operand<const T> images, Operand<const T> factors, Operand<T> result,
                 const threads::Poll &poll) {
    const double work = plan.work() * static_cast<double>(groups);
    Job<T> job{plan, loops, groups, work, images, factors, result};
    Scratch packed;
    job.packed = static_cast<T *>(packed.get(groups * job.rows * job.terms, sizeof(T)));
    if (!job.packed) return Status::no_memory;
    const std::int64_t parts = job.bands.count * job.cut.blocks() * job.slices.count;
    if (!run(Job<T>::pack_factors, &job, groups * job.row_tiles.count, work, poll) ||
        !run(Job<T>::add_blocks, &job, parts, work, poll))
        return Status::interrupted;
    return job.failed.load() ? Status::no_memory : Status::done;
}

template Status add_terms<float>(const Plan &, const windows::Loops &, std::int64_t,
                                 Operand<const float>, Operand<const float>, Operand<float>,
                                 const threads::Poll &);
template Status add_terms<double>(const Plan &, const windows::Loops &, std::int64_t,
                                  Operand<const double>, Operand<const double>, Operand<double>,
                                  const threads::Poll &);

}  // namespace convolution
}  // namespace theano
