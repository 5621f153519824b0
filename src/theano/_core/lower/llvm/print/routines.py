"""How the entry function of a long program runs its routines: it walks through a table of rows.

Runs in loops and branches are calls, each with its own row.
"""

from __future__ import annotations

from collections.abc import Sequence

from theano._core.lower import program as ir
from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.text.emitter import FIRST_BLOCK


def _words_of(words: Sequence[int]) -> str:
    """Return an array of words, with its type."""
    return f"[{len(words)} x i64] [{', '.join(f'i64 {word}' for word in words)}]"


class Words:
    """Rows of constant words, one behind the other, that functions share."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._begins: dict[tuple[int, ...], int] = {}

    def address(self, row: tuple[int, ...], b: Builder) -> str:
        """Return the register of the address of a row, which is added if it is new."""
        begin = self._begins.setdefault(row, sum(map(len, self._begins)))
        return b.emit(f"getelementptr i64, ptr @{self.name}, i64 {begin}")

    def text(self) -> list[str]:
        """Return the line that has all of them; none if there are none."""
        words = [word for row in self._begins for word in row]
        return [f"@{self.name} = internal constant {_words_of(words)}, align 8"] * bool(words)


def rows(runs: Sequence[ir.Run], end: int) -> str:
    """Return the rows of all runs, each behind the number of its routine, and `end` at the end."""
    return _words_of([word for run in runs for word in (run.routine, *run.row)] + [end])


def walk(sizes: Sequence[int]) -> list[str]:
    """Return what runs the routines, by the rows, which have these sizes by the routine."""
    numbers = range(len(sizes))
    cases = " ".join(f"i64 {n}, label %routine{n}" for n in numbers)
    text = [
        "  br label %walk",
        "walk:",
        f"  %row = phi ptr [@rows, %{FIRST_BLOCK}], [%row.next, %ran]",
        "  %row.routine = load i64, ptr %row, align 8",
        f"  switch i64 %row.routine, label %end [{cases}]",
    ]
    for n in numbers:
        text += [
            f"routine{n}:",
            f"  %result{n} = call i32 @routine{n}(ptr %call, ptr %live, ptr %row)",
            "  br label %ran",
        ]
    results = ", ".join(f"[%result{n}, %routine{n}]" for n in numbers)
    shape = ", ".join(f"[{size}, %routine{n}]" for n, size in zip(numbers, sizes, strict=True))
    return [
        *text,
        "ran:",
        f"  %result = phi i32 {results}",
        f"  %row.size = phi i64 {shape}",
        "  %row.next = getelementptr i64, ptr %row, i64 %row.size",
        "  %good = icmp eq i32 %result, 0",
        "  br i1 %good, label %walk, label %failed",
        "end:",
        "  ret i32 0",
        "failed:",
        "  ret i32 -1",
        "}",
    ]
