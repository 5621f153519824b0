#include "threads.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "platform.h"

namespace theano::threads {

namespace {

constexpr int kMost = 1024;
// How often a thread looks for work before it lets others run in between, and how often it does that
// before it sleeps; waking a sleeper costs tens of microseconds.
constexpr int kSpins = 400, kYields = 400;
// So many short chunks of its share are left to a thread that has begun.
constexpr std::int64_t kLeft = 2;
// Work of so many chunks keeps threads awake, for which less is shared as well: what follows work that
// was shared finds its data in the caches of several threads. After so many chunks of such work that
// were not shared, threads are woken.
constexpr std::int64_t kWaking = 8, kMissed = 64;

// Ranges with chunks of so many items are cut at multiples of kAligned, for the sake of vectors.
constexpr std::int64_t kLongGrain = 512, kAligned = 64;

// A thread works for so many chunks before it polls, which takes as long as a tenth of one.
constexpr double kPolled = 64;

std::int64_t items_of(double chunks, double grain) {
    constexpr double kMostItems = std::int64_t{1} << 62;
    return static_cast<std::int64_t>(std::clamp(chunks * grain, 1.0, kMostItems));
}

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
    __asm__ __volatile__("yield");
#endif
}

using platform::nanoseconds;

struct Work {
    th_kernel *kernel;
    std::int64_t *args;
    std::int64_t n, grain, chunks, left, polled;
    Poll poll;
    Use *use;
};

// Items that one thread begins with, in a cache line of its own.
struct alignas(64) Share {
    std::atomic<std::int64_t> next{0};
    std::atomic<bool> begun{false};
    std::int64_t end = 0;
};

// Each thread has its own share of the work, the same part of each piece, so that what it wrote is in
// its cache when it reads it. Whoever is done takes chunks from the shares of others.
class Pool {
  public:
    // Only one piece of work at a time: whoever finds the pool busy does its work alone, with the
    // same bits.
    std::mutex busy;

    // Whether to share work of so many chunks that is too little to wake a thread for.
    bool shares(std::int64_t chunks, bool &wake) {
        if (sleeping_.load(std::memory_order_relaxed) < started_) return true;
        if (chunks >= kWaking) missed_ += chunks;
        wake = missed_ >= kMissed;
        if (wake) missed_ = 0;
        return wake;
    }

    bool run(const Work &work, int helpers, bool wake) {
        start(helpers);
        work_ = work;
        given_up_.store(false, std::memory_order_relaxed);
        shares_ = std::min(helpers, started_) + 1;
        for (int i = 0; i < shares_; ++i) {
            share_[i].next.store(first_of(i), std::memory_order_relaxed);
            share_[i].end = first_of(i + 1);
            share_[i].begun.store(false, std::memory_order_relaxed);
        }
        inside_.store(0, std::memory_order_release);
        round_.fetch_add(1);
        if (wake && sleeping_.load() > 0) {
            { std::lock_guard<std::mutex> guard(mutex_); }
            wake_.notify_all();
        }
        take_chunks(0);
        const std::int64_t done = work_.use ? nanoseconds() : 0;
        // From here on nobody enters, and whoever has not come is not waited for.
        inside_.fetch_sub(kClosed, std::memory_order_acq_rel);
        for (int spin = 0; inside_.load(std::memory_order_acquire) != -kClosed; ++spin) {
            if (spin < kSpins) pause();
            else std::this_thread::yield();
        }
        if (work_.use) work_.use->waited += nanoseconds() - done;
        return !given_up_.load(std::memory_order_relaxed);
    }

  private:
    static constexpr int kClosed = 1 << 20;

    void start(int wanted) {
        for (; started_ < wanted; ++started_) {
            try {
                std::thread([this, number = started_ + 1] { serve(number); }).detach();
            } catch (const std::system_error &) {
                return;  // fewer threads, same result
            }
        }
    }

    std::int64_t first_of(int share) const {
        if (share == shares_) return work_.n;
        const std::int64_t even = work_.n / shares_ * share + work_.n % shares_ * share / shares_;
        return work_.grain % kAligned == 0 ? even / kAligned * kAligned : even;
    }

    void take_chunks(int number) {
        share_[number].begun.store(true, std::memory_order_relaxed);
        std::int64_t done = 0;
        for (int i = 0; i < shares_; ++i) {
            Share &share = share_[(number + i) % shares_];
            for (;;) {
                if (given_up_.load(std::memory_order_relaxed)) return;
                if (i > 0 && share.begun.load(std::memory_order_relaxed) &&
                    share.end - share.next.load(std::memory_order_relaxed) <= work_.left)
                    break;
                const std::int64_t begin =
                    share.next.fetch_add(work_.grain, std::memory_order_relaxed);
                if (begin >= share.end) break;
                work_.kernel(work_.args, begin, std::min(share.end, begin + work_.grain));
                if (number == 0 && ++done % work_.polled == 0 && work_.poll())
                    given_up_.store(true, std::memory_order_relaxed);
            }
        }
    }

