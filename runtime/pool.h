// The memory pool: aligned blocks that are kept when they are given back, since fresh pages cost
// more than arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theano::pool {

// Memory for `bytes` bytes (0 included), aligned to 64 bytes; nullptr when there is none or the
// size is absurd.
void *allocate(std::int64_t bytes);
// Ends one use of a block; the last use gives it back.
void release(void *memory);
// Another use of a block, which then needs another release.
void retain(void *memory);
// The same memory if it is large enough, else a copy in a larger block (and the old block is
// released).
void *resize(void *memory, std::int64_t bytes);
std::size_t capacity(const void *memory);

// For tests: after `after` more allocations, `count` of them fail. Returns how many of those asked for
// before have not failed.
std::int64_t fail_allocations(std::int64_t after, std::int64_t count);

struct Stats {
    std::uint64_t system_bytes;        // obtained from the system and not given back
    std::uint64_t most_bytes;          // the most of these since `trim`
    std::uint64_t kept_bytes;          // in the shared free lists
    std::uint64_t system_allocations;  // how often the system was asked
    std::uint64_t limit;
};
Stats stats();
// The most bytes that the shared free lists keep.
void set_limit(std::uint64_t bytes);
// Gives everything in the shared free lists, and in this thread's cache, back to the system, and
// counts the most bytes anew.
void trim();

void lock_for_fork();
void unlock_after_fork();

}  // namespace theano::pool
