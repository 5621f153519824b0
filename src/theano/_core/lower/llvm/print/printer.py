"""From a program to LLVM text: one method for each instruction, and nothing decided.

The entry function holds everything that is not a kernel. A register of the program is one of
LLVM's of the same name, but for what `Compute` and loads give: that is known by its name in
`_values`, since it may be a constant, or two registers for a complex number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from theano._core.base import dtypes
from theano._core.base.dtypes import itemsize
from theano._core.lower import effort, program as ir
from theano._core.lower.faults import CODES
from theano._core.lower.llvm.builder import PARTS, Builder
from theano._core.lower.llvm.kernels import items
from theano._core.lower.llvm.kernels.fused_body import number, write_body
from theano._core.lower.llvm.print import words
from theano._core.lower.llvm.print.routines import Words, rows, walk
from theano._core.lower.llvm.target.codegen import LITTLE_EFFORT
from theano._core.lower.llvm.text.emitter import FIRST_BLOCK, ComplexValue, Value, llvm_type

# A routine that runs so many times in a call, and no more, is not worth improving.
FEW_RUNS = 4
# Steps after which a loop first looks at the time, if they may take long.
FEW_STEPS = 16
_POSITION = {name: position for position, name in enumerate(ir.RUNTIME)}
_TYPES = {"ptr": "ptr", "int128": "i128", "": "void"}


@lru_cache(256)
def register_type(type_: str) -> str:
    """Return LLVM's name of the type of a register."""
    if type_ in _TYPES:
        return _TYPES[type_]
    dtype, _, lanes = type_.rpartition("x")
    return llvm_type(dtype, int(lanes)) if dtype else llvm_type(type_)


# What writes the text of a function of operands of a type.
_formats: dict[tuple[str, str], Callable[..., str]] = {}


def _format_of(function: str, type_: str) -> Callable[..., str]:
    key = function, type_
    template = _formats.get(key)
    if template is None:
        text = ir.FUNCTIONS[function].text.replace("{k}", register_type(type_))
        template = _formats[key] = text.format
    return template


def printed(program: ir.Program) -> str:
    """Return the text of the entry function of a program, and of its routines."""
    bodies = [program.body, *(routine.body for routine in program.routines)]
    count = sum(sum(map(effort.lines_of, body)) for body in bodies)
    quickly = effort.is_spent_elsewhere(program, count)
    reductions, inner_rows = Words("reductions"), Words("inner_rows")
    briefly = quickly and count >= effort.LONG
    functions = [_Printer(reductions, inner_rows, briefly) for _ in bodies]
    entry, *routines = functions
    lines = [LITTLE_EFFORT] * quickly + entry.entry(program)
    for n, (printer, routine) in enumerate(zip(routines, program.routines, strict=True)):
        lines += printer.routine(n, routine)
    helpers = {name: text for f in functions for name, text in f.b.helpers.items()}
    lines += [*helpers.values(), *sorted({text for f in functions for text in f.b.declarations})]
    lines += [*reductions.text(), *inner_rows.text()]
    return "\n".join(lines) + "\n"


