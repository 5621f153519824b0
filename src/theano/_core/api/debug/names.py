"""Short names of operations, for pictures and sentences."""

from __future__ import annotations

import re

from theano._core.ir.variable import Apply
from theano._core.ops.elementwise.elementwise import Elementwise

_ELEMENTWISE = re.compile(r"Elemwise\{(\w+).*\}")
# What the texts of operations have beside what they do.
_REST = re.compile(
    r", acc_dtype=\w+|acc_dtype=\w+|\{\}|inplace=False,\s*|no_inplace|Inplace(?=Dim)"
)


def short_name(node: Apply) -> str:
    """Return what an operation is called where there is little room.

    Examples
    --------
    >>> import theano.tensor as T
    >>> short_name(T.exp(T.dvector("x")).owner), short_name(T.dvector("x").sum().owner)
    ('exp', 'Sum')
    """
    if isinstance(node.op, Elementwise):
        return node.op.name
    text = node.rules.node_text(node)
    match = _ELEMENTWISE.fullmatch(text)
    return match[1] if match else _REST.sub("", text).replace("{}", "")
