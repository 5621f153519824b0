#include "scatter.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "along.h"
#include "half.h"
#include "numpy_api.h"
#include "processor.h"
#include "scatter_loops.h"

namespace theano::scatter {

namespace {

using std::int64_t;

// Rows whose places are worked out at once, and how many of one item are few.
constexpr int64_t kBlock = 256, kFew = 32;

const Functions &functions() {
#if defined(__x86_64__)
    static const bool wide = has_avx512(), fast = has_fma();
    if (wide) return functions_avx512;
    if (fast) return functions_fma;
#endif
    return functions_plain;
}

void add_halves_apart(const Rows &rows) {
    for (int64_t k = 0; k < rows.count; ++k) {
        char *to = rows.out + rows.offsets[k];
        const char *from = rows.y + k * rows.pitch;
        for (int64_t j = 0; j < rows.length; ++j, to += rows.out_step, from += rows.y_step) {
            std::uint16_t old, item;
            std::memcpy(&old, to, sizeof(old));
            std::memcpy(&item, from, sizeof(item));
            old = float_to_half(half_to_float(old) + half_to_float(item));
            std::memcpy(to, &old, sizeof(old));
        }
    }
}

template <bool kSame>
void add_halves(const Rows &rows) {
    Rows own = rows;
    own.out_step = sizeof(std::uint16_t);
    own.y_step = kSame ? 0 : own.out_step;
    add_halves_apart(own);
}

// How items of a type are written: as one or two parts, of so many bytes.
struct Form {
    int64_t parts, size;
    Loops loops;

    explicit Form(const Work &work) {
        const int type = static_cast<int>(work.typenum);
        parts = type == NPY_CFLOAT || type == NPY_CDOUBLE ? 2 : 1;
        size = along::size_of(type) / parts;
        const int width = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
        const bool is_float = type == NPY_HALF || PyTypeNum_ISFLOAT(type) || parts == 2;
        int kind = kSet + width;
        if (work.add) kind = type == NPY_BOOL ? kEither : is_float ? kHalf : kSum + width;
        if (work.add && is_float && size > 2) kind = size == 4 ? kSingle : kDouble;
        loops = functions().loops[kind];
        if (kind == kHalf) loops = {add_halves<false>, add_halves<true>, add_halves_apart};
    }
};

// The words behind those of the work.
struct Parts {
    const Work &work;
    const Positions *positions;
    const Axis *axes;
    const int64_t *places;  // each of 2 + arrays words

    explicit Parts(const Work &work)
        : work(work),
          positions(reinterpret_cast<const Positions *>(&work + 1)),
          axes(reinterpret_cast<const Axis *>(positions + work.arrays)),
          places(reinterpret_cast<const int64_t *>(axes + work.axes)) {}

    int64_t length(int64_t axis) const { return places[axis * (2 + work.arrays)]; }
    // Of y, 0, and then of each array of positions.
    int64_t step(int64_t axis, int64_t array) const {
        return axis < 0 ? 0 : places[axis * (2 + work.arrays) + 1 + array];
    }
};

// The last axes of the positions, which are walked as one.
struct Walk {
    int64_t front, axis = -1, length = 1;  // axes in front, and the one that has the steps

    explicit Walk(const Parts &parts) : front(parts.work.rank) {
        for (; front > 0; --front) {
            const int64_t own = parts.length(front - 1);
            if (own == 1) continue;
            if (length == 1) axis = front - 1;
            for (int64_t i = 0; i <= parts.work.arrays; ++i)
                if (axis != front - 1 && parts.step(front - 1, i) != parts.step(axis, i) * length) return;
            length *= own;
        }
    }

    // Bytes in front of what is at place k of y, or of an array of positions.
    int64_t offset(const Parts &parts, int64_t array, int64_t k) const {
        int64_t offset = k % length * parts.step(axis, array);
        k /= length;
        for (int64_t a = front - 1; a >= 0; k /= parts.length(a), --a)
            offset += k % parts.length(a) * parts.step(a, array);
        return offset;
    }
};

// The last axes that are written whole, as far as items lie side by side along them.
struct Row {
    int64_t axes, length;  // axes that are left, and items
    bool same = false;     // whether there is one item of y for all of them

    Row(const Parts &parts, const Form &form) : axes(parts.work.axes), length(form.parts) {
        for (; axes > parts.work.fronts; --axes) {
            const Axis &axis = parts.axes[axes - 1];
            if (axis.length == 1) continue;
            const bool one = axis.y == 0 && (length == 1 || same);
            const bool packed = axis.y == axis.out && !same;
            if (axis.out != length * form.size || !(packed || one)) return;
            same = one;
            length *= axis.length;
        }
    }
};

struct Writer {
    const Loops &loops;
    void (*const write)(const Rows &);

    // Writes rows for every index of some axes.
    void run(const Axis *axes, int64_t count, const Rows &rows) const {
        if (count == 0) return write(rows);
        Rows own = rows;
        if (count == 1 && is_row(*axes, rows)) {
            own.out_step = axes->out;
            own.y_step = axes->y;
            for (int64_t i = 0; i < axes->length; i += own.length) {
                own.length = std::min(kBlock, axes->length - i);
                own.out = rows.out + i * axes->out;
                own.y = rows.y + i * axes->y;
                loops.apart(own);
            }
            return;
        }
        for (int64_t i = 0; i < axes->length; ++i, own.out += axes->out, own.y += axes->y)
            run(axes + 1, count - 1, own);
    }

    // Whether items along an axis are better written one after the other than those at positions are.
    static bool is_row(const Axis &axis, const Rows &rows) {
        if (rows.length != 1) return false;
        return rows.count < kFew || std::abs(axis.y) < std::abs(rows.pitch);
    }
};

}  // namespace

void put(int64_t *args, int64_t begin, int64_t end) {
    const Parts parts(*reinterpret_cast<const Work *>(args));
    const Work &work = parts.work;
    const Form form(work);
    const Walk walk(parts);
    const Row row(parts, form);
    const Writer writer{form.loops, row.same ? form.loops.same : form.loops.packed};
    int64_t offsets[kBlock];
    Rows rows{work.out, work.y, offsets, 0, parts.step(walk.axis, 0), row.length, 0, 0};
    while (begin < end) {
        rows.count = std::min({kBlock, end - begin, walk.length - begin % walk.length});
        rows.y = work.y + walk.offset(parts, 0, begin);
        std::fill(offsets, offsets + rows.count, int64_t{0});
        for (int64_t i = 0; i < work.arrays; ++i) {
            const Positions &own = parts.positions[i];
            const char *const items = own.items + walk.offset(parts, i + 1, begin);
            const Line line{items,      own.type,   parts.step(walk.axis, i + 1),
                            rows.count, own.length, own.stride};
            functions().add_offsets(line, offsets);
        }
        writer.run(parts.axes, row.axes, rows);
        begin += rows.count;
    }
}

}  // namespace theano::scatter
