"""NumPy's functions on symbolic variables: one table, NumPy's name to ours.

`np.sum(x)` of a variable asks `Methods.__array_function__`, `np.exp(x)` and `array + x` ask
`Methods.__array_ufunc__` (NEP 18 and 13); both look here. What has no row raises TypeError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from theano._core.api import conversion
from theano._core.api.array import (
    arrangement,
    creation,
    einsum,
    elementwise,
    extra_ops,
    fourier,
    indexing,
    joining,
    linalg,
    nan_statistics,
    products,
    ranges,
    reductions,
    shaping,
    sorting,
    statistics,
    tensor_equations,
)
from theano._core.base import dtypes
from theano._core.base.errors import AsTensorError
from theano._core.base.records import Record
from theano._core.ir.variable import Variable
from theano._core.ops.core.op import Op
from theano._core.ops.elementwise import arithmetic as a, transcendental as t
from theano._core.ops.elementwise.elementwise import conj, elementwise_ops
from theano._core.ops.linalg import factors, systems as solving

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike


class Row(Record):
    """What a function of NumPy means for variables.

    Attributes
    ----------
    ours : callable
    parameters : str
        NumPy's, in its order. `name` must be given and is passed on by position, `name=` and
        `name=other` by name; `-name` is refused unless it is None, `-name:value` unless it is that.
        `*name`, which is first, passes on all that is given by position.
    name : str
        Where users find `ours`, in `theano.tensor`; empty: under NumPy's name.
    """

    ours: Callable[..., Any]
    parameters: str
    name: str = ""


def _polyval(coefficients: Sequence[float | int] | Sequence[int] | np.ndarray, x: Any) -> Any:
    if isinstance(coefficients, Variable):
        raise TypeError("numpy.polyval has no counterpart for a variable as coefficients")
    total = creation.zeros_like(x)
    for coefficient in np.asarray(coefficients):
        total = total * x + coefficient
    return total


def _reciprocal(x: Any) -> Any:
    x = conversion.as_tensor_variable(x)
    if dtypes.is_discrete(x.dtype):
        raise TypeError("numpy.reciprocal of integers is an integer: use theano.tensor.inv")
    return a.reciprocal(x)


def _reshape(x: Any, shape: Any) -> Any:
    return shaping.reshape(x, shape if np.ndim(shape) else (shape,))


def _where(condition: TensorLike, x: Any = None, y: TensorLike | None = None) -> Any:
    if x is None and y is None:
        return indexing.nonzero(condition)
    return a.switch(condition, x, y)


def _eigvalsh(x: Any, UPLO: str = "L") -> Any:
    return linalg.eigvalsh(x, None, lower=UPLO == "L")


def _multi_dot(arrays: Sequence[Variable]) -> Any:
    return linalg.matrix_dot(*arrays)


def _comparison(ours: Op, same: bool | None = None) -> Callable[[Any, Any], Any]:
    """Return the function for a comparison of NumPy, whose result has no truth.

    But Python asks NumPy's `==` and `!=` for `array == x`, too, and means whether the two are one
    object, as everywhere with variables. That is the truth then, which `same` says how to read.
    """

    def compare(x: Any, y: TensorLike) -> Any:
        truth = None if same is None else (x is y) is same
        try:
            result = ours(x, y)
        except (NotImplementedError, AsTensorError):
            return NotImplemented if truth is None else truth
        result._truth = truth
        return result

    return compare


_REDUCED = "a axis= dtype= -out keepdims= -initial -where:True"
_SPREAD = "a axis= -dtype -out ddof= keepdims= -where:True -mean -correction"
_EXTREME = "a axis= -out keepdims= -initial -where:True"
_JOINED = "arrays axis= -out -dtype -casting:same_kind"
_LIKE = "a dtype= -order:K -subok:True -shape -device"
_FOURIER = "a n= axis= norm= -out"
_FOURIER_OF_AXES = "a s= axes= norm= -out"


def _of_objects(function: Callable[..., Any]) -> Callable[..., Any]:
    # Old programs, PyMC3 for one, make arrays of variables so.
    return lambda *arguments: function(*map(np.asarray, arguments))


# By the module and name that NumPy gives the function itself: aliases are one function.
FUNCTIONS = {
    "numpy.atleast_1d": Row(_of_objects(np.atleast_1d), "*arys"),
    "numpy.atleast_2d": Row(_of_objects(np.atleast_2d), "*arys"),
    "numpy.average": Row(statistics.average, "a axis= weights= -returned:False keepdims="),
    "numpy.broadcast_to": Row(arrangement.broadcast_to, "array shape -subok:False"),
    "numpy.column_stack": Row(arrangement.column_stack, "tup"),
    "numpy.corrcoef": Row(statistics.corrcoef, "x y= rowvar= -dtype"),
    "numpy.count_nonzero": Row(statistics.count_nonzero, "a axis= keepdims="),
    "numpy.cross": Row(products.cross, "a b -axisa:-1 -axisb:-1 -axisc:-1 axis="),
    "numpy.digitize": Row(arrangement.digitize, "x bins right="),
    "numpy.ediff1d": Row(arrangement.ediff1d, "ary to_end= to_begin="),
    "numpy.fliplr": Row(arrangement.fliplr, "m"),
    "numpy.flipud": Row(arrangement.flipud, "m"),
    "numpy.geomspace": Row(ranges.geomspace, "start stop num= endpoint= dtype= -axis:0"),
    "numpy.histogram": Row(statistics.histogram, "a bins= range= density= -weights"),
    "numpy.hstack": Row(arrangement.hstack, "tup -dtype -casting:same_kind"),
    "numpy.interp": Row(statistics.interp, "x xp fp left= right= -period"),
    "numpy.isin": Row(arrangement.isin, "element test_elements -assume_unique:False invert= -kind"),
    "numpy.linspace": Row(
        ranges.linspace, "start stop num= endpoint= -retstep:False dtype= -axis:0 -device"
    ),
    "numpy.logspace": Row(ranges.logspace, "start stop num= endpoint= base= dtype= -axis:0"),
    "numpy.median": Row(statistics.median, "a axis= -out -overwrite_input:False keepdims="),
    "numpy.meshgrid": Row(ranges.meshgrid, "*xi -copy:True sparse= indexing="),
    "numpy.nan_to_num": Row(elementwise.nan_to_num, "x -copy:True nan= posinf= neginf="),
    "numpy.nanmax": Row(nan_statistics.nanmax, _EXTREME),
    "numpy.nanmean": Row(nan_statistics.nanmean, "a axis= dtype= -out keepdims= -where:True"),
    "numpy.nanmin": Row(nan_statistics.nanmin, _EXTREME),
    "numpy.nanprod": Row(nan_statistics.nanprod, _REDUCED),
    "numpy.nanstd": Row(nan_statistics.nanstd, _SPREAD),
    "numpy.nansum": Row(nan_statistics.nansum, _REDUCED),
    "numpy.nanvar": Row(nan_statistics.nanvar, _SPREAD),
    "numpy.pad": Row(arrangement.pad, "array pad_width mode= constant_values="),
    "numpy.percentile": Row(
        statistics.percentile, "a q axis= -out -overwrite_input:False method= keepdims= -weights"
    ),
    "numpy.quantile": Row(
        statistics.quantile, "a q axis= -out -overwrite_input:False method= keepdims= -weights"
    ),
    "numpy.rot90": Row(arrangement.rot90, "m k= axes="),
    "numpy.sinc": Row(elementwise.sinc, "x"),
    "numpy.trapezoid": Row(statistics.trapezoid, "y x= dx= axis="),
    "numpy.unique": Row(
        arrangement.unique,
        "ar return_index= return_inverse= return_counts= axis= -equal_nan:True -sorted:True",
    ),
    "numpy.vdot": Row(products.vdot, "a b"),
    "numpy.vstack": Row(arrangement.vstack, "tup -dtype -casting:same_kind"),
    "numpy.linalg.cross": Row(products.cross, "x1 x2 axis=", "cross"),
    "numpy.linalg.diagonal": Row(products.diagonal, "x offset=", "diagonal"),
    "numpy.all": Row(reductions.all, "a axis= -out keepdims= -where:True"),
    "numpy.allclose": Row(reductions.allclose, "a b rtol= atol= equal_nan="),
    "numpy.amax": Row(reductions.max, _EXTREME, "max"),
    "numpy.amin": Row(reductions.min, _EXTREME, "min"),
    "numpy.angle": Row(t.angle, "z -deg:False"),
    "numpy.any": Row(reductions.any, "a axis= -out keepdims= -where:True"),
    "numpy.argmax": Row(reductions.argmax, "a axis= -out keepdims="),
    "numpy.argmin": Row(reductions.argmin, "a axis= -out keepdims="),
    "numpy.argsort": Row(sorting.argsort, "a axis= kind= -order -stable"),
    "numpy.around": Row(a.round_half_to_even, "a -decimals:0 -out", "round_half_to_even"),
    "numpy.bincount": Row(extra_ops.bincount, "x weights= minlength="),
    "numpy.choose": Row(extra_ops.choose, "a choices -out mode="),
    "numpy.clip": Row(elementwise.clipped, "a a_min=low a_max=high -out -min -max"),
    "numpy.compress": Row(extra_ops.compress, "condition a axis= -out", "extra_ops.compress"),
    "numpy.concatenate": Row(joining.concatenate, _JOINED),
    "numpy.copy": Row(elementwise.identity_copy, "a -order:K -subok:False", "tensor_copy"),
    "numpy.cov": Row(extra_ops.cov, "m y= rowvar= bias= ddof= fweights= aweights= -dtype"),
    "numpy.cumprod": Row(extra_ops.cumprod, "a axis= -dtype -out"),
    "numpy.cumsum": Row(extra_ops.cumsum, "a axis= -dtype -out"),
    "numpy.diag": Row(products.diag, "v k="),
    "numpy.diagonal": Row(products.diagonal, "a offset= axis1= axis2="),
    "numpy.diff": Row(extra_ops.diff, "a n= axis= -prepend -append"),
    "numpy.dot": Row(products.dot, "a b -out"),
    "numpy.einsum": Row(einsum.einsum, "*operands -out optimize= -dtype -order:K -casting:safe"),
    "numpy.expand_dims": Row(arrangement.expand_dims, "a axis"),
    "numpy.fix": Row(a.trunc, "x -out", "trunc"),
    "numpy.flatnonzero": Row(indexing.flatnonzero, "a"),
    "numpy.flip": Row(arrangement.flip, "m axis="),
    "numpy.full_like": Row(
        ranges.full_like, "a fill_value dtype= -order:K -subok:True -shape -device"
    ),
    "numpy.imag": Row(a.imag, "val"),
    "numpy.inner": Row(products.inner, "a b"),
    "numpy.isclose": Row(elementwise.isclose, "a b rtol= atol= equal_nan="),
    "numpy.kron": Row(linalg.kron, "a b", "slinalg.kron"),
    "numpy.max": Row(reductions.max, _EXTREME),
    "numpy.mean": Row(reductions.mean, "a axis= dtype= -out keepdims= -where:True"),
    "numpy.min": Row(reductions.min, _EXTREME),
    "numpy.moveaxis": Row(arrangement.moveaxis, "a source destination"),
    "numpy.ndim": Row(lambda x: conversion.as_tensor_variable(x).ndim, "a", "TensorVariable.ndim"),
    "numpy.nonzero": Row(indexing.nonzero, "a"),
    "numpy.ones_like": Row(creation.ones_like, _LIKE),
    "numpy.outer": Row(products.outer, "a b -out"),
    "numpy.polyval": Row(_polyval, "p x", "TensorVariable.__mul__"),
    "numpy.prod": Row(reductions.prod, _REDUCED),
    "numpy.ptp": Row(reductions.ptp, "a axis= -out -keepdims:False"),
    "numpy.ravel": Row(shaping.flatten, "a -order:C", "flatten"),
    "numpy.ravel_multi_index": Row(extra_ops.ravel_multi_index, "multi_index dims mode= order="),
    "numpy.real": Row(a.real, "val"),
    "numpy.repeat": Row(joining.repeat, "a repeats axis="),
    "numpy.reshape": Row(_reshape, "a shape -order:C -copy"),
    "numpy.roll": Row(joining.roll, "a shift axis="),
    "numpy.rollaxis": Row(arrangement.rollaxis, "a axis start="),
    "numpy.round": Row(a.round_half_to_even, "a -decimals:0 -out", "round_half_to_even"),
    "numpy.searchsorted": Row(sorting.searchsorted, "a v side= sorter=", "extra_ops.searchsorted"),
    "numpy.shape": Row(shaping.shape, "a"),
    "numpy.size": Row(
        lambda x: conversion.as_tensor_variable(x).size, "a -axis", "TensorVariable.size"
    ),
    "numpy.sort": Row(sorting.sort, "a axis= kind= -order -stable"),
    "numpy.squeeze": Row(shaping.squeeze, "a -axis"),
    "numpy.stack": Row(joining.stack, _JOINED),
    "numpy.std": Row(reductions.std, _SPREAD),
    "numpy.sum": Row(reductions.sum, _REDUCED),
    "numpy.swapaxes": Row(shaping.swapaxes, "a axis1 axis2"),
    "numpy.take": Row(indexing.take, "a indices axis= -out mode="),
    "numpy.tensordot": Row(products.tensordot, "a b axes="),
    "numpy.tile": Row(joining.tile, "A reps"),
    "numpy.trace": Row(products.trace, "a -offset:0 -axis1:0 -axis2:1 -dtype -out"),
    "numpy.transpose": Row(shaping.transpose, "a axes="),
    "numpy.tril": Row(creation.tril, "m k="),
    "numpy.triu": Row(creation.triu, "m k="),
    "numpy.unravel_index": Row(extra_ops.unravel_index, "indices shape order="),
    "numpy.var": Row(reductions.var, _SPREAD),
    "numpy.where": Row(_where, "condition x= y="),
    "numpy.zeros_like": Row(creation.zeros_like, _LIKE),
    "numpy.linalg.cholesky": Row(solving.cholesky, "a -upper:False", "slinalg.cholesky"),
    "numpy.linalg.det": Row(solving.det, "a", "nlinalg.det"),
    "numpy.linalg.eigh": Row(linalg.eigh, "a UPLO=", "nlinalg.eigh"),
    "numpy.linalg.eigvalsh": Row(_eigvalsh, "a UPLO=", "slinalg.eigvalsh"),
    "numpy.linalg.inv": Row(solving.matrix_inverse, "a", "nlinalg.matrix_inverse"),
    "numpy.linalg.matmul": Row(products.matmul, "x1 x2", "matmul"),
    "numpy.linalg.matrix_power": Row(linalg.matrix_power, "a n", "nlinalg.matrix_power"),
    "numpy.linalg.multi_dot": Row(_multi_dot, "arrays -out", "nlinalg.matrix_dot"),
    "numpy.linalg.norm": Row(linalg.norm, "x ord= -axis -keepdims:False", "nlinalg.norm"),
    "numpy.linalg.outer": Row(products.outer, "x1 x2", "outer"),
    "numpy.linalg.pinv": Row(factors.pinv, "a -rcond -hermitian:False -rtol", "nlinalg.pinv"),
    "numpy.linalg.qr": Row(linalg.qr, "a mode=", "nlinalg.qr"),
    "numpy.linalg.slogdet": Row(solving.slogdet, "a", "nlinalg.slogdet"),
    "numpy.linalg.solve": Row(solving.solve, "a b", "slinalg.solve"),
    "numpy.linalg.svd": Row(
        linalg.svd, "a full_matrices= compute_uv= -hermitian:False", "nlinalg.svd"
    ),
    "numpy.linalg.tensordot": Row(products.tensordot, "x1 x2 axes=", "tensordot"),
    "numpy.linalg.tensorinv": Row(tensor_equations.tensorinv, "a ind=", "nlinalg.tensorinv"),
    "numpy.linalg.tensorsolve": Row(
        tensor_equations.tensorsolve, "a b axes=", "nlinalg.tensorsolve"
    ),
    "numpy.fft.fft": Row(fourier.fft, _FOURIER, "fft.fft"),
    "numpy.fft.fft2": Row(fourier.fft2, _FOURIER_OF_AXES, "fft.fft2"),
    "numpy.fft.fftn": Row(fourier.fftn, _FOURIER_OF_AXES, "fft.fftn"),
    "numpy.fft.ifft": Row(fourier.ifft, _FOURIER, "fft.ifft"),
    "numpy.fft.ifft2": Row(fourier.ifft2, _FOURIER_OF_AXES, "fft.ifft2"),
    "numpy.fft.ifftn": Row(fourier.ifftn, _FOURIER_OF_AXES, "fft.ifftn"),
}

_SAME_NAME = (
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "deg2rad", "rad2deg"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2"),
    *("sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
)
# By NumPy's own name of the ufunc.
UFUNCS: dict[str, Callable[..., Any]] = {
    **{name: getattr(t, name) for name in _SAME_NAME},
    "absolute": a.abs_,
    "add": a.add,
    "bitwise_and": a.and_,
    "bitwise_or": a.or_,
    "bitwise_xor": a.xor,
    "ceil": a.ceil,
    "conjugate": conj,
    "degrees": t.rad2deg,
    "divide": a.true_div,
    "divmod": elementwise.divmod,
    "equal": _comparison(a.eq, True),
    "floor": a.floor,
    "floor_divide": a.int_div,
    "greater": _comparison(a.gt),
    "greater_equal": _comparison(a.ge),
    "invert": a.invert,
    "hypot": elementwise.hypot,
    "isfinite": elementwise.isfinite,
    "isinf": elementwise.isinf,
    "logaddexp": elementwise.logaddexp,
    "isnan": elementwise.isnan,
    "less": _comparison(a.lt),
    "less_equal": _comparison(a.le),
    "logical_and": elementwise.logical_and,
    "logical_not": elementwise.logical_not,
    "logical_or": elementwise.logical_or,
    "logical_xor": elementwise.logical_xor,
    "matmul": products.matmul,
    "maximum": a.maximum,
    "minimum": a.minimum,
    "multiply": a.mul,
    "negative": a.neg,
    "not_equal": _comparison(a.neq, False),
    "positive": conversion.as_tensor_variable,
    "power": t.pow,
    "radians": t.deg2rad,
    "reciprocal": _reciprocal,
    "remainder": elementwise.mod_check,
    "rint": a.round_half_to_even,
    "sign": a.sgn,
    "square": a.sqr,
    "subtract": a.sub,
    "trunc": a.trunc,
}

# What to use where a function has no row: an expression of a variable `x`, or what is in
# `theano.tensor`.
INSTEAD = {
    "numpy.append": "concatenate([x, y])",
    "numpy.astype": "cast(x, dtype)",
    "numpy.dstack": "concatenate",
    "numpy.empty_like": "zeros_like",
    "numpy.fill_diagonal": "fill_diagonal, which returns a new variable",
    "numpy.put": "set_subtensor",
    "numpy.putmask": "switch",
    "numpy.split": "split(x, splits_size, n_splits)",
    "numpy.linalg.eig": "nlinalg.eig, whose eigenvalues are real",
    "numpy.linalg.lstsq": "nlinalg.lstsq()",
    "numpy.linalg.trace": "nlinalg.trace",
    "numpy.fft.irfft": "fft.irfft, of real and imaginary parts along a last axis",
    "numpy.fft.rfft": "fft.rfft, of real and imaginary parts along a last axis",
    "add.reduce": "sum",
    "add.accumulate": "cumsum",
    "add.outer": "x.dimshuffle",
    "add.at": "inc_subtensor",
    "maximum.reduce": "max",
    "minimum.reduce": "min",
    "multiply.accumulate": "cumprod",
    "multiply.outer": "outer",
    "multiply.reduce": "prod",
    "logical_and.reduce": "all",
    "logical_or.reduce": "any",
    "expit": "nnet.sigmoid",
    "digamma": "psi",
    "fabs": "abs_",
}


def call_function(function: Any, args: Sequence[object], kwargs: Mapping[str, object]) -> Any:
    """Return what a function of NumPy gives for variables, by the table.

    Parameters
    ----------
    function : function of NumPy
    args, kwargs
        What the user called it with.

    Raises
    ------
    TypeError
        It, or an argument, has no counterpart.
    """
    name = f"{function.__module__}.{function.__name__}"
    row = FUNCTIONS.get(name) or _refuse(name, name)
    ours = f"theano.tensor.{row.name or function.__name__}"
    positional, named, missing = [], {}, []
    names = row.parameters.split()
    if names[0].startswith("*"):
        positional, args, names = list(args), (), names[1:]
    if len(args) > len(names):
        raise TypeError(f"{name} takes {len(names)} arguments, got {len(args)}")
    own = [text.lstrip("-").partition(":")[0].partition("=")[0] for text in names]
    arguments = {**dict(zip(own, args, strict=False)), **kwargs}
    for key, text in zip(own, names, strict=True):
        value = arguments.pop(key, np._NoValue)
        if value is np._NoValue:
            missing += [key] if text == key else []
        elif text.startswith("-"):
            usual = text.partition(":")[2] or "None"
            if isinstance(value, Variable) or str(value) not in (usual, "None"):
                arguments[key] = value
        elif "=" in text:
            named[text.partition("=")[2] or key] = value
        else:
            positional.append(value)
    if arguments:
        _refuse_arguments(name, arguments, f"{ours} takes {_taken(names)}")
    if missing:
        raise TypeError(f"{name} needs {', '.join(missing)}")
    return row.ours(*positional, **named)


def _taken(names: Sequence[str]) -> str:
    return ", ".join(text.partition("=")[0] for text in names if not text.startswith("-"))


def call_ufunc(ufunc: Any, method: str, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return what a ufunc gives for variables, by the table.

    `array += x` has no array to write to before a function runs: it gives the variable `array + x`.
    """
    inputs = [x.item() if isinstance(x, _Held) and x.ndim == 0 else x for x in inputs]
    name = ufunc.__name__
    called = name if method == "__call__" else f"{name}.{method}"
    own = getattr(np, name, None) is ufunc
    ours = UFUNCS.get(called) if own else None
    if ours is None:
        _refuse(f"numpy.{called}" if own else called, called)
    refused = {key: x for key, x in kwargs.items() if x is not None and x is not True}
    out = refused.get("out", ())
    if len(out) == 1 and out[0] is inputs[0]:
        del refused["out"]
    if refused:
        _refuse_arguments(f"numpy.{name}", refused, "theano.tensor.cast converts results")
    try:
        objects = any(isinstance(x, np.ndarray) and x.dtype == object for x in inputs)
        if objects and name not in ("equal", "not_equal"):
            return _item_by_item(ours, inputs)
        return ours(*inputs)
    except (NotImplementedError, AsTensorError):
        return NotImplemented


