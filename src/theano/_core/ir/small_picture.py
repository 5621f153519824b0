"""A small graph as a picture, for notebooks: an SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TypeAlias

from theano._core.ir.graph import toposort
from theano._core.ir.variable import Apply, Constant, Variable

Thing: TypeAlias = Apply | Variable

# Of larger graphs nothing would be seen: `variable.show()` draws those.
MOST_NODES = 40
# In pixels: of a letter, of a row of boxes, and around texts and boxes.
LETTER, ROW, PAD, GAP = 7.2, 56, 10, 16
LONGEST = 24
FILLS = {"input": "#4c9f5022", "constant": "#88888822", "operation": "#3b7dd822"}


def svg(outputs: Sequence[Variable]) -> str:
    """Return a graph drawn from its inputs down to its results; '' if it is too large.

    Parameters
    ----------
    outputs : sequence of Variable
    """
    order = toposort(outputs)
    if len(order) > MOST_NODES:
        return ""
    things: list[Thing] = [*order, *_leaves(order, outputs)]
    depth = _depths(order, outputs)
    rows: list[list[Thing]] = [[] for _ in range(1 + max(depth.values(), default=0))]
    for thing in things:
        rows[depth[thing]].append(thing)
    centres, width = _placed(rows)
    height = ROW * len(rows)
    parts = []
    for node in order:
        for variable in node.inputs:
            source = variable if variable.owner is None else variable.owner
            parts.append(_line(centres[source], depth[source], centres[node], depth[node]))
    ends = {v.owner or v for v in outputs}
    parts += [_box(thing, centres[thing], depth[thing], thing in ends) for thing in things]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}" style="max-width:100%" '
        f'font-family="sans-serif" font-size="12">{"".join(parts)}</svg>'
    )


def _leaves(order: Sequence[Apply], outputs: Sequence[Variable]) -> list[Variable]:
    every = [*(v for node in order for v in node.inputs), *outputs]
    return list(dict.fromkeys(v for v in every if v.owner is None))


def _depths(order: Sequence[Apply], outputs: Sequence[Variable]) -> dict[Thing, int]:
    """Return the row of each node and leaf; leaves stand right above what reads them first."""
    depth: dict[Thing, int] = {}
    for node in order:
        depth[node] = 1 + max((depth.get(v.owner, 0) for v in node.inputs), default=-1)
    for node in reversed(order):
        for variable in node.inputs:
            if variable.owner is None:
                depth[variable] = min(depth.get(variable, depth[node]), depth[node] - 1)
    for variable in outputs:
        depth.setdefault(variable.owner or variable, 0)
    return depth


def _placed(rows: list[list[Thing]]) -> tuple[dict[Thing, float], float]:
    """Return the centre of each box, below what it reads where there is room, and the width."""
    centres: dict[Thing, float] = {}
    for row in rows:

        def wanted(thing: Thing) -> float:
            above = [centres.get(v.owner or v, 0.0) for v in getattr(thing, "inputs", ())]
            return sum(above) / len(above) if above else 0.0

        left = PAD
        for thing in sorted(row, key=wanted):
            half = _width(thing) / 2
            centres[thing] = max(left + half, wanted(thing))
            left = centres[thing] + half + GAP
    return centres, max((centres[t] + _width(t) / 2 + PAD for row in rows for t in row), default=0)


def _text(thing: Thing) -> str:
    if isinstance(thing, Variable):
        text = str(thing.data) if isinstance(thing, Constant) and thing.ndim == 0 else str(thing)
    else:
        name = getattr(thing.op, "name", None)
        text = name if isinstance(name, str) else str(thing.op).partition("{")[0]
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _width(thing: Thing) -> float:
    return LETTER * len(_text(thing)) + 2 * PAD


def _line(x: float, row: int, x2: float, row2: int) -> str:
    start, end = row * ROW + 38, row2 * ROW + 12
    middle = (start + end) / 2
    path = f"M{x:.0f} {start} C{x:.0f} {middle:.0f} {x2:.0f} {middle:.0f} {x2:.0f} {end}"
    return f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity="0.5"/>'


def _box(thing: Thing, x: float, row: int, ends: bool) -> str:
    width, y = _width(thing), row * ROW + 12
    kind = "constant" if isinstance(thing, Constant) else "operation"
    kind = "input" if isinstance(thing, Variable) and kind != "constant" else kind
    values = [thing] if isinstance(thing, Variable) else thing.outputs
    types = ", ".join(str(v.type) for v in values)
    source = getattr(thing, "source", None)
    told = f"{types}\n{source}" if source else types
    return (
        f"<g><title>{escape(told)}</title>"
        f'<rect x="{x - width / 2:.0f}" y="{y}" width="{width:.0f}" height="26" rx="4" '
        f'fill="{FILLS[kind]}" stroke="currentColor" stroke-width="{2 if ends else 1}"/>'
        f'<text x="{x:.0f}" y="{y + 17}" text-anchor="middle" fill="currentColor">'
        f"{escape(_text(thing))}</text></g>"
    )
