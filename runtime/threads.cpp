#include "threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "platform.h"

namespace theano::threads {

namespace {

constexpr int kMost = 1024;
// How often a thread looks for work before it sleeps; waking a sleeper costs tens of microseconds.
constexpr int kSpins = 4000;

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
    __asm__ __volatile__("yield");
#endif
}

struct Work {
    th_kernel *kernel;
    std::int64_t *args;
    std::int64_t n, grain, chunks;
};

class Pool {
  public:
    // Only one piece of work at a time: whoever finds the pool busy does its work alone, with the
    // same bits.
    std::mutex busy;

    void run(const Work &work, int helpers) {
        start(helpers);
        work_ = work;
        next_.store(0, std::memory_order_relaxed);
        int invited = std::min(helpers, started_);
        {
            std::lock_guard<std::mutex> guard(mutex_);
            seats_ = invited;
            running_.store(invited, std::memory_order_relaxed);
            round_.fetch_add(1, std::memory_order_release);
        }
        if (invited > 0) wake_.notify_all();
        drain();
        retract();
        for (int spin = 0; running_.load(std::memory_order_acquire) != 0; ++spin) {
            if (spin < kSpins) pause();
            else std::this_thread::yield();
        }
    }

  private:
    // A seat that nobody took until the work was done is not waited for.
    void retract() {
        std::lock_guard<std::mutex> guard(mutex_);
        running_.fetch_sub(seats_, std::memory_order_acq_rel);
        seats_ = 0;
    }

    void start(int wanted) {
        for (; started_ < wanted; ++started_) {
            try {
                std::thread([this] { serve(); }).detach();
            } catch (const std::system_error &) {
                return;  // fewer threads, same result
            }
        }
    }

    void drain() {
        for (;;) {
            std::int64_t chunk = next_.fetch_add(1, std::memory_order_relaxed);
            if (chunk >= work_.chunks) return;
            std::int64_t begin = chunk * work_.grain;
            work_.kernel(work_.args, begin, std::min(work_.n, begin + work_.grain));
        }
    }

    void serve() {
        unsigned seen = 0;
        for (;;) {
            for (int spin = 0; spin < kSpins && round_.load(std::memory_order_acquire) == seen;
                 ++spin)
                pause();
            {
                std::unique_lock<std::mutex> guard(mutex_);
                wake_.wait(guard, [&] { return round_.load(std::memory_order_relaxed) != seen; });
                seen = round_.load(std::memory_order_relaxed);
                if (seats_ == 0) continue;
                --seats_;
            }
            drain();
            running_.fetch_sub(1, std::memory_order_release);
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    Work work_{};
    int seats_ = 0;
    int started_ = 0;
    std::atomic<unsigned> round_{0};
    std::atomic<int> running_{0};
    std::atomic<std::int64_t> next_{0};
};

std::atomic<int> count{1};

// Never destroyed: its threads may be waiting when the process ends.
std::atomic<Pool *> the_pool{nullptr};

Pool *pool() {
    Pool *now = the_pool.load(std::memory_order_acquire);
    if (now) return now;
    Pool *made = new Pool;
    if (the_pool.compare_exchange_strong(now, made)) return made;
    delete made;
    return now;
}

}  // namespace

int get() { return count.load(std::memory_order_relaxed); }
void set(int wanted) {
    count.store(std::max(1, std::min(wanted, kMost)), std::memory_order_relaxed);
}

void run(th_kernel *kernel, std::int64_t *args, std::int64_t n, std::int64_t grain) {
    if (n <= 0) return;
    grain = std::max<std::int64_t>(grain, 1);
    std::int64_t chunks = (n - 1) / grain + 1;
    int workers = static_cast<int>(std::min<std::int64_t>(get(), chunks));
    if (workers > 1) {
        Pool *all = pool();
        std::unique_lock<std::mutex> guard(all->busy, std::try_to_lock);
        if (guard.owns_lock()) {
            all->run({kernel, args, n, grain, chunks}, workers - 1);
            return;
        }
    }
    kernel(args, 0, n);
}

void lock_for_fork() {
    if (Pool *now = the_pool.load()) now->busy.lock();
}
void unlock_in_parent() {
    if (Pool *now = the_pool.load()) now->busy.unlock();
}
void forget_in_child() { the_pool.store(nullptr); }

}  // namespace theano::threads
