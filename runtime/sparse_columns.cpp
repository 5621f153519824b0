#include "sparse_columns.h"

#include <algorithm>
#include <memory>
#include <new>

#include "pool.h"
#include "threads.h"

namespace theano::sparse {

namespace {

// Bytes of the result that a group of rows has, so many that they stay in the second cache while
// products are added to them; and the most groups, so many that each can be written to in turn.
constexpr std::int64_t kGroupBytes = 1 << 19, kMostGroups = 512;

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
        const std::int64_t in_cache = kGroupBytes / static_cast<std::int64_t>(sizeof(T)) / product.columns;
        while ((rows_ >> shift_) >= kMostGroups || (std::int64_t{2} << shift_) <= in_cache) ++shift_;
        groups_ = (rows_ >> shift_) + 1;
        begins_ = room<std::int64_t>(groups_ + 1);
        spread_ = room<Item<T, Index>>(items_);
    }

    void run() {
        spread();
        std::int64_t words[1] = {reinterpret_cast<std::int64_t>(this)};
        threads::run(multiply_groups, words, groups_, threads::kLongItems);
    }

private:
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
        const std::int64_t first = group << shift_, begin = begins_[group];
        const std::int64_t rows = std::min(rows_ - first, std::int64_t{1} << shift_);
        T *out = static_cast<T *>(product_.out);
        std::fill_n(out + first * product_.columns, rows * product_.columns, T(0));
        loops_.items(product_, spread_.get() + begin, begins_[group + 1] - begin);
    }

    static void multiply_groups(std::int64_t *args, std::int64_t begin, std::int64_t end) {
        Groups &groups = *reinterpret_cast<Groups *>(args[0]);
        for (std::int64_t group = begin; group < end; ++group) groups.multiply_group(group);
    }

    const Product &product_;
    const Loops &loops_;
    std::int64_t rows_, items_, groups_, shift_ = 0;
    Room<std::int64_t> begins_;    // of each group, in spread_
    Room<Item<T, Index>> spread_;  // by groups, each in the order of columns
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
