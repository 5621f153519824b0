"""Elementwise operations that users declare."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from theano._core.ops.core import dtype_rules
from theano._core.ops.core.samples import Range, anything
from theano._core.ops.elementwise import elementwise as ops


def elementwise(
    name: str,
    compute: Callable[..., object],
    *,
    dtype: ops.Rule = dtype_rules.to_float,
    grad: Callable[..., object] | None = None,
    llvm: Callable[..., object] | None = None,
    samples: Range | Sequence[Range] = anything,
    ulp: float = 4.0,
    cost: int = ops.DEAR,
    commutative: bool = False,
    doc: str = "",
    holomorphic: bool = True,
    jax: Callable[..., object] | None = None,
) -> ops.Elementwise:
    """Declare a function of scalars that is applied to tensors item by item.

    Parameters
    ----------
    name : str
        Names the operation in printed graphs; operations of the engine keep their names.
    compute : callable
        `compute(xp, *arrays)` → array: the definition, with the array namespace `xp` (NumPy). The
        arrays have the dtypes that `dtype` says.
    dtype : callable
        `dtype(*dtypes of the inputs)` → (dtypes that they are cast to, dtype of the output), such
        as `to_float`, `upcast` or `same`; raises TypeError for dtypes that are refused.
    grad : callable, optional
        `grad(g, *inputs, output)` → sequence with the gradient with respect to each input, given
        that with respect to the output. None: the function has derivative 0.
    llvm : callable, optional
        `llvm(b, *values)` → value: native code, written with the instruction builder `b`, whose
        methods are called as NumPy's functions: `b.exp(x)`, `b.add(x, 1.0)`. Without it `compute`
        is called from inside the native function, for whole arrays.
    samples : Range or sequence of Range
        Where `theano.extend.check` draws the inputs, for each of them.
    ulp : float
        Bound on the difference of native code and `compute`, units in the last place.
    cost : int
        Rough number of instructions of `llvm` for an item: what takes 12 or more, such as `exp`, is
        rather kept than computed again.
    commutative : bool
        Whether operands may be swapped.
    doc : str
        The docstring of the operation.
    holomorphic : bool
        Whether it is differentiable in the complex sense, so that `grad` multiplies by the
        derivative (gradients of complex inputs are then conjugated); False: `grad` returns the
        gradient itself, of complex numbers too.
    jax : callable, optional
        `jax(j, *arrays)` → array: what `mode="JAX"` runs, if it is not `compute` with `jax.numpy`;
        `j` has `numpy`, `lax` and `special` of JAX.

    Returns
    -------
    Elementwise

    Raises
    ------
    ValueError
        An operation of the engine has this name, or `samples` has too many or too few ranges.
    TypeError
        `compute` is not a Python function: its arguments cannot be counted.

    Examples
    --------
    >>> import theano.tensor as T
    >>> cube = elementwise(
    ...     "cube",
    ...     lambda xp, x: x * x * x,
    ...     grad=lambda g, x, y: (g * 3 * x**2,),
    ...     llvm=lambda b, x: b.mul(b.mul(x, x), x),
    ... )
    >>> x = T.dvector("x")
    >>> (cube(x) + 1).eval({x: [1.0, 2.0]})
    array([2., 9.])
    """
    code = getattr(compute, "__code__", None)
    if code is None:
        raise TypeError(f"{name}: compute must be a Python function, got {compute!r}")
    count = code.co_argcount - 1
    ranges = (samples,) * count if isinstance(samples, Range) else tuple(samples)
    if len(ranges) != count:
        raise ValueError(f"{name} takes {count} arguments, and samples has {len(ranges)} ranges")
    return ops.elementwise(
        name,
        doc=doc or (compute.__doc__ or f"{name}, item by item."),
        compute=compute,
        dtype=dtype,
        grad=grad,
        llvm=llvm,
        samples=ranges,
        ulp=ulp,
        cost=cost,
        commutative=commutative,
        holomorphic=holomorphic,
        jax=jax,
        module=sys._getframe(1).f_globals.get("__name__", "__main__"),
    )
