#include "copy.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace theano {

namespace {

struct Item16 {
    std::uint64_t halves[2];
};
struct Item32 {
    std::uint64_t quarters[4];
};

// A tile of a transpose: its rows and columns both stay in the first-level cache.
constexpr std::int64_t kTile = 32;

// Dimensions of size 1 dropped, neighbours that step through memory as one merged.
struct Layout {
    int ndim = 0;
    std::int64_t shape[kMostDimensions], strides[kMostDimensions];

    Layout(std::int64_t count, const std::int64_t *from_shape, const std::int64_t *from_strides) {
        for (std::int64_t i = 0; i < count; ++i) {
            if (from_shape[i] == 1) continue;
            if (ndim > 0 && strides[ndim - 1] == from_shape[i] * from_strides[i]) {
                shape[ndim - 1] *= from_shape[i];
                strides[ndim - 1] = from_strides[i];
            } else {
                shape[ndim] = from_shape[i];
                strides[ndim++] = from_strides[i];
            }
        }
    }
};

template <class T>
T load(const char *from) {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
}

template <class T>
void copy_row(char *to, const char *from, std::int64_t n, std::int64_t stride) {
    constexpr std::int64_t item = sizeof(T);
    if (stride == item) {
        std::memcpy(to, from, static_cast<std::size_t>(n * item));
        return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
        T value = load<T>(from + i * stride);
        std::memcpy(to + i * item, &value, sizeof(T));
    }
}

template <class T>
void copy_plane(char *to, const char *from, const std::int64_t *shape,
                const std::int64_t *strides) {
    constexpr std::int64_t item = sizeof(T);
    std::int64_t rows = shape[0], columns = shape[1];
    std::int64_t down = strides[0] < 0 ? -strides[0] : strides[0];
    std::int64_t across = strides[1] < 0 ? -strides[1] : strides[1];
    if (down >= across) {
        for (std::int64_t i = 0; i < rows; ++i) {
            copy_row<T>(to + i * columns * item, from + i * strides[0], columns, strides[1]);
        }
        return;
    }
    for (std::int64_t i0 = 0; i0 < rows; i0 += kTile) {
        std::int64_t i1 = std::min(rows, i0 + kTile);
        for (std::int64_t j0 = 0; j0 < columns; j0 += kTile) {
            std::int64_t width = std::min(columns, j0 + kTile) - j0;
            for (std::int64_t i = i0; i < i1; ++i) {
                copy_row<T>(to + (i * columns + j0) * item, from + i * strides[0] + j0 * strides[1],
                            width, strides[1]);
            }
        }
    }
}

// Bytes of a vector, and of all copies of a block: more of them are rows, which are filled faster.
constexpr std::int64_t kPart = 16, kFewCopied = 128;

#if defined(__x86_64__)
// Of blocks side by side, as many as there are places for all their copies in a vector; how many are
// done. What a vector has behind its copies, the next one writes anew.
__attribute__((target("ssse3"))) std::int64_t repeat_short(char *to, const char *from, std::int64_t n,
                                                           std::int64_t times, std::int64_t block) {
    const std::int64_t many = kPart / (block * times);
    alignas(kPart) std::uint8_t places[kPart];
    for (std::int64_t i = 0; i < kPart; ++i)
        places[i] = static_cast<std::uint8_t>(i / (block * times) * block + i % block);
    const __m128i moves = _mm_load_si128(reinterpret_cast<const __m128i *>(places));
    std::int64_t done = 0;
    for (; (n - done) * block >= kPart && (n - done) * block * times >= kPart; done += many) {
        const __m128i x =
            _mm_loadu_si128(reinterpret_cast<const __m128i *>(from + done * block));
        _mm_storeu_si128(reinterpret_cast<__m128i *>(to + done * block * times),
                         _mm_shuffle_epi8(x, moves));
    }
    return done;
}
#endif

// Blocks from `i` on as parts of a known length; what a part has behind its block, the next one writes
// anew, but for the last.
template <int kBytes>
std::int64_t repeat_parts(char *to, const char *from, std::int64_t i, std::int64_t n,
                          std::int64_t apart, std::int64_t times, std::int64_t block) {
    for (const std::int64_t end = n - (kBytes - 1) / block; i < end; ++i) {
        char part[kBytes];
        std::memcpy(part, from + i * apart, kBytes);
        for (std::int64_t j = 0; j < times; ++j)
            std::memcpy(to + (i * times + j) * block, part, kBytes);
    }
    return i;
}

// Blocks of bytes, `apart` from one to the next, each so many times.
void copy_repeated(char *to, const char *from, std::int64_t n, std::int64_t apart,
                   std::int64_t times, std::int64_t block) {
    std::int64_t i = 0;
#if defined(__x86_64__)
    if (apart == block && block * times <= kPart && __builtin_cpu_supports("ssse3"))
        i = repeat_short(to, from, n, times, block);
#endif
    if (apart >= block) {
        if (block <= kPart) i = repeat_parts<kPart>(to, from, i, n, apart, times, block);
        else if (block <= 2 * kPart) i = repeat_parts<2 * kPart>(to, from, i, n, apart, times, block);
    }
    for (; i < n; ++i) {
        for (std::int64_t j = 0; j < times; ++j)
            std::memcpy(to + (i * times + j) * block, from + i * apart,
                        static_cast<std::size_t>(block));
    }
}

template <class T>
void copy_block(char *to, const char *from, int ndim, const std::int64_t *shape,
                const std::int64_t *strides) {
    // A block that is repeated is an item, or a row.
    const int row = ndim > 1 && strides[ndim - 1] == sizeof(T) && strides[ndim - 2] == 0;
    const int last = ndim - 1 - row;
    const std::int64_t block = sizeof(T) * (row ? shape[ndim - 1] : 1);
    if (ndim == 0) {
        std::memcpy(to, from, sizeof(T));
    } else if (last >= 0 && last < 2 && strides[last] == 0 && shape[last] * block <= kFewCopied) {
        copy_repeated(to, from, last ? shape[0] : 1, last ? strides[0] : block, shape[last], block);
    } else if (ndim == 1) {
        copy_row<T>(to, from, shape[0], strides[0]);
    } else if (ndim == 2) {
        copy_plane<T>(to, from, shape, strides);
    } else {
        std::int64_t step = sizeof(T);
        for (int i = 1; i < ndim; ++i) step *= shape[i];
        for (std::int64_t i = 0; i < shape[0]; ++i) {
            copy_block<T>(to + i * step, from + i * strides[0], ndim - 1, shape + 1, strides + 1);
        }
    }
}

}  // namespace

void copy_strided(std::int64_t ndim, const std::int64_t *shape, const std::int64_t *strides,
                  std::size_t itemsize, void *destination, const void *source) {
    for (std::int64_t i = 0; i < ndim; ++i) {
        if (shape[i] <= 0) return;
    }
    Layout layout(ndim, shape, strides);
    char *to = static_cast<char *>(destination);
    const char *from = static_cast<const char *>(source);
    switch (itemsize) {
        case 1:
            return copy_block<std::uint8_t>(to, from, layout.ndim, layout.shape, layout.strides);
        case 2:
            return copy_block<std::uint16_t>(to, from, layout.ndim, layout.shape, layout.strides);
        case 4:
            return copy_block<std::uint32_t>(to, from, layout.ndim, layout.shape, layout.strides);
        case 8:
            return copy_block<std::uint64_t>(to, from, layout.ndim, layout.shape, layout.strides);
        case 16:
            return copy_block<Item16>(to, from, layout.ndim, layout.shape, layout.strides);
        case 32:
            return copy_block<Item32>(to, from, layout.ndim, layout.shape, layout.strides);
        default:
            break;  // INVARIANT: no numeric type of NumPy's has another size
    }
}

}  // namespace theano
