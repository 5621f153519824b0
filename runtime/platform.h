// What the runtime asks of the operating system. platform.cpp is the only file that knows which one
// it is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace theano::platform {

enum class Access { read, read_write, read_execute };

// Whole pages of fresh memory, readable and writable; nullptr when there are none.
void *map_pages(std::size_t bytes);
bool protect_pages(void *pages, std::size_t bytes, Access access);
void unmap_pages(void *pages, std::size_t bytes);
std::size_t page_size();

// Memory aligned to 64 bytes; nullptr when there is none.
void *allocate(std::size_t bytes);
void release(void *memory);

// A handle to a library that this process has already loaded, or nullptr. Never loads anything.
void *find_library(const char *path);
// A symbol of the library or of the libraries that it needs, or nullptr.
void *find_symbol(void *library, const char *name);

// Of a clock that only goes on.
inline std::int64_t nanoseconds() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

// Names the calling thread while it lives.
std::uintptr_t this_thread();
// Nanoseconds that such a thread has worked.
std::int64_t worked(std::uintptr_t thread);

int usable_cpus();
std::uint64_t physical_memory();

// Handlers around fork(); without effect where there is no fork.
void around_fork(void (*before)(), void (*in_parent)(), void (*in_child)());

}  // namespace theano::platform
