"""What memory the instructions of a program may read and write.

Every address is followed from its allocation on: through arithmetic and choices, through words of
the frame and of the stack that hold it, and through the values that branches and loops hand on. An
instruction that is given an address, or memory that holds one, uses what that may point into.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from theano._core.lower import program as ir

if TYPE_CHECKING:
    from theano._core.lower.program import Load

# What addresses may point into: slots and, while a loop is looked at, names of values it carries.
Roots = set[Any]
# Functions of addresses that are addresses of the same memory.
_ADDRESSES = ("moved", "select", "word", "number")
# Operands of calls that are lists of places in the frame: which, and every how many of its words.
_LISTS = {"callback": (2, 1), "lapack": (4, 3)}
_NOTHING: Roots = frozenset()  # type: ignore[assignment]


class Aliases:
    """Follows addresses through a program, instruction by instruction in its order.

    Attributes
    ----------
    roots : dict of str to set
        Of registers that are addresses, and of places on the stack that hold some.
    frame : dict of int to set
        Of words of the frame that hold addresses.
    lists : dict of str to tuple of Size
        The words at places on the stack.
    owners : dict of int to int
        Slots that handed their memory over → the slot that has it.
    """

    def __init__(self) -> None:
        self.roots: dict[Any, Roots] = {}
        self.frame: dict[ir.Size, Roots] = {}
        self.lists: dict[str, tuple[ir.Size, ...]] = {}
        self.owners: dict[Any, int] = {}

    def of(self, *values: object) -> Roots:
        """Return the slots of the memory that several values may point into."""
        return self.owned(self._union(values))

    def owned(self, roots: Iterable[object]) -> Roots:
        """Return the slots that have the memory now."""
        return {self.owners.get(root, root) for root in roots}

    def _union(self, names: Iterable[object]) -> Roots:
        roots = _NOTHING
        for name in names:
            here = self.roots.get(name)
            if here:
                roots = roots | here if roots else here
        return roots

    # -- what holds addresses -----------------------------------------------------------------

    def let(self, i: ir.Let) -> Roots:
        _, function, operands, _ = i
        if not self.roots.keys().isdisjoint(operands):
            roots = self._union(operands)
            if function in _ADDRESSES:
                self.roots[i.name] = roots
            return roots
        if function == "slot":
            # What is written there later counts as well.
            self.roots[i.name] = self.frame.setdefault(operands[0], set())
        return _NOTHING

    def compute(self, i: ir.Compute) -> Roots:
        roots = self._union([x.name for x in i.operands if type(x) is ir.Register])
        if roots:
            self.roots[i.name] = roots
        return roots

    def frame_load(self, i: ir.FrameLoad) -> Roots:
        if i.type == "ptr" and i.offset in self.frame:
            self.roots[i.name] = self.frame[i.offset]
        return _NOTHING

    def frame_store(self, i: ir.FrameStore) -> Roots:
        for offset, value in enumerate(i.values, i.offset):
            if value in self.roots:
                self.frame.setdefault(offset, set()).update(self.roots[value])
        return _NOTHING

    def store(self, i: ir.Store) -> Roots:
        name = getattr(i.value, "name", "")
        if name in self.roots:
            self.roots.setdefault(i.address, set()).update(self.roots[name])
        return self.roots.get(i.address, _NOTHING)

    def words(self, i: ir.Words) -> Roots:
        held = self._union(i.words)
        if i.address == "%block":
            # Other places belong to one call each; this one is written anew for every kernel.
            self.roots[i.address] = held
            return held
        self.lists[i.address] = i.words
        if held:
            self.roots.setdefault(i.address, set()).update(held)
        return held

    def alloc(self, i: ir.Alloc) -> Roots:
        self.roots[i.name] = roots = {i.slot}
        return roots

    def hand(self, i: ir.Hand) -> Roots:
        for slot, owner in self.owners.items():
            if owner == i.slot:
                self.owners[slot] = i.to
        self.owners[i.slot] = i.to
        return self.roots.get(i.address, _NOTHING)

    # -- what uses them ------------------------------------------------------------------------

    def address(self, i: Load) -> Roots:
        return self.roots.get(i.address, _NOTHING)

    def arguments(self, i: ir.Launch | ir.Reduce) -> Roots:
        return self.roots.get(i.arguments, _NOTHING)

    def call(self, i: ir.Call) -> Roots:
        roots = self._union(i.operands)
        if i.function in _LISTS:
            number, step = _LISTS[i.function]
            places = self.lists[str(i.operands[number])][::step]
            roots = roots.union(*(self.frame.get(place, _NOTHING) for place in places))
        return roots

    # -- blocks ----------------------------------------------------------------------------------

    def merge(self, i: ir.If) -> None:
        """Follow what a branch hands on, whose blocks have been looked at."""
        for name, _, one, two in i.merges:
            roots = self._union((one, two))
            if roots:
                self.roots[name] = roots

    def begin(self, i: ir.For) -> None:
        """Follow what a loop carries into its body; it is known when that has been looked at."""
        for c in carried_addresses(i):
            self.roots[c.name] = {c.name}

    def end(self, i: ir.For) -> Roots:
        """Follow what a loop hands on; return what all carried addresses may point into."""
        roots_of = {c.name: self._union((c.start, c.after)) for c in carried_addresses(i)}
        for _ in roots_of:
            for name, roots in roots_of.items():
                roots_of[name] = roots.union(*(roots_of.get(root, ()) for root in roots))
        for name, roots in roots_of.items():
            self.roots[name] = roots.difference(roots_of)
        return set().union(*(self.roots[name] for name in roots_of))


def carried_addresses(i: ir.For) -> Sequence[ir.Carried]:
    """Return what a loop carries that are addresses."""
    return [c for c in i.carried if c.type == "ptr"]


# By instruction, the function that follows its addresses and returns what it uses; those that are
# not here use no memory of the program.
USES: dict[type, Callable[[Aliases, Any], Roots]] = {
    ir.Let: Aliases.let,
    ir.Compute: Aliases.compute,
    ir.FrameLoad: Aliases.frame_load,
    ir.FrameStore: Aliases.frame_store,
    ir.Store: Aliases.store,
    ir.Words: Aliases.words,
    ir.Alloc: Aliases.alloc,
    ir.Hand: Aliases.hand,
    ir.Load: Aliases.address,
    ir.LoadRow: Aliases.address,
    ir.StoreRow: Aliases.address,
    ir.Launch: Aliases.arguments,
    ir.Reduce: Aliases.arguments,
    ir.Call: Aliases.call,
}