    void help(int number) {
        Use *use = work_.use;
        const std::int64_t start = use ? nanoseconds() : 0;
        take_chunks(number);
        if (use) use->helpers.fetch_add(nanoseconds() - start, std::memory_order_relaxed);
    }

    bool enter() {
        int now = inside_.load(std::memory_order_relaxed);
        while (now >= 0) {
            if (inside_.compare_exchange_weak(now, now + 1, std::memory_order_acquire))
                return true;
        }
        return false;
    }

    void serve(int number) {
        unsigned seen = 0;
        int idle = 0;
        for (;;) {
            for (; idle < kSpins + kYields; ++idle) {
                if (round_.load(std::memory_order_acquire) != seen) break;
                if (idle < kSpins) pause();
                else std::this_thread::yield();
            }
            if (round_.load() == seen) {
                std::unique_lock<std::mutex> guard(mutex_);
                sleeping_.fetch_add(1);
                wake_.wait(guard, [&] { return round_.load() != seen; });
                sleeping_.fetch_sub(1);
                idle = 0;
            }
            seen = round_.load(std::memory_order_acquire);
            if (!enter()) continue;
            if (work_.chunks >= kWaking) idle = 0;
            if (number < shares_) help(number);
            inside_.fetch_sub(1, std::memory_order_release);
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    Work work_{};
    std::atomic<bool> given_up_{false};
    int shares_ = 0;
    int started_ = 0;
    std::int64_t missed_ = 0;
    std::atomic<unsigned> round_{0};
    std::atomic<int> sleeping_{0};
    // Helpers at work; negative while no work is open.
    std::atomic<int> inside_{-kClosed};
    Share share_[kMost];
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

bool distribute(th_kernel *kernel, std::int64_t *args, std::int64_t n, double items,
                std::int64_t left, bool wake, const Poll &poll) {
    if (n <= 0) return true;
    std::int64_t grain = items_of(1, items);
    if (grain >= kLongGrain) grain = grain / kAligned * kAligned;
    const std::int64_t chunks = (n - 1) / grain + 1;
    const int workers = static_cast<int>(std::min<std::int64_t>(count.load(std::memory_order_relaxed), chunks));
    if (workers > 1) {
        Pool *all = pool();
        std::unique_lock<std::mutex> guard(all->busy, std::try_to_lock);
        if (guard.owns_lock() && (wake || all->shares(chunks, wake))) {
            const std::int64_t polled = items_of(kPolled, std::min(1.0, items));
            return all->run({kernel, args, n, grain, chunks, left * grain, polled, poll, use},
                            workers - 1, wake);
        }
    }
    return run_alone(kernel, args, n, items, poll);
}

}  // namespace

thread_local Use *use = nullptr;

int get() { return count.load(std::memory_order_relaxed); }
void set(int wanted) {
    count.store(std::max(1, std::min(wanted, kMost)), std::memory_order_relaxed);
}

bool run(th_kernel *kernel, std::int64_t *args, std::int64_t n, double grain, const Poll &poll) {
    return distribute(kernel, args, n, grain, 0, true, poll);
}
bool share(th_kernel *kernel, std::int64_t *args, std::int64_t n, double grain, bool wake,
           const Poll &poll) {
    return distribute(kernel, args, n, grain, kLeft, wake, poll);
}
bool run_alone(th_kernel *kernel, std::int64_t *args, std::int64_t n, double grain, const Poll &poll) {
    const std::int64_t piece = items_of(kPolled, grain);
    std::int64_t begin = 0;
    while (poll.interrupted && n - begin > piece) {
        kernel(args, begin, begin + piece);
        begin += piece;
        if (poll()) return false;
    }
    if (begin < n) kernel(args, begin, n);
    return true;
}

bool run_aside(std::function<void()> work, const Poll &poll) {
    constexpr std::chrono::milliseconds kPatience{20};
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        bool done = false;
    };
    auto state = std::make_shared<State>();
    try {
        std::thread([state, work] {
            work();
            std::lock_guard<std::mutex> guard(state->mutex);
            state->done = true;
            state->changed.notify_one();
        }).detach();
    } catch (const std::system_error &) {
        work();
        return true;
    }
    std::unique_lock<std::mutex> guard(state->mutex);
    while (!state->changed.wait_for(guard, kPatience, [&] { return state->done; })) {
        guard.unlock();
        if (poll()) return false;
        guard.lock();
    }
    return true;
}

void lock_for_fork() {
    if (Pool *now = the_pool.load()) now->busy.lock();
}
void unlock_in_parent() {
    if (Pool *now = the_pool.load()) now->busy.unlock();
}
void forget_in_child() { the_pool.store(nullptr); }

}  // namespace theano::threads
