// The parts of the ELF64 format that the loader reads (System V ABI, and the supplements for x86-64
// and AArch64).
#pragma once

#include <cstdint>

namespace theano::elf {

struct FileHeader {
    unsigned char ident[16];
    std::uint16_t type, machine;
    std::uint32_t version;
    std::uint64_t entry, program_headers, section_headers;
    std::uint32_t flags;
    std::uint16_t header_size, program_entry_size, program_count, section_entry_size, section_count,
        name_section;
};
static_assert(sizeof(FileHeader) == 64);

struct Section {
    std::uint32_t name, type;
    std::uint64_t flags, address, offset, size;
    std::uint32_t link, info;
    std::uint64_t alignment, entry_size;
};
static_assert(sizeof(Section) == 64);

struct Symbol {
    std::uint32_t name;
    unsigned char info, other;
    std::uint16_t section;
    std::uint64_t value, size;
    unsigned binding() const { return info >> 4; }
    unsigned type() const { return info & 15; }
};
static_assert(sizeof(Symbol) == 24);

struct Relocation {
    std::uint64_t offset, info;
    std::int64_t addend;
    std::uint32_t symbol() const { return static_cast<std::uint32_t>(info >> 32); }
    std::uint32_t type() const { return static_cast<std::uint32_t>(info); }
};
static_assert(sizeof(Relocation) == 24);

enum : std::uint16_t { relocatable = 1, machine_x86_64 = 62, machine_aarch64 = 183 };
enum : std::uint32_t {
    symbol_table = 2,
    relocations_with_addend = 4,
    no_bits = 8,
    relocations = 9
};
enum : std::uint64_t { writable = 1, allocated = 2, executable = 4, thread_local_data = 0x400 };
enum : std::uint16_t { undefined = 0, first_reserved = 0xff00, absolute = 0xfff1 };
enum : unsigned { local = 0, global = 1, weak = 2, indirect_function = 10 };

enum X86 : std::uint32_t {
    x86_none = 0,
    x86_64 = 1,
    x86_pc32 = 2,
    x86_plt32 = 4,
    x86_gotpcrel = 9,
    x86_32 = 10,
    x86_32s = 11,
    x86_pc64 = 24,
    x86_gotpcrelx = 41,
    x86_rex_gotpcrelx = 42
};

enum Arm : std::uint32_t {
    arm_none = 0,
    arm_abs64 = 257,
    arm_abs32 = 258,
    arm_prel64 = 260,
    arm_prel32 = 261,
    arm_adr_prel_lo21 = 274,
    arm_adr_prel_pg_hi21 = 275,
    arm_add_abs_lo12_nc = 277,
    arm_ldst8_abs_lo12_nc = 278,
    arm_jump26 = 282,
    arm_call26 = 283,
    arm_ldst16_abs_lo12_nc = 284,
    arm_ldst32_abs_lo12_nc = 285,
    arm_ldst64_abs_lo12_nc = 286,
    arm_ldst128_abs_lo12_nc = 299,
    arm_adr_got_page = 311,
    arm_ld64_got_lo12_nc = 312
};

}  // namespace theano::elf
