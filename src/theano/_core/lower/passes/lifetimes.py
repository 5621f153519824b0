"""Memory is given back right behind the last instruction that may read or write it.

This is the only place that decides so; operations allocate and never give back. An instruction with
a block of instructions uses what these use. Memory dies in the block that allocates it, unless that
hands it on: as a value of a branch, as a value carried by a loop, or to a slot of those around it.

In place of an operand, a result takes the memory over as it is allocated: by the builder, which
knows layouts and the readers that are still to come, and chooses a kernel for what it finds. Here,
both are one piece of memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from theano._core.lower import program as ir
from theano._core.lower.aliases import USES, Aliases, Roots, carried_addresses


def lifetimes(program: ir.Program) -> ir.Program:
    """Return a program that gives back all memory but that of its results."""
    body, _, _ = _Finder(program.results).block(program.body)
    return program.replace(body=body)


class _Finder:
    """Finds where the instructions of each block use memory last."""

    def __init__(self, results: Sequence[int]) -> None:
        self.results = set(results)
        self.aliases = Aliases()

    def block(
        self, block: ir.Block, ends: Iterable[object] = (), serves_all: bool = False
    ) -> tuple[ir.Block, Roots, Roots]:
        """Return a block that gives back; what it uses of outside; and what it hands on.

        `ends` are values in it that are handed on. Memory that `serves_all` steps of a loop is
        left to `hoist`.
        """
        last: dict[Any, int] = {}
        made: dict[int, None] = {}
        handed: Roots = set()
        aliases = self.aliases
        out = list(block)
        for at, i in enumerate(block):
            cls = type(i)
            find = USES.get(cls)
            if find is not None:
                roots = find(aliases, i)
                if not roots:
                    continue
                for root in roots:
                    last[root] = at
                if cls is ir.Alloc:
                    made[i.slot] = None
                elif cls is ir.Hand:
                    del made[i.slot]
                    handed.add(i.to)
            elif cls in _BLOCKS:
                out[at], uses, inner = _BLOCKS[cls](self, i)
                last.update(dict.fromkeys(uses, at))
                made.update(dict.fromkeys(inner))
        if not made:
            return out, aliases.owned(last) | handed, handed
        handed |= aliases.of(*ends) & made.keys()
        for slot in aliases.owners.keys() & last.keys():
            owner = aliases.owners[slot]
            last[owner] = max(last.pop(slot), last.get(owner, -1))
        dying = [] if serves_all else [s for s in made if s not in handed and s not in self.results]
        return _with_frees(out, dying, last), (last.keys() - made.keys()) | handed, handed

    def branch(self, i: ir.If) -> tuple[ir.If, Roots, Roots]:
        then, uses, handed = self.block(i.then, [m.one for m in i.merges])
        otherwise, more, others = self.block(i.otherwise, [m.two for m in i.merges])
        self.aliases.merge(i)
        return ir.If(i.condition, then, otherwise, i.merges), uses | more, handed | others

    def loop(self, i: ir.For) -> tuple[ir.For, Roots, Roots]:
        carried = carried_addresses(i)
        self.aliases.begin(i)
        body, uses, handed = self.block(i.body, [c.after for c in carried])
        every = self.aliases.owned(uses | self.aliases.end(i))
        names = {c.name for c in carried}
        return i.replace(body=body), every - names, handed - names

    def once(self, i: ir.Once) -> tuple[ir.Once, Roots, Roots]:
        body, uses, _ = self.block(i.body, serves_all=True)
        return i.replace(body=body), uses, set()


def _with_frees(block: ir.Block, dying: Sequence[int], last: dict[Any, int]) -> ir.Block:
    """Return a block that gives back each slot behind the instruction that uses it last."""
    out: ir.Block = []
    begin = 0
    for end, slot in sorted((last[slot] + 1, slot) for slot in dying):
        out += block[begin:end]
        out.append(ir.Free(slot))
        begin = end
    return out + block[begin:]


_BLOCKS: dict[type, Callable[[_Finder, Any], tuple[Any, Roots, Roots]]] = {
    ir.If: _Finder.branch,
    ir.For: _Finder.loop,
    ir.Once: _Finder.once,
}
