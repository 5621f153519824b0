#include "convolution_plan.h"

#include <algorithm>
#include <cstring>

namespace theano {
namespace convolution {

namespace {

// Of an axis with one window, the items that it has inside of the images are channels.
void as_channels(Plan &plan, Line &line) {
    std::vector<Channel> channels;
    for (const Channel &channel : plan.channels) {
        for (const Tap &tap : line.taps) {
            const std::int64_t at =
                line.phases[static_cast<std::size_t>(tap.phase)] + tap.offset * line.step -
                line.before;
            if (at < 0 || at >= line.length) continue;
            channels.push_back({channel.at + at * line.apart, channel.factor + tap.factor});
        }
    }
    plan.channels = std::move(channels);
    line = Line{};
}

// Whether windows have one item, each the next one.
bool plain(const Line &line) {
    return line.taps.size() == 1 && line.phases.size() == 1 && line.step == 1 &&
           line.before == 0 && line.taps[0].offset == 0 && line.phases[0] == 0 &&
           line.length == line.windows && !line.uncut;
}

// Windows lie side by side along the last axis that has any. Axes that are walked as one are one.
void simplify(Plan &plan) {
    for (Line &line : plan.lines) {
        if (line.windows == 1 && line.taps.size() > 1) as_channels(plan, line);
    }
    int last = kLines - 1;
    for (int i = last; i >= 0; --i) {
        if (plan.lines[i].trivial()) continue;
        Line &outer = plan.lines[i], &inner = plan.lines[std::min(last + 1, kLines - 1)];
        if (last < kLines - 1 && plain(outer) && plain(inner) &&
            outer.apart == inner.length * inner.apart && outer.out == inner.length * inner.out) {
            inner.length *= outer.length;
            inner.windows = inner.length;
            outer = Line{};
            continue;
        }
        if (i != last) std::swap(plan.lines[i], plan.lines[last]);
        --last;
    }
}

// Strides of an array of images without gaps, in items.
struct Strides {
    std::int64_t axes[kAxes], channel, item;

