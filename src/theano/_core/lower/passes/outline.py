"""A program that is long, or does the same again and again, becomes routines.

Where LLVM takes its time (`effort.py`), it is more than linear in the length of a function; where
it does not, only what repeats itself is worth cutting. That is done between instructions, best
where steps begin. A wide or deep program does the same again and again, with other values at other
places: so what lies between two cuts is read as a *pattern*, with registers by the order in which
they appear, and without numbers. What has one pattern is one routine, which is run with a *row* of
words: the numbers that differ, and the words of `live` through which it is handed values and hands
its own on. So LLVM's work grows with the number of patterns. Long bodies of loops and branches are
cut in the same way, the innermost first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import count, repeat
from typing import Any

from theano._core.base.dtypes import itemsize
from theano._core.lower import program as ir
from theano._core.lower.effort import is_spent_elsewhere, lines_of

# Lines of LLVM text, roughly, of a routine that is run once, of the shortest program to cut, and of
# the longest that stays whole, since LLVM is quick with it.
ROUTINE = 1500
SHORTEST = 4 * ROUTINE
LONGEST = 20 * ROUTINE
# What goes through a word of `live`.
_WORDS = frozenset(
    (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", "ptr"),
    )
)
# The word that nothing reads.
_NOWHERE = 0

# What instructions consist of: names and other texts, numbers, scalars, bodies; tuples and blocks.
Field = Any
# Whether a number in a field may as well be a register; of a tuple, a list for its items.
Flag = Any


def outline(program: ir.Program) -> ir.Program:
    """Return a program in routines, if it is long and LLVM would not be quick with it."""
    lines = sum(map(lines_of, program.body))
    if lines < SHORTEST or (lines < LONGEST and _is_quick(program, lines)):
        return program
    outliner = _Outliner(program)
    body = outliner.block(program.body, (), often=False, whole=True)
    routines = tuple(outliner.routines)
    return program.replace(body=body, routines=routines, live_words=outliner.words)


def _is_quick(program: ir.Program, lines: int) -> bool:
    """Tell whether level 0 does, and hardly a step is like another: most would be routines."""
    steps: list[ir.Block] = [[]]
    for i in program.body:
        if type(i) is ir.Step:
            steps.append([])
        steps[-1].append(i)
    types = {tuple(map(type, step)): step for step in steps}
    distinct = sum(sum(map(lines_of, step)) for step in types.values())
    return 2 * distinct > lines and is_spent_elsewhere(program, lines)


class _Outliner:
    """Cuts the blocks of one program.

    Attributes
    ----------
    routines : list of Routine
    words : int
        How many words of `live` are taken: those of a block and of blocks within are different.
    """

    def __init__(self, program: ir.Program) -> None:
        self.stacks, _ = program.places()
        self.types = {n: k for i in ir.walk(program.body) for n, k in ir.defined(i)}
        self.routines: list[ir.Routine] = []
        self.words = _NOWHERE + 1

    def block(
        self, block: ir.Block, ends: Sequence[Field], often: bool, whole: bool = False
    ) -> ir.Block:
        """Return a block that runs routines, if it is long.

        `ends` is read behind it; a call runs it `often` if it is in a loop. The `whole` body of a
        program always becomes routines if a block within has: these find what they share with the
        others through words.
        """
        block = [self._with_blocks(i, often) for i in block]
        lines = [lines_of(i) for i in block]
        if sum(lines) < SHORTEST and not (whole and self.routines):
            return block
        parts, groups = _joined(_cut(block, lines, self.stacks), self.stacks)
        if len(parts) == 1 and not (whole and self.routines):
            return block
        flow = _Flow(self.stacks, parts, self.types, _registers(ends), self.words)
        if not all(flow.types[name] in _WORDS for name in flow.words):
            return block
        self.words = flow.count
        runs: list[ir.Run] = [ir.Run(0, ())] * len(parts)
        for members in groups:
            routine, rows = _routine([parts[m] for m in members], members, flow)
            for member, row in zip(members, rows, strict=True):
                runs[member] = ir.Run(len(self.routines), row)
            self.routines.append(routine.replace(runs=ir.MANY) if often else routine)
        stores = [ir.LiveStore(flow.words[n], n, flow.types[n]) for n in flow.live[-1]]
        loads = [ir.LiveLoad(n, flow.words[n], flow.types[n]) for n in flow.loaded]
        return [*stores, *runs, *loads]

    def _with_blocks(self, i: ir.Instruction, often: bool) -> ir.Instruction:
        if type(i) is ir.For:
            return i.replace(body=self.block(i.body, [c.after for c in i.handed_on], True))
        if type(i) is ir.If:
            then = self.block(i.then, [merge.one for merge in i.merges], often)
            otherwise = self.block(i.otherwise, [merge.two for merge in i.merges], often)
            return i.replace(then=then, otherwise=otherwise)
        return i


def _registers(values: Sequence[Field]) -> list[str]:
    """Return the names of those of `values` that are registers, each once."""
    names = [x.name if isinstance(x, ir.Register) else x for x in values]
    return list(dict.fromkeys(x for x in names if isinstance(x, str) and x[:1] == "%"))


def inlined(program: ir.Program) -> ir.Program:
    """Return the program that `outline` was given, but for names of registers."""
    if not program.routines:
        return program
    return program.replace(
        body=_Inliner(program).block(program.body, {}), routines=(), live_words=0
    )


class _Inliner:
    """Writes the routines of a program where they are run."""

    def __init__(self, program: ir.Program) -> None:
        self.routines = program.routines
        self.stacks = {at: name for name, at in program.places()[0].items()}
        self.live: dict[ir.Size, ir.Size] = {}
        self.numbers = count()

    def block(self, block: ir.Block, names: dict[Any, Any]) -> ir.Block:
        """Return a block without routines; `names` says what stands for its names."""
        out: ir.Block = []
        for i in block:
            cls = type(i)
            if cls is ir.LiveStore:
                self.live[names.get(i.word, i.word)] = names.get(i.value, i.value)
            elif cls is ir.LiveLoad:
                names[i.name] = self.live[names.get(i.word, i.word)]
            elif cls is ir.Let and i.operands[0] == ir.STACKS:
                names[i.name] = self.stacks[names.get(i.operands[1], i.operands[1])]
            elif cls is ir.Run:
                out += self._run(i)
            else:
                # What the blocks within hand on is known to what reads their ends.
                blocks = _BLOCKS.get(cls, {})
                inner = {name: self.block(getattr(i, name), names) for name in blocks}
                i = _with(i.replace(**blocks), lambda x, _: names.get(x, x))
                out.append(i.replace(**inner))
        return out

    def _run(self, run: ir.Run) -> ir.Block:
        routine, number = self.routines[run.routine], next(self.numbers)
        names: dict[Any, Any] = {f"%row.{n}": word for n, word in enumerate(run.row)}
        names |= {name: f"{name}.{number}" for name in _own(routine.body)}
        return self.block(routine.body, names)


# The blocks within instructions, empty.
_BLOCKS: dict[type, dict[str, Any]] = {
    ir.For: {"body": []},
    ir.If: {"then": [], "otherwise": []},
}


def _own(block: ir.Block) -> Iterator[str]:
    return (name for i in ir.walk(block) for name, _ in ir.defined(i))


# -- where to cut ----------------------------------------------------------------------------------


def _cut(body: ir.Block, lines: Sequence[int], stacks: Container[str]) -> list[_Part]:
    """Return the parts of a body.

    Equal code is cut at equal places: where steps begin, and so many lines behind that.
    """
    kept_whole = _kept_whole(body)
    shortest, longest = max(1, ROUTINE // 40), max(1, ROUTINE // 6)
    cuts = [0]
    count, within_step = 0, False
    for at, i in enumerate(body):
        begins = type(i) is ir.Step
        if count >= (longest if not begins else 1 if within_step else shortest):
            if at not in kept_whole:
                cuts.append(at)
                count, within_step = 0, not begins
        count += lines[at]
    ends = [*cuts[1:], len(body)]
    return [_Part(body[a:b], sum(lines[a:b]), stacks) for a, b in zip(cuts, ends, strict=True)]


def _kept_whole(body: ir.Block) -> set[int]:
    """Return the instructions before which there is no cut: what is no word is used behind it."""
    made = {
        name: at
        for at, i in enumerate(body)
        for name, type_ in ir.defined(i)
        if type_ not in _WORDS
    }
    lines: set[int] = set()
    for at, i in enumerate(body) if made else ():
        for name in _Part([i]).places.keys() & made.keys():
            lines.update(range(made[name] + 1, at + 1))
    return lines


# -- what is equal ---------------------------------------------------------------------------------


def _is_free_let(function: str, operands: Sequence[Field], type_: str) -> bool:
    if function == "select":
        return type_ == "int64" and isinstance(operands[0], str)
    return type_ == "int64" or function in ("moved", "word", "slot")


def _of_launch(i: ir.Launch) -> tuple[bool, ...]:
    return True, False, True, not i.at_once, True, True


def _of_value(i: ir.Merge | ir.Carried) -> tuple[bool, ...]:
    return False, False, i.type == "int64", i.type == "int64"


# In which fields of an instruction an int may as well be a register: in the others it is part of
# the pattern. Where constants are none of it, they may be registers as well; None: nowhere.
_FREE: dict[type, Callable[[Any], Sequence[Flag]]] = {
    ir.Let: lambda i: (False, False, _is_free_let(i.function, i.operands, i.type), False),
    ir.Words: lambda i: (False, [type_ == "int64" for type_ in i.types], False),
    ir.FrameStore: lambda i: (True, [type_ == "int64" for type_ in i.types], False),
    ir.Launch: _of_launch,
    ir.Merge: _of_value,
    ir.Carried: _of_value,
    ir.Reduce: lambda i: (True, False, False),
    ir.ReduceRow: lambda i: (None,) * len(i),
    **dict.fromkeys(
        (
            *(ir.FrameLoad, ir.Check, ir.Alloc, ir.Free, ir.Hand, ir.Call, ir.Step, ir.For),
            *(ir.LiveLoad, ir.LiveStore),
        ),
        lambda i: (True,) * len(i),
    ),
}


def _flags(i: ir.Instruction) -> Iterable[Flag]:
    free = _FREE.get(type(i))
    return repeat(False) if free is None else free(i)


def _is_free(x: ir.Number, flag: Flag) -> bool:
    return flag is not None and x.lanes == 1 and x.dtype in _WORDS


class _Part:
    """Instructions in a row, read as a pattern.

    Attributes
    ----------
    places : dict of str to int
        Registers, in the order in which they appear.
    numbers : list of int and Number
        Those that are no part of the pattern.
    pattern : tuple
        Everything else.
    """

    def __init__(self, block: ir.Block, lines: int = 0, stacks: Container[str] = ()) -> None:
        self.block = block
        self.lines = lines
        self.places: dict[str, int] = {}
        self.numbers: list[int | ir.Number] = []
        self._shape: list[Any] = []
        self._read(block, repeat(False))
        # Places on the stack are found in another way than what others hand on.
        stack_places = tuple([place for name, place in self.places.items() if name in stacks])
        self.pattern = (*self._shape, stack_places)

    def _read(self, values: Iterable[Field], flags: Iterable[Flag]) -> None:
        # What is no place is in a tuple, or a text: numbers are not to equal places.
        places, numbers, add = self.places, self.numbers, self._shape.append
        for value, free in zip(values, flags, strict=False):
            cls = type(value)
            if cls is str:
                add(places.setdefault(value, len(places)) if value[:1] == "%" else value)
            elif cls is int:
                if free:
                    numbers.append(value)
                add(None if free else (value,))
            elif cls is ir.Number and _is_free(value, free):
                numbers.append(value)
                add(value.dtype)
            else:
                self._read_parts(cls, value, free)

    def _read_parts(self, cls: type, value: Field, free: Flag) -> None:
        if cls is ir.Let:
            self._read_let(*value)
        elif cls in _INSTRUCTIONS:
            self._shape.append(cls)
            self._read(value, _flags(value))
        elif cls is tuple or cls is list:
            self._shape.append((len(value),))
            self._read(value, free if type(free) is list else repeat(free))
        else:
            self._shape.append((value,))

    def _read_let(self, name: str, function: str, operands: Sequence[Field], type_: str) -> None:
        # As any instruction, in fewer steps: most are of this class.
        places, add = self.places, self._shape.append
        add((ir.Let, function, type_, len(operands)))
        add(places.setdefault(name, len(places)))
        self._read(operands, repeat(_is_free_let(function, operands, type_)))


# What is read field by field.
_INSTRUCTIONS = frozenset(
    cls
    for cls in vars(ir).values()
    if isinstance(cls, type) and cls.__module__ == ir.__name__ and cls is not ir.Number
)


def _with(value: Field, change: Callable[[Field, bool], Field], free: Flag = False) -> Field:
    """Return what `_Part` reads with other registers and numbers, in its order.

    `change` is given each, and whether it is a number that is no part of the pattern.
    """
    cls = type(value)
    if cls is str:
        return change(value, False) if value[:1] == "%" else value
    if cls is int:
        return change(value, bool(free))
    if cls is ir.Number:
        return change(value, _is_free(value, free))
    if cls is ir.Register:
        name = change(value.name, False)
        return value.replace(name=name) if type(name) is str else _number(name, value.dtype)
    if cls is tuple or cls is list:
        flags = free if type(free) is list else repeat(free)
        return cls([_with(x, change, one) for x, one in zip(value, flags, strict=False)])
    if cls in _INSTRUCTIONS:
        fields = zip(value, _flags(value), strict=False)
        return cls(*[_with(field, change, one) for field, one in fields])
    return value


def _joined(parts: Sequence[_Part], stacks: Container[str]) -> tuple[list[_Part], list[list[int]]]:
    """Return parts, those that equal no other joined to their neighbours, and groups of equals."""
    # Hashes of long tuples take time.
    number_of: dict[Any, int] = {}
    patterns = [number_of.setdefault(part.pattern, len(number_of)) for part in parts]
    counts = Counter(patterns)
    joined: list[list[_Part]] = []
    groups: dict[Any, list[int]] = {}
    last = 0
    for part, pattern in zip(parts, patterns, strict=True):
        if counts[pattern] > 1:
            groups.setdefault(pattern, []).append(len(joined))
            joined.append([part])
        elif last == 1 and _lines_of(joined[-1]) + part.lines <= ROUTINE:
            joined[-1].append(part)
        else:
            groups[~len(joined)] = [len(joined)]
            joined.append([part])
        last = counts[pattern]
    whole = [
        p[0] if len(p) == 1 else _Part([i for part in p for i in part.block], 0, stacks)
        for p in joined
    ]
    return whole, list(groups.values())


def _lines_of(parts: Sequence[_Part]) -> int:
    return sum(part.lines for part in parts)


# -- values that go from part to part --------------------------------------------------------------


class _Flow:
    """Which values go from part to part, and through which words of `live`.

    Attributes
    ----------
    places : dict of str to int
        Where places on the stack begin in `STACKS`.
    types : dict of str to str
        Of registers that are there behind the part that defines them.
    needs : list of list of str
        What each part needs of others.
    live : list of list of str
        What each part hands on; the last one is what is there from the start.
    found : list of str
        What parts hand on that is read behind them.
    words : dict of str to int
    count : int
        How many words there are.
    """

    def __init__(
        self,
        places: Mapping[str, int],
        parts: Sequence[_Part],
        types: Mapping[str, str],
        ends: Sequence[str],
        first: int,
    ) -> None:
        self.places = places
        self.types = {ir.STACKS: "ptr", **types}
        own = {name for part in parts for name in _own(part.block)}
        made = {name: -1 for name in self.types if name not in own}
        self.needs: list[list[str]] = []
        last: dict[str, int] = {}
        for index, part in enumerate(parts):
            needed = [name for name in part.places if name in made]
            needed += [] if places.keys().isdisjoint(part.places) else [ir.STACKS]
            self.needs.append(needed)
            last.update(dict.fromkeys(needed, index))
            made.update((name, index) for i in part.block for name, _ in ir.defined(i))
        self.loaded = [name for name in ends if made.get(name, -1) >= 0]
        last.update(dict.fromkeys(self.loaded, len(parts)))
        self.live: list[list[str]] = [[] for _ in range(len(parts) + 1)]
        for name in last:
            self.live[made[name]].append(name)
        self.words: dict[str, int] = {}
        self.count = first
        self._find_words(last)

    def _find_words(self, last: Mapping[str, int]) -> None:
        """Choose words; one is used again once it is not needed any more."""
        free: list[int] = []
        ending: dict[int, list[int]] = {}
        for index in range(-1, len(self.live) - 1):
            free += ending.pop(index, ())
            for name in self.live[index]:
                if free:
                    word = free.pop()
                else:
                    word = self.count
                    self.count += 1
                self.words[name] = word
                ending.setdefault(last[name], []).append(word)


def _routine(
    parts: Sequence[_Part], members: Sequence[int], flow: _Flow
) -> tuple[ir.Routine, list[tuple[int, ...]]]:
    """Return the routine of parts of one pattern, which have these numbers, and the row of each."""
    part = parts[0]
    columns: dict[tuple[Any, ...], ir.Size] = {}

    def operand(column: Iterable[Any]) -> Any:
        """Return what stands for a number of each part: itself, if it is the same in all."""
        key = tuple(column)
        if key.count(key[0]) == len(key):
            return key[0]
        name = columns.setdefault(key, f"%row.{len(columns)}")
        return name if type(key[0]) is int else ir.Register(str(name), key[0].dtype)

    needed = set(flow.needs[members[0]])
    live = [set(flow.live[m]) for m in members]
    in_time = _read_in_time(part.block)
    loads, stores, stacks = [], [], []
    if ir.STACKS in needed:
        loads.append(ir.LiveLoad(ir.STACKS, flow.words[ir.STACKS], "ptr"))
    for names in zip(*(p.places for p in parts), strict=True):
        name = names[0]
        if name in flow.places:
            at = operand(flow.places[n] for n in names)
            stacks.append(ir.Let(name, "moved", (ir.STACKS, at)))
        elif name in needed and name != ir.STACKS:
            word = operand(flow.words[n] for n in names)
            loads.append(ir.LiveLoad(name, word, flow.types[name], name not in in_time))
        elif any(n in kept for n, kept in zip(names, live, strict=True)):
            pairs = zip(names, live, strict=True)
            word = operand(flow.words[n] if n in kept else _NOWHERE for n, kept in pairs)
            stores.append(ir.LiveStore(word, name, flow.types[name]))
    numbers = iter([operand(column) for column in zip(*(p.numbers for p in parts), strict=True)])
    block = _with(part.block, lambda x, free: next(numbers) if free else x)
    types = tuple("int64" if type(key[0]) is int else key[0].dtype for key in columns)
    rows = list(zip(*(map(_word, key) for key in columns), strict=True)) or [()] * len(parts)
    return ir.Routine([*loads, *stacks, *block, *stores], types, len(parts)), rows


def _word(x: int | ir.Number) -> int:
    """Return the word of a row whose first bytes are those of a number."""
    return (
        x if isinstance(x, int) else int.from_bytes(x.data.ljust(8, b"\0"), "little", signed=True)
    )


def _number(word: int, dtype: str) -> ir.Number:
    """Return the number of which `_word` has made a word."""
    return ir.Number(dtype, word.to_bytes(8, "little", signed=True)[: itemsize(dtype)])


def _read_in_time(block: ir.Block) -> set[str]:
    """Return the registers that are read, or defined, even if nothing fails."""
    none: dict[type, dict[str, Any]] = {**_BLOCKS, ir.Check: {"facts": ()}}
    every = [i.replace(**none.get(type(i), {})) for i in ir.walk(block)]
    return set(_Part(every).places)
