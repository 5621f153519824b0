"""Constructors of input variables: `scalar`, `dmatrix`, `fvectors` and their kin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, overload

from theano._core.base.near_misses import explained
from theano._core.base.settings import config
from theano._core.ir.types import TensorType

if TYPE_CHECKING:
    from theano._core.ir.tensor import TensorVariable

PATTERNS: dict[str, tuple[bool, ...]] = {
    "scalar": (),
    "vector": (False,),
    "row": (True, False),
    "col": (False, True),
    "matrix": (False, False),
    **{f"tensor{rank}": (False,) * rank for rank in range(3, 8)},
}
"""Patterns of the constructors by name."""


def _constructor(kind: str) -> Callable[..., TensorVariable]:
    pattern = PATTERNS[kind]

    def construct(
        name: str | None = None,
        dtype: str | None = None,
        shape: Sequence[int | None] | None = None,
    ) -> Any:
        dtype = config.floatX if dtype is None else dtype
        if shape is None:
            return TensorType(dtype, pattern)(name)
        if len(shape) != len(pattern):
            raise ValueError(f"the shape {tuple(shape)} of a {kind} needs {len(pattern)} lengths")
        pairs = zip(pattern, shape, strict=True)
        return TensorType(dtype, [one or n == 1 for one, n in pairs], shape=shape)(name)

    construct.__name__ = construct.__qualname__ = kind
    construct.__doc__ = f"""Return a new input variable: a {kind}.

    Parameters
    ----------
    name : str, optional
    dtype : str, optional
        `config.floatX` by default.
    shape : sequence of int or None, optional
        Lengths that every value has; None where any will do, 1 declares the axis broadcastable.

    Returns
    -------
    TensorVariable, broadcastable {pattern}

    Examples
    --------
    >>> x = theano.tensor.{kind}("x", dtype="float32")
    >>> x.dtype, x.ndim
    ('float32', {len(pattern)})
    """
    return explained(construct)


class Plural(Protocol):
    """Makes several variables: see `_plural`."""

    @overload
    def __call__(self, count: int, /) -> list[TensorVariable]: ...
    @overload
    def __call__(self, letters: str, /) -> Any: ...
    @overload
    def __call__(self, *names: str | None) -> list[TensorVariable]: ...


def _types(dtype: str) -> tuple[TensorType, ...]:
    return tuple(TensorType(dtype, pattern) for pattern in PATTERNS.values())


def _plural(make: Callable[..., object]) -> Plural:
    def construct(*names: Any) -> Any:
        """Return several new input variables; with one name, the variable alone.

        Parameters
        ----------
        *names : str or None, or one int
            One name per variable; a single string gives one variable per character, an int that
            many variables without name.

        Returns
        -------
        list of TensorVariable, or TensorVariable

        Examples
        --------
        >>> x, y = theano.tensor.dvectors("x", "y")
        >>> x.name, y.name
        ('x', 'y')
        """
        if len(names) == 1 and isinstance(names[0], int):
            return [make() for _ in range(names[0])]
        if len(names) == 1:
            names = tuple(names[0])
        made = [make(each) for each in names]
        return made[0] if len(made) == 1 else made

    return construct


scalar = _constructor("scalar")
vector = _constructor("vector")
row = _constructor("row")
col = _constructor("col")
matrix = _constructor("matrix")
tensor3 = _constructor("tensor3")
tensor4 = _constructor("tensor4")
tensor5 = _constructor("tensor5")
tensor6 = _constructor("tensor6")
tensor7 = _constructor("tensor7")

bscalar, bvector, brow, bcol, bmatrix, btensor3, btensor4, btensor5, btensor6, btensor7 = _types(
    "int8"
)
wscalar, wvector, wrow, wcol, wmatrix, wtensor3, wtensor4, wtensor5, wtensor6, wtensor7 = _types(
    "int16"
)
iscalar, ivector, irow, icol, imatrix, itensor3, itensor4, itensor5, itensor6, itensor7 = _types(
    "int32"
)
lscalar, lvector, lrow, lcol, lmatrix, ltensor3, ltensor4, ltensor5, ltensor6, ltensor7 = _types(
    "int64"
)
fscalar, fvector, frow, fcol, fmatrix, ftensor3, ftensor4, ftensor5, ftensor6, ftensor7 = _types(
    "float32"
)
dscalar, dvector, drow, dcol, dmatrix, dtensor3, dtensor4, dtensor5, dtensor6, dtensor7 = _types(
    "float64"
)
cscalar, cvector, crow, ccol, cmatrix, ctensor3, ctensor4, ctensor5, ctensor6, ctensor7 = _types(
    "complex64"
)
zscalar, zvector, zrow, zcol, zmatrix, ztensor3, ztensor4, ztensor5, ztensor6, ztensor7 = _types(
    "complex128"
)

# Typed plurals exist for these four dtypes only.
scalars = _plural(scalar)
vectors = _plural(vector)
rows = _plural(row)
cols = _plural(col)
matrices = _plural(matrix)
tensor3s = _plural(tensor3)
tensor4s = _plural(tensor4)
tensor5s = _plural(tensor5)
tensor6s = _plural(tensor6)
tensor7s = _plural(tensor7)
iscalars = _plural(iscalar)
ivectors = _plural(ivector)
irows = _plural(irow)
icols = _plural(icol)
imatrices = _plural(imatrix)
itensor3s = _plural(itensor3)
itensor4s = _plural(itensor4)
itensor5s = _plural(itensor5)
itensor6s = _plural(itensor6)
itensor7s = _plural(itensor7)
lscalars = _plural(lscalar)
lvectors = _plural(lvector)
lrows = _plural(lrow)
lcols = _plural(lcol)
lmatrices = _plural(lmatrix)
ltensor3s = _plural(ltensor3)
ltensor4s = _plural(ltensor4)
ltensor5s = _plural(ltensor5)
ltensor6s = _plural(ltensor6)
ltensor7s = _plural(ltensor7)
fscalars = _plural(fscalar)
fvectors = _plural(fvector)
frows = _plural(frow)
fcols = _plural(fcol)
fmatrices = _plural(fmatrix)
ftensor3s = _plural(ftensor3)
ftensor4s = _plural(ftensor4)
ftensor5s = _plural(ftensor5)
ftensor6s = _plural(ftensor6)
ftensor7s = _plural(ftensor7)
dscalars = _plural(dscalar)
dvectors = _plural(dvector)
drows = _plural(drow)
dcols = _plural(dcol)
dmatrices = _plural(dmatrix)
dtensor3s = _plural(dtensor3)
dtensor4s = _plural(dtensor4)
dtensor5s = _plural(dtensor5)
dtensor6s = _plural(dtensor6)
dtensor7s = _plural(dtensor7)


def tensor(*args: Any, **kwargs: Any) -> TensorVariable:
    """Return a new variable of ``TensorType(*args, **kwargs)``; `name=` names it.

    Parameters
    ----------
    *args, **kwargs
        As for `TensorType`: the dtype and the broadcastable pattern; and `name`.

    Returns
    -------
    TensorVariable

    Examples
    --------
    >>> T.tensor("float32", (False, True), name="x").type
    TensorType(float32, col)
    """
    name = kwargs.pop("name", None)
    return TensorType(*args, **kwargs)(name)