    Strides(const Work &work, std::int64_t Axis::*length, std::int64_t channels,
            std::int64_t last = 0) {
        const std::int64_t all = channels * work.groups;
        std::int64_t step = last ? all : 1;
        for (int i = kAxes - 1; i >= 0; --i) {
            axes[i] = step;
            step *= work.axes[i].*length;
        }
        channel = last ? 1 : step;
        item = last ? step : step * all;
    }
};

Line line_of_items(const Work &work, std::int64_t apart, std::int64_t out) {
    Line line;
    line.length = line.windows = work.items;
    line.apart = apart;
    line.out = out;
    return line;
}

// Where item `k` of a kernel is in the first window.
std::int64_t position(const Work &work, const Axis &axis, std::int64_t k) {
    return (work.flip ? axis.kernel - 1 - k : k) * axis.dilation;
}

Line forward_line(const Work &work, const Axis &axis, std::int64_t factor) {
    Line line;
    line.length = axis.image;
    line.before = axis.before;
    line.step = axis.step;
    line.windows = axis.result;
    line.phases.clear();
    line.taps.clear();
    for (std::int64_t k = 0; k < axis.kernel; ++k) {
        const std::int64_t at = position(work, axis, k), phase = at % axis.step;
        auto found = std::find(line.phases.begin(), line.phases.end(), phase);
        if (found == line.phases.end()) found = line.phases.insert(found, phase);
        line.taps.push_back({found - line.phases.begin(), at / axis.step, k * factor});
    }
    return line;
}

// Of an axis with one window, the items that it has inside of the images are rows.
void as_rows(Plan &plan, const Work &work, const Axis &axis, std::int64_t out, std::int64_t factor) {
    std::vector<Channel> rows;
    // Neighbouring rows are far from each other: what is added to items just written has to wait.
    for (std::int64_t k = 0; k < axis.kernel; ++k) {
        const std::int64_t at = position(work, axis, k) - axis.before;
        if (at < 0 || at >= axis.image) continue;
        for (const Channel &row : plan.rows)
            rows.push_back({row.at + at * out, row.factor + k * factor});
    }
    plan.whole = plan.whole && rows.size() == plan.rows.size() * static_cast<std::size_t>(axis.image);
    plan.rows = std::move(rows);
}

// Of the items of images that are `phase` modulo the step from the first padding on.
Line backward_line(const Work &work, const Axis &axis, std::int64_t factor, std::int64_t phase,
                   std::int64_t &skipped) {
    Line line;
    const std::int64_t step = axis.step;
    const std::int64_t first = std::max<std::int64_t>(0, (axis.before - phase + step - 1) / step);
    const std::int64_t end = axis.before + axis.image - phase;
    line.windows = std::max<std::int64_t>(0, (end + step - 1) / step - first);
    line.length = axis.result;
    line.taps.clear();
    std::int64_t last = 0;
    for (std::int64_t k = 0; k < axis.kernel; ++k) {
        const std::int64_t at = position(work, axis, k);
        if (at % step != phase) continue;
        line.taps.push_back({0, at / step, k * factor});
        last = std::max(last, at / step);
    }
    for (Tap &tap : line.taps) tap.offset = last - tap.offset;
    line.before = last - first;
    skipped = phase + step * first - axis.before;
    return line;
}

}  // namespace

std::int64_t Line::reach() const {
    std::int64_t most = 0;
    for (const Tap &tap : taps) most = std::max(most, tap.offset);
    return most;
}

std::int64_t Plan::taps() const {
    std::int64_t count = 1;
    for (const Line &line : lines) count *= static_cast<std::int64_t>(line.taps.size());
    return count;
}

std::int64_t Plan::phases() const {
    std::int64_t count = 1;
    for (const Line &line : lines) count *= static_cast<std::int64_t>(line.phases.size());
    return count;
}

std::int64_t Plan::windows() const {
    std::int64_t count = 1;
    for (const Line &line : lines) count *= line.windows;
    return count;
}

double Plan::work() const {
    return static_cast<double>(terms()) * static_cast<double>(rows.size()) *
           static_cast<double>(windows());
}

std::vector<std::int64_t> Plan::places() const {
    std::vector<std::int64_t> found;
    for (const Channel &row : rows) found.push_back(row.at);
    return found;
}

std::int64_t Plan::across() const {
    if (rows.size() < 2) return 1;
    const std::int64_t apart = rows[1].at - rows[0].at;
    for (std::size_t i = 2; i < rows.size(); ++i)
        if (rows[i].at - rows[i - 1].at != apart) return 0;
    return apart;
}

std::vector<std::int64_t> Plan::factors() const {
    std::vector<std::int64_t> found{0};
    for (const Line &line : lines) {
        std::vector<std::int64_t> next;
        for (std::int64_t before : found)
            for (const Tap &tap : line.taps) next.push_back(before + tap.factor);
        found = std::move(next);
    }
    return found;
}

std::vector<std::int64_t> Plan::term_factors() const {
    const std::vector<std::int64_t> items = factors();
    std::vector<std::int64_t> found;
    for (const Channel &channel : channels)
        for (std::int64_t item : items) found.push_back(channel.factor + item);
    return found;
}

Plan forward(const Work &work) {
    const Strides images(work, &Axis::image, work.channels, work.image_last);
    const Strides kernels(work, &Axis::kernel, work.channels);
    const Strides result(work, &Axis::result, work.kernels, work.result_last);
    Plan plan;
    plan.lines[0] = line_of_items(work, images.item, result.item);
    for (int i = 0; i < kAxes; ++i) {
        Line &line = plan.lines[1 + i] = forward_line(work, work.axes[i], kernels.axes[i]);
        line.apart = images.axes[i];
        line.out = result.axes[i];
    }
    for (std::int64_t c = 0; c < work.channels; ++c)
        plan.channels.push_back({c * images.channel, c * kernels.channel});
    for (std::int64_t k = 0; k < work.kernels; ++k)
        plan.rows.push_back({k * result.channel, k * kernels.channel * work.channels});
    simplify(plan);
    return plan;
}

namespace {

Plan spread(const Work &work) {
    const Strides images(work, &Axis::image, work.channels, work.image_last);
    const Strides kernels(work, &Axis::kernel, work.channels);
    const Strides result(work, &Axis::result, work.kernels, work.result_last);
    Plan plan;
    plan.whole = false;
    plan.spread = true;
    plan.lines[0] = line_of_items(work, result.item, images.item);
    for (std::int64_t k = 0; k < work.kernels; ++k)
        plan.channels.push_back({k * result.channel, k * kernels.channel * work.channels});
    for (std::int64_t c = 0; c < work.channels; ++c)
        plan.rows.push_back({c * images.channel, c * kernels.channel});
    for (int i = 0; i < kAxes; ++i) {
        const Axis &axis = work.axes[i];
        as_rows(plan, work, axis, images.axes[i], kernels.axes[i]);
        Line &line = plan.lines[1 + i];
        line.length = line.windows = axis.result;
        line.apart = result.axes[i];
        line.out = images.axes[i] * axis.step;
        line.uncut = true;
    }
    return plan;
}

// Whether all windows lie inside the images.
bool inside(const Work &work) {
    for (const Axis &axis : work.axes) {
        const std::int64_t last = (axis.result - 1) * axis.step + (axis.kernel - 1) * axis.dilation;
        if (axis.before != 0 || last >= axis.image) return false;
    }
    return true;
}

std::vector<Plan> gathered(const Work &work) {
    const Strides images(work, &Axis::image, work.channels, work.image_last);
    const Strides kernels(work, &Axis::kernel, work.channels);
    const Strides result(work, &Axis::result, work.kernels, work.result_last);
    Plan common;
    common.lines[0] = line_of_items(work, result.item, images.item);
    for (std::int64_t k = 0; k < work.kernels; ++k)
        common.channels.push_back({k * result.channel, k * kernels.channel * work.channels});
    for (std::int64_t c = 0; c < work.channels; ++c)
        common.rows.push_back({c * images.channel, c * kernels.channel});
    std::vector<Plan> plans{std::move(common)};
    bool whole = true;
    for (int i = 0; i < kAxes; ++i) {
        const Axis &axis = work.axes[i];
        std::vector<Plan> next;
        for (const Plan &before : plans) {
            if (axis.result == 1) {
                next.push_back(before);
                as_rows(next.back(), work, axis, images.axes[i], kernels.axes[i]);
                continue;
            }
            for (std::int64_t phase = 0; phase < axis.step; ++phase) {
                Plan plan = before;
                std::int64_t skipped = 0;
                Line &line = plan.lines[1 + i] =
                    backward_line(work, axis, kernels.axes[i], phase, skipped);
                line.apart = result.axes[i];
                line.out = images.axes[i] * axis.step;
                plan.out += skipped * images.axes[i];
                if (line.windows == 0) continue;
                whole = whole && !line.taps.empty();
                if (!line.taps.empty()) next.push_back(std::move(plan));
            }
        }
        plans = std::move(next);
    }
    for (Plan &plan : plans) plan.whole = plan.whole && whole;
    return plans;
}

}  // namespace

std::vector<Plan> backward(const Work &work) {
    std::vector<Plan> plans = gathered(work);
    if (inside(work)) {
        Plan other = spread(work);
        double own = 0;
        for (const Plan &plan : plans) own += plan.work();
        // To add a vector takes so many multiplications.
        constexpr double kAdded = 8;
        if (own > other.work() * (1.1 + kAdded / static_cast<double>(work.kernels))) {
            plans.clear();
            plans.push_back(std::move(other));
        }
    }
    for (Plan &plan : plans) simplify(plan);
    return plans;
}

Block::Block(const Plan &plan, const std::int64_t *from, const std::int64_t *most) {
    plane = 1;
    for (int i = 0; i < kLines; ++i) {
        first[i] = from[i];
        count[i] = std::min(most[i], plan.lines[i].windows - from[i]);
        lengths[i] = count[i] + plan.lines[i].reach();
        plane *= lengths[i];
    }
    apart = plane * plan.phases();
}

bool Block::flat() const {
    for (int i = 0; i < kLines; ++i)
        if (lengths[i] != count[i]) return false;
    return true;
}

std::int64_t Block::size(const Plan &plan) const {
    constexpr std::int64_t kRoom = 16 * windows::kMostVectors;
    return apart * static_cast<std::int64_t>(plan.channels.size()) + kRoom;
}

std::vector<std::int64_t> Block::items(const Plan &plan) const {
    std::vector<std::int64_t> phase{0}, offset{0};
    for (int i = 0; i < kLines; ++i) {
        const Line &line = plan.lines[i];
        std::vector<std::int64_t> phases, offsets;
        for (std::size_t before = 0; before < phase.size(); ++before) {
            for (const Tap &tap : line.taps) {
                phases.push_back(phase[before] * static_cast<std::int64_t>(line.phases.size()) +
                                 tap.phase);
                offsets.push_back(offset[before] * lengths[i] + tap.offset);
            }
        }
        phase = std::move(phases);
        offset = std::move(offsets);
    }
    for (std::size_t i = 0; i < phase.size(); ++i) offset[i] += phase[i] * plane;
    return offset;
}

std::vector<std::int64_t> Block::terms(const Plan &plan) const {
    const std::vector<std::int64_t> own = items(plan);
    std::vector<std::int64_t> found;
    for (std::size_t c = 0; c < plan.channels.size(); ++c)
        for (std::int64_t item : own) found.push_back(static_cast<std::int64_t>(c) * apart + item);
    return found;
}

std::vector<windows::Row> Block::rows(const Plan &plan) const {
    std::vector<windows::Row> found{{0, plan.out}};
    for (int i = 0; i < kLines; ++i) {
        const std::int64_t many = i < kLines - 1 ? count[i] : 1;
        std::vector<windows::Row> next;
        next.reserve(found.size() * static_cast<std::size_t>(many));
        for (const windows::Row &before : found)
            for (std::int64_t j = 0; j < many; ++j)
                next.push_back({before.plane * lengths[i] + j,
                                before.given + (first[i] + j) * plan.lines[i].out});
        found = std::move(next);
    }
    return found;
}

std::int64_t Cut::blocks() const {
    std::int64_t number = 1;
    for (std::int64_t count : counts) number *= count;
    return number;
}

Block Cut::block(const Plan &plan, std::int64_t number) const {
    std::int64_t from[kLines];
    for (int i = kLines - 1; i >= 0; --i) {
        from[i] = number % counts[i] * most[i];
        number /= counts[i];
    }
    return Block(plan, from, most);
}

Cut cut(const Plan &plan, std::int64_t items, std::int64_t parts) {
    // Of the last axis, along which vectors go, as much stays together.
    constexpr std::int64_t kWhole = 256;
    const std::int64_t start[kLines] = {};
    Cut found;
    for (int i = 0; i < kLines; ++i) {
        found.most[i] = std::max<std::int64_t>(plan.lines[i].windows, 1);
        found.counts[i] = 1;
    }
    for (int i = 0; i < kLines; ++i) {
        const Line &line = plan.lines[i];
        if (line.uncut) continue;
        const std::int64_t least = i < kLines - 1 ? 1 : kWhole;
        const Block whole(plan, start, found.most);
        const std::int64_t row = std::max<std::int64_t>(1, whole.size(plan) / whole.lengths[i]);
        std::int64_t fits = std::max(items / row - line.reach(), least);
        const std::int64_t wanted = (parts + found.blocks() - 1) / found.blocks();
        if (wanted > 1) fits = std::min(fits, std::max(line.windows / wanted, least));
        if (fits >= line.windows) continue;
        found.counts[i] = (line.windows + fits - 1) / fits;
        found.most[i] = (line.windows + found.counts[i] - 1) / found.counts[i];
        found.counts[i] = (line.windows + found.most[i] - 1) / found.most[i];
    }
    return found;
}

namespace {

// Which items of a plane are inside of what is read: those of [begin, end).
struct Inside {
    std::int64_t begin, end, first;  // first: where that of `begin` is in what is read

