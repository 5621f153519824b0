"""Loops of a program: their operands and results, their layouts, and the calls of their kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from theano._core.ir.variable import Apply, Constant
from theano._core.lower.arrays import Array, Buffer, Size
from theano._core.lower.faults import EXTREMES
from theano._core.lower.llvm.bodies import group_body
from theano._core.lower.llvm.calls import Call, Combine, Kernel
from theano._core.lower.llvm.entry import Entry
from theano._core.lower.llvm.items import itemsize
from theano._core.lower.llvm.kernel import choose_lanes, range_axis
from theano._core.lower.loops import FOLD_BLOCK, Fold, Loop, collapse
from theano._core.lower.schedule import Step, weight_of
from theano._core.ops.op import Elementwise
from theano._core.ops.reductions import STARTS, Reduction

# Rough number of instructions that a point of a loop takes besides those of its body.
POINT = 7
# Points of which a loop is certainly not shared with other threads.
FEW = 64
# Rows of at most SHORT items are folded several at a time if they fill half a vector.
SHORT = 12


# A fold of fewer rows is certainly not cut into blocks (runtime/table.cpp).
LEAST_ROWS = 1024


class InBlocks(NamedTuple):
    """A fold in blocks: its call, whether it is wanted (an i1), of how many rows, so many each."""

    call: Call
    wanted: str
    rows: Size
    block: str


class Launcher(Entry):
    """The part of a program that writes loops."""

    def prepare_loop(self, step: Step) -> Callable[[], None]:
        """Write the checks and the memory of a fused step; return what writes its call."""
        nodes = sorted(step.nodes, key=lambda n: self.number_of[n])
        own = set(nodes)
        operands: dict[Any, None] = {}
        for node in nodes:
            if isinstance(node.op, Elementwise):
                self.check_operands(node)
            for variable in node.inputs:
                if variable.owner not in own and not _is_number(variable):
                    operands.setdefault(variable)
        example = nodes[0]
        shaped = example.outputs[0] if isinstance(example.op, Elementwise) else example.inputs[0]
        lengths = [self._loop_length(n) for n in self.rewriter.lengths(shaped)]
        stored = [
            n.outputs[0] for n in nodes if isinstance(n.op, Elementwise) and self._leaves(n, own)
        ]
        folded = [n for n in nodes if not isinstance(n.op, Elementwise)]
        reduced = tuple(folded[0].op.axes(len(lengths))) if folded else ()
        for node in folded:
            if node.op.fold.identity is None:
                self._check_not_empty(node, lengths, reduced)
        arrays = [self.value(v) for v in operands]
        self.node = example
        loop = Loop(
            len(lengths),
            tuple((v.type.dtype, _stretched(v, a)) for v, a in zip(operands, arrays, strict=True)),
            tuple(v.type.dtype for v in stored),
            tuple(self.fold_of(n) for n in folded),
            reduced,
            group_body(nodes, list(operands), stored, folded),
            sum(weight_of(n) for n in nodes),
        )
        outs = [self._store_array(v, lengths, operands, step) for v in stored]
        kept = [n for axis, n in enumerate(lengths) if axis not in reduced]
        fold_outs = [
            self._fold_array(f, kept, n.outputs[0]) for f, n in zip(loop.folds, folded, strict=True)
        ]
        run = self.prepare_run(loop, lengths, arrays, outs, fold_outs)
        for variable, array in zip(stored, outs, strict=True):
            self._define(variable, array)
        for node, array in zip(folded, fold_outs, strict=True):
            self._define(node.outputs[0], array)
        return run

    def _loop_length(self, length: Any) -> Size:
        """Return a length as a size: a number if an equal one is known."""
        # Any other length that is equal may belong to a value that does not exist yet.
        known = self.lengths.find(length)
        return known if isinstance(known, int) else self.size(length)

    def _leaves(self, node: Apply, own: set[Apply]) -> bool:
        """Tell whether something outside a group needs the output of one of its nodes."""
        return self.uses.get(node.outputs[0], 0) > 0

    def _check_not_empty(
        self, node: Apply, lengths: Sequence[Size], reduced: Sequence[int]
    ) -> None:
        folded = self.product([lengths[a] for a in reduced])
        self.check_least(node, folded, 1, "empty_fold", (EXTREMES.index(node.op.kind),))

    def _store_array(
        self, variable: Any, lengths: Sequence[Size], operands: Any, step: Step
    ) -> Array:
        """Return memory for a result: that of a shared variable, of a dying operand, or new."""
        target = self.in_place.get(variable)
        if target is not None:
            return self.overwritten(variable.type.dtype, lengths, target)
        if variable in self.places:
            return self.placed(variable, lengths)
        for operand in operands:
            array: Any = self.values.get(operand)
            buffer = getattr(array, "buffer", None)
            if (
                buffer is not None
                and buffer.users == 1
                and not buffer.kept
                and self.uses.get(operand) == 1
                and array.contiguous is True
                and not array.stretched
                and array.data == buffer.start
                and itemsize(array.dtype) == itemsize(variable.type.dtype)
                and operand.type.broadcastable == variable.type.broadcastable
                and operand not in self.taken
            ):
                self.taken.add(operand)
                return Array(variable.type.dtype, tuple(lengths), array.data, buffer=buffer)
        return self.new_array(variable.type.dtype, lengths)

    def overwritten(self, dtype: str, lengths: Sequence[Size], target: Any) -> Array:
        """Return the memory of an input if it may be overwritten, else new memory.

        The choice is made at run time: the input may be read-only, or not contiguous, or have
        other lengths than its new value.
        """
        b = self.b
        array = self.values[target]
        slot = self.reserve(1)
        self.buffer_slots.append(slot)
        flags = self.frame_load(array.descriptor + 1)
        bit = b.emit(f"and i64 {flags}, 2")
        allowed = b.emit(f"icmp ne i64 {bit}, 0")
        for own, new in zip(array.lengths, lengths, strict=True):
            if own != new:
                same = b.emit(f"icmp eq i64 {own}, {new}")
                allowed = b.emit(f"and i1 {allowed}, {same}")
        fresh, join = b.fresh_label("fresh"), b.fresh_label("memory")
        before = b.block
        b.perform(f"br i1 {allowed}, label %{join}, label %{fresh}")
        b.label(fresh)
        data = self.allocated(dtype, lengths, slot)
        end = b.block
        b.perform(f"br label %{join}")
        b.label(join)
        chosen = b.emit(f"phi ptr [{array.data}, %{before}], [{data}, %{end}]")
        return Array(dtype, tuple(lengths), chosen, buffer=Buffer(slot, chosen, kept=True))

    def placed(self, variable: Any, lengths: Sequence[Size]) -> Array:
        """Return the row of a state of a loop that `variable` is to be written to."""
        address, own, check = self.places[variable]
        for axis, (wanted, got) in enumerate(zip(own, lengths, strict=True)):
            check(axis, wanted, got)
        return Array(variable.type.dtype, tuple(own), address)

    def _fold_array(self, fold: Fold, kept: Sequence[Size], variable: Any = None) -> Array:
        if variable in self.places:
            return self.placed(variable, kept)
        if not kept:
            return Array(fold.out_dtype, (), self.stack(max(8, itemsize(fold.out_dtype))))
        return self.new_array(fold.out_dtype, kept)

    def prepare_run(
        self,
        loop: Loop,
        lengths: Sequence[Size],
        arrays: Sequence[Array],
        outs: Sequence[Array],
        fold_outs: Sequence[Array],
        indexed: bool = False,
        sequential: bool = False,
        lanes: int = 0,
    ) -> Callable[[], None]:
        """Write what may fail of a loop; return what writes its call.

        Parameters
        ----------
        indexed : bool
            The body uses positions: axes are not collapsed.
        sequential : bool
            Points must run in order, in one thread.
        lanes : int
            Items of a vector; 0: chosen from the dtypes.
        """
        every = [*arrays, *outs, *fold_outs]
        flag = self._all_contiguous(every)
        names = ["packed", "strided"]
        if flag is False and not indexed:
            moving = [s for _, s in loop.operands] + [frozenset()] * (len(every) - len(arrays))
            flag = self._all_side_by_side(loop.rank, lengths, every, moving)
            names[0] = "rows"
        chosen_freely = not (indexed or sequential or lanes)
        lanes = lanes or choose_lanes(loop, self.vector_bits)
        memories = (*arrays, *outs, *fold_outs)
        list(map(self.pointer, memories))
        total = self._points(loop, lengths, bool(outs))
        calls = [
            self._prepare_call(kernel, lengths, total, sequential)
            for kernel in self._layouts(loop, lengths, flag, names, lanes, indexed)
        ]
        if isinstance(flag, str):
            self._ready_variant(flag, calls[1], unless=True)
        narrow = {c: self._many_short_rows(c, lengths, flag, chosen_freely) for c in calls}
        blocks = {c: self._blocks_of_rows(c, lengths, flag) for c in calls}
        if any(narrow.values()) or flag is not True or names[0] == "rows":
            # Known before the branches in which they are needed.
            list(map(self.strides, memories))
        partials = self._partials(calls) if calls[0].combine >= 0 else []

        def call(chosen: Call) -> Callable[[], None]:
            return lambda: self._call(chosen, arrays, outs, fold_outs, partials)

        def best(chosen: Call) -> Callable[[], None]:
            ways = [(wanted, call(other)) for wanted, other in narrow[chosen]]
            for split in blocks[chosen]:
                ways.append((split.wanted, self._call_in_blocks(split, arrays, outs, fold_outs)))
            return self._first(ways, call(chosen))

        packed = best(calls[0])
        chosen = self._either(flag, packed, best(calls[1])) if isinstance(flag, str) else packed

        def run() -> None:
            chosen()
            for array in partials:
                self.release(array)

        return run

    def _first(
        self, ways: Sequence[tuple[str, Callable[[], None]]], usual: Callable[[], None]
    ) -> Callable[[], None]:
        """Return what writes the last way whose condition holds at run time, or the usual one."""
        for wanted, way in ways:
            usual = self._either(wanted, way, usual)
        return usual

    def _points(self, loop: Loop, lengths: Sequence[Size], stores: bool) -> Size:
        """Return how many points a loop has, after checking that they can be walked through."""
        total = self.product(lengths)
        if loop.rank > 1 and not stores and all(stretched for _, stretched in loop.operands):
            # Nothing is there for every point, whose size would have been looked at.
            self.check_size(self.node, self.multiply(total, 8), "too_large", lengths)
        return total

    def _many_short_rows(
        self, call: Call, lengths: Sequence[Size], flag: bool | str, freely: bool
    ) -> list[tuple[str, Call]]:
        """Return (whether rows are short and many, the call for such) of a kernel, if they may be.

        Vectors then run over the rows. That is for folds of packed rows, whose items are folded one
        after the other, and for stores of what lies apart.
        """
        loop, layout, packed = call.kernel.loop, call.layout, call.kernel.layout == "packed"
        if not freely or len(layout) < 2 or layout[-2][0] in loop.reduced:
            return []
        if packed and (loop.stores or layout[-1][0] not in loop.reduced):
            return []
        if not packed and (loop.folds or call.kernel.layout == "rows"):
            return []
        rows, length = call.extents[-2:]
        lanes = choose_lanes(loop, self.vector_bits, False)
        limit = SHORT if loop.folds else lanes - 1
        if isinstance(length, int) and length > limit:
            return []
        if isinstance(rows, int) and rows < lanes // 2:
            return []
        groups = [*layout[:-2], layout[-1], layout[-2]]
        kernel = Kernel(loop, groups, "strided", lanes, self.vector_bits, False)
        across = self._prepare_call(kernel, lengths, call.total, call.sequential)
        b = self.b
        short = b.emit(f"icmp sle i64 {length}, {limit}")
        many = b.emit(f"icmp sge i64 {rows}, {lanes // 2}")
        short = b.emit(f"and i1 {short}, {many}")
        if isinstance(flag, str):
            held = flag if packed else b.emit(f"xor i1 {flag}, true")
            short = b.emit(f"and i1 {short}, {held}")
        self._ready_variant(short, across)
        return [(short, across)]

    def _blocks_of_rows(
        self, call: Call, lengths: Sequence[Size], flag: bool | str
    ) -> list[InBlocks]:
        """Return how a fold is done in blocks of rows, if its range may have too few items.

        That is for many rows and much work, which the runtime decides.
        """
        loop, layout, total = call.kernel.loop, call.layout, call.total
        if not loop.folds or call.combine >= 0 or call.sequential:
            return []
        folded = [i for i, group in enumerate(layout) if group and group[0] in loop.reduced]
        if not folded:
            return []
        rows = call.extents[folded[0]]
        if isinstance(rows, int) and rows < LEAST_ROWS:
            return []
        b, function = self.b, self.runtime("block_rows")
        sizes = f"i64 {rows}, i64 {call.count}, i64 {call.unit}, i64 {total}"
        block = b.emit(f"call i64 {function}({sizes})")
        wanted = b.emit(f"icmp ne i64 {block}, 0")
        lanes, bits = call.kernel.lanes, self.vector_bits
        kernel = Kernel(loop, layout, call.kernel.layout, lanes, bits, False, folded[0])
        second = Kernel(_fold_of_partials(loop), [[0], [1]], "packed", lanes, bits, False)
        split = Call(kernel, self._register_kernel(kernel), layout, call.extents, 0, total, False)
        split.combine = self._register_kernel(second)
        held = wanted
        if isinstance(flag, str):
            own = flag if call.kernel.layout == "packed" else b.emit(f"xor i1 {flag}, true")
            held = b.emit(f"and i1 {wanted}, {own}")
        self._ready_variant(held, split)
        return [InBlocks(split, wanted, rows, block)]

    def _call_in_blocks(
        self,
        split: InBlocks,
        arrays: Sequence[Array],
        outs: Sequence[Array],
        fold_outs: Sequence[Array],
    ) -> Callable[[], None]:
        """Return what writes a fold in blocks, and the fold of their results."""

        def write() -> None:
            call, b = split.call, self.b
            loop = call.kernel.loop
            up = self.plus(split.rows, b.emit(f"sub i64 {split.block}, 1"))
            call.count = b.emit(f"sdiv i64 {up}, {split.block}")
            kept = self.product(
                [
                    n
                    for n, axes in zip(call.extents, call.layout, strict=True)
                    if axes[0] not in loop.reduced
                ]
            )
            partials = [self.new_array(f.dtype, (call.count, kept)) for f in loop.folds]
            block = self._pass(call, arrays, outs, partials, [split.block])
            self._dispatch(self._kernel(call.number), block, call)
            second = [call.count, kept, *(a.data for a in (*partials, *fold_outs))]
            total = self.multiply(call.count, kept)
            self.call_function(self._kernel(call.combine), second, 2, kept, total)
            for array in partials:
                array.buffer.users += 1  # type: ignore[union-attr]
                self.release(array)

        return write

    def _layouts(
        self,
        loop: Loop,
        lengths: Sequence[Size],
        flag: bool | str,
        names: Sequence[str],
        lanes: int,
        indexed: bool,
    ) -> list[Kernel]:
        """Return the kernels of two layouts of a loop, as far as `flag` leaves them open."""
        single = frozenset(i for i, n in enumerate(lengths) if isinstance(n, int) and n == 1)
        apart = [[axis] for axis in range(loop.rank) if axis not in single]
        together = apart if indexed or names[0] == "rows" else collapse(loop, single)
        kernels = []
        if flag is not False:
            kernels.append(Kernel(loop, together, names[0], lanes, self.vector_bits, True))
        if flag is not True:
            kernels.append(Kernel(loop, apart, names[1], lanes, self.vector_bits, flag is False))
        return kernels

    def _either(
        self, flag: str, one: Callable[[], None], two: Callable[[], None]
    ) -> Callable[[], None]:
        """Return what writes `one` for where `flag` holds at run time, and `two` for elsewhere."""

        def write() -> None:
            b = self.b
            labels = [b.fresh_label(n) for n in ("one", "two")]
            join = b.fresh_label("called")
            b.perform(f"br i1 {flag}, label %{labels[0]}, label %{labels[1]}")
            for label, branch in zip(labels, (one, two), strict=True):
                b.label(label)
                branch()
                b.perform(f"br label %{join}")
            b.label(join)

        return write

    def _all_contiguous(self, arrays: Sequence[Array]) -> bool | str:
        flags = {a.contiguous for a in arrays}
        if False in flags:
            return False
        names = [f for f in flags if f is not True]
        result: bool | str = True
        for name in sorted(str(n) for n in names):
            result = name if result is True else self.b.emit(f"and i1 {result}, {name}")
        return result

    def _all_side_by_side(
        self,
        rank: int,
        lengths: Sequence[Size],
        arrays: Sequence[Array],
        stretched: Sequence[frozenset[int]],
    ) -> bool | str:
        """Tell whether the items of each array lie side by side along the last axis of a loop."""
        # Axes of length 1 are not walked.
        last = max((i for i, n in enumerate(lengths) if n != 1), default=-1)
        result = None
        if last < 0:
            return False
        for array, unmoved in zip(arrays, stretched, strict=True):
            # Folds have an axis less; what does not move along the last axis has no say.
            if array.contiguous is True or array.ndim != rank or last in unmoved:
                continue
            step, wanted = self.strides(array)[last], itemsize(array.dtype)
            if isinstance(step, int):
                if step != wanted:
                    return False
                continue
            same = self.sized(f"icmp eq i64 {step}, {wanted}", step)
            result = same if result is None else self.b.emit(f"and i1 {result}, {same}")
        return True if result is None else result

    def _prepare_call(
        self, kernel: Kernel, lengths: Sequence[Size], total: Size, sequential: bool
    ) -> Call:
        layout = kernel.groups
        extents = self._extents(kernel.loop, layout, lengths, total)
        axis, blocks, partial = range_axis(kernel.loop, layout)
        count = extents[axis]
        if blocks:
            up = self.plus(count, FOLD_BLOCK - 1)
            count = (
                up // FOLD_BLOCK
                if isinstance(up, int)
                else self.sized(f"sdiv i64 {up}, {FOLD_BLOCK}", up)
            )
        number = self._register_kernel(kernel)
        call = Call(kernel, number, layout, extents, count, total, sequential)
        if partial:
            call.combine = self._register_kernel(Combine(kernel))
        return call

    def _extents(
        self, loop: Loop, layout: Sequence[Sequence[int]], lengths: Sequence[Size], total: Size
    ) -> list[Size]:
        """Return how far the loops of a kernel go: nowhere if one of them does nothing.

        Else they might take ages over nothing.
        """
        extents = [self.product([lengths[a] for a in axes]) for axes in layout] or [1]
        reduced = [bool(loop.folds) and axes[0] in loop.reduced for axes in layout]
        kept = self.product([n for n, folded in zip(extents, reduced, strict=False) if not folded])
        for folded, every in ((True, total), (False, kept if loop.folds else total)):
            places = [i for i, one in enumerate(reduced) if one is folded]
            if len(layout) < 2 or (len(places) == 1 and not folded):
                continue
            for i in places:
                extents[i] = self.unless_zero(every, extents[i])
        return extents

    def call_list(
        self, kernel: Any, words: Sequence[Size], numbers: int, count: Size, total: Size
    ) -> None:
        """Call a kernel over `count` steps of `total` work; the first `numbers` words are int64."""
        number = self._register_kernel(kernel)
        self.call_function(self._kernel(number), words, numbers, count, total)

    def call_function(
        self, function: str, words: Sequence[Size], numbers: int, count: Size, total: Size
    ) -> None:
        """Call a kernel at an address; see `call_list`."""
        block = self._arguments(words, ["i64" if i < numbers else "ptr" for i in range(len(words))])
        self._share(function, block, count, total, POINT + 1, 1)

    def _kernel(self, number: int) -> str:
        """Return the address of a kernel."""
        at = self.b.emit(f"getelementptr ptr, ptr %kernels, i64 {number}")
        return self.b.emit(f"load ptr, ptr {at}, align 8")

    def _register_kernel(self, kernel: Any) -> int:
        self.kernels.append(kernel)
        return len(self.kernels) - 1

    def _ready_variant(self, flag: str, call: Call, unless: bool = False) -> None:
        """Have a kernel compiled before its call where `flag` holds, or `unless` it does."""
        b = self.b
        need, done = b.fresh_label("need"), b.fresh_label("ready")
        variant = self.runtime("variant")
        ways = (done, need) if unless else (need, done)
        b.perform(f"br i1 {flag}, label %{ways[0]}, label %{ways[1]}")
        b.label(need)
        for number in (call.number, call.combine):
            if number < 0:
                continue
            at = b.emit(f"getelementptr ptr, ptr %kernels, i64 {number}")
            found = b.emit(f"load ptr, ptr {at}, align 8")
            missing = b.emit(f"icmp eq ptr {found}, null")
            make, made = b.fresh_label("make"), b.fresh_label("made")
            b.perform(f"br i1 {missing}, label %{make}, label %{made}")
            b.label(make)
            got = b.emit(f"call ptr {variant}(ptr %call, i64 {number})")
            self.or_fail(b.emit(f"icmp ne ptr {got}, null"))
            b.perform(f"br label %{made}")
            b.label(made)
        b.perform(f"br label %{done}")
        b.label(done)

    def _call(
        self,
        call: Call,
        arrays: Sequence[Array],
        outs: Sequence[Array],
        fold_outs: Sequence[Array],
        partials: Sequence[Array],
    ) -> None:
        b = self.b
        results: Sequence[Array] = fold_outs
        if call.combine >= 0:
            results = [*self._unless_single(call, partials, fold_outs), *fold_outs]
        block = self._pass(call, arrays, outs, results)
        self._dispatch(self._kernel(call.number), block, call)
        if call.combine >= 0:
            more, done = b.fresh_label("combine"), b.fresh_label("combined")
            several = "true"
            if _results_as_carried(call.kernel.loop):
                several = self.sized(f"icmp ne i64 {call.count}, 1", call.count)
            b.perform(f"br i1 {several}, label %{more}, label %{done}")
            b.label(more)
            function = self._kernel(call.combine)
            b.perform(f"call void {function}(ptr {block}, i64 0, i64 {call.count})")
            b.perform(f"br label %{done}")
            b.label(done)

    def _pass(
        self,
        call: Call,
        arrays: Sequence[Array],
        outs: Sequence[Array],
        results: Sequence[Array],
        last: Sequence[Size] = (),
    ) -> str:
        """Write the arguments of a kernel, `last` at their end; return their address."""
        words: list[Size] = [*call.extents, *(a.data for a in (*arrays, *outs, *results))]
        kinds = ["i64"] * len(call.extents) + ["ptr"] * (len(words) - len(call.extents))
        strides: list[Size] = []
        if call.kernel.layout != "packed":
            strides = self._stride_words(call, arrays, outs, results)
        words += [*strides, *last]
        return self._arguments(words, kinds + ["i64"] * (len(strides) + len(last)))

    def _unless_single(
        self, call: Call, partials: Sequence[Array], fold_outs: Sequence[Array]
    ) -> list[Array]:
        """Return where partial results go: a single one is the result."""
        if not _results_as_carried(call.kernel.loop):
            return list(partials)
        chosen = []
        single = self.sized(f"icmp eq i64 {call.count}, 1", call.count)
        for partial, out in zip(partials, fold_outs, strict=True):
            data = self.sized(
                f"select i1 {single}, ptr {out.data}, ptr {partial.data}", out.data, partial.data
            )
            chosen.append(replace(partial, data=data))
        return chosen

    def _arguments(self, words: Sequence[Size], kinds: Sequence[str]) -> str:
        """Write the arguments of a kernel and return their address.

        In a loop over steps, those that stay the same are written once, before the loop.
        """
        region = self.region

        def write(i: int) -> None:
            at = self.b.emit(f"getelementptr i64, ptr {block}, i64 {i}")
            self.b.perform(f"store {kinds[i]} {words[i]}, ptr {at}, align 8")

        if region is None:
            block = "%block"
            self._block_words = max(self._block_words, len(words))
        else:
            block = self.stack(8 * len(words))
        for i, word in enumerate(words):
            if region is not None and region.fixed(word):
                region.before(self, lambda i=i: write(i))
            else:
                write(i)
        return block

    def _partials(self, calls: Sequence[Call]) -> list[Array]:
        """Allocate memory for partial results, one per step of the range."""
        b = self.b
        b.declarations["declare i64 @llvm.smax.i64(i64, i64)"] = None
        count: Size = 1
        for call in calls:
            if isinstance(call.count, int) and isinstance(count, int):
                count = max(count, call.count)
            else:
                text = f"call i64 @llvm.smax.i64(i64 {count}, i64 {call.count})"
                count = self.sized(text, count, call.count)
        result = []
        for fold in calls[0].kernel.loop.folds:
            array = self.new_array(fold.dtype, (count,))
            array.buffer.users += 1  # type: ignore[union-attr]
            result.append(array)
        return result

    def _stride_words(
        self,
        call: Call,
        arrays: Sequence[Array],
        outs: Sequence[Array],
        fold_outs: Sequence[Array],
    ) -> list[Size]:
        loop = call.kernel.loop
        words: list[Size] = []
        for (_, stretched), array in zip(loop.operands, arrays, strict=True):
            steps = self.strides(array)
            words += [steps[axes[-1]] for axes in call.layout if axes[0] not in stretched]
        for array in outs:
            steps = self.strides(array)
            words += [steps[axes[-1]] for axes in call.layout]
        if call.combine < 0:
            for array in fold_outs:
                steps = self.strides(array)
                kept = [a for a in range(loop.rank) if a not in loop.reduced]
                words += [
                    steps[kept.index(axes[-1])]
                    for axes in call.layout
                    if axes[0] not in loop.reduced
                ]
        return words

    def _dispatch(self, function: str, block: str, call: Call) -> None:
        weight = POINT + call.kernel.weight
        self._share(function, block, call.count, call.total, weight, call.unit)

    def _share(
        self, function: str, block: str, count: Size, total: Size, weight: int, unit: int
    ) -> None:
        """Call a kernel over its range: here, or over threads if it is much work.

        `weight` is the number of instructions of each of its `total` points. Threads take whole
        multiples of `unit`; 0: there is one, which runs in order.
        """
        b = self.b
        if isinstance(total, int) and total <= FEW:
            b.perform(f"call void {function}(ptr {block}, i64 0, i64 {count})")
            return
        parallel = self.runtime("parallel")
        done = b.emit(
            f"call i32 {parallel}(ptr %call, ptr {function}, ptr {block}, i64 {count}, i64 {total}"
            f", i64 {weight}, i64 {unit})"
        )
        self.or_fail(b.emit(f"icmp eq i32 {done}, 0"))

    def fold_of(self, node: Apply) -> Fold:
        """Return what a reduction does, for the kernel."""
        op: Reduction = node.op
        acc, out = op.types(node.inputs[0].type.dtype)
        fold = op.fold
        start = STARTS[op.kind](acc) if fold.identity is None else fold.identity(acc)
        return Fold(fold.combine, start, acc, out)


def _fold_of_partials(loop: Loop) -> Loop:
    """Return the fold of the results of blocks: of matrices, along the first axis."""
    return Loop(
        2,
        tuple((fold.dtype, frozenset()) for fold in loop.folds),
        (),
        loop.folds,
        (0,),
        lambda b, index, values: ((), values),
        len(loop.folds),
    )


def _results_as_carried(loop: Loop) -> bool:
    """Tell whether folds give results of the dtype that they are carried in."""
    return all(f.dtype == f.out_dtype for f in loop.folds)


def _is_number(variable: Any) -> bool:
    return isinstance(variable, Constant) and variable.data.size == 1


def _stretched(variable: Any, array: Array) -> frozenset[int]:
    return (
        frozenset(i for i, one in enumerate(variable.type.broadcastable) if one) | array.stretched
    )
