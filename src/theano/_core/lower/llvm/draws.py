"""Loops that draw random numbers under a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.emitter import Value
from theano._core.lower.llvm.items import itemsize
from theano._core.lower.llvm.lane_math import LaneMath
from theano._core.lower.llvm.launch import Call
from theano._core.lower.llvm.libraries import Libraries
from theano._core.ops.philox import ATTEMPTS

# Blocks that a kernel makes at once: two vectors of 512 bits of each word hide the latency of
# products. Which word an item takes does not depend on it.
BLOCKS = 16
WORDS = 4 * BLOCKS


class StreamKernel:
    """A kernel that fills memory from the stream of a key, group by group of `WORDS` words.

    Its arguments are the number of items, the two words of the key and the address. The first loop
    of a group writes words where the items belong, the second one turns them into items; what goes
    beyond the end goes to a buffer.

    Parameters
    ----------
    dtype : str
        Item type; of 4 or 8 bytes.
    transform : callable
        `transform(b, word, dtype)`; see `ops.philox.Source`.
    bits : int
        Width of vectors.
    """

    symbol = "kernel"
    packed = True
    eager = True

    def __init__(self, dtype: str, transform: Callable[..., Value], bits: int) -> None:
        self.dtype = dtype
        self.transform = transform
        self.bits = bits
        self.items = 8 * WORDS // itemsize(dtype)

    @property
    def text(self) -> str:
        """The LLVM module."""
        b = Builder(BLOCKS, self.bits)
        total, key0, key1, out = (self._argument(b, i) for i in range(4))
        start = b.block
        b.perform("br label %group")
        b.label("group")
        group = b.emit(f"phi i64 [%begin, %{start}], [%group.next, %written]")
        b.perform(f"%group.more = icmp slt i64 {group}, %end")
        b.perform("br i1 %group.more, label %make, label %exit")
        b.label("make")
        first = b.emit(f"mul i64 {group}, {self.items}")
        left = b.emit(f"sub i64 {total}, {first}")
        whole = b.emit(f"icmp sge i64 {left}, {self.items}")
        address = b.emit(f"inttoptr i64 {out} to ptr")
        offset = b.emit(f"mul i64 {first}, {itemsize(self.dtype)}")
        place = b.emit(f"getelementptr i8, ptr {address}, i64 {offset}")
        target = b.emit(f"select i1 {whole}, ptr {place}, ptr %buffer")
        self._write_words(b, group, (key0, key1), target)
        self._write_items(b, target)
        b.perform(f"br i1 {whole}, label %written, label %partly")
        b.label("partly")
        nbytes = b.emit(f"mul i64 {left}, {itemsize(self.dtype)}")
        b.perform(
            f"call void @llvm.memcpy.p0.p0.i64(ptr {place}, ptr %buffer, i64 {nbytes}, i1 false)"
        )
        b.perform("br label %written")
        b.label("written")
        b.perform(f"%group.next = add nsw i64 {group}, 1")
        b.perform("br label %group")
        b.label("exit")
        lines = [
            "define void @kernel(ptr noalias %args, i64 %begin, i64 %end) nounwind {",
            "entry:",
            f"  %buffer = alloca [{8 * WORDS} x i8], align 64",
            *b.lines,
            "  ret void",
            "}",
            *b.helpers.values(),
            *sorted(b.declarations),
            "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
        ]
        return "\n".join(lines) + "\n"

    def _argument(self, b: Builder, index: int) -> str:
        at = b.emit(f"getelementptr i64, ptr %args, i64 {index}")
        return b.emit(f"load i64, ptr {at}, align 8")

    def _write_words(self, b: Builder, group: str, key: Sequence[str], target: str) -> None:
        """Write the words of a group in the order of the stream."""
        zero = b.const(0, "uint64")
        numbers = ", ".join(f"i64 {i + 1}" for i in range(BLOCKS))
        first = b.broadcast(Value(b.emit(f"mul i64 {group}, {BLOCKS}"), "uint64", 1))
        blocks = b.add(first, Value(f"<{numbers}>", "uint64", BLOCKS))
        keys = tuple(b.broadcast(Value(word, "uint64", 1)) for word in key)
        c0, c1, c2, c3 = b.philox((blocks, zero, zero, zero), keys)
        b.store(_alternating(b, _alternating(b, c0, c2), _alternating(b, c1, c3)), target)

    def _write_items(self, b: Builder, target: str) -> None:
        """Turn each word into an item, in place."""
        kind, lanes, size = f"uint{8 * itemsize(self.dtype)}", b.lanes, itemsize(self.dtype)
        if kind == self.dtype:
            return
        before = b.block
        b.perform("br label %items")
        b.label("items")
        at = b.emit(f"phi i64 [0, %{before}], [%items.next, %items.end]")
        pointer = b.emit(f"getelementptr i8, ptr {target}, i64 {at}")
        b.store(self.transform(b, b.load(pointer, kind, lanes), self.dtype), pointer)
        b.perform("br label %items.end")
        b.label("items.end")
        b.perform(f"%items.next = add nuw nsw i64 {at}, {lanes * size}")
        b.perform(f"%items.more = icmp ult i64 %items.next, {8 * WORDS}")
        b.perform("br i1 %items.more, label %items, label %items.done")
        b.label("items.done")


def _alternating(b: Builder, x: Value, y: Value) -> Value:
    """Lanes of two vectors in turn."""
    order = [lane for i in range(x.lanes) for lane in (i, x.lanes + i)]
    return b.shuffle(x, y, order)


class Draws(Libraries):
    """The part of a program that draws random numbers under a key."""

    def key_words(self, node: Apply, key: Array) -> list[Size]:
        """Return the two words of a key, as int64."""
        self.check_equal(node, key.lengths[0], 2, "random_key", (key.lengths[0],))
        return self.integers(key, 2)

    def result_array(self, node: Apply) -> Array:
        """Return memory for the result of a node, after checking its lengths."""
        variable = node.outputs[0]
        lengths = [self.size(n) for n in self.rewriter.lengths(variable)]
        for length in lengths:
            if not isinstance(length, int) or length < 0:
                self.check(
                    node, self.b.emit(f"icmp sge i64 {length}, 0"), "negative_length", (length,)
                )
        return self.new_array(variable.type.dtype, lengths)

    def draw_stream(self, node: Apply, key: Array, transform: Callable[..., Value]) -> Array:
        """Return an array filled from the stream of a key."""
        words = self.key_words(node, key)
        out = self.result_array(node)
        kernel = StreamKernel(out.dtype, transform, self.vector_bits)
        total = self.product(out.lengths)
        groups = self.plus(total, kernel.items - 1)
        if isinstance(groups, int):
            count: Size = groups // kernel.items
        else:
            count = self.b.emit(f"sdiv i64 {groups}, {kernel.items}")
        number = self._register_kernel(kernel)
        call = Call(kernel, number, [], [total, *words], count, total, False)
        self._call(call, [], [out], [], [])
        return out

    def derive_keys(self, node: Apply, key: Array, data: Array, domain: int) -> Array:
        """Return new keys, one for each item of `data`, along a new last axis."""
        words = [self.scalar(word) for word in self.key_words(node, key)]
        out = self.result_array(node)
        everywhere = frozenset(range(out.ndim))
        stretched = data.stretched | {out.ndim - 1}
        wide = self.permute(data, [*range(data.ndim), "x"])

        def body(b: Any, index: Any, item: Value, *key: Value) -> Value:
            zero = b.const(0, "uint64", 1)
            counter = (item, zero, zero, b.const(domain, "uint64", 1))
            pair = b.philox(counter, tuple(b.cast(word, "uint64") for word in key))
            return b.select(b.eq(index(out.ndim - 1), 0), pair[0], pair[1])

        operands = [(wide, stretched), *((word, everywhere) for word in words)]
        self.simple_loop(out, out.lengths, operands, body, indexed=True, lanes=1)
        return out

    def draw_by_rejection(
        self, node: Apply, key: Array, parameters: Sequence[Array], draw: Callable[..., Any]
    ) -> Array:
        """Return an array drawn by a sampler of `ops/rejection.py`."""
        words = [self.scalar(word) for word in self.key_words(node, key)]
        out = self.result_array(node)
        patterns = [v.type.broadcastable for v in node.inputs[len(node.inputs) - len(parameters) :]]
        for number, (array, pattern) in enumerate(zip(parameters, patterns, strict=True)):
            for axis, one in enumerate(pattern):
                if not one:
                    have, want = array.lengths[axis], out.lengths[axis]
                    self.check_equal(
                        node, have, want, "parameter_length", (number, axis, have, want)
                    )
        lengths: list[Size] = list(out.lengths)
        target, arrays = out, list(parameters)
        if all(all(pattern) for pattern in patterns):
            # No parameter moves: one long axis.
            lengths = [self.product(lengths)]
            target = Array(out.dtype, tuple(lengths), self.pointer(out))
            arrays = [
                self.permute(array, ["x"])
                if array.ndim == 0
                else Array(array.dtype, (1,), self.pointer(array))
                for array in parameters
            ]
            patterns = [(True,)] * len(parameters)
        scalars = [*words, *(self.scalar(n) for n in lengths)]
        everywhere = frozenset(range(len(lengths)))
        operands = [(scalar, everywhere) for scalar in scalars]
        for array, pattern in zip(arrays, patterns, strict=True):
            one = frozenset(axis for axis, single in enumerate(pattern) if single)
            operands.append((array, array.stretched | one))

        def body(b: Any, index: Any, *values: Value) -> Value:
            known, moving = values[: len(scalars)], values[len(scalars) :]
            pair = tuple(b.cast(word, "uint64") for word in known[:2])
            position = b.const(0, "int64")
            for axis, length in enumerate(known[2:]):
                position = b.add(b.mul(position, length), index(axis))
            m = LaneMath(b)
            numbers = _attempts(b, position, pair, m)
            return b.cast(draw(m, numbers, *map(m.of, moving)).value, out.dtype)

        self.simple_loop(target, lengths, operands, body, indexed=True)
        return out


def _attempts(b: Any, position: Value, key: tuple[Value, ...], m: LaneMath) -> Callable[..., Any]:
    """Return the function that gives the words of an attempt at the positions of a vector."""

    def words(number: Any) -> tuple[Any, ...]:
        if isinstance(number, int):
            attempt = b.const(number, "uint64")
        else:
            attempt = b.broadcast(number.value)
        zero, domain = b.const(0, "uint64"), b.const(ATTEMPTS, "uint64")
        counter = (attempt, b.cast(position, "uint64"), zero, domain)
        return tuple(m.of(word) for word in b.philox(counter, key))

    return words