    Inside(const Line &line, std::int64_t phase, std::int64_t from, std::int64_t count) {
        const std::int64_t at = phase + line.step * from - line.before, step = line.step;
        begin = std::clamp<std::int64_t>(at < 0 ? (-at + step - 1) / step : 0, 0, count);
        end = std::clamp<std::int64_t>(
            line.length > at ? (line.length - at + step - 1) / step : 0, begin, count);
        first = (at + begin * step) * line.apart;
    }
};

// Copies into planes whose items are of `width` numbers, by `loop`.
template <class T>
class Filler {
  public:
    Filler(const Plan &plan, const Block &block, void (*loop)(const windows::Filling &),
           std::int64_t width, std::int64_t groups = 1, std::int64_t groups_apart = 0)
        : plan_(plan), block_(block), loop_(loop), width_(width), groups_(groups),
          groups_apart_(groups_apart) {}

    void fill(const T *images, T *planes) const {
        const std::int64_t count = plan_.phases();
        for (const Channel &channel : plan_.channels) {
            for (std::int64_t number = 0; number < count; ++number) {
                std::int64_t phases[kLines], left = number;
                for (int i = kLines - 1; i >= 0; --i) {
                    const auto many = static_cast<std::int64_t>(plan_.lines[i].phases.size());
                    phases[i] = plan_.lines[i].phases[static_cast<std::size_t>(left % many)];
                    left /= many;
                }
                planes = plane(phases, 0, images + channel.at, planes);
            }
        }
    }

