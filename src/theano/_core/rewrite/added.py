"""Rewrites that users have added, by Theano's positions: they run before passes."""

from __future__ import annotations

from typing import Any

from theano._core.ir import hooks
from theano._core.ir.variable import Variable
from theano._core.rewrite.inline import in_loops, inlined


def any_chosen(selection: object) -> bool:
    """Tell whether there are some that a `Selection` takes."""
    return bool(hooks.has_added_rewrites(selection))


def run(name: str, outputs: list[Variable], selection: object) -> list[Any]:
    """Return `outputs` as those before the pass `name` leave them, in bodies of loops too."""

    def before(inside: list[Variable]) -> list[Variable]:
        return hooks.run_added_rewrites(name, in_loops(inside, before), selection)

    final = before(outputs)
    same = all(a is b for a, b in zip(final, outputs, strict=True))
    return outputs if same else inlined(final)