class _Printer:
    """Writes one function.

    `reductions` has the words of each `th_reduction`, and `inner_rows` the rows of runs in loops
    and branches.
    """

    def __init__(self, reductions: Words, inner_rows: Words, briefly: bool) -> None:
        self.briefly = briefly
        self.b = Builder(1)
        self.cold: list[str] = []
        self.reductions = reductions
        self.inner_rows = inner_rows
        self._failures: dict[Any, str] = {}  # what fails → its block, in `cold`
        self._runtime: dict[str, None] = {}
        self._values: dict[str, Any] = {}
        # What only reports of failures read is loaded there.
        self._late: dict[str, ir.LiveLoad] = {}

    def entry(self, program: ir.Program) -> list[str]:
        """Return the lines of the entry function."""
        if not program.routines:
            stacks = [f"  {name} = alloca [{n} x i8], align 16" for name, n in program.stacks]
            stacks.insert(0, f"  %block = alloca [{program.block_words} x i64], align 8")
            self.block(program.body)
            return self._function("define i32 @entry(ptr %call) nounwind", stacks)
        runs = [i for i in program.body if isinstance(i, ir.Run)]
        self.block([i for i in program.body if not isinstance(i, ir.Run)])
        sizes = [1 + len(routine.words) for routine in program.routines]
        # A table of jumps would need addresses in the data; a search by comparisons is short.
        return [
            f"@rows = private unnamed_addr constant {rows(runs, len(sizes))}, align 8",
            'define i32 @entry(ptr %call) nounwind "no-jump-tables"="true" {',
            f"{FIRST_BLOCK}:",
            f"  %live = alloca [{program.live_words} x i64], align 8",
            f"  {ir.STACKS} = alloca [{program.places()[1]} x i8], align 16",
            *self.b.lines,
            *walk(sizes),
        ]

    def routine(self, number: int, routine: ir.Routine) -> list[str]:
        """Return the lines of the function of a routine, which is given the row of a run."""
        # LLVM needs half the time then.
        loops = any(isinstance(i, ir.For) for i in ir.walk(routine.body))
        how = "" if loops or routine.runs > FEW_RUNS else " optnone"
        self.block(routine.body)
        row = []
        for n, dtype in enumerate(routine.words):
            row.append(f"  %row.{n}.at = getelementptr i64, ptr %row, i64 {n + 1}")
            row.append(f"  %row.{n} = load {register_type(dtype)}, ptr %row.{n}.at, align 8")
        arguments = f"@routine{number}(ptr %call, ptr %live, ptr %row)"
        return self._function(f"define internal i32 {arguments} nounwind noinline{how}", row)

    def _function(self, signature: str, before: Sequence[str]) -> list[str]:
        """Return the lines of a function, with what comes before all that has been written."""
        lines = [
            f"{signature} {{",
            f"{FIRST_BLOCK}:",
            "  %rt = load ptr, ptr %call, align 8",
            "  %kernels.at = getelementptr ptr, ptr %call, i64 1",
            "  %kernels = load ptr, ptr %kernels.at, align 8",
            "  %frame.at = getelementptr ptr, ptr %call, i64 2",
            "  %frame = load ptr, ptr %frame.at, align 8",
            *before,
        ]
        for name in self._runtime:
            lines.append(f"  %rt.{name}.at = getelementptr ptr, ptr %rt, i64 {_POSITION[name]}")
            lines.append(f"  %rt.{name} = load ptr, ptr %rt.{name}.at, align 8")
        return [*lines, *self.b.lines, "  ret i32 0", *self.cold, "}"]

    def block(self, block: ir.Block) -> None:
        """Write the instructions of a block."""
        writers = self._writers
        for instruction in block:
            writers[type(instruction)](self, instruction)

    # -- operands -----------------------------------------------------------------------------

    def operand(self, size: Any) -> str:
        """Return a size or an address as LLVM reads it."""
        value = self._values.get(size)
        return str(size) if value is None else value.text

    def value(self, x: ir.Scalar | ir.Size, type_: str = "") -> Any:
        """Return a scalar or a row, or a size of a type."""
        if isinstance(x, ir.Number):
            return number(self.b, ir.number_of(x), x.dtype, x.dtype)
        if isinstance(x, ir.Register):
            return self._values.get(x.name) or Value(x.name, x.dtype, x.lanes)
        return (isinstance(x, str) and self._values.get(x)) or Value(str(x), type_, 1)

    def runtime(self, name: str) -> str:
        """Return the address of a function of the runtime."""
        self._runtime[name] = None
        return f"%rt.{name}"

    # -- arithmetic ---------------------------------------------------------------------------

    def let(self, i: ir.Let) -> None:
        values = self._values
        operands = [values[x].text if x in values else x for x in i.operands]
        text = _format_of(i.function, i.type)
        if i.function in ir.DECLARATIONS:
            self.b.declarations[ir.DECLARATIONS[i.function]] = None
            if self.briefly:
                text = words.called(self.b, i.function, text)
        self.b.lines.append(f"  {i.name} = {text(*operands)}")

    def compute(self, i: ir.Compute) -> None:
        b = self.b
        b.lanes = i.lanes
        values = [self.value(x) for x in i.operands]
        if i.lanes > 1:
            values = [b.broadcast(v) for v in values]
        (self._values[i.name],), _ = write_body(b, i.body, lambda axis: None, values)
        b.lanes = 1

    # -- memory -------------------------------------------------------------------------------

    def _slot(self, offset: int) -> str:
        return self.b.emit(f"getelementptr i64, ptr %frame, i64 {offset}")

    def frame_load(self, i: ir.FrameLoad) -> None:
        at = self._slot(i.offset)
        self.b.perform(f"{i.name} = load {register_type(i.type)}, ptr {at}, align 8")

    def frame_store(self, i: ir.FrameStore) -> None:
        self._write(self._slot(i.offset), i.values, i.types)

    def load(self, i: ir.Load) -> None:
        self._values[i.name] = items.load(self.b, self.operand(i.address), i.dtype, 1)

    def store(self, i: ir.Store) -> None:
        items.store(self.b, self.value(i.value), self.operand(i.address))

    def words(self, i: ir.Words) -> None:
        self._write(self.operand(i.address), i.words, i.types)

    def _write(self, address: str, values: Sequence[ir.Size], types: Sequence[str]) -> None:
        places = enumerate(zip(values, types, strict=True))
        written = [(n, register_type(k), self.operand(x)) for n, (x, k) in places if x != ""]
        words.write(self.b, address, written, self.briefly)

    def alloc(self, i: ir.Alloc) -> None:
        self.call(ir.Call(i.name, "alloc", (i.nbytes, i.slot)))

    def free(self, i: ir.Free) -> None:
        self.call(ir.Call("", "free", (i.slot,)))

    def hand(self, i: ir.Hand) -> None:
        for slot, address in ((i.slot, "null"), (i.to, i.address)):
            self.frame_store(ir.FrameStore(slot, (address,), ("ptr",)))

    # -- what may fail --------------------------------------------------------------------------

    def check(self, i: ir.Check) -> None:
        facts = tuple([self.operand(fact) for fact in i.facts])

        def failure(label: str) -> list[str]:
            lines, own = [], list(facts)
            for n, fact in enumerate(facts):
                late = self._late.get(fact)
                if late is not None:
                    own[n] = f"%{label}.fact{n}"
                    lines += self._live_load(late, own[n])
            numbers = "".join([f", i64 {x}" for x in (CODES[i.fault], i.place, *own)])
            report = f"ptr %call, ptr {self.runtime('fail')}{numbers}"
            call = f"call i32 {words.failure(self.b, len(facts))}({report})"
            return [*lines, f"  %{label}.r = {call}", f"  ret i32 %{label}.r"]

        self._leave_unless(self.operand(i.condition), (i.place, i.fault, *facts), failure)

    def guard(self, i: ir.Guard) -> None:
        self._or_fail(self.operand(i.condition))

    def _or_fail(self, condition: str) -> None:
        self._leave_unless(condition, (), lambda label: ["  ret i32 -1"])

    def _or_fail_unless_zero(self, status: str) -> None:
        self._or_fail(self.b.emit(f"icmp eq i32 {status}, 0"))

    def _leave_unless(
        self, condition: str, failure: tuple[object, ...], write: Callable[[str], list[str]]
    ) -> None:
        """Go on where `condition` holds, else leave by a block that all equal failures share."""
        b = self.b
        ok, bad = b.fresh_label("ok"), self._failures.get(failure)
        if bad is None:
            bad = self._failures[failure] = b.fresh_label("bad")
            self.cold += [f"{bad}:", *write(bad)]
        b.perform(f"br i1 {condition}, label %{ok}, label %{bad}")
        b.label(ok)

    # -- calls --------------------------------------------------------------------------------

    def call(self, i: ir.Call) -> None:
        row = ir.RUNTIME[i.function]
        operands = "".join(
            f", {'i64' if type_ == 'i' else 'ptr'} {self.operand(x)}"
            for type_, x in zip(row.operands, i.operands, strict=True)
        )
        text = f"call {register_type(row.result)} {self.runtime(i.function)}(ptr %call{operands})"
        self.b.perform(f"{i.name} = {text}" if i.name else text)

    def launch(self, i: ir.Launch) -> None:
        b = self.b
        sizes = i.arguments, i.count, i.total, i.unit
        arguments, count, total, unit = map(self.operand, sizes)
        if i.at_once:
            at = b.emit(f"getelementptr ptr, ptr %kernels, i64 {i.kernel}")
            kernel = b.emit(f"load ptr, ptr {at}, align 8")
            b.perform(f"call void {kernel}(ptr {arguments}, i64 0, i64 {count})")
            return
        if i.kernel in ir.RUNTIME:
            function, kernel = "parallel", f"ptr {self.runtime(i.kernel)}"
        else:
            function, kernel = "launch", f"i64 {i.kernel}"
        done = b.emit(
            f"call i32 {self.runtime(function)}(ptr %call, {kernel}, ptr {arguments}"
            f", i64 {count}, i64 {total}, i64 {i.weight}, i64 {unit})"
        )
        self._or_fail_unless_zero(done)

    def reduction(self, i: ir.Reduce) -> None:
        b = self.b
        how = self.reductions.address(i.facts, b)
        reduction, arguments = self.runtime("reduce"), self.operand(i.arguments)
        operands = f"i64 {i.kernel}, ptr {arguments}, ptr {how}"
        done = b.emit(f"call i32 {reduction}(ptr %call, {operands})")
        self._or_fail_unless_zero(done)

    def fence(self, i: ir.Fence) -> None:
        done = self.b.emit(f"call i32 {self.runtime('commit')}(ptr %call)")
        self._or_fail_unless_zero(done)

    def step(self, i: ir.Step) -> None:
        """Write nothing: a step only has a name."""

    # -- routines -------------------------------------------------------------------------------

    def run(self, i: ir.Run) -> None:
        """Write a run in a loop or a branch: the entry function walks through the others."""
        row = self.inner_rows.address((i.routine, *i.row), self.b)
        done = self.b.emit(f"call i32 @routine{i.routine}(ptr %call, ptr %live, ptr {row})")
        self._or_fail_unless_zero(done)

    def live_load(self, i: ir.LiveLoad) -> None:
        if i.late:
            self._late[i.name] = i
        else:
            self.b.lines += self._live_load(i, i.name)

    def _live_load(self, i: ir.LiveLoad, name: str) -> list[str]:
        return [
            f"  {name}.at = getelementptr i64, ptr %live, i64 {i.word}",
            f"  {name} = load {register_type(i.type)}, ptr {name}.at, align 8",
        ]

    def live_store(self, i: ir.LiveStore) -> None:
        at = self.b.emit(f"getelementptr i64, ptr %live, i64 {i.word}")
        self.b.perform(f"store {register_type(i.type)} {self.operand(i.value)}, ptr {at}, align 8")

    # -- branches and loops -------------------------------------------------------------------

    def branch(self, i: ir.If) -> None:
        b = self.b
        condition, before, values_before = self.operand(i.condition), b.block, b._values
        join = b.fresh_label("join")
        ends, values, labels = [], [], []
        for hint, block in (("then", i.then), ("else", i.otherwise)):
            labels.append(b.fresh_label(hint) if block else join)
        if i.then or i.otherwise:
            b.perform(f"br i1 {condition}, label %{labels[0]}, label %{labels[1]}")
        for label, block, side in zip(labels, (i.then, i.otherwise), (2, 3), strict=True):
            end = before
            if block:
                b.label(label)
                self.block(block)
                end = b.block
            ends.append(end)
            values.append([_parts(self.value(merge[side], merge.type)) for merge in i.merges])
            if block:
                b.perform(f"br label %{join}")
        if i.then or i.otherwise:
            b.label(join)
            # INVARIANT: what was computed before the branch is known after it.
            b._values = values_before
        for merge, ones, twos in zip(i.merges, *values, strict=True):
            names = []
            for type_, one, two in zip(_part_types(merge.type), ones, twos, strict=True):
                k = register_type(type_)
                text = f"phi {k} [{one.text}, %{ends[0]}], [{two.text}, %{ends[1]}]"
                if ends == [before, before]:
                    text = f"select i1 {condition}, {k} {one.text}, {k} {two.text}"
                names.append(Value(b.emit(text), type_, 1))
            self._values[merge.name] = _whole(names)

    def loop(self, i: ir.For) -> None:
        b = self.b
        tag = b.fresh_label("loop")
        limit = self.operand(i.limit)
        carried = i.handed_on
        phis = [(i.step, "i64", "0")]
        for c in carried:
            starts = _parts(self.value(c.start, c.type))
            types = _part_types(c.type)
            names = [c.name] if len(types) == 1 else [f"{c.name}.r", f"{c.name}.i"]
            for name, type_, start in zip(names, types, starts, strict=True):
                phis.append((name, register_type(type_), start.text))
            if len(names) > 1:
                self._values[c.name] = ComplexValue(*map(Value, names, types, (1, 1)))
        before, lines = b.block, b.lines
        b.lines, b.block, b._values = [], f"{tag}.body", {}
        self.block(i.body)
        nexts = [b.emit(f"add nuw nsw i64 {i.step}, 1")]
        for c in carried:
            nexts += [v.text for v in _parts(self.value(c.after, c.type))]
        body, latch = b.lines, b.block
        b.lines, b.block, b._values = lines, before, {}
        loop = [(*phi, after) for phi, after in zip(phis, nexts, strict=True)]
        stop = "" if i.stop is None else i.stop.name
        if i.polls:
            first = FEW_STEPS if effort.calls_out(i.body) else ir.PATIENCE
            self._in_pieces(tag, loop, limit, body, latch, stop, first)
        else:
            self._at_once(tag, loop, limit, body, latch)

    def _at_once(
        self,
        tag: str,
        phis: Sequence[tuple[str, str, str, str]],
        limit: str,
        body: Sequence[str],
        latch: str,
    ) -> None:
        b = self.b
        before = b.block
        b.perform(f"br label %{tag}.head")
        b.label(f"{tag}.head")
        for name, type_, start, after in phis:
            b.perform(f"{name} = phi {type_} [{start}, %{before}], [{after}, %{latch}]")
        more = b.emit(f"icmp slt i64 {phis[0][0]}, {limit}")
        b.perform(f"br i1 {more}, label %{tag}.body, label %{tag}.done")
        b.lines += [f"{tag}.body:", *body, f"  br label %{tag}.head"]
        b.label(f"{tag}.done")

    def _in_pieces(
        self,
        tag: str,
        phis: Sequence[tuple[str, str, str, str]],
        limit: str,
        body: Sequence[str],
        latch: str,
        stop: str,
        first: int,
    ) -> None:
        """Write a loop around the lines of its body, which end in block `latch`.

        It is cut into pieces, between which signals are handled: a call inside the loop would have
        it keep its values in memory. The runtime says how long the next piece may be.
        """
        b = self.b
        before, step = b.block, phis[0][0]
        b.declarations[ir.DECLARATIONS["minimum"]] = None
        b.perform(f"br label %{tag}.piece")
        b.label(f"{tag}.piece")
        b.perform(f"%{tag}.size = phi i64 [{first}, %{before}], [%{tag}.next, %{tag}.polled]")
        for name, type_, start, _ in phis:
            b.perform(f"{name}.p = phi {type_} [{start}, %{before}], [{name}, %{tag}.polled]")
        far = b.emit(f"add nuw nsw i64 {step}.p, %{tag}.size")
        end = b.emit(f"call i64 @llvm.smin.i64(i64 {far}, i64 {limit})")
        b.perform(f"br label %{tag}.head")
        b.label(f"{tag}.head")
        for name, type_, _, after in phis:
            b.perform(f"{name} = phi {type_} [{name}.p, %{tag}.piece], [{after}, %{latch}]")
        more = b.emit(f"icmp slt i64 {step}, {end}")
        if stop:
            more = b.emit(f"and i1 {more}, {b.emit(f'xor i1 {stop}, true')}")
        b.perform(f"br i1 {more}, label %{tag}.body, label %{tag}.left")
        b.lines += [f"{tag}.body:", *body, f"  br label %{tag}.head"]
        b.label(f"{tag}.left")
        over = b.emit(f"icmp sge i64 {step}, {limit}")
        over = b.emit(f"or i1 {over}, {stop}") if stop else over
        b.perform(f"br i1 {over}, label %{tag}.done, label %{tag}.poll")
        b.label(f"{tag}.poll")
        b.perform(f"%{tag}.next = call i64 {self.runtime('poll')}(ptr %call, i64 %{tag}.size)")
        self._or_fail(b.emit(f"icmp sgt i64 %{tag}.next, 0"))
        b.perform(f"br label %{tag}.polled")
        b.label(f"{tag}.polled")
        b.perform(f"br label %{tag}.piece")
        b.label(f"{tag}.done")

    # -- rows in registers ----------------------------------------------------------------------

    def mask(self, i: ir.Mask) -> None:
        b = self.b
        b.lanes = i.lanes
        numbers = ", ".join(f"i64 {n}" for n in range(i.lanes))
        length = b.broadcast(Value(self.operand(i.length), "int64", 1))
        self._values[i.name] = b.lt(Value(f"<{numbers}>", "int64", i.lanes), length)
        b.lanes = 1

    def load_row(self, i: ir.LoadRow) -> None:
        b, mask = self.b, self._values[i.mask]
        type_ = llvm_type(i.dtype, i.lanes)
        name, declaration = items.masked("load", type_, _suffix(i.dtype, i.lanes), mask.type)
        b.declarations[declaration] = None
        rest = f"{mask.type} {mask.text}, {type_} zeroinitializer"
        text = b.emit(f"call {type_} {name}(ptr {self.operand(i.address)}, i32 1, {rest})")
        self._values[i.name] = Value(text, i.dtype, i.lanes)

    def store_row(self, i: ir.StoreRow) -> None:
        b, mask, value = self.b, self._values[i.mask], self.value(i.value)
        suffix = _suffix(value.dtype, value.lanes)
        name, declaration = items.masked("store", value.type, suffix, mask.type)
        b.declarations[declaration] = None
        rest = f"ptr {self.operand(i.address)}, i32 1, {mask.type} {mask.text}"
        b.perform(f"call void {name}({value.type} {value.text}, {rest})")

    def widen(self, i: ir.Widen) -> None:
        b = self.b
        b.lanes = i.lanes
        self._values[i.name] = b.broadcast(self.value(i.value))
        b.lanes = 1

    def reduce_row(self, i: ir.ReduceRow) -> None:
        value = self.value(i.value)
        start = self.b.const(ir.number_of(i.start), value.dtype, value.lanes)
        value = self.b.select(self._values[i.mask], value, start)
        self._values[i.name] = items.reduce_lanes(self.b, i.combine, value)

    _writers = {
        ir.Let: let,
        ir.Compute: compute,
        ir.FrameLoad: frame_load,
        ir.FrameStore: frame_store,
        ir.Load: load,
        ir.Store: store,
        ir.Words: words,
        ir.Check: check,
        ir.Guard: guard,
        ir.Alloc: alloc,
        ir.Free: free,
        ir.Hand: hand,
        ir.Call: call,
        ir.Launch: launch,
        ir.Reduce: reduction,
        ir.If: branch,
        ir.For: loop,
        ir.Mask: mask,
        ir.LoadRow: load_row,
        ir.StoreRow: store_row,
        ir.Widen: widen,
        ir.ReduceRow: reduce_row,
        ir.Step: step,
        ir.Fence: fence,
        ir.LiveLoad: live_load,
        ir.LiveStore: live_store,
        ir.Run: run,
    }


def _parts(value: Any) -> list[Value]:
    return [value.real, value.imag] if isinstance(value, ComplexValue) else [value]


def _part_types(type_: str) -> list[str]:
    return [PARTS[type_]] * 2 if type_ in PARTS else [type_]


def _whole(parts: Sequence[Value]) -> Any:
    return parts[0] if len(parts) == 1 else ComplexValue(*parts)


def _suffix(dtype: str, lanes: int) -> str:
    letter = "f" if dtypes.is_float(dtype) else "i"
    return f"v{lanes}{letter}{8 * itemsize(dtype)}"
