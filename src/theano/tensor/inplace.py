"""Elementwise functions that overwrite their first argument.

`exp_inplace(x)` is `exp(x)`. Where `x` is an argument of a function with `accept_inplace=True`, or
one that is given as mutable, the result is written there.
"""

from theano import tensor
from theano._core.ops.core.in_place import overwriting

_FUNCTIONS = """
    abs_ add and_ arccos arccosh arcsin arcsinh arctan arctan2 arctanh ceil chi2sf conj cos cosh
    deg2rad eq erf erfc erfcx exp exp2 expm1 fill floor gamma gammaln ge gt i0 i1 int_div inv invert
    iv j0 j1 jv le log log10 log1p log2 lt maximum minimum mod mul neg neq or_ pow psi rad2deg
    round_half_away_from_zero round_half_to_even second sgn sin sinh sqr sqrt sub tan tanh transpose
    tri_gamma true_div trunc xor
"""

__all__ = [f"{name}_inplace" for name in _FUNCTIONS.split()]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = getattr(tensor, name.removesuffix("_inplace"))
    made = overwriting(function) if hasattr(function, "make_node") else function
    return globals().setdefault(name, made)
