"""What no step of a loop changes is done once, before the loop.

Found by what instructions define and read, loops within loops first: so what is put before one loop
may go on to the front of the next. What may fail stays where it is, but for memory: a block of the
same size in every step that is given back in the block of instructions that allocates it serves
them all, and other blocks of that size as soon as it is given back.
"""

from __future__ import annotations

from theano._core.lower import program as ir


def hoist(program: ir.Program) -> ir.Program:
    """Return a program whose loops hold what their steps change, and no `Once`."""
    return program.replace(body=_block(program.body))


def _block(block: ir.Block) -> ir.Block:
    out: ir.Block = []
    for i in block:
        if type(i) is ir.For:
            out += _loop(i)
        else:
            out.append(ir.with_blocks(i, _block))
    return out


def _loop(loop: ir.For) -> ir.Block:
    """Return a loop with what goes before and behind it."""
    mover = _Mover(loop)
    body = mover.block(_block(loop.body))
    return [*mover.before, loop.replace(body=body), *map(ir.Free, mover.slots)]


class _Mover:
    """Takes what no step changes out of the body of a loop.

    Attributes
    ----------
    before : list of instructions
        What goes before the loop.
    slots : list of int
        What is given back behind it.
    """

    def __init__(self, loop: ir.For) -> None:
        self.step = loop.step
        self.before: ir.Block = []
        self.slots: list[int] = []
        self._varies = _defined(loop)
        # Addresses of memory that serves all steps, and whether there is any.
        self._addresses: set[ir.Size] = set()
        # By slot, the address and size of such memory; by size, addresses of what is given back.
        self._memory: dict[int, tuple[str, ir.Size]] = {}
        self._idle: dict[ir.Size, list[str]] = {}

    def block(self, block: ir.Block) -> ir.Block:
        """Return what stays of a block of the body."""
        given_back = {i.slot for i in block if isinstance(i, ir.Free)}
        kept: ir.Block = []
        for i in block:
            if isinstance(i, ir.Words):
                self._words(i, kept)
            elif isinstance(i, ir.If):
                one, two = self.block(i.then), self.block(i.otherwise)
                kept.append(i.replace(then=one, otherwise=two))
                self._varies |= _defined(i)
            elif isinstance(i, ir.Once):
                self._once(i)
            elif isinstance(i, ir.Free) and i.slot in self._memory:
                address, nbytes = self._memory[i.slot]
                self._idle.setdefault(nbytes, []).append(address)
            elif not self._moves(i, given_back):
                kept.append(i)
                self._varies |= _defined(i)
        return kept

    def _moves(self, i: object, given_back: set[int]) -> bool:
        """Put an instruction before the loop, if no step changes what it does."""
        if isinstance(i, ir.Let):
            if stays_put(i) or not self._is_steady(*i.operands):
                return False
            if not self._addresses.isdisjoint(i.operands):
                self._addresses.add(i.name)
        elif isinstance(i, ir.Alloc):
            if i.slot not in given_back or not self._is_steady(i.nbytes):
                return False
            self._addresses.add(i.name)
            self._memory[i.slot] = i.name, i.nbytes
            idle = self._idle.get(i.nbytes)
            if idle:
                i = ir.Let(i.name, "moved", (idle.pop(), 0))
            else:
                self.slots.append(i.slot)
        elif isinstance(i, ir.Check) and i.condition in self._addresses:
            # It fails in the first step, if in any; each tells its own lengths if they differ.
            facts = tuple(0 if fact == self.step else fact for fact in i.facts)
            if not self._is_steady(*facts):
                return False
            i = i.replace(facts=facts)
        else:
            return False
        self.before.append(i)
        return True

    def _is_steady(self, *operands: ir.Size) -> bool:
        return self._varies.isdisjoint(operands)

    def _words(self, i: ir.Words, kept: ir.Block) -> None:
        """Write the arguments of a kernel that stay the same before the loop."""
        if not i.address.startswith(ir.ARGUMENTS):
            kept.append(i)
            return
        steady = [self._is_steady(word) for word in i.words]
        for block, own in ((self.before, True), (kept, False)):
            words = tuple(w if s is own else "" for w, s in zip(i.words, steady, strict=True))
            if any(word != "" for word in words):
                block.append(i.replace(words=words))

    def _once(self, i: ir.Once) -> None:
        """Put before the loop what is done once, or further up if a loop around it is meant."""
        if i.step != self.step:
            self.before.append(i)
            return
        self.before += i.body
        made = [x.slot for x in ir.walk(i.body) if isinstance(x, ir.Alloc)]
        lost = {x.slot for x in ir.walk(i.body) if isinstance(x, ir.Free)}
        self.slots += [slot for slot in made if slot not in lost]


def _defined(i: object) -> set[str]:
    return {name for name, _ in ir.defined(i)}


def stays_put(i: ir.Let) -> bool:
    """Tell whether a function is not to be computed unless it is wanted."""
    return i.function in ("sdiv", "udiv") and not isinstance(i.operands[1], int)
