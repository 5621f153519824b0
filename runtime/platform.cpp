#include "platform.h"

#include <cstdlib>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <malloc.h>
#include <windows.h>
#else
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
#endif
#ifdef __linux__
#include <sched.h>
#endif
#ifdef __APPLE__
#include <libkern/OSCacheControl.h>
#include <mach/mach.h>
#else
#include <ctime>
#endif

namespace theano::platform {

namespace {

constexpr std::size_t kAlignment = 64;
// From here on the pages are worth asking for large ones: fewer faults when fresh memory is first
// written.
[[maybe_unused]] constexpr std::size_t kHugePages = std::size_t{4} << 20;

void flush_instructions(void *code, std::size_t bytes) {
#if defined(_WIN32)
    FlushInstructionCache(GetCurrentProcess(), code, bytes);
#elif defined(__APPLE__)
    sys_icache_invalidate(code, bytes);
#else
    char *begin = static_cast<char *>(code);
    __builtin___clear_cache(begin, begin + bytes);
#endif
}

}  // namespace

#ifdef _WIN32

void *map_pages(std::size_t bytes) {
    return VirtualAlloc(nullptr, bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
}

bool protect_pages(void *pages, std::size_t bytes, Access access) {
    DWORD before = 0;
    DWORD wanted = access == Access::read           ? PAGE_READONLY
                   : access == Access::read_execute ? PAGE_EXECUTE_READ
                                                    : PAGE_READWRITE;
    if (!VirtualProtect(pages, bytes, wanted, &before)) return false;
    if (access == Access::read_execute) flush_instructions(pages, bytes);
    return true;
}

void unmap_pages(void *pages, std::size_t) { VirtualFree(pages, 0, MEM_RELEASE); }

std::size_t page_size() {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwPageSize;
}

void *allocate(std::size_t bytes) { return _aligned_malloc(bytes, kAlignment); }
void release(void *memory) { _aligned_free(memory); }

void *find_library(const char *path) { return GetModuleHandleA(path); }

void *find_symbol(void *library, const char *name) {
    return reinterpret_cast<void *>(GetProcAddress(static_cast<HMODULE>(library), name));
}

std::uint64_t physical_memory() {
    MEMORYSTATUSEX status;
    status.dwLength = sizeof status;
    return GlobalMemoryStatusEx(&status) ? status.ullTotalPhys : 0;
}

void around_fork(void (*)(), void (*)(), void (*)()) {}

std::uintptr_t this_thread() { return GetCurrentThreadId(); }

std::int64_t worked(std::uintptr_t thread) {
    HANDLE handle = OpenThread(THREAD_QUERY_LIMITED_INFORMATION, FALSE, static_cast<DWORD>(thread));
    FILETIME created, ended, kernel{}, user{};
    GetThreadTimes(handle, &created, &ended, &kernel, &user);
    CloseHandle(handle);
    auto ticks = [](FILETIME time) {
        return static_cast<std::int64_t>(time.dwHighDateTime) << 32 | time.dwLowDateTime;
    };
    return 100 * (ticks(kernel) + ticks(user));
}

#else

void *map_pages(std::size_t bytes) {
    void *pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? nullptr : pages;
}

bool protect_pages(void *pages, std::size_t bytes, Access access) {
    int wanted = access == Access::read           ? PROT_READ
                 : access == Access::read_execute ? PROT_READ | PROT_EXEC
                                                  : PROT_READ | PROT_WRITE;
    if (mprotect(pages, bytes, wanted) != 0) return false;
    if (access == Access::read_execute) flush_instructions(pages, bytes);
    return true;
}

void unmap_pages(void *pages, std::size_t bytes) { munmap(pages, bytes); }

std::size_t page_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

void *allocate(std::size_t bytes) {
    void *memory = nullptr;
    if (posix_memalign(&memory, kAlignment, bytes) != 0) return nullptr;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (bytes >= kHugePages) {
        std::size_t page = page_size();
        std::uintptr_t first = (reinterpret_cast<std::uintptr_t>(memory) + page - 1) & ~(page - 1);
        // Advice only: nothing depends on the answer.
        madvise(reinterpret_cast<void *>(first), bytes - page, MADV_HUGEPAGE);
    }
#endif
    return memory;
}

void release(void *memory) { std::free(memory); }

void *find_library(const char *path) { return dlopen(path, RTLD_LAZY | RTLD_NOLOAD); }
void *find_symbol(void *library, const char *name) { return dlsym(library, name); }

std::uint64_t physical_memory() {
    long pages = sysconf(_SC_PHYS_PAGES);
    return pages < 0 ? 0 : static_cast<std::uint64_t>(pages) * page_size();
}

void around_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) {
    pthread_atfork(before, in_parent, in_child);
}

std::uintptr_t this_thread() { return (std::uintptr_t)pthread_self(); }

#ifdef __APPLE__
std::int64_t worked(std::uintptr_t thread) {
    thread_basic_info info{};
    mach_msg_type_number_t count = THREAD_BASIC_INFO_COUNT;
    thread_info(pthread_mach_thread_np((pthread_t)thread), THREAD_BASIC_INFO,
                reinterpret_cast<thread_info_t>(&info), &count);
    return 1'000'000'000LL * (info.user_time.seconds + info.system_time.seconds) +
           1'000LL * (info.user_time.microseconds + info.system_time.microseconds);
}
#else
std::int64_t worked(std::uintptr_t thread) {
    clockid_t clock;
    timespec time{};
    if (pthread_getcpuclockid((pthread_t)thread, &clock) == 0) clock_gettime(clock, &time);
    return 1'000'000'000LL * time.tv_sec + time.tv_nsec;
}
#endif

#endif

}  // namespace theano::platform
