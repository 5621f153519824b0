"""What is only copied to where it ends is computed there.

An operation that joins arrays copies one behind the other. One that is given back right behind its
copy needs no memory of its own: it is its part of the whole, which is allocated before it. That is
so for arrays without gaps along the first axis, if the length of the whole is known by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

from theano._core.base.dtypes import itemsize
from theano._core.base.records import Record
from theano._core.lower import program as ir
from theano._core.lower.kernel.expression import Emitted
from theano._core.lower.program import Size


def elide_copies(program: ir.Program) -> ir.Program:
    """Return a program without such copies, and without `Parts`."""
    if not any(isinstance(i, ir.Parts) for i in ir.walk(program.body)):
        return program
    elided: set[int] = set()
    body = _without_copies(program.body, program.kernels, elided)
    elided -= {i.kernel for i in ir.walk(body) if isinstance(i, (ir.Launch, ir.Reduce))}
    kernels = tuple(_by_need(k) if n in elided else k for n, k in enumerate(program.kernels))
    return program.replace(body=body, kernels=kernels)


def _by_need(kernel: Any) -> Any:
    """Return a kernel that is not compiled with the program."""
    kernel = copy(kernel)
    kernel.eager = False
    return kernel


class _Part(Record):
    """A copy of an array to its part of a whole.

    Attributes
    ----------
    made, copied, freed : int
        Where the array is allocated, copied and given back.
    offset : Size
        Where its part begins, in bytes.
    """

    made: int
    copied: int
    freed: int
    offset: Size


def _without_copies(block: ir.Block, kernels: Sequence[Any], elided: set[int]) -> ir.Block:
    def inside(block: ir.Block) -> ir.Block:
        return _without_copies(block, kernels, elided)

    block = [ir.with_blocks(i, inside) for i in block]
    wholes = {i.address: [] for i in block if isinstance(i, ir.Parts)}
    if not wholes:
        return block
    where = {name: at for at, i in enumerate(block) for name, _ in ir.defined(i)}
    # INVARIANT: what is written to a whole later, over its parts, is no part.
    joined: dict[str, list[_Part]] = {}
    for at, i in enumerate(block):
        if isinstance(i, ir.Parts):
            joined = {} if i.address in joined else {i.address: wholes[i.address]}
        elif isinstance(i, ir.Launch) and isinstance(i.kernel, int) and _copies(kernels[i.kernel]):
            _note(block, at, where, itemsize(kernels[i.kernel].loop.operands[0][0]), joined)
    change = _Change(block, where)
    fit = {i.address: i.fit for i in block if isinstance(i, ir.Parts)}
    for whole, parts in wholes.items():
        if parts and change.allocate_before(whole, parts, fit[whole]):
            elided.update(block[part.copied].kernel for part in parts)
    return change.block()


def _copies(kernel: Any) -> bool:
    """Tell whether a kernel copies items side by side."""
    loop = getattr(kernel, "loop", None)
    if loop is None or kernel.layout != "packed" or len(loop.operands) != 1:
        return False
    (dtype, broadcast), body = loop.operands[0], loop.body
    return (
        loop.stores == (dtype,)
        and not (loop.reductions or body.operations)
        and all(broadcast.isdisjoint(axes) for axes in kernel.groups)
    )


def _note(
    block: ir.Block,
    at: int,
    where: dict[Any, int],
    size: int,
    wholes: dict[str, list[_Part]],
) -> None:
    """Add to the parts of wholes what a copy writes, if nothing else is done with it later."""
    words = block[at - 1]
    if not isinstance(words, ir.Words) or words.address != block[at].arguments:
        return
    if len(words.words) != 3:
        return
    count, source, target = words.words
    made = where.get(source, -1)
    if made < 0 or not isinstance(block[made], ir.Alloc):
        return
    offset: Size = 0
    to = block[where[target]] if target in where else None
    if isinstance(to, ir.Let) and to.function == "moved":
        target, offset = to.operands
    if target not in wholes or not _is_product(block, where, block[made].nbytes, count, size):
        return
    freed = at + 1
    while freed < len(block) and isinstance(block[freed], ir.Free):
        if block[freed].slot == block[made].slot:
            wholes[target].append(_Part(made, at, freed, offset))
            return
        freed += 1


def _is_product(
    block: ir.Block, where: dict[Any, int], nbytes: Size, count: Size, size: int
) -> bool:
    if isinstance(count, int) or size == 1:
        return nbytes == (count * size if isinstance(count, int) else count)
    let = block[where[nbytes]] if nbytes in where else None
    return (
        isinstance(let, ir.Let) and let.function == "times" and set(let.operands) == {count, size}
    )


def _operands(i: ir.Instruction) -> Sequence[Size] | None:
    """Return what arithmetic is of; None of an instruction that is none."""
    if isinstance(i, ir.Let):
        return i.operands
    if not isinstance(i, ir.Compute):
        return None
    if any(isinstance(operation.function, Emitted) for operation in i.body.operations):
        return None
    return [x.name for x in i.operands if isinstance(x, ir.Register)]


class _Change:
    """Changes of a block: instructions that move up, that are replaced, and that go."""

    def __init__(self, block: ir.Block, where: dict[Any, int]) -> None:
        self._block = block
        self._where = where
        self._places: dict[int, int] = {}
        self._now: dict[int, Any] = {}
        self._gone = {at for at, i in enumerate(block) if isinstance(i, ir.Parts)}

    def allocate_before(self, whole: str, parts: list[_Part], fit: Sequence[Size]) -> bool:
        """Allocate a whole before its parts, which become memory of it; False if that cannot be.

        Parts that are made before the length of the whole is known, and whether they fit, are left
        as they are, and are taken from the list.
        """
        at = self._where[whole]
        checked = self._checked(at)
        if checked is None:
            return False
        # INVARIANT: what does not fit is refused before a part is written.
        first = min(part.made for part in parts)
        checks = {
            n: i
            for n, i in enumerate(self._block[first:at], first)
            if isinstance(i, ir.Check) and i.condition in fit
        }
        needed = [self._block[at].nbytes, *checked.facts, *(part.offset for part in parts)]
        for check in checks.values():
            needed += [check.condition, *check.facts]
        moving, ready = self._before(needed, first)
        parts[:] = [p for p in parts if p.made > ready and self._stays(p.made)]
        if not parts:
            return False
        place = min(part.made for part in parts)
        for n in (*moving, *checks, at, at + 1, at + 2):
            if self._places.get(n, n) > place:
                self._places[n] = place
        for made, copied, freed, offset in parts:
            name = self._block[made].name
            self._now[made] = ir.Let(name, "moved", (whole, offset))
            self._gone |= {made + 1, made + 2, copied - 1, copied, freed}
        return True

    def _stays(self, at: int) -> bool:
        """Tell whether an allocation is one still, where it was: no whole of parts itself."""
        return at not in self._places and self._checked(at) is not None

    def _checked(self, at: int) -> Any:
        """Return the check that there was memory, if it follows an allocation."""
        made, *rest = self._block[at : at + 3]
        if len(rest) < 2 or not isinstance(made, ir.Alloc):
            return None
        let, check = rest
        if not isinstance(let, ir.Let) or let[1:3] != ("ne", (made.name, "null")):
            return None
        return check if isinstance(check, ir.Check) and check.condition == let.name else None

    def _before(self, needed: Iterable[Size], place: int) -> tuple[list[int], int]:
        """Return the arithmetic that numbers follow from, and what it stands behind at least.

        What stands before `place` is left out.
        """
        moving: dict[int, None] = {}
        ready = -1
        waiting = [name for name in needed if name in self._where]
        while waiting:
            at = self._where[waiting.pop()]
            if at < place:
                continue
            operands = _operands(self._block[at])
            if operands is None:
                ready = max(ready, at)
            elif at not in moving:
                moving[at] = None
                waiting += [name for name in operands if name in self._where]
        return list(moving), ready

    def block(self) -> ir.Block:
        """Return the block with its changes."""
        coming: dict[int, list[int]] = {}
        for n, place in sorted(self._places.items()):
            coming.setdefault(place, []).append(n)
        out: ir.Block = []
        for at, i in enumerate(self._block):
            out += [self._block[n] for n in coming.get(at, ())]
            if at not in self._places and at not in self._gone:
                out.append(self._now.get(at, i))
        return out
