// The functions outside themselves that objects may call: what LLVM's back ends emit calls to, and
// libm.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>

#include "loader.h"

extern "C" {
#if defined(__SIZEOF_INT128__)
__int128 __divti3(__int128, __int128);
__int128 __modti3(__int128, __int128);
unsigned __int128 __udivti3(unsigned __int128, unsigned __int128);
unsigned __int128 __umodti3(unsigned __int128, unsigned __int128);
double __floattidf(__int128);
float __floattisf(__int128);
double __floatuntidf(unsigned __int128);
float __floatuntisf(unsigned __int128);
__int128 __fixdfti(double);
__int128 __fixsfti(float);
unsigned __int128 __fixunsdfti(double);
unsigned __int128 __fixunssfti(float);
#endif
// Conversions of half precision, in the registers that the platform's ABI gives to half. Only the
// address is used.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && \
    (defined(__x86_64__) || defined(__aarch64__))
#define THEANO_HALF_FROM_LIBGCC 1
void __extendhfsf2();
void __truncsfhf2();
void __truncdfhf2();
#endif
}

namespace theano::loader {

namespace {

// Clang has the type on every such processor from version 15 on. Without the functions, machine code
// that needs them is refused.
#if defined(__clang__) && defined(__FLT16_MANT_DIG__) && \
    (defined(__x86_64__) || defined(__aarch64__))
#define THEANO_HALF_FROM_CLANG 1
float extend_half(_Float16 value) { return static_cast<float>(value); }
_Float16 narrow_float(float value) { return static_cast<_Float16>(value); }
_Float16 narrow_double(double value) { return static_cast<_Float16>(value); }
#endif

int compare_bytes(const void *a, const void *b, std::size_t n) { return std::memcmp(a, b, n); }

template <class F>
void *address(F *function) {
    return reinterpret_cast<void *>(function);
}

using Unary = double(double);
using UnaryF = float(float);
using Binary = double(double, double);
using BinaryF = float(float, float);
using Table = std::unordered_map<std::string, void *>;

template <std::size_t>
using Word = std::uint64_t;

// Writes words to those of 64 places that have a bit of `places`, in turn.
template <std::size_t... kNumbers>
void write_words(std::uint64_t *at, std::uint64_t places, Word<kNumbers>... words) {
    ((at[__builtin_ctzll(places)] = words, places &= places - 1), ...);
}

// "words7" is the function of seven words: machine code that runs once writes many, and a line for each takes
// longer to compile than a call.
constexpr std::size_t kMostWords = 64;

template <std::size_t... kNumbers>
void add_words(Table &table, std::index_sequence<kNumbers...>) {
    table["words" + std::to_string(sizeof...(kNumbers))] = address(write_words<kNumbers...>);
    if constexpr (sizeof...(kNumbers) < kMostWords)
        add_words(table, std::make_index_sequence<sizeof...(kNumbers) + 1>());
}

#define THEANO_UNARY(name)                                   \
    {#name, address(static_cast<Unary *>(::name))}, {        \
        #name "f", address(static_cast<UnaryF *>(::name##f)) \
    }
#define THEANO_BINARY(name)                                   \
    {#name, address(static_cast<Binary *>(::name))}, {        \
        #name "f", address(static_cast<BinaryF *>(::name##f)) \
    }
#define THEANO_PLAIN(name) {#name, address(::name)}

Table make_table() {
    Table table = {
        {"memcpy", address(static_cast<void *(*)(void *, const void *, std::size_t)>(::memcpy))},
        {"memmove", address(static_cast<void *(*)(void *, const void *, std::size_t)>(::memmove))},
        {"memset", address(static_cast<void *(*)(void *, int, std::size_t)>(::memset))},
        {"memcmp", address(compare_bytes)},
        {"bcmp", address(compare_bytes)},
        THEANO_UNARY(acos),
        THEANO_UNARY(acosh),
        THEANO_UNARY(asin),
        THEANO_UNARY(asinh),
        THEANO_UNARY(atan),
        THEANO_UNARY(atanh),
        THEANO_UNARY(cbrt),
        THEANO_UNARY(ceil),
        THEANO_UNARY(cos),
        THEANO_UNARY(cosh),
        THEANO_UNARY(erf),
        THEANO_UNARY(erfc),
        THEANO_UNARY(exp),
        THEANO_UNARY(exp2),
        THEANO_UNARY(expm1),
        THEANO_UNARY(fabs),
        THEANO_UNARY(floor),
        THEANO_UNARY(lgamma),
        THEANO_UNARY(log),
        THEANO_UNARY(log10),
        THEANO_UNARY(log1p),
        THEANO_UNARY(log2),
        THEANO_UNARY(nearbyint),
        THEANO_UNARY(rint),
        THEANO_UNARY(round),
        THEANO_UNARY(sin),
        THEANO_UNARY(sinh),
        THEANO_UNARY(sqrt),
        THEANO_UNARY(tan),
        THEANO_UNARY(tanh),
        THEANO_UNARY(tgamma),
        THEANO_UNARY(trunc),
        THEANO_BINARY(atan2),
        THEANO_BINARY(copysign),
        THEANO_BINARY(fdim),
        THEANO_BINARY(fmax),
        THEANO_BINARY(fmin),
        THEANO_BINARY(fmod),
        THEANO_BINARY(hypot),
        THEANO_BINARY(nextafter),
        THEANO_BINARY(pow),
        THEANO_BINARY(remainder),
        {"fma", address(static_cast<double (*)(double, double, double)>(::fma))},
        {"fmaf", address(static_cast<float (*)(float, float, float)>(::fmaf))},
        {"ldexp", address(static_cast<double (*)(double, int)>(::ldexp))},
        {"ldexpf", address(static_cast<float (*)(float, int)>(::ldexpf))},
        {"frexp", address(static_cast<double (*)(double, int *)>(::frexp))},
        {"frexpf", address(static_cast<float (*)(float, int *)>(::frexpf))},
    };
#if defined(__SIZEOF_INT128__)
    const Table wide = {
        THEANO_PLAIN(__divti3),      THEANO_PLAIN(__modti3),      THEANO_PLAIN(__udivti3),
        THEANO_PLAIN(__umodti3),     THEANO_PLAIN(__floattidf),   THEANO_PLAIN(__floattisf),
        THEANO_PLAIN(__floatuntidf), THEANO_PLAIN(__floatuntisf), THEANO_PLAIN(__fixdfti),
        THEANO_PLAIN(__fixsfti),     THEANO_PLAIN(__fixunsdfti),  THEANO_PLAIN(__fixunssfti),
    };
    table.insert(wide.begin(), wide.end());
#endif
#if defined(THEANO_HALF_FROM_LIBGCC)
    table["__extendhfsf2"] = address(__extendhfsf2);
    table["__truncsfhf2"] = address(__truncsfhf2);
    table["__truncdfhf2"] = address(__truncdfhf2);
#elif defined(THEANO_HALF_FROM_CLANG)
    table["__extendhfsf2"] = address(extend_half);
    table["__truncsfhf2"] = address(narrow_float);
    table["__truncdfhf2"] = address(narrow_double);
#endif
    add_words(table, std::make_index_sequence<1>());
    return table;
}

}  // namespace

void *runtime_symbol(const std::string &name) {
    static const Table *table = new Table(make_table());
    auto found = table->find(name);
    return found == table->end() ? nullptr : found->second;
}

}  // namespace theano::loader
