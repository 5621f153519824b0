"""The kernel that fills memory from the stream of a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.kernels.items import itemsize
from theano._core.lower.llvm.target.codegen import widest_vectors
from theano._core.lower.llvm.text.emitter import Value
from theano._core.ops.random.philox import STREAM, WORDS

# Words of 64 bits that a kernel makes at once: two or four vectors of 512 bits of each word of a
# block hide the latency of products. Which word an item takes does not depend on it.
GROUP = 64
# Rough number of instructions for a random word.
WEIGHT = 64


class StreamKernel:
    """A kernel that fills memory from the stream of a key, group by group of `GROUP` words.

    Its arguments are the number of items, the two words of the key and the address. The first loop
    of a group writes words where the items belong, the second one turns them into items; what goes
    beyond the end goes to a buffer.

    Parameters
    ----------
    kind : str
        Dtype of the key.
    dtype : str
        Item type; of 4 or 8 bytes.
    transform : callable
        `transform(b, word, dtype)`; see `ops.philox.Source`.
    bits : int
        Width of vectors.
    """

    symbol = "kernel"
    key = None
    layout = "packed"
    weight = WEIGHT
    unit = 1
    eager = True

    def __init__(self, kind: str, dtype: str, transform: Callable[..., Value], bits: int) -> None:
        self.kind = kind
        self.dtype = dtype
        self.transform = transform
        self.bits = bits
        self.blocks = GROUP // WORDS[kind]
        self.items = 8 * GROUP // itemsize(dtype)

    @property
    def text(self) -> str:
        """The LLVM module."""
        b = Builder(self.blocks, self.bits)
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
            f"  %buffer = alloca [{8 * GROUP} x i8], align 64",
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
        first = Value(b.emit(f"mul i64 {group}, {self.blocks}"), "uint64", 1)
        pair = tuple(Value(word, "uint64", 1) for word in key)
        # Half as wide, vectors need more instructions for products of 64 bits than scalars do.
        if self.kind == "uint32" or (self.bits or widest_vectors()) >= 512:
            self._write_blocks_at_once(b, first, pair, target)
        else:
            self._write_blocks_in_turn(b, first, pair, target)

    def _write_blocks_at_once(
        self, b: Builder, first: Value, key: tuple[Value, ...], target: str
    ) -> None:
        numbers = ", ".join(f"i64 {i + 1}" for i in range(self.blocks))
        blocks = b.add(b.broadcast(first), Value(f"<{numbers}>", "uint64", self.blocks))
        words = b.random_words(self.kind, key, blocks, b.const(0, "uint64", 1), STREAM)
        if len(words) == 4:
            c0, c1, c2, c3 = words
            words = _alternating(b, c0, c2), _alternating(b, c1, c3)
        b.store(_alternating(b, *words), target)

    def _write_blocks_in_turn(
        self, b: Builder, first: Value, key: tuple[Value, ...], target: str
    ) -> None:
        before = b.block
        b.perform("br label %blocks")
        b.label("blocks")
        number = b.emit(f"phi i64 [0, %{before}], [%blocks.next, %blocks]")
        b.perform(f"%blocks.next = add nuw nsw i64 {number}, 1")
        block = b.add(first, Value("%blocks.next", "uint64", 1))
        place = b.emit(f"getelementptr [4 x i64], ptr {target}, i64 {number}")
        words = b.random_words(self.kind, key, block, b.const(0, "uint64", 1), STREAM)
        for i, word in enumerate(words):
            b.store(word, b.emit(f"getelementptr i64, ptr {place}, i64 {i}"))
        b.perform(f"%blocks.more = icmp ult i64 %blocks.next, {self.blocks}")
        b.perform("br i1 %blocks.more, label %blocks, label %blocks.done")
        b.label("blocks.done")

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
        b.perform(f"%items.more = icmp ult i64 %items.next, {8 * GROUP}")
        b.perform("br i1 %items.more, label %items, label %items.done")
        b.label("items.done")


def _alternating(b: Builder, x: Value, y: Value) -> Value:
    """Lanes of two vectors in turn."""
    order = [lane for i in range(x.lanes) for lane in (i, x.lanes + i)]
    return b.shuffle(x, y, order)
