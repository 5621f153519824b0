"""Copies of graphs, with replacements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from theano._core.ir.graph import copy_graph, inputs
from theano._core.ir.variable import Constant


def clone(
    output: Any,
    replace: Any = None,
    strict: bool = True,
    share_inputs: bool = True,
    copy_inputs: Any = None,
) -> Any:
    """Return a copy of expressions.

    Parameters
    ----------
    output : variable or list of variables
    replace : dict or list of pairs, optional
        Variables, and what stands in their place in the copy.
    strict : bool
        Whether a replacement must have the type of what it replaces.
    share_inputs : bool
        Whether the copy has the same inputs, or new ones; a new shared variable has the storage
        of the old.
    copy_inputs : bool, optional
        Old name of `share_inputs`.

    Raises
    ------
    TypeError
        With `strict`, a replacement of another type.
    """
    if copy_inputs is not None:
        share_inputs = copy_inputs
    outputs = list(output) if isinstance(output, (list, tuple)) else [output]
    pairs = replace.items() if isinstance(replace, Mapping) else (replace or [])
    new: dict[Any, Any] = {}
    for old, value in pairs:
        new[old] = old.type.filter_variable(value) if strict else value
    if not share_inputs:
        leaves = inputs([*outputs, *new.values()])
        fresh = {v: v.clone() for v in leaves if not isinstance(v, Constant)}
        replaced = copy_graph(list(new.values()), fresh)
        new = {**fresh, **dict(zip(new, replaced, strict=True))}
    copies = copy_graph(outputs, new, strict)
    return copies if isinstance(output, (list, tuple)) else copies[0]
