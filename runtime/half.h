// Conversions between IEEE half and single precision; to half rounds to nearest, ties to even.
#pragma once

#include <cstdint>
#include <cstring>

namespace theano {

inline float half_to_float(std::uint16_t half) {
    std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
    std::uint32_t rest = half & 0x7fffu;
    std::uint32_t bits;
    if (rest >= 0x7c00u) {
        bits = 0x7f800000u | ((rest & 0x3ffu) << 13);
    } else if (rest >= 0x0400u) {
        bits = (rest << 13) + (112u << 23);
    } else {
        // Subnormal: an exact multiple of 2^-24.
        float value = static_cast<float>(rest) * 0x1p-24f;
        std::memcpy(&bits, &value, 4);
    }
    bits |= sign;
    float result;
    std::memcpy(&result, &bits, 4);
    return result;
}

inline std::uint16_t float_to_half(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, 4);
    std::uint16_t sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u)
        return static_cast<std::uint16_t>(sign | 0x7e00u | ((bits >> 13) & 0x3ffu));
    if (bits >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);
    if (bits < 0x38800000u) {
        // Below the smallest normal half: adding 0.5 leaves the rounded multiple of 2^-24 in the
        // low bits.
        float magnitude;
        std::memcpy(&magnitude, &bits, 4);
        magnitude += 0.5f;
        std::uint32_t sum;
        std::memcpy(&sum, &magnitude, 4);
        return static_cast<std::uint16_t>(sign | (sum - 0x3f000000u));
    }
    std::uint32_t odd = (bits >> 13) & 1;
    bits += 0xfffu + odd;
    return static_cast<std::uint16_t>(sign | ((bits - (112u << 23)) >> 13));
}

// Of many; to half, they are multiplied by a number before, and -0 becomes 0.
void halves_to_floats(const std::uint16_t *from, std::int64_t count, float *to);
void floats_to_halves(const float *from, float factor, std::int64_t count, std::uint16_t *to);

}  // namespace theano
