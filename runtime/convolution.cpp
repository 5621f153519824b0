#include "convolution.h"

#include <algorithm>
#include <new>

#include "convolution_add.h"
#include "processor.h"

namespace theano {

namespace windows {

const Loops &loops(std::int64_t itemsize, std::int64_t bits) {
    if (bits == 0) bits = 512;
#if defined(__x86_64__)
    if (bits >= 512 && has_avx512()) return loops_avx512(itemsize);
    if (bits >= 256 && has_fma())
        return loops_fma(itemsize);
#endif
    return loops_plain(itemsize);
}

}  // namespace windows

namespace convolution {

namespace {

template <class T>
class Convolution {
  public:
    Convolution(const Work &work, const threads::Poll &poll)
        : work_(work), poll_(poll), loops_(windows::loops(sizeof(T), work.bits)) {
        std::int64_t image = work.channels, kernel = work.channels * work.kernels;
        std::int64_t result = work.kernels;
        for (const Axis &axis : work.axes) {
            image *= axis.image;
            kernel *= axis.kernel;
            result *= axis.result;
        }
        const std::int64_t items = work.items * work.groups;
        images_ = {reinterpret_cast<T *>(work.image), work.image_last ? work.channels : image,
                   items * image};
        kernels_ = {reinterpret_cast<T *>(work.kernel), kernel, work.groups * kernel};
        results_ = {reinterpret_cast<T *>(work.result), work.result_last ? work.kernels : result,
                    items * result};
        empty_ = images_.size == 0 || kernels_.size == 0 || results_.size == 0;
    }

    Status result() const {
        const Plan plan = empty_ ? Plan() : forward(work_);
        if (plan.work() == 0) return zeros(results_);
        return sums(plan, images_, results_);
    }

    Status of_images() const {
        const std::vector<Plan> plans = empty_ ? std::vector<Plan>() : backward(work_);
        auto whole = [](const Plan &plan) { return plan.whole; };
        if (plans.empty() || !std::all_of(plans.begin(), plans.end(), whole)) zeros(images_);
        for (const Plan &plan : plans) {
            if (plan.work() == 0) continue;
            const Status status = sums(plan, results_, images_);
            if (status != Status::done) return status;
        }
        return Status::done;
    }

    Status of_kernels() const {
        const Plan plan = empty_ ? Plan() : forward(work_);
        // What meets only zeros around the images is no term.
        if (plan.terms() * work_.kernels < kernels_.apart) zeros(kernels_);
        if (plan.work() == 0) return Status::done;
        if (suits_groups(plan, loops_, work_))
            return add_kernels_of_groups<T>(plan, loops_, work_.groups, images_, results_, kernels_,
                                            poll_);
        if (work_.tiles && suits_kernel_tiles(plan)) {
            bool fits = true;
            const Status status = add_kernel_tiles<T>(plan, loops_, work_.groups, images_, results_,
                                                      kernels_, poll_, fits);
            if (fits) return status;
        }
        return add_windows<T>(plan, loops_, work_.groups, images_, results_, kernels_, poll_);
    }

  private:
    Status sums(const Plan &plan, const Operand<T> &images, const Operand<T> &result) const {
        if (suits_groups(plan, loops_, work_))
            return add_groups<T>(plan, loops_, work_.groups, images, kernels_, result, poll_);
        if (work_.tiles && suits_tiles(plan)) {
            bool fits = true;
            const Status status =
                add_tiles<T>(plan, loops_, work_.groups, images, kernels_, result, poll_, fits);
            if (fits) return status;
        }
        return add_terms<T>(plan, loops_, work_.groups, images, kernels_, result, poll_);
    }

    static Status zeros(const Operand<T> &array) {
        std::fill_n(array.data, array.size, T(0));
        return Status::done;
    }

    const Work &work_;
    const threads::Poll &poll_;
    const windows::Loops &loops_;
    Operand<T> images_{}, kernels_{}, results_{};
    bool empty_;
};

template <class T>
Status of_type(const Work &work, const threads::Poll &poll) {
    const Convolution<T> convolution(work, poll);
    if (work.gives == kImages) return convolution.of_images();
    return work.gives == kKernels ? convolution.of_kernels() : convolution.result();
}

}  // namespace

Status convolve(const Work &work, const threads::Poll &poll) {
    try {
        return work.itemsize == sizeof(float) ? of_type<float>(work, poll)
                                              : of_type<double>(work, poll);
    } catch (const std::bad_alloc &) {
        return Status::no_memory;
    }
}

}  // namespace convolution
}  // namespace theano
