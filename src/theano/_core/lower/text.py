"""Programs as text that a person reads, and that reads back to the same program.

One line is one instruction, written and read by the same template. What is no text, kernels and the
bodies of `Compute`, has a number; `parse` is given them again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from theano._core.ir.variable import Variable
from theano._core.lower import program as ir
from theano._core.lower.kernel.expression import Body
from theano._core.lower.passes.outline import inlined

TEMPLATES: dict[type, str] = {
    ir.Step: "step {index}:",
    ir.Fence: "fence: below nothing fails",
    ir.FrameLoad: "{name} = frame[{offset}]: {type}",
    ir.FrameStore: "frame[{offset}] = {values}: {types}",
    ir.Alloc: "{name} = alloc {nbytes} in frame[{slot}]",
    ir.Free: "free frame[{slot}]",
    ir.Parts: "parts of {address}",
    ir.Hand: "hand {address} in frame[{slot}] to frame[{to}]",
    ir.Load: "{name} = load {address}: {dtype}",
    ir.Store: "store {value} at {address}",
    ir.Words: "words {words}: {types} at {address}",
    ir.Check: "check {condition} else {fault} {facts} of {place}",
    ir.Guard: "check {condition}",
    ir.Call: "{name} = call {function} {operands}",
    ir.Launch: "kernel {kernel} {arguments} over {count}, {total} points of {weight}, unit {unit}",
    ir.Reduce: "reduce {kernel} {arguments} as {facts}",
    ir.Mask: "{name} = mask {length} of {lanes}",
    ir.LoadRow: "{name} = load {address}: {dtype} x {lanes} where {mask}",
    ir.StoreRow: "store {value} at {address} where {mask}",
    ir.Widen: "{name} = widen {value} x {lanes}",
    ir.ReduceRow: "{name} = reduce {value} by {combine} from {start} where {mask}",
    ir.LiveLoad: "{name} = live[{word}]: {type}, late {late}",
    ir.LiveStore: "live[{word}] = {value}: {type}",
    ir.Run: "run routine {routine} with {row}",
    ir.Compute: "{name} = body {body} of {operands}: {dtype} x {lanes}",
    ir.Let: "{name} = {function} {operands}: {type}",
    ir.Merge: "{name}: {type} = {one} or {two}",
    ir.Carried: "{name}: {type} = {start}, then {after}",
}
_FIELD = re.compile(r"\{(\w+)\}")
# Fields that hold words; others hold a size, a scalar, or several.
_WORDS = ("name", "function", "type", "dtype", "fault", "combine")


def text_of(program: ir.Program, notes: Callable[[Variable], str] = lambda instruction: "") -> str:
    """Return a program as text.

    Parameters
    ----------
    program : Program
    notes : callable
        What is said of an instruction at the end of its line; '' for nothing.
    """
    bodies = dict(zip(bodies_of(program), range(1 << 30), strict=False))
    lines = [f"program with {program.block_words} words for kernels"]
    lines += [f"stack {name}: {nbytes}" for name, nbytes in program.stacks]
    lines += [f"result in frame[{slot}]" for slot in program.results]
    for body, number in bodies.items():
        lines.append(f"body {number}:")
        lines += [f"| {line}" for line in str(body).splitlines()]
    lines += [f"live words: {program.live_words}"] if program.routines else []
    for number, routine in enumerate(program.routines):
        lines.append(f"routine {number} run {routine.runs} times with {_shown(routine.words)}")
        lines += _lines(routine.body, bodies, notes, "  ")
        lines.append("end")
    lines += _lines(program.body, bodies, notes, "")
    return "\n".join([*lines, *_kernels(program.kernels)]) + "\n"


def _kernels(kernels: Sequence[Any]) -> Iterator[str]:
    """Yield what kernels do; loops that several have in common once."""
    numbers = {id(kernel): index for index, kernel in enumerate(kernels)}
    first: dict[Any, int] = {}
    for number, kernel in enumerate(kernels):
        whole, loop = getattr(kernel, "kernel", None), getattr(kernel, "loop", None)
        if loop is None:
            blocks = f"the last step of kernel {numbers.get(id(whole))}"
            yield f"kernel {number}: {kernel_text(kernel) if whole is None else blocks}"
        elif first.setdefault(loop, number) == number:
            yield f"kernel {number}: {_form(kernel)}"
            yield from (f"| {line}" for line in _loop_lines(kernel))
        else:
            yield f"kernel {number}: {_form(kernel)}; the loop of kernel {first[loop]}"


def kernel_text(kernel: Any) -> str:
    """Return what a kernel does as text: its axes, what it reads, computes, and writes."""
    kernel = getattr(kernel, "kernel", kernel)
    if getattr(kernel, "loop", None) is None:
        return f"{type(kernel).__name__}, written straight as LLVM text"
    return "\n".join([_form(kernel), *_loop_lines(kernel)])


def _form(kernel: Any) -> str:
    form = f"{kernel.layout}, {kernel.lanes} lanes"
    form += "" if kernel.split < 0 else f", a block of the axes {kernel.groups[kernel.split]}"
    return form if kernel.eager else f"{form}, compiled when it is first needed"


def _loop_lines(kernel: Any) -> Iterator[str]:
    loop = kernel.loop
    yield f"loop over {loop.rank} axes, as {len(kernel.groups)} nested loops {kernel.groups}"
    for index, (dtype, axes) in enumerate(loop.operands):
        same = f", the same along axes {sorted(axes)}" if axes else ""
        yield f"read %{index}: {dtype}{same}"
    yield from (f"write: {dtype}" for dtype in loop.stores)
    axes = ", ".join(map(str, loop.reduced))
    for r in loop.reductions:
        yield f"reduce by {r.combine} from {r.start} in {r.dtype} over axes {axes}"
    yield f"at each point, of weight {loop.weight}:"
    yield from (f"  {x}" for x in str(loop.body).split("\n"))


def annotated(text: Any) -> str:
    """Return the program of a `ProgramText`, without routines, and with the nodes it comes from."""

    def note(i: Any) -> str:
        if isinstance(i, ir.Step):
            nodes = text.steps[i.index]
        elif isinstance(i, ir.Check) and i.place >= 0:
            nodes = (text.nodes[i.place][0],)
        else:
            return ""
        places = dict.fromkeys(" ".join(str(node.source).split()) for node in nodes)
        names = ", ".join(str(node.op) for node in nodes)
        return "; ".join([names, *filter(None, places)])

    return text_of(inlined(text.program), note)


def bodies_of(program: ir.Program) -> list[Body]:
    """Return the different bodies of a program, in order."""
    blocks = (*(routine.body for routine in program.routines), program.body)
    every = (i for block in blocks for i in ir.walk(block))
    return list(dict.fromkeys(i.body for i in every if isinstance(i, ir.Compute)))


def _lines(
    block: ir.Block, bodies: Mapping[Body, int], notes: Callable[[Variable], str], indent: str
) -> Iterator[str]:
    inner = indent + "  "
    for i in block:
        note = notes(i)
        note = f"  # {note}" if note else ""
        if isinstance(i, ir.If):
            yield f"{indent}if {_shown(i.condition)}{note}"
            yield from _lines(i.then, bodies, notes, inner)
            yield f"{indent}else"
            yield from _lines(i.otherwise, bodies, notes, inner)
            yield from (f"{indent}giving {_line(merge, bodies)}" for merge in i.merges)
            yield f"{indent}end"
        elif isinstance(i, ir.For):
            rows = f" of rows {_shown(i.rows)}" if i.rows != 0 else ""
            polls = "" if i.polls else " at once"
            yield f"{indent}for {i.step} below {_shown(i.limit)}{rows}{polls}{note}"
            yield from (f"{indent}carrying {_line(c, bodies)}" for c in i.carried)
            if i.stop is not None:
                yield f"{indent}until {_line(i.stop, bodies)}"
            yield from _lines(i.body, bodies, notes, inner)
            yield f"{indent}end"
        elif isinstance(i, ir.Once):
            yield f"{indent}once before {i.step}"
            yield from _lines(i.body, bodies, notes, inner)
            yield f"{indent}end"
        else:
            yield f"{indent}{_line(i, bodies)}{note}"


def _line(instruction: Any, bodies: Mapping[Body, int]) -> str:
    shown = {name: _shown(v, bodies) for name, v in instruction.asdict().items()}
    return TEMPLATES[type(instruction)].format(**shown)


def _shown(value: object, bodies: Mapping[Body, int] | None = None) -> str:
    if isinstance(value, str):
        return value or "_"
    if isinstance(value, Body):
        return str((bodies or {})[value])
    if isinstance(value, ir.Register):
        return f"{value.name}<{ir.type_of(value)}>"
    if isinstance(value, ir.Number):
        number: Any = ir.number_of(value)
        exact = not isinstance(number, complex)
        exact = exact and np.asarray(number).astype(value.dtype).tobytes() == value.data
        shown = repr(number) if exact else f"#{value.data.hex()}"
        return f"{shown}<{value.dtype}>"
    if isinstance(value, tuple):
        return f"({', '.join(_shown(v) for v in value)})"
    return str(value)


def parse(text: str, bodies: Sequence[Body] = (), kernels: Sequence[Any] = ()) -> ir.Program:
    """Return the program of a text.

    Parameters
    ----------
    text : str
        As `text_of` writes it.
    bodies : sequence of Body
        Those that the text names by number; see `bodies_of`.
    kernels : sequence
        Those of the program.

    Raises
    ------
    ValueError
        A line is no instruction.
    """
    lines = [line.partition("  # ")[0].rstrip() for line in text.splitlines()]
    words, live, stacks, results, rest = 1, 0, [], [], []
    for line in lines:
        if line.startswith("program with "):
            words = int(line.split()[2])
        elif line.startswith("live words: "):
            live = int(line.split()[2])
        elif line.startswith("stack "):
            name, _, nbytes = line[len("stack ") :].partition(": ")
            stacks.append((name, int(nbytes)))
        elif line.startswith("result "):
            results.append(int(line.partition("[")[2].rstrip("]")))
        elif line and not re.match(r"body \d+:$|kernel \d+: |\| ", line):
            rest.append(line.strip())
    reader = _Reader(rest, bodies)
    routines = tuple(reader.routines())
    body = reader.block()
    return ir.Program(body, tuple(stacks), words, tuple(results), routines, live, tuple(kernels))


class _Reader:
    def __init__(self, lines: Sequence[str], bodies: Sequence[Body]) -> None:
        self.lines = list(reversed(lines))
        self.bodies = bodies

    def block(self, *ends: str) -> ir.Block:
        """Read instructions up to a line that begins with one of `ends`."""
        instructions: ir.Block = []
        while self.lines and self.lines[-1].split()[0] not in ends:
            instructions.append(self._instruction(self.lines.pop()))
        return instructions

    def routines(self) -> Iterator[ir.Routine]:
        """Read the routines that come first."""
        while self.lines and self.lines[-1].startswith("routine "):
            head, _, words = self.lines.pop().partition(" times with ")
            runs = int(head.split()[-1])
            yield ir.Routine(self.block("end"), _field("", words), runs)
            self.lines.pop()

    def _instruction(self, line: str) -> Any:
        if line.startswith("if "):
            then = self.block("else")
            self.lines.pop()
            otherwise = self.block("giving", "end")
            merges = tuple(self._after("giving", ir.Merge))
            self.lines.pop()
            return ir.If(_size(line[3:]), then, otherwise, merges)
        if line.startswith("for "):
            _, step, _, limit, *facts = line.split()
            carried = tuple(self._after("carrying", ir.Carried))
            stop = list(self._after("until", ir.Carried))
            body = self.block("end")
            self.lines.pop()
            last = stop[0] if stop else None
            rows = _size(facts[2]) if facts[:2] == ["of", "rows"] else 0
            return ir.For(step, _size(limit), carried, body, last, "once" not in facts, rows)
        if line.startswith("once "):
            body = self.block("end")
            self.lines.pop()
            return ir.Once(line.split()[-1], body)
        for cls in TEMPLATES:
            instruction = self._read(line, cls)
            if instruction is not None:
                return instruction
        raise ValueError(f"this is no instruction: {line}")

    def _after(self, word: str, cls: type) -> Iterator[Any]:
        while self.lines and self.lines[-1].startswith(word + " "):
            yield self._read(self.lines.pop()[len(word) + 1 :], cls)

    def _read(self, line: str, cls: Any) -> Any:
        match = _pattern(cls).fullmatch(line)
        if match is None:
            return None
        fields = {
            name: self.bodies[int(text)] if name == "body" else _field(name, text)
            for name, text in match.groupdict().items()
        }
        return cls(**fields)


@cache
def _pattern(cls: type) -> re.Pattern[str]:
    parts = _FIELD.split(TEMPLATES[cls])
    text = ""
    for literal, name in zip(parts[::2], [*parts[1::2], ""], strict=True):
        text += re.escape(literal)
        if name:
            text += f"(?P<{name}>\\(.*?\\)|[^ ()]+)"
    return re.compile(text)


def _field(name: str, text: str) -> Any:
    if text.startswith("("):
        inside = text[1:-1]
        return tuple(_field("", part) for part in inside.split(", ")) if inside else ()
    if text == "_":
        return ""
    if name in _WORDS:
        return text
    if name == "late":
        return text == "True"
    value, type_, _ = text.partition("<")
    return _scalar(value, text[len(value) + 1 : -1]) if type_ else _size(text)


def _scalar(value: str, type_: str) -> ir.Scalar:
    if value.startswith("%"):
        dtype, _, lanes = type_.rpartition("x")
        if dtype and not type_.startswith("complex"):
            return ir.Register(value, dtype, int(lanes))
        return ir.Register(value, type_)
    if value.startswith("#"):
        return ir.Number(type_, bytes.fromhex(value[1:]))
    number = (
        value == "True" if type_ == "bool" else float(value) if "float" in type_ else int(value)
    )
    return ir.Number(type_, np.asarray(number).astype(type_).tobytes())


def _size(text: str) -> ir.Size:
    return int(text) if text.lstrip("-").isdigit() else text
