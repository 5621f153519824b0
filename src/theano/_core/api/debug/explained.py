"""The sentences of `explain`, from the passes and the program of a function."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from theano._core.api.debug.names import short_name
from theano._core.ir.graph import made_by, toposort
from theano._core.ir.source import without_lines
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.lower import program as ir
from theano._core.lower.apart import POSITIONS, Apart
from theano._core.lower.equal_lengths import EqualLengths
from theano._core.lower.gathers import join_gathers
from theano._core.lower.schedule import group
from theano._core.lower.steps import work_of_steps
from theano._core.ops.array.indexing import AdvancedSubtensor
from theano._core.ops.array.products import BatchedDot, Dot
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.control.scan import Loop
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.elementwise.elementwise import Elementwise

if TYPE_CHECKING:
    from theano._core.compile.maker import FunctionMaker
    from theano._core.runtime.native import Function

# Lines of one part; those left out are counted.
MOST = 12
NOT_FUSED = "Loops that stay apart"
COULD = "What could be faster"


def explanation(f: Any) -> str:
    """Return the text that `explain` writes of a compiled function."""
    with without_lines():
        return "\n".join(_lines(f, f.maker)) + "\n"


class _Facts:
    """What is known of a function after it was compiled once more.

    Attributes
    ----------
    written, final : list of Apply
        The operations as they were written, and those that run.
    text : ProgramText
    apart : list of Apart
    """

    def __init__(self, maker: FunctionMaker) -> None:
        self.maker = maker
        self.outputs: Sequence[Any] = ()
        self.recorded: Any = None
        rewriter = maker.rewriter(True)
        self.written = toposort(maker.written())
        _, self.text = maker.lowered_again(rewriter, self)
        self.final = toposort(self.outputs, set(maker.leaves))
        self.rules = Counter(entry.rule.name for entry in rewriter.log or ())
        self.apart: list[Apart] = []
        self.work = work_of_steps(self.text)
        if self.recorded is not None:
            lengths = EqualLengths(rewriter.shape)
            steps = group(self.final, lengths, maker.mode.fuses, self.apart)
            if maker.mode.fuses:
                steps = join_gathers(steps, lengths, ())
            place = {node: step for step in steps for node in step.nodes}
            self.apart += _gathers(self.final)
            self.apart = [a for a in self.apart if place.get(a.made_by) is not place[a.read_by]]

    def graph(self, name: str, outputs: Sequence[Variable]) -> None:
        """Keep the results of the last pass of rewriting."""
        self.outputs = outputs

    def program(self, name: str, program: ir.Program) -> None:
        """Keep the program as it is recorded."""
        if self.recorded is None:
            self.recorded = program


def _lines(f: Function, maker: FunctionMaker) -> Iterator[str]:
    facts = _Facts(maker)
    yield repr(f)
    yield ""
    applied = sum(facts.rules.values())
    yield (
        f"Rewriting: {_count(len(facts.written), 'operation')} as written, {len(facts.final)} that "
        f"run; rules were applied {_count(applied, 'time')}."
    )
    yield from _part("Rules", [f"{n} × {name}" for name, n in facts.rules.most_common()])
    if facts.recorded is None:
        yield f"The linker {maker.mode.backend!r} runs it, not native code: nothing is fused by us."
    else:
        yield from _part(
            f"A call takes {_count(len(facts.text.steps), 'step')}", list(_steps(facts))
        )
        yield from _part(NOT_FUSED, list(_apart(facts.apart)))
        yield from _part("Computed once", list(_once(facts)))
    yield from _part(COULD, list(_faster(facts)) or ["nothing that is known here"])


def _part(title: str, lines: Sequence[str]) -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield f"{title}:"
    yield from (f"  - {line}" for line in lines[:MOST])
    if len(lines) > MOST:
        yield f"  - ... and {len(lines) - MOST} more"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _name(node: Apply) -> str:
    return short_name(node) + _line(node)


def _line(node: Apply) -> str:
    source = node.source
    return f" ({os.path.basename(source.file)}:{source.line})" if source else ""


def _steps(facts: _Facts) -> Iterator[str]:
    for nodes, work in zip(facts.text.steps, facts.work, strict=True):
        last = nodes[-1]
        names = ", ".join(short_name(node) for node in nodes[:6])
        names += f", … ({len(nodes)} operations)" if len(nodes) > 6 else ""
        how = []
        if work.kernels:
            how.append("one loop" if len(nodes) > 1 else "a loop")
        how += [f"calls {name}" for name in dict.fromkeys(work.calls) if name != "copy"]
        if "copy" in work.calls:
            how.append("copies an array")
        if any(isinstance(node.op, Loop) for node in nodes):
            how.append("a native loop over steps")
        if not how:
            how = ["a view" if getattr(last.outputs[0].type, "ndim", 0) else "a number"]
        yield f"{names}: {', '.join(how)}{_line(last)}"


def _apart(pairs: Sequence[Apart]) -> Iterator[str]:
    seen = set()
    for maker, reader, why in pairs:
        if (maker, reader) not in seen:
            seen.add((maker, reader))
            yield f"{_name(maker)} and {_name(reader)}: {why}"


def _gathers(nodes: Sequence[Apply]) -> Iterator[Apart]:
    """Yield loops beside those that pick items by positions, or write them."""
    for node in nodes:
        for value in node.inputs:
            pair = (value.owner, node)
            loops = [isinstance(n.op, (Elementwise, Reduction)) for n in pair if n is not None]
            gathers = [isinstance(n.op, AdvancedSubtensor) for n in pair if n is not None]
            if any(loops) and any(gathers) and value.type.ndim:
                yield Apart(value.owner, node, POSITIONS)


def _once(facts: _Facts) -> Iterator[str]:
    constant: set[Any] = set()
    for node in facts.written:
        if node.inputs and all(isinstance(v, Constant) or v in constant for v in node.inputs):
            constant.update(node.outputs)
    if constant:
        yield f"{_count(len(constant), 'value')} made of constants alone: while compiling"
    uses = Counter(v for node in facts.final for v in set(node.inputs) if v.owner is not None)
    shared = [v for v, n in uses.items() if n > 1 and v.type.ndim]
    if shared:
        names = ", ".join(_name(v.owner) for v in shared[:4])
        more = f" and {len(shared) - 4} more" if len(shared) > 4 else ""
        yield f"{names}{more}: for all that read them"
    lifted = sum(isinstance(i, ir.Once) for i in ir.walk(facts.recorded.body))
    if lifted:
        yield f"{_count(lifted, 'part')} of loops that stay the same in all steps: before the loop"


def _faster(facts: _Facts) -> Iterator[str]:
    mode = facts.maker.mode
    if facts.recorded is not None and not mode.fuses:
        yield f"the mode {mode} fuses no loops: mode='FAST_RUN' does"
    for node in facts.written:
        yield from _upcast(node)
    for node in facts.final:
        dtype = getattr(node.outputs[0].type, "dtype", "")
        if isinstance(node.op, (Dot, BatchedDot)) and dtype and dtype[0] not in "fc":
            yield (
                f"{_name(node)} is a product of {dtype}, which BLAS does not have: "
                "cast the operands to float32 or float64 if that holds the result"
            )
    for nodes, work in zip(facts.text.steps, facts.work, strict=True):
        if "Python" in work.calls:
            again = ", in every step" if isinstance(nodes[-1].op, Loop) else ""
            yield f"{_name(nodes[-1])} calls Python back{again}: {_way_out(nodes)}"


def _way_out(nodes: Sequence[Apply]) -> str:
    """Return why a step calls Python, and what else to write."""
    for node in nodes:
        for value in (*node.inputs, *node.outputs):
            if not isinstance(value.type, TensorType):
                return f"{_text(value)} of {value.type} is a Python object, and arrays are not"
    return "native operations need no call"


def _upcast(node: Apply) -> Iterator[str]:
    """Say which operand makes float64 of float32, or of small integers."""
    out = node.outputs[0].type
    if not isinstance(node.op, Elementwise) or getattr(out, "dtype", "") != "float64":
        return
    types = [v.type for v in node.inputs]
    if not all(isinstance(type_, TensorType) for type_ in types):
        return
    small = [v for v in node.inputs if v.type.dtype == "float32" and not all(v.broadcastable)]
    if not small or len(node.inputs) < 2:
        return
    for variable in node.inputs:
        dtype = variable.type.dtype
        what = "the constant " if isinstance(_behind(variable), Constant) else ""
        if dtype == "float64" or dtype in ("int32", "int64", "uint32", "uint64"):
            yield (
                f"{_name(node)}: {small[0]} is float32, {what}{_text(variable)} is {dtype}, so "
                f"the result is float64: {_advice(variable, dtype)}"
            )
            return


def _behind(variable: Variable) -> Variable:
    """Return what a variable is but for axes of length 1."""
    while (node := made_by(variable, DimShuffle)) is not None:
        variable = node.inputs[0]
    return variable


def _text(variable: Variable) -> str:
    """Return what a variable is called: of a constant its number, if it is one."""
    variable = _behind(variable)
    if isinstance(variable, Constant) and getattr(variable.data, "size", 0) == 1:
        return str(variable.data.item())
    return str(variable)


def _advice(variable: Variable, dtype: str) -> str:
    if isinstance(_behind(variable), Constant):
        return "write a Python number, or T.constant(..., dtype='float32')"
    cast = "" if dtype == "float64" else ", which does not hold every one of these integers"
    return f"use .astype('float32'){cast}"
