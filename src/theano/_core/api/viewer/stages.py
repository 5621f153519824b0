"""What compiling a function did, stage by stage, as plain data for a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from theano._core.api.debug.names import short_name
from theano._core.api.viewer.graph_data import GraphData
from theano._core.ir.text import label, written
from theano._core.ir.variable import Variable
from theano._core.lower import pipeline as program_passes
from theano._core.lower.steps import work_of_steps
from theano._core.lower.text import kernel_text
from theano._core.rewrite.pipeline import PASSES

if TYPE_CHECKING:
    from theano._core.compile.maker import FunctionMaker
    from theano._core.lower.program import Program
    from theano._core.lower.program_text import ProgramText
    from theano._core.rewrite.engine import Rewriter

RUNS = "runs"
WHY = {
    "written": "The expressions as they were written.",
    "runs": "What runs: loops that are fused are one box, and steps tell their kernels.",
    "recorded": "What operations record: a program, from which the passes over programs start.",
    **{step.name: step.why for step in PASSES},
    **{step.name: step.why for step in program_passes.PASSES},
}
# Kernels whose code is shown: each takes LLVM some milliseconds.
MOST_KERNELS = 32
LEFT_OUT = f"only the code of {MOST_KERNELS} kernels is shown, those of the longest steps"


class Stages:
    """Collects the stages of a function while it is compiled once more.

    Attributes
    ----------
    graphs : list of dict
        One for each pass of rewriting that changed something.
    programs : list of dict
        One for each pass over the program.
    """

    def __init__(self, data: GraphData, rewriter: Rewriter) -> None:
        self.data = data
        self.rewriter = rewriter
        self.graphs: list[dict[str, Any]] = []
        self.programs: list[dict[str, Any]] = []
        self._before: Sequence[Any] = ()
        self._logged = 0

    def graph(self, name: str, outputs: Sequence[Variable]) -> None:
        """Add the graph that a pass of rewriting leaves, unless it left what was there."""
        before, self._before = self._before, list(outputs)
        applied = (self.rewriter.log or [])[self._logged :]
        self._logged += len(applied)
        name = RUNS if name == "native_form" else name
        if name != RUNS and len(before) == len(outputs) and all(map(_same, before, outputs)):
            return
        references = self.data.add(outputs)
        rules: dict[str, dict[str, Any]] = {}
        for rule, node, news in applied:
            entry = rules.get(rule.name)
            if entry is None:
                example = f"{_text(node.outputs[0])} → {_text(news[0])}"
                facts = {"name": rule.name, "why": rule.why, "keeps": rule.keeps}
                entry = rules[rule.name] = {**facts, "example": example, "made": [], "count": 0}
            entry["count"] += 1
            entry["made"] += self._made(news)
        self.graphs.append(
            {
                "name": name,
                "why": WHY.get(name, ""),
                "outputs": references,
                "rules": sorted(rules.values(), key=lambda rule: -rule["count"]),
            }
        )

    def _made(self, news: Sequence[Variable]) -> list[int]:
        """Return the operations that are now what a rule made."""
        finished = self.rewriter.finished
        owners = [finished.get(new, new).owner for new in news]
        numbers = [self.data.number_of(owner) for owner in owners if owner is not None]
        return [number for number in numbers if number >= 0]

    def program(self, name: str, program: Program) -> None:
        """Add the program that a pass leaves, unless it left what was there."""
        from theano._core.lower.text import text_of

        text = text_of(program)
        if not self.programs or self.programs[-1]["text"] != text:
            entry = {"name": name, "why": WHY.get(name, ""), "text": text}
            self.programs.append({**entry, "cut": bool(program.routines)})


def _same(one: object, two: object) -> bool:
    return one is two


def _text(variable: Variable, depth: int = 2) -> str:
    """Return an expression, that of operands within operands cut short."""
    text, node = label(variable), variable.owner
    if node is not None and written(variable) is None and variable.name is None:
        inside = [_text(v, depth - 1) for v in node.inputs] if depth else ["…"]
        text = f"{short_name(node)}({', '.join(inside)})"
    return text if len(text) <= 100 else f"{text[:99]}…"


def stages_of(maker: FunctionMaker, seconds: Sequence[float] = ()) -> dict[str, Any]:
    """Return everything that a page shows of a compiled function, but times and memory.

    Parameters
    ----------
    maker : FunctionMaker
    seconds : sequence of float
        What each step took, if that is known.
    """
    data = GraphData()
    rewriter = maker.rewriter(True)
    stages = Stages(data, rewriter)
    stages.graph("written", maker.written())
    _, text = maker.lowered_again(rewriter, stages)
    whole = [entry for entry in stages.programs if not entry["cut"]]
    if whole:
        from theano._core.lower.text import annotated

        whole[-1]["text"] = annotated(text)
    names = [v.name or f"output {k}" for k, v in enumerate(maker.results)]
    names += [f"new {target}" for target, _ in maker.updates]
    work = work_of_steps(text)
    steps = [
        {
            "nodes": [data.number_of(node) for node in nodes],
            "kernels": sorted(done.kernels),
            "calls": [f"{name} × {n}" if n > 1 else name for name, n in _counted(done.calls)],
        }
        for nodes, done in zip(text.steps, work, strict=True)
    ]
    longest = sorted(range(len(seconds)), key=lambda number: -seconds[number])
    order = [kernel for number in longest for kernel in steps[number]["kernels"]]
    return {
        "nodes": data.nodes,
        "stages": stages.graphs,
        "programs": stages.programs,
        "outputs": names,
        "steps": steps,
        "kernels": kernels_of(text, maker.vector_bits, order),
        "sources": data.sources,
        "files": data.files(),
    }


def _counted(names: Sequence[str]) -> list[tuple[str, int]]:
    return list(Counter(names).items())


def kernels_of(
    text: ProgramText, vector_bits: int, order: Iterable[int] = ()
) -> list[dict[str, str]]:
    """Return each kernel as text: its loop and, of some, LLVM's text and assembly.

    Parameters
    ----------
    text : ProgramText
    vector_bits : int
    order : iterable of int
        Numbers of kernels: code is shown of the first ones.
    """
    from theano._core.lower.llvm.target.codegen import assembly_of
    from theano._core.lower.llvm.target.machine import WIDEST

    kernels = [
        {
            "name": f"{kernel.symbol}, {getattr(kernel, 'layout', 'plain')}",
            "loop": kernel_text(kernel),
            "llvm": LEFT_OUT,
            "assembly": LEFT_OUT,
        }
        for kernel in text.kernels
    ]
    for number in list(dict.fromkeys([*order, *range(len(kernels))]))[:MOST_KERNELS]:
        llvm = text.kernels[number].text
        assembly = assembly_of(llvm, vector_bits or WIDEST)
        kernels[number] |= {"llvm": llvm, "assembly": assembly}
    return kernels
