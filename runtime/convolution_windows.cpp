// Gradients of kernels. For each term a sum over windows: of what the term meets in each of them,
// times what is given for it.
#include <algorithm>
#include <atomic>
#include <new>

#include "convolution_add.h"
#include "matmul.h"

namespace theano {
namespace convolution {

namespace {

// A part of the windows has sums of its own: those of all parts have about so many bytes at most.
constexpr std::int64_t kMostSums = 2 << 20;
// Of fewer channels, the lanes of vectors are windows. Else they are channels, some vectors of which
// make up a panel.
constexpr std::int64_t kFewRows = 5;

template <class T>
struct Job {
    const Plan &plan;
    const windows::Loops &loops;
    const std::int64_t groups;
    const Operand<const T> images, given;
    const Operand<T> factors;
    const std::vector<std::int64_t> term_factors = plan.term_factors();
    const std::int64_t terms = plan.terms(), rows = size_of(plan.rows), apart = plan.across();
    const bool along = rows < kFewRows && plan.lines[kLines - 1].out == 1;
    const Panels panels{rows, loops.lanes};
    // What is known of a block is the same for all groups.
    const Parts bands{groups, std::min(groups, kParts)};
    // The windows are added up in parts, and the panels in slices, apart from each other.
    std::int64_t parts = 1, slices = 1;
    Cut cut{};
    T *sums = nullptr;
    std::atomic<bool> failed{false};

    void divide(double work) {
        const std::int64_t bytes = sums_of_part() * groups * static_cast<std::int64_t>(sizeof(T));
        const std::int64_t wanted = work < kLarge ? 1 : (kParts + groups - 1) / groups;
        parts = std::clamp<std::int64_t>(kMostSums / bytes, 1, wanted);
        cut = convolution::cut(plan, kCached / static_cast<std::int64_t>(sizeof(T)), parts);
        parts = std::min(parts, cut.blocks());
        if (!along) slices = std::min(panels.count(), (wanted + parts - 1) / parts);
    }

    std::int64_t sums_of_part() const { return terms * (along ? rows : panels.items()); }
    T *sums_of(std::int64_t group, std::int64_t part) const {
        return sums + (group * parts + part) * sums_of_part();
    }

    static void add_parts(std::int64_t *args, std::int64_t begin, std::int64_t end);
    bool add_part(std::int64_t band, std::int64_t part, std::int64_t slice) const;

    static void write_factors(std::int64_t *args, std::int64_t begin, std::int64_t end);
    void write_rows(std::int64_t group, std::int64_t first, std::int64_t count, const T *from,
                    std::int64_t width) const;
};

// The sums over a block of windows, of one group after the other.
template <class T>
class BlockOfWindows {
  public:
    BlockOfWindows(const Job<T> &job, const Block &block, T *planes, T *turned)
        : job_(job), block_(block), planes_(planes), turned_(turned),
          length_(block.count[kLines - 1]), rows_(block.rows(job.plan)),
          terms_(block.terms(job.plan)) {}

    // To `out`, or to what is there.
    void add(std::int64_t group, std::int64_t slice, T *out, bool added) {
        given_ = job_.given.data + group * job_.given.apart;
        out_ = out;
        added_ = added;
        const T *const images = job_.images.data + group * job_.images.apart;
        fill_planes(job_.plan, block_, job_.loops, images, planes_);
        if (job_.along) return add_along();
        const Parts own{job_.panels.count(), job_.slices};
        for (std::int64_t i = own.first(slice); i < own.first(slice + 1); ++i) add_across(i);
    }

  private:
    void add_along() const {
        windows::Gradients work{};
        work.planes = planes_;
        work.added = added_;
        work.rows = rows_.data();
        work.n_rows = size_of(rows_);
        work.length = length_;
        for (std::int64_t r = 0; r < job_.rows; ++r) {
            work.given = given_ + r * job_.apart;
            differentiate(job_.loops.along, work, terms_, out_ + r * job_.terms, 1);
        }
    }

    void add_across(std::int64_t panel) const {
        const std::int64_t channel = job_.panels.first(panel), width = job_.panels.width(panel);
        const std::int64_t some = kTurned / static_cast<std::int64_t>(sizeof(T)) / width;
        const auto &loops = job_.loops.across[width / job_.loops.lanes - 1];
        const std::int64_t count = size_of(rows_) * length_;
        std::vector<std::int64_t> places;
        for (std::int64_t first = 0; first < count; first += some) {
            turn(first, std::min(count, first + some), channel, width, places);
            windows::Gradients work{};
            work.planes = planes_;
            work.given = turned_;
            work.windows = places.data();
            work.n_windows = size_of(places);
            work.added = added_ || first > 0;
            differentiate(loops, work, terms_, out_ + channel * job_.terms, width);
        }
    }

    // Puts the channels of the windows [first, last) side by side; `places`: where these are in planes.
    void turn(std::int64_t first, std::int64_t last, std::int64_t channel, std::int64_t width,
              std::vector<std::int64_t> &places) const {
        const std::int64_t step = job_.plan.lines[kLines - 1].out;
        const std::int64_t channels = std::min(width, job_.rows - channel);
        places.clear();
        for (std::int64_t i = first; i < last;) {
            const std::int64_t x = i % length_, count = std::min(length_ - x, last - i);
            const windows::Row from = rows_[static_cast<std::size_t>(i / length_)];
            job_.loops.turn({given_ + from.given + channel * job_.apart + x * step, channels,
                             job_.apart, count, step, turned_ + (i - first) * width, width});
            for (std::int64_t j = x; j < x + count; ++j) places.push_back(from.plane + j);
            i += count;
        }
    }

