#include "loader.h"

#include <cstring>
#include <vector>

#include "elf.h"
#include "platform.h"

namespace theano::loader {

namespace {

using elf::Relocation;
using elf::Section;
using elf::Symbol;

// Generated code is small; larger figures in a header are damage, or an attempt to exhaust memory.
constexpr std::uint64_t kLargestImage = std::uint64_t{1} << 30;
constexpr std::uint64_t kLargestAlignment = 4096;
constexpr std::size_t kStubBytes = 16;

[[noreturn]] void bad(const std::string &why) { throw BadObject("cannot load the object: " + why); }

constexpr std::uint16_t this_machine() {
#if defined(__x86_64__) || defined(_M_X64)
    return elf::machine_x86_64;
#elif defined(__aarch64__) || defined(_M_ARM64)
    return elf::machine_aarch64;
#else
    return 0;
#endif
}

// The three ranges of pages of an image, by what may be done with them.
enum Kind { code = 0, constants = 1, variables = 2, kinds = 3 };

Kind kind_of(const Section &section) {
    if (section.flags & elf::executable) return code;
    return section.flags & elf::writable ? variables : constants;
}

std::uint64_t round_up(std::uint64_t value, std::uint64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

class Linker {
  public:
    Linker(const unsigned char *data, std::size_t size, const Resolve &resolve)
        : data_(data), size_(size), resolve_(resolve) {}

    ~Linker() {
        if (image_.pages) platform::unmap_pages(image_.pages, image_.bytes);
    }

    Image link() {
        read_header();
        read_symbols();
        lay_out();
        copy_sections();
        resolve_symbols();
        for (const Section &section : sections_) {
            if (section.type == elf::relocations) bad("it has relocations without addends");
            if (section.type == elf::relocations_with_addend) relocate_section(section);
        }
        protect();
        export_symbols();
        Image done = std::move(image_);
        image_.pages = nullptr;
        return done;
    }

  private:
    const unsigned char *data_;
    std::size_t size_;
    const Resolve &resolve_;
    std::vector<Section> sections_;
    std::vector<Symbol> symbols_;
    std::uint32_t names_ = 0;            // the section with the names of the symbols
    std::vector<std::uint64_t> places_;  // address of each section in memory; 0 if it has none
    std::vector<std::uint64_t> values_;  // address of each symbol
    std::vector<std::uint64_t>
        slots_;  // address of each symbol's slot in the offset table, 0 if none yet
    std::vector<std::uint64_t> stubs_;  // address of each symbol's stub, 0 if none yet
    std::uint64_t begin_[kinds] = {}, bytes_[kinds] = {};
    std::uint64_t next_slot_ = 0, next_stub_ = 0;
    Image image_;

    template <class T>
    T read(std::uint64_t offset) const {
        if (offset > size_ || size_ - offset < sizeof(T)) bad("it is cut off");
        T value;
        std::memcpy(&value, data_ + offset, sizeof(T));
        return value;
    }

    void check_range(std::uint64_t offset, std::uint64_t bytes) const {
        if (offset > size_ || bytes > size_ - offset) bad("a section reaches beyond its end");
    }

    void read_header() {
        auto header = read<elf::FileHeader>(0);
        static const unsigned char magic[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
        if (std::memcmp(header.ident, magic, sizeof magic) != 0)
            bad("it is not a 64-bit little-endian ELF file");
        if (header.type != elf::relocatable) bad("it is not a relocatable object");
        if (header.machine != this_machine()) bad("it is for another kind of processor");
        if (header.section_entry_size != sizeof(Section))
            bad("its section headers have an unknown size");
        if (header.section_headers > size_) bad("its section headers lie beyond its end");
        for (unsigned i = 0; i < header.section_count; ++i) {
            sections_.push_back(read<Section>(header.section_headers + i * sizeof(Section)));
            check_section(sections_.back());
        }
    }

    void check_section(const Section &section) const {
        if (section.type == 0) return;
        if (section.type != elf::no_bits) check_range(section.offset, section.size);
        if (section.size > kLargestImage) bad("a section is too large");
        if (section.flags & elf::thread_local_data) bad("it has thread-local variables");
        if (!(section.flags & elf::allocated)) return;
        if (section.alignment & (section.alignment - 1)) bad("an alignment is not a power of two");
        if (section.alignment > kLargestAlignment) bad("an alignment is too large");
    }

    void read_symbols() {
        for (const Section &section : sections_) {
            if (section.type != elf::symbol_table) continue;
            if (!symbols_.empty()) bad("it has two symbol tables");
            if (section.entry_size != sizeof(Symbol)) bad("its symbols have an unknown size");
            if (section.link >= sections_.size()) bad("its symbols have no names");
            names_ = section.link;
            if (sections_[names_].type == elf::no_bits) bad("its symbols have no names");
            for (std::uint64_t i = 0; i < section.size / sizeof(Symbol); ++i) {
                symbols_.push_back(read<Symbol>(section.offset + i * sizeof(Symbol)));
            }
        }
        values_.resize(symbols_.size());
        slots_.resize(symbols_.size());
        stubs_.resize(symbols_.size());
    }

    std::string name_of(const Symbol &symbol) const {
        const Section &names = sections_[names_];
        if (symbol.name >= names.size) bad("the name of a symbol lies beyond the names");
        const char *begin = reinterpret_cast<const char *>(data_ + names.offset + symbol.name);
        std::size_t most = names.size - symbol.name;
        const void *end = std::memchr(begin, 0, most);
        if (!end) bad("the name of a symbol does not end");
        return std::string(begin, static_cast<const char *>(end));
    }

    // Sections of one kind lie together. Behind the code: a stub for each symbol; behind the
    // constants: a slot.
    void lay_out() {
        std::vector<std::uint64_t> offsets(sections_.size());
        for (std::size_t i = 0; i < sections_.size(); ++i) {
            const Section &section = sections_[i];
            if (section.type == 0 || !(section.flags & elf::allocated)) continue;
            Kind kind = kind_of(section);
            offsets[i] = round_up(bytes_[kind], section.alignment ? section.alignment : 1);
            bytes_[kind] = offsets[i] + section.size;
            if (bytes_[kind] > kLargestImage) bad("it is too large");
        }
        next_stub_ = round_up(bytes_[code], kStubBytes);
        bytes_[code] = next_stub_ + kStubBytes * symbols_.size();
        next_slot_ = round_up(bytes_[constants], 8);
        bytes_[constants] = next_slot_ + 8 * symbols_.size();
        std::uint64_t page = platform::page_size(), total = 0;
        for (int kind = 0; kind < kinds; ++kind) {
            begin_[kind] = total;
            bytes_[kind] = round_up(bytes_[kind], page);
            total += bytes_[kind];
        }
        if (total == 0 || total > kLargestImage) bad(total ? "it is too large" : "it is empty");
        image_.bytes = total;
        image_.pages = platform::map_pages(total);
        if (!image_.pages)
            throw NoPages("no memory for " + std::to_string(total) + " bytes of machine code");
        std::uint64_t base = reinterpret_cast<std::uint64_t>(image_.pages);
        for (int kind = 0; kind < kinds; ++kind) begin_[kind] += base;
        next_stub_ += begin_[code];
        next_slot_ += begin_[constants];
        places_.resize(sections_.size());
        for (std::size_t i = 0; i < sections_.size(); ++i) {
            const Section &section = sections_[i];
            if (section.type == 0 || !(section.flags & elf::allocated)) continue;
            places_[i] = begin_[kind_of(section)] + offsets[i];
        }
    }

    void copy_sections() {
        for (std::size_t i = 0; i < sections_.size(); ++i) {
            const Section &section = sections_[i];
            if (!places_[i] || section.type == elf::no_bits || section.size == 0) continue;
            std::memcpy(reinterpret_cast<void *>(places_[i]), data_ + section.offset, section.size);
        }
    }

    void resolve_symbols() {
        for (std::size_t i = 1; i < symbols_.size(); ++i) {
            const Symbol &symbol = symbols_[i];
            if (symbol.type() == elf::indirect_function) bad("it has an indirect function");
            if (symbol.section == elf::undefined) {
                values_[i] = outside(symbol);
            } else if (symbol.section == elf::absolute) {
                values_[i] = symbol.value;
            } else if (symbol.section >= elf::first_reserved) {
                bad("a symbol is in an unknown kind of section");
            } else if (symbol.section >= sections_.size()) {
                bad("a symbol is in a section that is not there");
            } else if (places_[symbol.section]) {
                if (symbol.value > sections_[symbol.section].size)
                    bad("a symbol lies beyond its section");
                values_[i] = places_[symbol.section] + symbol.value;
            }
        }
    }

    std::uint64_t outside(const Symbol &symbol) const {
        std::string name = name_of(symbol);
        if (name == "_GLOBAL_OFFSET_TABLE_") return begin_[constants];
        void *found = resolve_ ? resolve_(name) : nullptr;
        if (!found) found = runtime_symbol(name);
        if (!found && symbol.binding() != elf::weak) {
            throw UndefinedSymbol("machine code needs the symbol '" + name +
                                  "', which the runtime does not have");
        }
        return reinterpret_cast<std::uint64_t>(found);
    }

    void relocate_section(const Section &section) {
        if (section.info >= sections_.size())
            bad("relocations are for a section that is not there");
        std::uint64_t place = places_[section.info];
        if (!place) return;  // for debuggers
        if (section.entry_size != sizeof(Relocation)) bad("its relocations have an unknown size");
        const Section &target = sections_[section.info];
        for (std::uint64_t i = 0; i < section.size / sizeof(Relocation); ++i) {
            auto relocation = read<Relocation>(section.offset + i * sizeof(Relocation));
            if (relocation.symbol() >= symbols_.size())
                bad("a relocation names a symbol that is not there");
            bool wide =
                this_machine() == elf::machine_x86_64
                    ? relocation.type() == elf::x86_64 || relocation.type() == elf::x86_pc64
                    : relocation.type() == elf::arm_abs64 || relocation.type() == elf::arm_prel64;
            std::uint64_t bytes = relocation.type() == 0 ? 0 : wide ? 8 : 4;
            if (relocation.offset > target.size || target.size - relocation.offset < bytes) {
                bad("a relocation lies outside its section");
            }
            unsigned char *where = reinterpret_cast<unsigned char *>(place + relocation.offset);
            if (this_machine() == elf::machine_x86_64) relocate_x86(relocation, where);
            else relocate_arm(relocation, where);
        }
    }

    static void store64(unsigned char *where, std::uint64_t value) {
        std::memcpy(where, &value, 8);
    }

    static void store_signed32(unsigned char *where, std::int64_t value) {
        auto narrow = static_cast<std::int32_t>(value);
        if (narrow != value) bad("a relocation does not fit in 32 bits");
        std::memcpy(where, &narrow, 4);
    }

    std::uint64_t slot_of(std::uint32_t symbol) {
        if (!slots_[symbol]) {
            slots_[symbol] = next_slot_;
            next_slot_ += 8;
            store64(reinterpret_cast<unsigned char *>(slots_[symbol]), values_[symbol]);
        }
        return slots_[symbol];
    }

    // A jump to a symbol that lies too far away for a direct branch.
    std::uint64_t stub_of(std::uint32_t symbol) {
        if (stubs_[symbol]) return stubs_[symbol];
        static const unsigned char x86[] = {0xff, 0x25, 2,    0,
                                            0,    0,    0x90, 0x90};  // jmp *2(%rip); nop; nop
        static const unsigned char arm[] = {0x50, 0,    0,    0x58,
                                            0x00, 0x02, 0x1f, 0xd6};  // ldr x16, 8; br x16
        stubs_[symbol] = next_stub_;
        next_stub_ += kStubBytes;
        unsigned char *stub = reinterpret_cast<unsigned char *>(stubs_[symbol]);
        std::memcpy(stub, this_machine() == elf::machine_x86_64 ? x86 : arm, 8);
        store64(stub + 8, values_[symbol]);
        return stubs_[symbol];
    }

    bool inside(std::uint64_t address) const {
        std::uint64_t base = reinterpret_cast<std::uint64_t>(image_.pages);
        return address >= base && address <= base + image_.bytes;
    }

    void relocate_x86(const Relocation &relocation, unsigned char *where) {
        std::uint32_t symbol = relocation.symbol();
        std::uint64_t here = reinterpret_cast<std::uint64_t>(where);
        std::uint64_t addend = static_cast<std::uint64_t>(relocation.addend);
        std::uint64_t value = values_[symbol];
        auto distance = [&](std::uint64_t to) {
            return static_cast<std::int64_t>(to + addend - here);
        };
        switch (relocation.type()) {
            case elf::x86_none:
                return;
            case elf::x86_64:
                return store64(where, value + addend);
            case elf::x86_pc64:
                return store64(where, value + addend - here);
            case elf::x86_32s:
                return store_signed32(where, static_cast<std::int64_t>(value + addend));
            case elf::x86_pc32:
            case elf::x86_plt32:
                return store_signed32(where, distance(inside(value) ? value : stub_of(symbol)));
            case elf::x86_gotpcrel:
            case elf::x86_gotpcrelx:
            case elf::x86_rex_gotpcrelx:
                return store_signed32(where, distance(slot_of(symbol)));
            default:
                bad("it has a relocation of unknown type " + std::to_string(relocation.type()));
        }
    }

    static void patch(unsigned char *where, std::uint32_t mask, std::uint64_t bits) {
        std::uint32_t word;
        std::memcpy(&word, where, 4);
        word = (word & ~mask) | (static_cast<std::uint32_t>(bits) & mask);
        std::memcpy(where, &word, 4);
    }

    static void patch_page(unsigned char *where, std::int64_t pages) {
        if (pages < -(1 << 20) || pages >= (1 << 20)) bad("a relocation does not fit in 21 bits");
        auto bits = static_cast<std::uint64_t>(pages);
        patch(where, 0x60ffffe0u, ((bits & 3) << 29) | (((bits >> 2) & 0x7ffff) << 5));
    }

    static void patch_low12(unsigned char *where, std::uint64_t value, unsigned shift) {
        patch(where, 0xfffu << 10, ((value & 0xfff) >> shift) << 10);
    }

    static void patch_branch(unsigned char *where, std::int64_t distance) {
        if (distance < -(1 << 27) || distance >= (1 << 27)) bad("a branch does not fit in 26 bits");
        patch(where, 0x03ffffffu, static_cast<std::uint64_t>(distance) >> 2);
    }

    void relocate_arm(const Relocation &relocation, unsigned char *where) {
        std::uint32_t symbol = relocation.symbol();
        std::uint64_t here = reinterpret_cast<std::uint64_t>(where);
        std::uint64_t addend = static_cast<std::uint64_t>(relocation.addend);
        std::uint64_t value = values_[symbol] + addend;
        auto pages = [&](std::uint64_t to) {
            return static_cast<std::int64_t>(to >> 12) - static_cast<std::int64_t>(here >> 12);
        };
        switch (relocation.type()) {
            case elf::arm_none:
                return;
            case elf::arm_abs64:
                return store64(where, value);
            case elf::arm_prel64:
                return store64(where, value - here);
            case elf::arm_prel32:
                return store_signed32(where, static_cast<std::int64_t>(value - here));
            case elf::arm_adr_prel_lo21:
                return patch_page(where, static_cast<std::int64_t>(value - here));
            case elf::arm_adr_prel_pg_hi21:
                return patch_page(where, pages(value));
            case elf::arm_add_abs_lo12_nc:
            case elf::arm_ldst8_abs_lo12_nc:
                return patch_low12(where, value, 0);
            case elf::arm_ldst16_abs_lo12_nc:
                return patch_low12(where, value, 1);
            case elf::arm_ldst32_abs_lo12_nc:
                return patch_low12(where, value, 2);
            case elf::arm_ldst64_abs_lo12_nc:
                return patch_low12(where, value, 3);
            case elf::arm_ldst128_abs_lo12_nc:
                return patch_low12(where, value, 4);
            case elf::arm_adr_got_page:
                return patch_page(where, pages(slot_of(symbol)));
            case elf::arm_ld64_got_lo12_nc:
                return patch_low12(where, slot_of(symbol), 3);
            case elf::arm_jump26:
            case elf::arm_call26: {
                std::uint64_t to = inside(values_[symbol]) ? value : stub_of(symbol) + addend;
                return patch_branch(where, static_cast<std::int64_t>(to - here));
            }
            default:
                bad("it has a relocation of unknown type " + std::to_string(relocation.type()));
        }
    }

    void protect() {
        using platform::Access;
        void *text = reinterpret_cast<void *>(begin_[code]),
             *fixed = reinterpret_cast<void *>(begin_[constants]);
        bool done =
            (!bytes_[code] || platform::protect_pages(text, bytes_[code], Access::read_execute)) &&
            (!bytes_[constants] || platform::protect_pages(fixed, bytes_[constants], Access::read));
        if (!done) throw NoPages("the system refuses to make pages of machine code executable");
    }

    void export_symbols() {
        for (std::size_t i = 1; i < symbols_.size(); ++i) {
            const Symbol &symbol = symbols_[i];
            if (symbol.binding() == elf::local || symbol.section == elf::undefined || !values_[i])
                continue;
            image_.symbols.emplace(name_of(symbol), values_[i]);
        }
    }
};

}  // namespace

Image load(const unsigned char *data, std::size_t size, const Resolve &resolve) {
    return Linker(data, size, resolve).link();
}

void unload(Image &image) {
    if (image.pages) platform::unmap_pages(image.pages, image.bytes);
    image.pages = nullptr;
}

}  // namespace theano::loader
