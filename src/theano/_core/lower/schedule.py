"""Which nodes run together as one loop, and in which order the steps run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from theano._core.ir.variable import Apply, Variable
from theano._core.lower.apart import AXES, BETWEEN, HEAVY, REDUCED, SHAPES, Apart
from theano._core.lower.computed_again import compute_again, computed
from theano._core.lower.equal_lengths import EqualLengths
from theano._core.lower.live_values import LiveValues
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.elementwise.elementwise import Elementwise


class Step:
    """One step of a program: a single node, or several that share a loop.

    `mask` has its bit, once others may need it, and those of steps it took up; `needs` those of all
    it depends on, directly or not; `users` are nodes of other steps that read what it makes,
    `again` those that it computes, too.
    """

    __slots__ = ("again", "mask", "needs", "nodes", "reductions", "space", "users", "weight")

    def __init__(
        self,
        node: Apply,
        needs: int,
        space: Sequence[Variable | int] | Sequence[Variable] | Sequence[int] | None,
        reductions: Sequence[int] | None,
        weight: int,
    ) -> None:
        self.nodes = [node]
        self.mask = 0
        self.needs = needs
        self.space = space
        self.reductions = reductions
        self.weight = weight
        self.users: list[Apply] = []
        self.again: dict[Apply, None] = {}

    @property
    def is_loop(self) -> bool:
        """Whether the step is a loop written by the engine."""
        return self.space is not None


def loop_space(node: Apply, equal_lengths: Callable[[Any], Any]) -> Any:
    """Return the lengths of the loop of a node, or None if it is not one of our loops."""
    op = node.op
    if isinstance(op, Elementwise) and op.native is not None and node.outputs[0].type.ndim:
        return equal_lengths(node.outputs[0])
    if isinstance(op, Reduction) and node.inputs[0].type.ndim:
        return equal_lengths(node.inputs[0])
    return None


def weight_of(node: Apply) -> int:
    """Return a rough number of instructions of a scalar function."""
    return node.op.cost if isinstance(node.op, Elementwise) else 1


def group(
    nodes: Sequence[Apply],
    equal_lengths: EqualLengths,
    fuse: bool = True,
    apart: list[Apart] | None = None,
) -> list[Step]:
    """Return the steps of a program: loops fused where that is possible, in a valid order.

    A loop joins the loops that make its operands if all run over the same space and no other step
    would have to run between them; what it cannot join and is cheap it computes again. `nodes` are
    in topological order. To `apart` are added the loops that were tried and not joined.
    """
    step_of: dict[Apply, Step] = {}
    steps: dict[Step, None] = {}
    live = LiveValues(nodes)
    bits = (1 << k for k in count())
    for node in nodes:
        step = single(node, equal_lengths, step_of)
        live.read_by(node, step, step_of)
        for producer in _fusable(node, step, step_of, equal_lengths, apart) if fuse else ():
            heavy = live.end(producer, producer.weight + step.weight)
            why = HEAVY if heavy else _obstacle(step, producer, step_of)
            if not why:
                steps.pop(step, None)
                merge(step, producer, step_of)
                live.merge(step, producer)
                _pass_on(producer, step_of)
                step = producer
                continue
            compute_again(node, step, producer, step_of)
            if apart is not None:
                apart.append(Apart(producer.nodes[-1], node, why))
        step.mask = step.mask or next(bits)
        steps.setdefault(step)
        step_of[node] = step
        for value in node.inputs:
            made_by = step_of.get(value.owner)
            if made_by is not None and made_by is not step:
                made_by.users.append(node)
    return order(list(steps), step_of)


def single(node: Apply, equal_lengths: EqualLengths, step_of: dict[Apply, Step]) -> Step:
    """Return the step of a node alone; `step_of` has those of what it may need."""
    needs = 0
    for value in node.inputs:
        if value.owner is not None and value.owner in step_of:
            producer = step_of[value.owner]
            needs |= producer.mask | producer.needs
    if isinstance(node.op, Elementwise):
        equal_lengths.unify(node)
    space = loop_space(node, equal_lengths.space)
    reductions = (
        node.op.axes(node.inputs[0].type.ndim)
        if space is not None and isinstance(node.op, Reduction)
        else None
    )
    return Step(node, needs, space, reductions or None, weight_of(node))


def _fusable(
    node: Apply,
    step: Step,
    step_of: dict[Apply, Step],
    equal_lengths: EqualLengths,
    apart: list[Apart] | None,
) -> list[Step]:
    producers: dict[Step, None] = {}
    for value in node.inputs if step.is_loop else ():
        owner: Any = value.owner
        producer = step_of.get(owner)
        if producer is None or not producer.is_loop:
            continue
        elementwise = isinstance(owner.op, Elementwise)
        if elementwise and equal_lengths.space(value) == step.space:
            producers.setdefault(producer)
        elif apart is not None:
            apart.append(Apart(owner, node, SHAPES if elementwise else REDUCED))
    # What is long ends before it takes up what only this node reads.
    return sorted(producers, key=lambda producer: producer.weight)


def _obstacle(step: Step, other: Step, step_of: dict[Apply, Step]) -> str:
    """Return why two loops over the same space cannot be one; '' if they can.

    `step` is of the last node, and nothing needs that yet.
    """
    if (
        step.reductions is not None
        and other.reductions is not None
        and step.reductions != other.reductions
    ):
        return AXES
    mask = step.mask | other.mask
    # What `other` needs does not need a node that is alone.
    for node in step.nodes if len(step.nodes) == 1 else (*step.nodes, *other.nodes):
        for value in node.inputs:
            producer = step_of.get(value.owner)
            if producer is None or producer.mask & mask:
                if producer is not None and isinstance(value.owner.op, Reduction):
                    return REDUCED
                continue
            if producer.needs & mask:
                return BETWEEN
    return ""


def merge(step: Step, other: Step, step_of: dict[Apply, Step]) -> None:
    """Have `other` do what `step` does, too."""
    other.nodes += step.nodes
    other.again |= step.again
    other.mask |= step.mask
    other.needs = (other.needs | step.needs) & ~other.mask
    other.reductions = other.reductions or step.reductions
    other.weight += step.weight
    other.users += step.users
    for node in step.nodes:
        step_of[node] = other


def _pass_on(step: Step, step_of: dict[Apply, Step]) -> None:
    """Have all steps that depend on `step` need what it needs now.

    They need some of its bits already, which says as much as all: steps are asked for by `mask`.
    """
    waiting = [step]
    while waiting:
        for user in waiting.pop().users:
            later = step_of[user]
            if step.needs & ~later.needs and later is not step:
                later.needs |= step.needs
                waiting.append(later)


def order(
    steps: Sequence[Step], step_of: dict[Apply, Step], after: dict[Step, set[Step]] | None = None
) -> list[Step]:
    """Return steps so that each comes after those it needs, and after those in `after[step]`.

    Raises
    ------
    ValueError
        There is no such order.
    """
    done: set[Step] = set()
    active: set[Step] = set()
    result: list[Step] = []
    for root in steps:
        stack: list[tuple[Step, Any]] = []
        if root not in done:
            stack.append((root, iter(_before(root, step_of, after))))
            active.add(root)
        while stack:
            step, parents = stack[-1]
            for parent in parents:
                if parent in done:
                    continue
                if parent in active:
                    raise ValueError("steps need each other")
                active.add(parent)
                stack.append((parent, iter(_before(parent, step_of, after))))
                break
            else:
                stack.pop()
                active.discard(step)
                done.add(step)
                result.append(step)
    return result


def _before(
    step: Step, step_of: dict[Apply, Step], after: dict[Step, set[Step]] | None
) -> list[Step]:
    producers: dict[Step, None] = {}
    for node in computed(step):
        for value in node.inputs:
            producer = step_of.get(value.owner) if value.owner is not None else None
            if producer is not None and producer is not step:
                producers.setdefault(producer)
    for extra in (after or {}).get(step, ()):
        producers.setdefault(extra)
    return list(producers)
