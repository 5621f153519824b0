#include "sparse_columns.h"

#include <algorithm>
#include <memory>
#include <new>

#include "pool.h"
#include "threads.h"

namespace theano::sparse {

namespace {

// Items of a group of rows, so many that they stay in the caches while they are sorted; and the most
// groups, so many that each can be written to in turn.
constexpr std::int64_t kGroupItems = 1 << 13, kMostGroups = 512;

struct Release {
    void operator()(void *memory) const { pool::release(memory); }
};
template <class T>
using Room = std::unique_ptr<T[], Release>;

// Of the pool, in which pages stay that have been written to before.
template <class T>
Room<T> room(std::int64_t count) {
    void *memory = pool::allocate(count * static_cast<std::int64_t>(sizeof(T)));
    if (!memory) throw std::bad_alloc();
    return Room<T>(static_cast<T *>(memory));
}

template <class T, class Index>
class Groups {
public:
    Groups(const Product &product, std::int64_t rows, const Loops &loops)
        : product_(product), loops_(loops), rows_(rows), items_(starts_of(product)[product.lines]) {
        const std::int64_t most = std::clamp<std::int64_t>(items_ / kGroupItems, 1, kMostGroups);
        while ((rows_ >> shift_) > most) ++shift_;
        groups_ = (rows_ >> shift_) + 1;
        begins_ = room<std::int64_t>(groups_ + 1);
        spread_ = room<Item>(items_);
        data_ = room<T>(items_);
        lines_ = room<Index>(items_);
        starts_ = room<Index>(rows_ + 2 * groups_);
    }

    void run() {
        spread();
        std::int64_t words[1] = {reinterpret_cast<std::int64_t>(this)};
        threads::run(multiply_groups, words, groups_, threads::kLongItems);
    }

private:
    struct Item {
        T value;
        Index line, row;
    };

    static const Index *starts_of(const Product &p) { return static_cast<const Index *>(p.starts); }

    void spread() {
        const Index *starts = starts_of(product_), *indices = static_cast<const Index *>(product_.indices);
        const T *data = static_cast<const T *>(product_.data);
        std::fill_n(begins_.get(), groups_ + 1, 0);
        for (std::int64_t k = 0; k < items_; ++k) ++begins_[(indices[k] >> shift_) + 1];
        for (std::int64_t g = 0; g < groups_; ++g) begins_[g + 1] += begins_[g];
        const auto at = room<std::int64_t>(groups_);
        std::copy_n(begins_.get(), groups_, at.get());
        for (std::int64_t line = 0; line < product_.lines; ++line)
            for (std::int64_t k = starts[line]; k < starts[line + 1]; ++k)
                spread_[at[indices[k] >> shift_]++] = {data[k], static_cast<Index>(line), indices[k]};
    }

    void multiply_group(std::int64_t group) {
        const std::int64_t first = group << shift_, begin = begins_[group], end = begins_[group + 1];
        const std::int64_t rows = std::min(rows_ - first, std::int64_t{1} << shift_);
        // While items are placed, starts[row + 1] is where the next one of a row goes.
        Index *starts = starts_.get() + first + 2 * group;
        std::fill_n(starts, rows + 2, 0);
        for (std::int64_t k = begin; k < end; ++k) ++starts[spread_[k].row - first + 2];
        for (std::int64_t row = 0; row < rows; ++row) starts[row + 2] += starts[row + 1];
        T *data = data_.get() + begin;
        Index *lines = lines_.get() + begin;
        for (std::int64_t k = begin; k < end; ++k) {
            const Index to = starts[spread_[k].row - first + 1]++;
            data[to] = spread_[k].value;
            lines[to] = spread_[k].line;
        }
        T *out = static_cast<T *>(product_.out) + first * product_.columns;
        loops_.rows({data, lines, starts, product_.dense, out, product_.columns, rows}, 0, rows);
    }

    static void multiply_groups(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        Groups &groups = *reinterpret_cast<Groups *>(args[0]);
        for (std::int64_t group = begin; group < end; ++group) groups.multiply_group(group);
    }

    const Product &product_;
    const Loops &loops_;
    std::int64_t rows_, items_, groups_, shift_ = 0;
    Room<std::int64_t> begins_;  // of each group, in spread_, data_ and lines_
    Room<Item> spread_;          // by groups, each in the order of columns
    Room<T> data_;
    Room<Index> lines_, starts_;
};

template <class T>
void multiply(const Product &product, std::int64_t rows, std::int64_t indexsize, const Loops &loops) {
    if (indexsize == sizeof(std::int32_t))
        Groups<T, std::int32_t>(product, rows, loops).run();
    else
        Groups<T, std::int64_t>(product, rows, loops).run();
}

}  // namespace

void multiply_by_columns(const Product &product, std::int64_t rows, std::int64_t itemsize,
                         std::int64_t indexsize, const Loops &loops) {
    if (itemsize == sizeof(float))
        multiply<float>(product, rows, indexsize, loops);
    else
        multiply<double>(product, rows, indexsize, loops);
}

}  // namespace theano::sparse
