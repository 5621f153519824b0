#include "pool.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <new>

#include "platform.h"

namespace theano::pool {

namespace {

// Size classes: 64 bytes, then four steps to each power of two, so at most a quarter of a block is
// unused.
constexpr int kClasses = 1 + 4 * 42;
constexpr std::int64_t kLargest = std::int64_t{1} << 47;
// Blocks of these classes, up to 16384 bytes, go through a cache of the thread, without a lock.
constexpr int kCachedClasses = 1 + 4 * 8;
constexpr int kCacheDepth = 8;

struct alignas(64) Header {
    std::size_t capacity;
    std::atomic<std::int32_t> uses;
    std::int32_t size_class;
    // While the block is free: its neighbours in the list of its class, and in the list of all by
    // age.
    Header *next, *previous, *newer, *older;
};
static_assert(sizeof(Header) == 64, "the data behind a header must stay aligned");

Header *header_of(void *memory) { return static_cast<Header *>(memory) - 1; }
const Header *header_of(const void *memory) { return static_cast<const Header *>(memory) - 1; }

int highest_bit(std::uint64_t value) {
    int bit = 0;
#if defined(__GNUC__)
    bit = 63 - __builtin_clzll(value);
#else
    while (value >>= 1) ++bit;
#endif
    return bit;
}

int class_of(std::size_t bytes) {
    if (bytes <= 64) return 0;
    std::uint64_t last = bytes - 1;
    int power = highest_bit(last);
    return (power - 6) * 4 + static_cast<int>((last >> (power - 2)) & 3) + 1;
}

std::size_t capacity_of(int size_class) {
    if (size_class == 0) return 64;
    int power = (size_class - 1) / 4 + 6;
    return static_cast<std::size_t>((size_class - 1) % 4 + 5) << (power - 2);
}

struct Shared {
    std::mutex mutex;
    Header *lists[kClasses] = {};
    Header *newest = nullptr, *oldest = nullptr;
    std::uint64_t kept = 0;
    std::uint64_t limit = 0;
    std::atomic<std::uint64_t> system_bytes{0}, most_bytes{0}, system_allocations{0};

    void push(Header *block) {
        block->previous = nullptr;
        block->next = lists[block->size_class];
        if (block->next) block->next->previous = block;
        lists[block->size_class] = block;
        block->newer = nullptr;
        block->older = newest;
        (newest ? newest->newer : oldest) = block;
        newest = block;
        kept += block->capacity;
    }

    void unlink(Header *block) {
        (block->previous ? block->previous->next : lists[block->size_class]) = block->next;
        if (block->next) block->next->previous = block->previous;
        (block->newer ? block->newer->older : newest) = block->older;
        (block->older ? block->older->newer : oldest) = block->newer;
        kept -= block->capacity;
    }

    // Unlinks the oldest blocks until `bytes` more would fit; returns them chained by `next`.
    Header *make_room(std::uint64_t bytes) {
        Header *dropped = nullptr;
        while (oldest && kept + bytes > limit) {
            Header *block = oldest;
            unlink(block);
            block->next = dropped;
            dropped = block;
        }
        return dropped;
    }
};

// Never destroyed: arrays may be freed, and threads may end, after static destructors ran.
Shared &shared() {
    static Shared *instance = [] {
        Shared *made = new Shared;
        made->limit =
            std::min<std::uint64_t>(std::uint64_t{1} << 30, platform::physical_memory() / 8);
        return made;
    }();
    return *instance;
}

void give_to_system(Header *block) {
    shared().system_bytes.fetch_sub(block->capacity, std::memory_order_relaxed);
    platform::release(block);
}

void give_all_to_system(Header *chain) {
    while (chain) {
        Header *next = chain->next;
        give_to_system(chain);
        chain = next;
    }
}

void keep(Header *block) {
    Shared &all = shared();
    Header *dropped = block;
    {
        std::lock_guard<std::mutex> guard(all.mutex);
        if (block->capacity <= all.limit) {
            dropped = all.make_room(block->capacity);
            all.push(block);
        } else {
            block->next = nullptr;
        }
    }
    give_all_to_system(dropped);
}

struct Cache {
    std::uint8_t count[kCachedClasses] = {};
    Header *blocks[kCachedClasses][kCacheDepth];

