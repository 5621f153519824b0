// A small linker: puts an ELF64 relocatable object into memory, so that cached machine code runs
// without LLVM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <unordered_map>

namespace theano::loader {

// The object is damaged, or of a kind that we do not load.
struct BadObject : std::runtime_error {
    using std::runtime_error::runtime_error;
};
// The object needs a symbol that nobody defines.
struct UndefinedSymbol : std::runtime_error {
    using std::runtime_error::runtime_error;
};
// The system has no pages, or refuses to make them executable.
struct NoPages : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Image {
    void *pages = nullptr;
    std::size_t bytes = 0;
    // Global symbols that the object defines.
    std::unordered_map<std::string, std::uint64_t> symbols;
};

using Resolve = std::function<void *(const std::string &)>;

// Lays out, relocates and protects. Undefined symbols come from `resolve`, then from the table in
// symbols.cpp.
Image load(const unsigned char *data, std::size_t size, const Resolve &resolve);
void unload(Image &image);

// A function that LLVM's back ends, or generated code, may call; nullptr when the table lacks it.
void *runtime_symbol(const std::string &name);

}  // namespace theano::loader
