"""What programs read of Cholesky and Solve, of whose names the engine has one itself.

`op.lower` says which triangle there, and is how the engine writes the operation as a program.
"""

from __future__ import annotations

from typing import Any

from theano._core.ops.core.op import Op
from theano._core.ops.linalg.matrices import MatrixOp
from theano._core.ops.linalg.systems import Cholesky, Solve


class _Rules:
    """One of these operations as the engine sees it."""

    __slots__ = ("op",)

    def __init__(self, op: MatrixOp) -> None:
        self.op = op

    def __getattr__(self, name: str) -> Any:
        return getattr(self.op, name)

    def lower(self, *arguments: Any) -> Any:
        """Return what the operation is in a program."""
        return MatrixOp.lower(self.op, *arguments)


_lower = property(lambda op: op.is_lower)


def _rules(op: MatrixOp) -> Op | _Rules:
    # A class derived from one of these, with a `perform` of its own, is lowered otherwise.
    return _Rules(op) if type(op).lower is _lower else op


def _props_dict(op: MatrixOp) -> dict[str, Any]:
    return {"lower" if name == "is_lower" else name: getattr(op, name) for name in op.__props__}


# As `PATCHES` of `legacy.patches`.
ATTRIBUTES: tuple[tuple[type, str, Any], ...] = (
    *((kind, "_rules", property(_rules)) for kind in (Cholesky, Solve)),
    *((kind, "lower", _lower) for kind in (Cholesky, Solve)),
    *((kind, "_props_dict", _props_dict) for kind in (Cholesky, Solve)),
    (Cholesky, "destructive", False),
    *((Solve, name, False) for name in ("overwrite_A", "overwrite_b")),
)
