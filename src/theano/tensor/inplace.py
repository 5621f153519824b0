"""Elementwise functions that were allowed to overwrite their first argument.

Whether memory is used again is decided when a function is compiled. `exp_inplace` is `exp`.
"""

from theano import tensor

_FUNCTIONS = """
    abs_ add and_ arccos arccosh arcsin arcsinh arctan arctan2 arctanh ceil chi2sf conj cos cosh
    deg2rad eq erf erfc erfcx exp exp2 expm1 fill floor gamma gammaln ge gt i0 i1 int_div inv invert
    iv j0 j1 jv le log log10 log1p log2 lt maximum minimum mod mul neg neq or_ pow psi rad2deg
    round_half_away_from_zero round_half_to_even second sgn sin sinh sqr sqrt sub tan tanh transpose
    tri_gamma true_div trunc xor
"""

__all__ = [f"{name}_inplace" for name in _FUNCTIONS.split()]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(tensor, name.removesuffix("_inplace"))