def held(variable: TensorLike, dtype: Any = None) -> np.ndarray:
    """Return an array of one object, the variable: an item of the arrays that NumPy makes of lists.

    Old programs keep variables in such arrays.
    """
    if dtype is not None and np.dtype(dtype) != object:
        raise TypeError(
            f"{variable} is symbolic and has no value of dtype {np.dtype(dtype)}: it is known when "
            "a function runs. `x.eval({...})` gives it now, theano.tensor.cast(x, dtype) converts."
        )
    array = np.empty((), object)
    array[()] = variable
    return array.view(_Held)


class _Held(np.ndarray):
    """A variable where NumPy asks for an array; arithmetic is that of the variable."""

    def __array_ufunc__(
        self, ufunc: object, method: str, *inputs: TensorLike, **kwargs: object
    ) -> Any:
        # Methods such as `array.dot(x)` make objects of the items of their array, too, and would
        # take the variable for one number.
        if any(type(x) is np.ndarray and x.dtype == object for x in inputs):
            raise TypeError(
                "NumPy's methods of arrays cannot compute with symbolic variables: use the "
                "function instead, theano.tensor.dot(array, x) for array.dot(x)."
            )
        return call_ufunc(ufunc, method, inputs, kwargs)


def _item_by_item(ours: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """Apply a function to an array of objects that holds variables, as NumPy does."""
    plain = [np.asarray(x) if isinstance(x, Variable) else x for x in inputs]
    return np.frompyfunc(ours, len(inputs), 1)(*plain)


def _refuse(name: str, key: str) -> NoReturn:
    instead = INSTEAD.get(key) or (key if key in elementwise_ops() else "")
    if instead:
        hint = f"use {instead}" if instead.startswith("x") else f"use theano.tensor.{instead}"
    else:
        hint = "the functions of variables are those of theano.tensor"
    raise TypeError(
        f"{name} has no counterpart for symbolic variables: {hint}. The value of a variable "
        "is known when a function runs; `x.eval({...})` gives it now."
    )


def _refuse_arguments(name: str, arguments: dict[str, object], hint: str) -> NoReturn:
    names = ", ".join(f"{key}=" for key in arguments)
    raise TypeError(f"{name}({names}) of symbolic variables is not supported: {hint}.")