    void flush() {
        for (int size_class = 0; size_class < kCachedClasses; ++size_class) {
            while (count[size_class]) keep(blocks[size_class][--count[size_class]]);
        }
    }
};

thread_local Cache *cache = nullptr;
thread_local bool cache_closed = false;

struct CacheOwner {
    ~CacheOwner() {
        cache_closed = true;
        if (cache) cache->flush();
        delete cache;
        cache = nullptr;
    }
};

Cache *open_cache() {
    // Blocks may still be freed by later destructors of an ending thread: those go to the shared
    // lists.
    if (cache_closed) return nullptr;
    static thread_local CacheOwner owner;
    (void)owner;
    cache = new (std::nothrow) Cache;
    return cache;
}

Header *take_from_system(int size_class) {
    std::size_t capacity = capacity_of(size_class);
    void *memory = platform::allocate(sizeof(Header) + capacity);
    if (!memory) {
        trim();
        memory = platform::allocate(sizeof(Header) + capacity);
        if (!memory) return nullptr;
    }
    Shared &all = shared();
    std::uint64_t now = all.system_bytes.fetch_add(capacity, std::memory_order_relaxed) + capacity;
    std::uint64_t most = all.most_bytes.load(std::memory_order_relaxed);
    while (most < now && !all.most_bytes.compare_exchange_weak(most, now)) {
    }
    all.system_allocations.fetch_add(1, std::memory_order_relaxed);
    Header *block = new (memory) Header;
    block->capacity = capacity;
    block->size_class = size_class;
    return block;
}

Header *take(int size_class) {
    Shared &all = shared();
    {
        std::lock_guard<std::mutex> guard(all.mutex);
        if (Header *block = all.lists[size_class]) {
            all.unlink(block);
            return block;
        }
    }
    return take_from_system(size_class);
}

// Allocations of so many bytes are looked at twice: all of them while some are to fail, for tests.
std::atomic<std::uint64_t> suspicious{kLargest + 1};
std::atomic<std::int64_t> before_failure{0}, failures{0};

bool may_allocate(std::int64_t bytes) {
    if (bytes < 0 || bytes > kLargest) return false;
    if (failures.load() <= 0 || before_failure.fetch_sub(1) > 0) return true;
    failures.fetch_sub(1);
    return false;
}

}  // namespace

std::int64_t fail_allocations(std::int64_t after, std::int64_t count) {
    const std::int64_t left = failures.exchange(0);
    before_failure.store(after);
    failures.store(count);
    suspicious.store(count > 0 ? 0 : kLargest + 1);
    return left;
}

void *allocate(std::int64_t bytes) {
    if (static_cast<std::uint64_t>(bytes) >= suspicious.load(std::memory_order_relaxed) &&
        !may_allocate(bytes))
        return nullptr;
    int size_class = class_of(static_cast<std::size_t>(bytes));
    Header *block;
    Cache *mine = cache;
    if (size_class < kCachedClasses && mine && mine->count[size_class]) {
        block = mine->blocks[size_class][--mine->count[size_class]];
    } else {
        block = take(size_class);
        if (!block) return nullptr;
    }
    block->uses.store(1, std::memory_order_relaxed);
    return block + 1;
}

void release(void *memory) {
    Header *block = header_of(memory);
    // The only user may skip the atomic subtraction: nobody else can retain a block that they do
    // not hold.
    if (block->uses.load(std::memory_order_acquire) != 1 && block->uses.fetch_sub(1) != 1) return;
    if (block->size_class < kCachedClasses) {
        Cache *mine = cache ? cache : open_cache();
        if (mine && mine->count[block->size_class] < kCacheDepth) {
            mine->blocks[block->size_class][mine->count[block->size_class]++] = block;
            return;
        }
    }
    keep(block);
}

void retain(void *memory) { header_of(memory)->uses.fetch_add(1); }

void *resize(void *memory, std::int64_t bytes) {
    if (bytes >= 0 && static_cast<std::uint64_t>(bytes) <= header_of(memory)->capacity)
        return memory;
    void *larger = allocate(bytes);
    if (!larger) return nullptr;
    std::memcpy(larger, memory, header_of(memory)->capacity);
    release(memory);
    return larger;
}

std::size_t capacity(const void *memory) { return header_of(memory)->capacity; }

Stats stats() {
    Shared &all = shared();
    std::lock_guard<std::mutex> guard(all.mutex);
    return {all.system_bytes.load(), all.most_bytes.load(), all.kept, all.system_allocations.load(),
            all.limit};
}

void set_limit(std::uint64_t bytes) {
    Shared &all = shared();
    Header *dropped;
    {
        std::lock_guard<std::mutex> guard(all.mutex);
        all.limit = bytes;
        dropped = all.make_room(0);
    }
    give_all_to_system(dropped);
}

void trim() {
    if (cache) cache->flush();
    Shared &all = shared();
    Header *dropped = nullptr;
    {
        std::lock_guard<std::mutex> guard(all.mutex);
        while (Header *block = all.oldest) {
            all.unlink(block);
            block->next = dropped;
            dropped = block;
        }
    }
    give_all_to_system(dropped);
    all.most_bytes.store(all.system_bytes.load());
}

void lock_for_fork() { shared().mutex.lock(); }
void unlock_after_fork() { shared().mutex.unlock(); }

}  // namespace theano::pool