  private:
    // The plane of one phase from axis `i` on.
    T *plane(const std::int64_t *phases, int i, const T *from, T *to) const {
        const Line &line = plan_.lines[i];
        const std::int64_t apart = line.step * line.apart;
        const Inside own(line, phases[i], block_.first[i], block_.lengths[i]);
        std::int64_t size = width_;
        for (int j = i + 1; j < kLines; ++j) size *= block_.lengths[j];
        to = std::fill_n(to, own.begin * size, T(0));
        if (i == kLines - 2) {
            const Line &last = plan_.lines[i + 1];
            const Inside row(last, phases[i + 1], block_.first[i + 1], block_.lengths[i + 1]);
            loop_({from + own.first + row.first, own.end - own.begin, apart, row.begin,
                   row.end - row.begin, last.step * last.apart, to, block_.lengths[i + 1], groups_,
                   groups_apart_});
            to += (own.end - own.begin) * size;
        } else {
            const T *next = from + own.first;
            for (std::int64_t j = own.begin; j < own.end; ++j, next += apart)
                to = plane(phases, i + 1, next, to);
        }
        return std::fill_n(to, (block_.lengths[i] - own.end) * size, T(0));
    }

    const Plan &plan_;
    const Block &block_;
    void (*const loop_)(const windows::Filling &);
    const std::int64_t width_, groups_, groups_apart_;
};

}  // namespace

template <class T>
void fill_planes(const Plan &plan, const Block &block, const windows::Loops &loops, const T *images,
                 T *planes) {
    Filler<T>(plan, block, loops.fill, 1).fill(images, planes);
    const std::int64_t size = block.size(plan);
    const std::int64_t filled = block.apart * static_cast<std::int64_t>(plan.channels.size());
    std::fill_n(planes + filled, size - filled, T(0));
}

template <class T>
void fill_planes_of_groups(const Plan &plan, const Block &block, const windows::Loops &loops,
                           const T *images, std::int64_t groups, std::int64_t groups_apart,
                           T *planes) {
    Filler<T>(plan, block, loops.fill_groups, loops.lanes, groups, groups_apart)
        .fill(images, planes);
}

template void fill_planes<float>(const Plan &, const Block &, const windows::Loops &, const float *,
                                 float *);
template void fill_planes<double>(const Plan &, const Block &, const windows::Loops &, const double *,
                                  double *);
template void fill_planes_of_groups<float>(const Plan &, const Block &, const windows::Loops &,
                                           const float *, std::int64_t, std::int64_t, float *);
template void fill_planes_of_groups<double>(const Plan &, const Block &, const windows::Loops &,
                                            const double *, std::int64_t, std::int64_t, double *);

}  // namespace convolution
}  // namespace theano