    const Job<T> &job_;
    const Block block_;
    T *const planes_, *const turned_;
    const std::int64_t length_;        // of a row of windows
    const std::vector<windows::Row> rows_;
    const std::vector<std::int64_t> terms_;  // where they are in the first window
    const T *given_ = nullptr;
    T *out_ = nullptr;
    bool added_ = false;
};

template <class T>
void Job<T>::add_parts(std::int64_t *args, std::int64_t begin, std::int64_t end) {
    Job &job = *reinterpret_cast<Job *>(args);
    for (std::int64_t i = begin; i < end && !job.failed.load(std::memory_order_relaxed); ++i) {
        const std::int64_t part = i / job.slices;
        if (!job.add_part(part / job.parts, part % job.parts, i % job.slices))
            job.failed.store(true, std::memory_order_relaxed);
    }
}

template <class T>
bool Job<T>::add_part(std::int64_t band, std::int64_t part, std::int64_t slice) const try {
    Scratch planes, turned;
    T *const to = static_cast<T *>(planes.get(cut.block(plan, 0).size(plan), sizeof(T)));
    T *const side = static_cast<T *>(turned.get(kTurned, 1));
    if (!to || !side) return false;
    const Parts blocks{cut.blocks(), parts};
    for (std::int64_t number = blocks.first(part); number < blocks.first(part + 1); ++number) {
        BlockOfWindows<T> block(*this, cut.block(plan, number), to, side);
        for (std::int64_t group = bands.first(band); group < bands.first(band + 1); ++group)
            block.add(group, slice, sums_of(group, part), number > blocks.first(part));
    }
    return true;
} catch (const std::bad_alloc &) {
    return false;
}

template <class T>
void Job<T>::write_factors(std::int64_t *args, std::int64_t begin, std::int64_t end) {
    const Job &job = *reinterpret_cast<const Job *>(args);
    const std::int64_t many = job.along ? job.rows : job.panels.count();
    for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t group = i / many, n = i % many;
        const std::int64_t first = job.along ? n : job.panels.first(n);
        const std::int64_t width = job.along ? 1 : job.panels.width(n);
        const T *const from = job.sums_of(group, 0) + first * job.terms;
        job.write_rows(group, first, std::min(width, job.rows - first), from, width);
    }
}

// The sums of all parts, of some rows side by side for each term.
template <class T>
void Job<T>::write_rows(std::int64_t group, std::int64_t first, std::int64_t count, const T *from,
                        std::int64_t width) const {
    // So many terms at a time stay in the nearest cache.
    constexpr std::int64_t kSome = 64, kWidest = windows::kMostAcross * 64 / sizeof(T);
    T total[kSome * kWidest], turned[kSome * kWidest];
    for (std::int64_t term = 0; term < terms; term += kSome, from += kSome * width) {
        const std::int64_t some = std::min(kSome, terms - term);
        std::copy_n(from, some * width, total);
        for (std::int64_t part = 1; part < parts; ++part) {
            const T *const more = from + part * sums_of_part();
            for (std::int64_t i = 0; i < some * width; ++i) total[i] += more[i];
        }
        loops.turn({total, some, width, count, 1, turned, kSome});
        for (std::int64_t r = 0; r < count; ++r) {
            T *const to = factors.data + group * factors.apart +
                          plan.rows[static_cast<std::size_t>(first + r)].factor;
            for (std::int64_t i = 0; i < some; ++i)
                to[term_factors[static_cast<std::size_t>(term + i)]] = turned[r * kSome + i];
        }
    }
}

}  // namespace

template <class T>
Status add_windows(const Plan &plan, const windows::Loops &loops, std::int64_t groups,
                   Operand<const T> images, Operand<const T> given, Operand<T> factors,
                   const threads::Poll &poll) {
    const double work = plan.work() * static_cast<double>(groups);
    Job<T> job{plan, loops, groups, images, given, factors};
    job.divide(work);
    Scratch sums;
    job.sums = static_cast<T *>(sums.get(groups * job.parts * job.sums_of_part(), sizeof(T)));
    if (!job.sums) return Status::no_memory;
    const std::int64_t parts = job.bands.count * job.parts * job.slices;
    if (!run(Job<T>::add_parts, &job, parts, work, poll)) return Status::interrupted;
    if (job.failed.load()) return Status::no_memory;
    const std::int64_t writes = groups * (job.along ? job.rows : job.panels.count());
    return run(Job<T>::write_factors, &job, writes, work, poll) ? Status::done
                                                                : Status::interrupted;
}

template Status add_windows<float>(const Plan &, const windows::Loops &, std::int64_t,
                                   Operand<const float>, Operand<const float>, Operand<float>,
                                   const threads::Poll &);
template Status add_windows<double>(const Plan &, const windows::Loops &, std::int64_t,
                                    Operand<const double>, Operand<const double>, Operand<double>,
                                    const threads::Poll &);

}  // namespace convolution
}  // namespace theano
