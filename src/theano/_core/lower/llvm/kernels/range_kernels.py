"""Kernels over a range that is no loop nest: of draws from many streams, and of outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels.items import itemsize, load, store
from theano._core.lower.llvm.text.emitter import Value
from theano._core.ops.random.mrg import M1, M2, MAPPINGS, MASK2, MASK12, MASK13, MULT2

# Bytes of one state: six int32.
STATE = 24


class ListKernel:
    """A kernel over a range that is no loop nest; `write` adds its body to a builder.

    Parameters
    ----------
    write : callable
        `write(kernel)` writes the body through `kernel.b`.
    bits : int
        Width of vectors; 0: the default of the target.

    Attributes
    ----------
    begin, end : Value
        The range, int64.
    """

    symbol = "kernel"
    key = None
    eager = True

    def __init__(self, write: Callable[[ListKernel], None], bits: int) -> None:
        self.write = write
        self.bits = bits
        self.b = Builder(1, bits)
        self.begin, self.end = Value("%begin", "int64", 1), Value("%end", "int64", 1)

    @property
    def text(self) -> str:
        """The LLVM module."""
        self.b = b = Builder(1, self.bits)
        self.write(self)
        b.perform("ret void")
        lines = [
            "define void @kernel(ptr noalias %args, i64 %begin, i64 %end) nounwind {",
            "entry:",
            *b.lines,
            "}",
            *b.helpers.values(),
            *sorted(b.declarations),
        ]
        return "\n".join(lines) + "\n"

    def number(self, slot: int) -> Value:
        """Return an argument that is an integer."""
        at = self.b.emit(f"getelementptr i64, ptr %args, i64 {slot}")
        return Value(self.b.emit(f"load i64, ptr {at}, align 8"), "int64", 1)

    def address(self, slot: int) -> str:
        """Return an argument that is an address."""
        at = self.b.emit(f"getelementptr i64, ptr %args, i64 {slot}")
        return self.b.emit(f"load ptr, ptr {at}, align 8")

    def at(self, base: str, index: Value, size: int) -> str:
        """Return the address of item `index` of items of `size` bytes."""
        offset = self.b.mul(index, size)
        return self.b.emit(f"getelementptr i8, ptr {base}, i64 {offset.text}")

    def when(self, condition: Value, body: Callable[[], object]) -> None:
        """Write what runs if a scalar condition holds."""
        b = self.b
        go, done = b.fresh_label("then"), b.fresh_label("after")
        b.perform(f"br i1 {condition.text}, label %{go}, label %{done}")
        b.label(go)
        body()
        b.perform(f"br label %{done}")
        b.label(done)

    def count(self, first: Value, end: Value, body: Callable[[Value], None]) -> None:
        """Write `for i in range(first, end): body(i)`."""
        b = self.b

        def step(i: Value) -> tuple[tuple[Value, ...], Value]:
            body(i)
            following = b.add(i, 1)
            return (following,), b.lt(following, end)

        self.when(b.lt(first, end), lambda: b.repeat_while_any((first,), step))


class StreamWriter:
    """Writes the kernel that draws from streams.

    Its range runs over groups of as many streams as a vector has lanes. The streams of a group
    step together as far as all of them go; the rest of each is drawn alone.

    Parameters
    ----------
    dtype : str
        Item type of the numbers.
    """

    # Arguments: streams, numbers, states before, states after, numbers drawn.
    STREAMS, TOTAL, BEFORE, AFTER, DRAWN = range(5)

    def __init__(self, dtype: str, lanes: int) -> None:
        self.dtype = dtype
        self.lanes = lanes

    def __call__(self, k: ListKernel) -> None:
        b, lanes = k.b, self.lanes
        self.k = k
        self.streams, self.total = k.number(self.STREAMS), k.number(self.TOTAL)
        self.after, self.drawn = k.address(self.AFTER), k.address(self.DRAWN)
        self.columns = b.emit(f"alloca [{6 * lanes} x i32], align 64")
        first = b.mul(k.begin, lanes)
        end = self._smaller(b.mul(k.end, lanes), self.streams)
        source = k.at(k.address(self.BEFORE), first, STATE)
        target = k.at(self.after, first, STATE)
        b.declarations["declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"] = None
        nbytes = b.mul(b.sub(end, first), STATE).text
        b.perform(
            f"call void @llvm.memcpy.p0.p0.i64(ptr {target}, ptr {source}, i64 {nbytes}, i1 false)"
        )
        k.count(k.begin, k.end, self._group)

    def _smaller(self, x: Value, y: Value) -> Value:
        return self.k.b.select(self.k.b.lt(x, y), x, y)

    def _rows(self, stream: Value) -> Value:
        """Return how many numbers a stream gives."""
        b = self.k.b
        return b.binary(
            "udiv", b.sub(b.add(self.total, b.sub(self.streams, 1)), stream), self.streams
        )

    def _group(self, group: Value) -> None:
        b, lanes = self.k.b, self.lanes
        first = b.mul(group, lanes)
        past = b.add(first, lanes)
        end = self._smaller(past, self.streams)
        some = self._rows(first)
        together = b.select(b.le(past, self.streams), self._rows(b.sub(end, 1)), 0)
        self.k.when(
            b.gt(together, 0), lambda: self._walk(first, b.const(0, "int64", 1), together, lanes)
        )

        def alone(stream: Value) -> None:
            rows = self._rows(stream)
            self.k.when(b.lt(together, rows), lambda: self._walk(stream, together, rows, 1))

        self.k.when(b.lt(together, some), lambda: self.k.count(first, end, alone))

    def _walk(self, first: Value, row: Value, end: Value, lanes: int) -> None:
        """Draw the rows [row, end) of neighbouring streams from `first` on."""
        b = self.k.b
        state = self.k.at(self.after, first, STATE)
        self._transpose(state, lanes, True)
        columns = [b.load(self._column(i, lanes), "uint32", lanes) for i in range(6)]
        size = itemsize(self.dtype)
        place = b.add(b.mul(row, self.streams), first)
        offset, last = b.mul(place, size), b.mul(b.add(b.mul(end, self.streams), first), size)
        stride = b.mul(self.streams, size)

        def step(at: Value, *x: Value) -> tuple[tuple[Value, ...], Value]:
            one, two = self._next(x)
            pointer = b.emit(f"getelementptr i8, ptr {self.drawn}, i64 {at.text}")
            b.store(self._item(one, two), pointer)
            following = b.add(at, stride)
            return (following, one, x[0], x[1], two, x[3], x[4]), b.lt(following, last)

        _, *columns = b.repeat_while_any((offset, *columns), step)
        for i, column in enumerate(columns):
            b.store(column, self._column(i, lanes))
        self._transpose(state, lanes, False)

    def _column(self, number: int, lanes: int) -> str:
        return self.k.b.emit(f"getelementptr i32, ptr {self.columns}, i64 {number * lanes}")

    def _transpose(self, state: str, lanes: int, into_columns: bool) -> None:
        """Move `lanes` states to the columns, or back."""
        b = self.k.b

        def move(lane: Value) -> None:
            row = self.k.at(state, lane, STATE)
            for i in range(6):
                own = b.emit(f"getelementptr i32, ptr {row}, i64 {i}")
                column = self.k.at(self._column(i, lanes), lane, 4)
                source, target = (own, column) if into_columns else (column, own)
                b.store(b.load(source, "uint32", 1), target)

        self.k.count(b.const(0, "int64", 1), b.const(lanes, "int64", 1), move)

    def _next(self, x: Sequence[Value]) -> tuple[Value, Value]:
        """Return the new first and fourth integer of a state; the others move one place on."""
        b = self.k.b
        one = b.add(
            b.add(b.shift_left(b.bit_and(x[1], MASK12), 22), b.binary("ashr", x[1], 9)),
            b.add(b.shift_left(b.bit_and(x[2], MASK13), 7), b.binary("ashr", x[2], 24)),
        )
        one = self._reduced(b.add(self._reduced(one, M1), x[2]), M1)
        two = self._reduced(b.add(self._times_32768(x[5]), x[5]), M2)
        two = self._reduced(b.add(two, self._times_32768(x[3])), M2)
        return one, two

    def _times_32768(self, x: Value) -> Value:
        b = self.k.b
        low = b.shift_left(b.bit_and(x, MASK2), 15)
        return self._reduced(b.add(low, b.mul(b.binary("ashr", x, 16), MULT2)), M2)

    def _reduced(self, x: Value, modulus: int) -> Value:
        """Return `x` less `modulus` where it is not below it: the difference wraps elsewhere."""
        return self._smaller(x, self.k.b.sub(x, modulus))

    def _item(self, one: Value, two: Value) -> Value:
        b = self.k.b
        mask, offset, factor = MAPPINGS[self.dtype]
        first, second = (Value(v.text, "int32", v.lanes) for v in (one, two))
        difference = b.sub(first, second)
        drawn = b.select(b.le(first, second), b.add(difference, M1), difference)
        if self.dtype == "float16":
            drawn = b.add(b.bit_and(drawn, mask), offset)
            return b.cast(b.mul(b.convert("sitofp", drawn, "float64"), factor), "float16")
        return b.mul(b.convert("sitofp", drawn, self.dtype), factor)


class OutcomeWriter:
    """Writes the kernel that picks outcomes; its range runs over rows of probabilities.

    Parameters
    ----------
    dtypes : sequence of str
        Of the probabilities, the uniform numbers, and the result.
    how : str
        'count', 'choose' (each outcome once) or 'choose again'.
    """

    # Arguments: rows, outcomes, picks, probabilities, uniform numbers, result.
    ROWS, OUTCOMES, PICKS, PVALS, UNIS, RESULT = range(6)

    def __init__(self, dtypes: Sequence[str], how: str) -> None:
        self.pvals_dtype, self.unis_dtype, self.dtype = dtypes
        self.how = how

    def __call__(self, k: ListKernel) -> None:
        self.k = k
        self.rows, self.outcomes, self.picks = (
            k.number(i) for i in (self.ROWS, self.OUTCOMES, self.PICKS)
        )
        self.pvals, self.unis, self.result = (
            k.address(i) for i in (self.PVALS, self.UNIS, self.RESULT)
        )
        self.width = self.outcomes if self.how == "count" else self.picks
        k.count(k.begin, k.end, self._row)

    def _row(self, row: Value) -> None:
        k, b = self.k, self.k.b
        probabilities = k.at(self.pvals, b.mul(row, self.outcomes), itemsize(self.pvals_dtype))
        result = k.at(self.result, b.mul(row, self.width), itemsize(self.dtype))
        start = b.cast(b.const(0 if self.how == "count" else -1, "int64", 1), self.dtype)
        zero = b.const(0, "int64", 1)
        k.count(zero, self.width, lambda i: store(b, start, self._place(result, i)))

        def pick(number: Value) -> None:
            place = b.add(b.mul(number, self.rows), row)
            uniform = load(b, k.at(self.unis, place, itemsize(self.unis_dtype)), self.unis_dtype, 1)
            uniform = b.cast(uniform, "float64")
            index, total = self._search(probabilities, uniform)
            k.when(
                b.gt(total, uniform),
                lambda: self._take(probabilities, result, number, index, total),
            )

        k.when(b.gt(self.outcomes, 0), lambda: k.count(zero, self.picks, pick))

    def _place(self, result: str, index: Value) -> str:
        return self.k.at(result, index, itemsize(self.dtype))

    def _probability(self, probabilities: str, index: Value) -> tuple[str, Value]:
        at = self.k.at(probabilities, index, itemsize(self.pvals_dtype))
        return at, load(self.k.b, at, self.pvals_dtype, 1)

    def _search(self, probabilities: str, uniform: Value) -> tuple[Value, Value]:
        """Return the first outcome at which the sum exceeds `uniform`, or the last, and the sum."""
        b = self.k.b

        def step(i: Value, total: Value) -> tuple[tuple[Value, ...], Value]:
            i = b.add(i, 1)
            total = b.add(total, b.cast(self._probability(probabilities, i)[1], "float64"))
            more = b.lt(b.add(i, 1), self.outcomes)
            return (i, total), b.bit_and(more, b.bit_xor(b.gt(total, uniform), 1))

        index, total = b.repeat_while_any(
            (b.const(-1, "int64", 1), b.const(0.0, "float64", 1)), step
        )
        return index, total

    def _take(
        self, probabilities: str, result: str, number: Value, index: Value, total: Value
    ) -> None:
        b = self.k.b
        if self.how == "count":
            place = self._place(result, index)
            store(
                b,
                b.add(load(b, place, self.dtype, 1), b.cast(b.const(1, "int64", 1), self.dtype)),
                place,
            )
            return
        store(b, b.cast(index, self.dtype), self._place(result, number))
        if self.how == "choose":
            self._exclude(probabilities, index, total)

    def _exclude(self, probabilities: str, index: Value, total: Value) -> None:
        """Make one probability 0 and divide the others by their sum, added up in their dtype."""
        b = self.k.b
        at, own = self._probability(probabilities, index)
        before = b.cast(b.sub(total, b.cast(own, "float64")), self.pvals_dtype)
        store(b, b.const(0.0, self.pvals_dtype, 1), at)

        def add(i: Value, rest: Value) -> tuple[tuple[Value, ...], Value]:
            following = b.add(i, 1)
            new = b.add(rest, self._probability(probabilities, i)[1])
            return (following, new), b.lt(following, self.outcomes)

        _, rest = b.repeat_while_any((index, before), add)

        def divide(i: Value) -> None:
            place, item = self._probability(probabilities, i)
            store(b, b.true_div(item, rest), place)

        self.k.count(b.const(0, "int64", 1), self.outcomes, divide)


def pack_truncated(k: ListKernel, dtype: str) -> None:
    """Write the kernel of `ops.mrg.PackTruncated`: one step does everything."""
    b = k.b
    length, extra = k.number(0), k.number(1)
    z, factor, radius, out = (k.address(i) for i in range(2, 6))
    size = itemsize(dtype)
    tail = b.sub(length, extra)

    def step(i: Value, moved: Value) -> tuple[tuple[Value, ...], Value]:
        item = load(b, k.at(z, i, size), dtype, 1)
        outside = b.bit_or(b.lt(item, -2.0), b.gt(item, 2.0))
        # No more than there is room for, whatever `extra` says.
        outside = b.bit_and(outside, b.lt(moved, extra))
        inside = b.bit_xor(outside, 1)
        k.when(inside, lambda: store(b, item, k.at(out, b.sub(i, moved), size)))

        def replace() -> None:
            new = b.mul(
                load(b, k.at(radius, moved, size), dtype, 1),
                load(b, k.at(factor, i, size), dtype, 1),
            )
            store(b, new, k.at(out, b.add(tail, moved), size))

        k.when(outside, replace)
        following = b.add(i, 1)
        return (following, b.add(moved, b.cast(outside, "int64"))), b.lt(following, length)

    zero = b.const(0, "int64", 1)
    k.when(b.gt(length, 0), lambda: b.repeat_while_any((zero, zero), step))
