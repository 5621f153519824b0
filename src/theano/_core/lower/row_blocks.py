"""Which steps run together for some rows at a time, since what they hand on is large.

Attention multiplies queries by keys, has each row of these scores pass through some loops, and
multiplies by values; its gradient does likewise. The scores are by far the largest arrays, and
nothing else needs them. So all of these steps are done for a block of rows before the next one is
begun: scores never leave the cache, and there is memory for one block of them only.

A *space* of scores has the lengths (pairs of matrices …, rows, columns). What such steps make is
- `SCORES`: items of the space, or `TURNED`, a view of these with rows and columns exchanged;
- `ROWS`: items for each row, such as the sum of its scores;
- `RESULT`: a product with scores, to which a block contributes rows of its own, or a term.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any

from theano._core.base import dtypes
from theano._core.ir.variable import Apply
from theano._core.lower.computed_again import CHEAP, step_inputs
from theano._core.lower.equal_lengths import EqualLengths
from theano._core.lower.joined import Joined
from theano._core.lower.schedule import Step, order
from theano._core.ops.array.broadcasting import Alloc
from theano._core.ops.array.products import BatchedDot, Dot, Gemm
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.elementwise.elementwise import Elementwise

SCORES, TURNED, ROWS, RESULT = "scores", "turned", "rows", "result"

Space = tuple[Any, ...]
VIEWS = (Alloc, DimShuffle)


class RowBlocks(Joined):
    """Steps that run for a block of rows at a time.

    Attributes
    ----------
    parts : list of Step
        Those that make again what other steps have made have no `mask`.
    roles : dict of Variable to str
        What each value that they make is, or that they read of scores that are kept.
    results : list of Variable
        Those that other steps read, but for `views` of some, which are made at the end.
    views : list of Apply
    """

    __slots__ = ("results", "roles", "views")

    writer = "row_blocks"

    def __init__(
        self, parts: list[Step], roles: dict[Any, str], results: Sequence[Any], views: list[Apply]
    ) -> None:
        super().__init__(parts)
        self.roles, self.results, self.views = roles, list(results), views

    @property
    def scores(self) -> Any:
        """Some scores."""
        return next(value for value, role in self.roles.items() if role is SCORES)

    @property
    def made(self) -> set[Any]:
        """What the parts make."""
        return {value for part in self.parts for node in part.nodes for value in node.outputs}

    @property
    def is_worth_it(self) -> bool:
        """Whether any scores stay out of memory."""
        read = {value for part in self.parts for value in step_inputs(part)}
        inner = any(
            self.roles.get(v) is SCORES
            and v in read
            and v not in self.results
            and not isinstance(v.owner.op, VIEWS)
            for node in self.nodes
            for v in node.outputs
        )
        loops = any(part.is_loop for part in self.parts)
        return inner and loops and RESULT in self.roles.values()

    def make_again(self, part: Step) -> None:
        """Have each block compute scores that would be read from memory."""
        self.again |= dict.fromkeys(part.nodes)
        self.roles |= {value: SCORES for node in part.nodes for value in node.outputs}
        first = [part, *(own for own in self.parts if not own.mask)]
        self.parts = [own for own in self.parts if own.mask]
        # INVARIANT: nothing is made of itself, so there is one that is made of none of the others.
        while first:
            last = next(
                own
                for own in first
                if not any(v.owner in own.nodes for one in first for v in step_inputs(one))
            )
            first.remove(last)
            self.parts.insert(0, last)


def in_row_blocks(
    steps: Sequence[Step],
    lengths: EqualLengths,
    uses: dict[Any, int],
    alone: Collection[Any] = (),
    matrices: bool = True,
) -> list[Step]:
    """Return steps of which those that hand on scores are one, in a valid order.

    `uses` counts the steps that read each value, and the program's results. What is `alone` is made
    by a step of its own; so are, unless `matrices`, products of matrices that are no stacks.
    """
    for space in _spaces(steps, lengths, matrices):
        finder = _Finder(space, lengths, alone)
        finder.find(steps)
        every = [_joined(parts, finder.roles, uses) for parts in finder.connected()]
        if any(blocks.is_worth_it for blocks in every):
            every = _possible(steps, every)
            _make_again(every, space, uses)
            steps = _ordered(steps, [blocks for blocks in every if blocks.is_worth_it])
    return list(steps)


def _possible(steps: Sequence[Step], every: list[RowBlocks]) -> list[RowBlocks]:
    """Return those that can be one step: others need a step that waits for the length of theirs."""
    possible: list[RowBlocks] = []
    for chosen in (every, *([blocks] for blocks in every)):
        if len(possible) == len(every):
            break
        with suppress(ValueError):
            _ordered(steps, [*possible, *chosen])
            possible += chosen
    return possible


def _ordered(steps: Sequence[Step], joined: Sequence[RowBlocks]) -> list[Step]:
    """Return steps in a valid order, some of them as one."""
    step_of: dict[Any, Step] = {node: step for step in steps for node in step.nodes}
    step_of |= {node: blocks for blocks in joined for node in blocks.nodes}
    return order(list(dict.fromkeys(step_of[s.nodes[0]] for s in steps)), step_of)


def _spaces(steps: Sequence[Step], lengths: EqualLengths, matrices: bool) -> list[Space]:
    """Return the spaces in which there may be scores.

    Layers of a network are products and loops as well, but of rows that mostly fit the cache: of
    two matrices there must be a loop that reduces rows.
    """
    products = [lengths.space(s.nodes[0].outputs[0]) for s in steps if is_product(s)]
    if len(products) < 2:
        return []
    reduced = {
        tuple(lengths.find(n) for n in s.space or ())
        for s in steps
        if tuple(s.reductions or ()) == (1,) and matrices
    }
    return [space for space in dict.fromkeys(products) if len(space) > 2 or space in reduced]


def is_product(step: Step) -> bool:
    """Tell whether a step makes products of matrices."""
    node = step.nodes[0]
    if isinstance(step, RowBlocks):
        return False
    made = node.outputs[0].type if isinstance(node.op, (BatchedDot, Dot, Gemm)) else None
    return made is not None and made.ndim > 1 and dtypes.is_continuous(made.dtype)


def factors(node: Apply) -> list[Any]:
    """Return the two matrices, or stacks of matrices, that a product is one of."""
    return list(node.inputs[2:4] if isinstance(node.op, Gemm) else node.inputs)


class _Finder:
    """Finds the steps that make scores of a space, and all that is made of these row by row.

    They have *levels*: what is made of scores by other steps, such as a loss, needs all rows. Steps
    that need it, such as those of its gradient, are of a higher level than the scores. Of these,
    they read blocks as well, but from memory.

    Attributes
    ----------
    found : dict of Step to int
        The steps, in a valid order, with their levels.
    roles : dict of Variable to str
        What they make.
    """

    def __init__(self, space: Space, lengths: EqualLengths, alone: Collection[Any]) -> None:
        self.space, self.lengths, self.alone = space, lengths, alone
        self.steps: dict[Step, int] = {}
        self.roles: dict[Any, str] = {}
        # Levels of what the steps make, and those at which other values are there.
        self.level: dict[Any, int] = {}
        # Turned scores, by the step that turns them, until a product reads them: it says at which
        # level.
        self.pending: dict[Any, Step] = {}

    def find(self, steps: Sequence[Step]) -> None:
        """Find the steps."""
        for step in steps:
            read = step_inputs(step)
            level = max((self.level.get(v, 0) for v in read), default=0)
            usable = {v: self.roles[v] for v in read if self._is_usable(v, level)}
            made = {} if isinstance(step, RowBlocks) else self._made(step, usable)
            if TURNED in made.values():
                self.pending |= dict.fromkeys(made, step)
                self.level |= dict.fromkeys(made, level)
            elif made:
                for value in read:
                    turning = self.pending.pop(value, None)
                    if turning is not None:
                        self.steps[turning] = self.level[value] = level
                self.steps[step] = level
                self.level |= dict.fromkeys(made, level)
            else:
                for value in read:
                    # What others read turned, they turn themselves.
                    if self.pending.pop(value, None) is not None:
                        del self.roles[value]
                        self.level[value] += 1
                    level = max(level, self.level.get(value, 0) + (value in self.roles))
                self.level |= {v: level for node in step.nodes for v in node.outputs if level}
            self.roles |= made

    def _is_usable(self, value: Any, level: int) -> bool:
        """Tell whether a step of some level can read the part of a value for a block."""
        role = self.roles.get(value)
        lower = role is SCORES or value in self.pending
        return role is not None and (lower or self.level[value] == level)

    def _made(self, step: Step, usable: Mapping[Any, str]) -> dict[Any, str]:
        """Return what a step makes, of values of some roles; nothing if it does not go by rows."""
        node, roles = step.nodes[0], list(usable.values())
        if any(out in self.alone for one in step.nodes for out in one.outputs):
            return {}
        if step.is_loop:
            return self._made_by_loop(step, set(roles))
        if is_product(step):
            made = self._product(node, usable)
        elif isinstance(node.op, DimShuffle) and roles:
            made = self._turned(roles[0], node)
        elif isinstance(node.op, Alloc) and roles == [ROWS] and self._spread(node):
            made = SCORES
        else:
            made = ""
        return {node.outputs[0]: made} if made else {}

    def _made_by_loop(self, step: Step, read: set[str]) -> dict[Any, str]:
        space = tuple(self.lengths.find(n) for n in step.space or ())
        last = len(self.space) - 1
        by_scores = space == self.space and tuple(step.reductions or (last,)) == (last,)
        by_rows = space in (self.space[:-1], (*self.space[:-1], 1)) and not step.reductions
        if not read or not read <= {SCORES, ROWS} or not (by_scores or by_rows):
            return {}
        whole = SCORES if by_scores else ROWS
        return {
            node.outputs[0]: ROWS if isinstance(node.op, Reduction) else whole
            for node in step.nodes
        }

    def _product(self, node: Apply, usable: Mapping[Any, str]) -> str:
        x, y = factors(node)
        roles = usable.get(x), usable.get(y)
        if isinstance(node.op, Gemm) and usable:
            return ""
        if roles == (None, None):
            own = self.lengths.space(node.outputs[0])
            return SCORES if own == self.space and 1 not in own[-2:] else ""
        if roles == (SCORES, None):
            return RESULT
        summed = (roles == (TURNED, None) and not y.type.broadcastable[-2]) or (
            roles == (None, SCORES) and not x.type.broadcastable[-1]
        )
        # Half a sum is not to be rounded to half precision.
        return RESULT if summed and node.outputs[0].type.dtype != "float16" else ""

    def _turned(self, role: str, node: Apply) -> str:
        rank, new = len(self.space), list(node.op.new_order)
        if role is SCORES and new == [*range(rank - 2), rank - 1, rank - 2]:
            return TURNED
        rows = role is ROWS and new in ([*range(rank - 1)], [*range(rank - 1), "x"])
        return ROWS if rows else ""

    def _spread(self, node: Apply) -> bool:
        """Tell whether items of rows are repeated along these, and nothing else is."""
        own, made = (self.lengths.space(v) for v in (node.inputs[0], node.outputs[0]))
        return own == (*self.space[:-1], 1) and made == self.space

    def connected(self) -> list[list[Step]]:
        """Return the steps of each level that hand on to each other, or read the same scores.

        The same are all scores of steps of a lower level that hand on to each other.
        """
        leader: dict[Step, Step] = {}
        maker = {out: step for step in self.steps for node in step.nodes for out in node.outputs}

        def lead(step: Step) -> Step:
            while step in leader:
                step = leader[step]
            return step

        readers: dict[tuple[Step, int], Step] = {}
        for step, level in sorted(self.steps.items(), key=itemgetter(1)):
            for value in (v for v in step_inputs(step) if v in maker):
                other = lead(maker[value])
                if self.level[value] < level:
                    if self.roles[value] is not SCORES:
                        continue
                    other = lead(readers.setdefault((other, level), step))
                if other is not lead(step):
                    leader[lead(step)] = other
        parts: dict[Step, list[Step]] = {}
        for step in self.steps:
            parts.setdefault(lead(step), []).append(step)
        return list(parts.values())


def _joined(parts: list[Step], roles: Mapping[Any, str], uses: Mapping[Any, int]) -> RowBlocks:
    """Return steps as one."""
    readers = Counter(value for part in parts for value in step_inputs(part))
    made = [v for part in parts for node in part.nodes for v in node.outputs]
    results = {v: None for v in made if uses.get(v, 0) > readers[v]}
    views: list[Apply] = []
    for value in reversed(made):
        if value in results and isinstance(value.owner.op, VIEWS):
            del results[value]
            # Scores of a lower level are kept already.
            if value.owner.inputs[0] in made:
                results.setdefault(value.owner.inputs[0])
            views.insert(0, value.owner)
    own = {v: roles[v] for v in made}
    own |= {v: SCORES for v in readers if roles.get(v) is SCORES and v not in own}
    return RowBlocks(parts, own, list(results), views)


def _make_again(every: Sequence[RowBlocks], space: Space, uses: dict[Any, int]) -> None:
    """Have blocks compute scores again rather than read them, where that is cheap.

    They are computed of what the blocks read anyway, and are kept no longer.
    """
    readers = {
        blocks: Counter(v for part in blocks.parts for v in step_inputs(part)) for blocks in every
    }
    made = [blocks for blocks in every if blocks.is_worth_it]
    viewed = {node.inputs[0] for blocks in every for node in blocks.views}
    for maker in every:
        for value in [v for v in maker.results if maker.roles[v] is SCORES and v not in viewed]:
            others = [blocks for blocks in made if blocks is not maker and readers[blocks][value]]
            left = uses[value] - readers[maker][value] - sum(readers[b][value] for b in others)
            nodes = [_cheaply(value, maker, readers[blocks], CHEAP) for blocks in others]
            if left or not all(nodes):
                continue
            maker.results.remove(value)
            for blocks, chain in zip(others, nodes, strict=True):
                part = Step(chain[0], 0, space, None, 0)
                part.nodes = chain
                blocks.make_again(part)
                readers[blocks].update(step_inputs(part))
                for v in step_inputs(part):
                    uses[v] += 1


def _cheaply(value: Any, maker: RowBlocks, read: Mapping[Any, int], left: int) -> list[Apply]:
    """Return nodes that make scores of what is `read` anyway; none if they are not cheap."""
    node, chain = value.owner, []
    scores = maker.roles[value] is SCORES and isinstance(node.op, Elementwise)
    if not scores or node.op.cost > left:
        return []
    left -= node.op.cost
    gone = maker.made.difference(maker.results)
    for own in (v for v in node.inputs if v in gone and not read.get(v)):
        before = _cheaply(own, maker, read, left)
        if not before:
            return []
        left -= sum(one.op.cost for one in before)
        chain += [one for one in before if one not in chain]
    return [*chain, node]
