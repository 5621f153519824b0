"""Symbolic arrays: NumPy's functions on variables."""

# NumPy's names are those of built-ins, too.

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

from theano._core.api.array.arrangement import (
    atleast_1d as atleast_1d,
)
from theano._core.api.array.arrangement import (
    atleast_2d as atleast_2d,
)
from theano._core.api.array.arrangement import (
    broadcast_to as broadcast_to,
)
from theano._core.api.array.arrangement import (
    column_stack as column_stack,
)
from theano._core.api.array.arrangement import (
    digitize as digitize,
)
from theano._core.api.array.arrangement import (
    ediff1d as ediff1d,
)
from theano._core.api.array.arrangement import (
    expand_dims as expand_dims,
)
from theano._core.api.array.arrangement import (
    flip as flip,
)
from theano._core.api.array.arrangement import (
    fliplr as fliplr,
)
from theano._core.api.array.arrangement import (
    flipud as flipud,
)
from theano._core.api.array.arrangement import (
    hstack as hstack,
)
from theano._core.api.array.arrangement import (
    isin as isin,
)
from theano._core.api.array.arrangement import (
    moveaxis as moveaxis,
)
from theano._core.api.array.arrangement import (
    pad as pad,
)
from theano._core.api.array.arrangement import (
    rollaxis as rollaxis,
)
from theano._core.api.array.arrangement import (
    rot90 as rot90,
)
from theano._core.api.array.arrangement import (
    unique as unique,
)
from theano._core.api.array.arrangement import (
    vstack as vstack,
)
from theano._core.api.array.creation import (
    alloc,
    arange,
    eye,
    fill,
    identity_like,
    mgrid,
    ogrid,
    ones,
    ones_like,
    tri,
    tril,
    triu,
    zeros,
    zeros_like,
)
from theano._core.api.array.creation import fill as second
from theano._core.api.array.einsum import (
    einsum,
)
from theano._core.api.array.elementwise import (
    ceil_intdiv,
    complex_from_polar,
    default,
    div_proxy,
    divmod,
    iround,
    isclose,
    isinf,
    isnan,
    largest,
    mod_check,
    round,
    smallest,
)
from theano._core.api.array.elementwise import (
    default as setdefault,
)
from theano._core.api.array.elementwise import (
    hypot as hypot,
)
from theano._core.api.array.elementwise import (
    isfinite as isfinite,
)
from theano._core.api.array.elementwise import (
    logaddexp as logaddexp,
)
from theano._core.api.array.elementwise import (
    logical_and as logical_and,
)
from theano._core.api.array.elementwise import (
    logical_not as logical_not,
)
from theano._core.api.array.elementwise import (
    logical_or as logical_or,
)
from theano._core.api.array.elementwise import (
    logical_xor as logical_xor,
)
from theano._core.api.array.elementwise import (
    nan_to_num as nan_to_num,
)
from theano._core.api.array.elementwise import (
    sinc as sinc,
)
from theano._core.api.array.extra_ops import (
    bartlett,
    bincount,
    choose,
    cov,
    cumprod,
    cumsum,
    diff,
    fill_diagonal,
    fill_diagonal_offset,
    ravel_multi_index,
    unravel_index,
)
from theano._core.api.array.indexing import (
    flatnonzero,
    inc_subtensor,
    nonzero,
    nonzero_values,
    set_subtensor,
    take,
)
from theano._core.api.array.joining import (
    concatenate,
    horizontal_stack,
    join,
    repeat,
    roll,
    split,
    stack,
    stacklists,
    tile,
    vertical_stack,
)
from theano._core.api.array.linalg import (
    kron as kron,
)
from theano._core.api.array.nan_statistics import (
    nanmax as nanmax,
)
from theano._core.api.array.nan_statistics import (
    nanmean as nanmean,
)
from theano._core.api.array.nan_statistics import (
    nanmin as nanmin,
)
from theano._core.api.array.nan_statistics import (
    nanprod as nanprod,
)
from theano._core.api.array.nan_statistics import (
    nanstd as nanstd,
)
from theano._core.api.array.nan_statistics import (
    nansum as nansum,
)
from theano._core.api.array.nan_statistics import (
    nanvar as nanvar,
)
from theano._core.api.array.permutations import (
    inverse_permutation,
    permute_row_elements,
)
from theano._core.api.array.products import (
    batched_dot,
    batched_tensordot,
    diag,
    diagonal,
    dot,
    matmul,
    outer,
    tensordot,
    trace,
)
from theano._core.api.array.products import (
    cross as cross,
)
from theano._core.api.array.products import (
    inner as inner,
)
from theano._core.api.array.products import (
    vdot as vdot,
)
from theano._core.api.array.ranges import (
    full as full,
)
from theano._core.api.array.ranges import (
    full_like as full_like,
)
from theano._core.api.array.ranges import (
    geomspace as geomspace,
)
from theano._core.api.array.ranges import (
    linspace as linspace,
)
from theano._core.api.array.ranges import (
    logspace as logspace,
)
from theano._core.api.array.ranges import (
    meshgrid as meshgrid,
)
from theano._core.api.array.reductions import (
    all,
    allclose,
    any,
    argmax,
    argmin,
    max,
    max_and_argmax,
    mean,
    min,
    prod,
    ptp,
    std,
    sum,
    var,
)
from theano._core.api.array.shaping import (
    addbroadcast,
    check_and_normalize_axes,
    flatten,
    get_vector_length,
    is_flat,
    patternbroadcast,
    reshape,
    shape,
    shape_padaxis,
    shape_padleft,
    shape_padright,
    specify_shape,
    squeeze,
    swapaxes,
    transpose,
    unbroadcast,
)
from theano._core.api.array.shaping import (
    make_keep_dims as makeKeepDims,
)
from theano._core.api.array.sorting import (
    argsort,
    argtopk,
    sort,
    topk,
    topk_and_argtopk,
)
from theano._core.api.array.sorting import (
    searchsorted as searchsorted,
)
from theano._core.api.array.special import (
    chi2sf,
    gammal,
    gammau,
)
from theano._core.api.array.statistics import (
    average as average,
)
from theano._core.api.array.statistics import (
    corrcoef as corrcoef,
)
from theano._core.api.array.statistics import (
    count_nonzero as count_nonzero,
)
from theano._core.api.array.statistics import (
    histogram as histogram,
)
from theano._core.api.array.statistics import (
    interp as interp,
)
from theano._core.api.array.statistics import (
    logsumexp as logsumexp,
)
from theano._core.api.array.statistics import (
    median as median,
)
from theano._core.api.array.statistics import (
    percentile as percentile,
)
from theano._core.api.array.statistics import (
    quantile as quantile,
)
from theano._core.api.array.statistics import (
    trapezoid as trapezoid,
)
from theano._core.api.conversion import (
    NoneConst,
    as_tensor_variable,
    cast,
    constant,
    extract_constant,
    get_scalar_constant_value,
    none_type_t,
    numpy_scalar,
    wrap_constant,
)
from theano._core.api.conversion import (
    as_tensor_variable as as_tensor,
)
from theano._core.api.debug.debugprint import (
    min_informative_str,
)
from theano._core.api.debug.pretty import (
    pprint,
)
from theano._core.api.derivatives.forward_mode import (
    Rop,
)
from theano._core.api.derivatives.gradients import (
    Lop,
    consider_constant,
    grad_not_implemented,
    grad_undefined,
)
from theano._core.api.derivatives.jacobians import (
    hessian,
    jacobian,
)
from theano._core.api.derivatives.verification import verify_grad
from theano._core.api.variable.classes import (
    TensorConstant,
    TensorVariable,
)
from theano._core.api.variable.constructors import (
    bcol,
    bmatrix,
    brow,
    bscalar,
    btensor3,
    btensor4,
    btensor5,
    btensor6,
    btensor7,
    bvector,
    ccol,
    cmatrix,
    col,
    cols,
    crow,
    cscalar,
    ctensor3,
    ctensor4,
    ctensor5,
    ctensor6,
    ctensor7,
    cvector,
    dcol,
    dcols,
    dmatrices,
    dmatrix,
    drow,
    drows,
    dscalar,
    dscalars,
    dtensor3,
    dtensor3s,
    dtensor4,
    dtensor4s,
    dtensor5,
    dtensor5s,
    dtensor6,
    dtensor6s,
    dtensor7,
    dtensor7s,
    dvector,
    dvectors,
    fcol,
    fcols,
    fmatrices,
    fmatrix,
    frow,
    frows,
    fscalar,
    fscalars,
    ftensor3,
    ftensor3s,
    ftensor4,
    ftensor4s,
    ftensor5,
    ftensor5s,
    ftensor6,
    ftensor6s,
    ftensor7,
    ftensor7s,
    fvector,
    fvectors,
    icol,
    icols,
    imatrices,
    imatrix,
    irow,
    irows,
    iscalar,
    iscalars,
    itensor3,
    itensor3s,
    itensor4,
    itensor4s,
    itensor5,
    itensor5s,
    itensor6,
    itensor6s,
    itensor7,
    itensor7s,
    ivector,
    ivectors,
    lcol,
    lcols,
    lmatrices,
    lmatrix,
    lrow,
    lrows,
    lscalar,
    lscalars,
    ltensor3,
    ltensor3s,
    ltensor4,
    ltensor4s,
    ltensor5,
    ltensor5s,
    ltensor6,
    ltensor6s,
    ltensor7,
    ltensor7s,
    lvector,
    lvectors,
    matrices,
    matrix,
    row,
    rows,
    scalar,
    scalars,
    tensor,
    tensor3,
    tensor3s,
    tensor4,
    tensor4s,
    tensor5,
    tensor5s,
    tensor6,
    tensor6s,
    tensor7,
    tensor7s,
    vector,
    vectors,
    wcol,
    wmatrix,
    wrow,
    wscalar,
    wtensor3,
    wtensor4,
    wtensor5,
    wtensor6,
    wtensor7,
    wvector,
    zcol,
    zmatrix,
    zrow,
    zscalar,
    ztensor3,
    ztensor4,
    ztensor5,
    ztensor6,
    ztensor7,
    zvector,
)
from theano._core.api.variable.shared import (
    ScalarSharedVariable,
    TensorSharedVariable,
)
from theano._core.autodiff.reverse import (
    grad,
)
from theano._core.autodiff.verify import numeric_grad
from theano._core.base.dtypes import (
    all_dtypes,
    complex_dtypes,
    continuous_dtypes,
    discrete_dtypes,
    float_dtypes,
    int_dtypes,
    integer_dtypes,
    uint_dtypes,
)
from theano._core.base.errors import (
    AdvancedBooleanIndexingError,
    AdvancedIndexingError,
    AsTensorError,
    EmptyConstantError,
    MethodNotDefined,
    NotScalarConstantError,
    ShapeError,
)
from theano._core.base.settings import (
    config,
)
from theano._core.ir.types import (
    Generic,
    TensorType,
)
from theano._core.ir.types import (
    TensorType as Tensor,
)
from theano._core.ir.variable import (
    Apply,
    Constant,
    Variable,
)
from theano._core.legacy.paths import old_names as _old_names
from theano._core.legacy.user.op import (
    Op,
)
from theano._core.legacy.user.type import (
    Type,
)
from theano._core.ops.array.assertions import Assert
from theano._core.ops.array.broadcasting import (
    Alloc,
)
from theano._core.ops.array.creation import (
    ARange,
)
from theano._core.ops.array.gradient import (
    DisconnectedType,
)
from theano._core.ops.array.multi_index import (
    Choose,
)
from theano._core.ops.array.nonzero import (
    Nonzero,
)
from theano._core.ops.array.products import (
    Dot,
)
from theano._core.ops.array.shaping import Reshape, SpecifyShape
from theano._core.ops.array.shaping import (
    ShapeOf as Shape,
)
from theano._core.ops.core.dimshuffle import DimShuffle
from theano._core.ops.elementwise.arithmetic import (
    abs_,
    add,
    and_,
    ceil,
    clip,
    eq,
    floor,
    ge,
    gt,
    imag,
    int_div,
    invert,
    le,
    lt,
    maximum,
    minimum,
    mod,
    mul,
    neg,
    neq,
    or_,
    real,
    round_half_away_from_zero,
    round_half_to_even,
    sgn,
    sqr,
    sub,
    switch,
    true_div,
    trunc,
    xor,
)
from theano._core.ops.elementwise.arithmetic import (
    and_ as bitwise_and,
)
from theano._core.ops.elementwise.arithmetic import (
    complex_ as complex,
)
from theano._core.ops.elementwise.arithmetic import (
    copy as tensor_copy,
)
from theano._core.ops.elementwise.arithmetic import (
    int_div as floor_div,
)
from theano._core.ops.elementwise.arithmetic import (
    invert as bitwise_not,
)
from theano._core.ops.elementwise.arithmetic import (
    or_ as bitwise_or,
)
from theano._core.ops.elementwise.arithmetic import (
    reciprocal as inv,
)
from theano._core.ops.elementwise.arithmetic import (
    sqr as square,
)
from theano._core.ops.elementwise.arithmetic import (
    switch as where,
)
from theano._core.ops.elementwise.arithmetic import (
    xor as bitwise_xor,
)
from theano._core.ops.elementwise.elementwise import conj
from theano._core.ops.elementwise.transcendental import (
    angle,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cos,
    cosh,
    deg2rad,
    exp,
    exp2,
    expm1,
    log,
    log1p,
    log2,
    log10,
    pow,
    rad2deg,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from theano._core.ops.elementwise.transcendental import (
    pow as power,
)
from theano._core.ops.special import (
    erf,
    erfc,
    erfcinv,
    erfcx,
    erfinv,
    gamma,
    gammainc,
    gammaincc,
    gammaln,
    i0,
    i1,
    iv,
    j0,
    j1,
    jv,
    psi,
    tri_gamma,
)

if _TYPE_CHECKING:
    from theano.tensor import (
        extra_ops,
        nlinalg,
        nnet,
        random,
        raw_random,
        shared_randomstreams,
        sharedvar,
        slinalg,
        xlogx,
    )
    from theano.tensor import fft as fft
    from theano.tensor import inplace as inplace
    from theano.tensor import linalg as linalg
    from theano.tensor import signal as signal

# What NumPy's users look for beyond Theano 1.0.5 is not in `__all__`: old programs that import all
# names of NumPy, and then all of these, keep NumPy's. Here are more of its names for what is here.
absolute = abs_
divide = true_div
equal = eq
greater = gt
greater_equal = ge
less = lt
less_equal = le
multiply = mul
negative = neg
not_equal = neq
remainder = mod
sign = sgn
subtract = sub
trapz = trapezoid

# And its numbers.
e = 2.718281828459045
inf = float("inf")
nan = float("nan")
newaxis = None
pi = 3.141592653589793

if _TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike as TensorLike

__all__ = [
    "ARange",
    "AdvancedBooleanIndexingError",
    "AdvancedIndexingError",
    "Alloc",
    "Apply",
    "AsTensorError",
    "Assert",
    "Choose",
    "Constant",
    "DimShuffle",
    "DisconnectedType",
    "Dot",
    "EmptyConstantError",
    "Generic",
    "Lop",
    "MethodNotDefined",
    "NoneConst",
    "Nonzero",
    "NotScalarConstantError",
    "Op",
    "Reshape",
    "Rop",
    "ScalarSharedVariable",
    "Shape",
    "ShapeError",
    "SpecifyShape",
    "Tensor",
    "TensorConstant",
    "TensorSharedVariable",
    "TensorType",
    "TensorVariable",
    "Type",
    "Variable",
    "abs_",
    "add",
    "addbroadcast",
    "all",
    "all_dtypes",
    "allclose",
    "alloc",
    "and_",
    "angle",
    "any",
    "arange",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "argmax",
    "argmin",
    "argsort",
    "argtopk",
    "as_tensor",
    "as_tensor_variable",
    "bartlett",
    "batched_dot",
    "batched_tensordot",
    "bcol",
    "bincount",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "bmatrix",
    "brow",
    "bscalar",
    "btensor3",
    "btensor4",
    "btensor5",
    "btensor6",
    "btensor7",
    "bvector",
    "cast",
    "ccol",
    "ceil",
    "ceil_intdiv",
    "check_and_normalize_axes",
    "chi2sf",
    "choose",
    "clip",
    "cmatrix",
    "col",
    "cols",
    "complex",
    "complex_dtypes",
    "complex_from_polar",
    "concatenate",
    "config",
    "conj",
    "consider_constant",
    "constant",
    "continuous_dtypes",
    "cos",
    "cosh",
    "cov",
    "crow",
    "cscalar",
    "ctensor3",
    "ctensor4",
    "ctensor5",
    "ctensor6",
    "ctensor7",
    "cumprod",
    "cumsum",
    "cvector",
    "dcol",
    "dcols",
    "default",
    "deg2rad",
    "diag",
    "diagonal",
    "diff",
    "discrete_dtypes",
    "div_proxy",
    "divmod",
    "dmatrices",
    "dmatrix",
    "dot",
    "drow",
    "drows",
    "dscalar",
    "dscalars",
    "dtensor3",
    "dtensor3s",
    "dtensor4",
    "dtensor4s",
    "dtensor5",
    "dtensor5s",
    "dtensor6",
    "dtensor6s",
    "dtensor7",
    "dtensor7s",
    "dvector",
    "dvectors",
    "einsum",
    "eq",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "exp",
    "exp2",
    "expm1",
    "extra_ops",
    "extract_constant",
    "eye",
    "fcol",
    "fcols",
    "fill",
    "fill_diagonal",
    "fill_diagonal_offset",
    "flatnonzero",
    "flatten",
    "float_dtypes",
    "floor",
    "floor_div",
    "fmatrices",
    "fmatrix",
    "frow",
    "frows",
    "fscalar",
    "fscalars",
    "ftensor3",
    "ftensor3s",
    "ftensor4",
    "ftensor4s",
    "ftensor5",
    "ftensor5s",
    "ftensor6",
    "ftensor6s",
    "ftensor7",
    "ftensor7s",
    "fvector",
    "fvectors",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammal",
    "gammaln",
    "gammau",
    "ge",
    "get_scalar_constant_value",
    "get_vector_length",
    "grad",
    "grad_not_implemented",
    "grad_undefined",
    "gt",
    "hessian",
    "horizontal_stack",
    "i0",
    "i1",
    "icol",
    "icols",
    "identity_like",
    "imag",
    "imatrices",
    "imatrix",
    "inc_subtensor",
    "int_div",
    "int_dtypes",
    "integer_dtypes",
    "inv",
    "inverse_permutation",
    "invert",
    "iround",
    "irow",
    "irows",
    "is_flat",
    "iscalar",
    "iscalars",
    "isclose",
    "isinf",
    "isnan",
    "itensor3",
    "itensor3s",
    "itensor4",
    "itensor4s",
    "itensor5",
    "itensor5s",
    "itensor6",
    "itensor6s",
    "itensor7",
    "itensor7s",
    "iv",
    "ivector",
    "ivectors",
    "j0",
    "j1",
    "jacobian",
    "join",
    "jv",
    "largest",
    "lcol",
    "lcols",
    "le",
    "lmatrices",
    "lmatrix",
    "log",
    "log1p",
    "log2",
    "log10",
    "lrow",
    "lrows",
    "lscalar",
    "lscalars",
    "lt",
    "ltensor3",
    "ltensor3s",
    "ltensor4",
    "ltensor4s",
    "ltensor5",
    "ltensor5s",
    "ltensor6",
    "ltensor6s",
    "ltensor7",
    "ltensor7s",
    "lvector",
    "lvectors",
    "makeKeepDims",
    "matmul",
    "matrices",
    "matrix",
    "max",
    "max_and_argmax",
    "maximum",
    "mean",
    "mgrid",
    "min",
    "min_informative_str",
    "minimum",
    "mod",
    "mod_check",
    "mul",
    "neg",
    "neq",
    "nlinalg",
    "nnet",
    "none_type_t",
    "nonzero",
    "nonzero_values",
    "numeric_grad",
    "numpy_scalar",
    "ogrid",
    "ones",
    "ones_like",
    "or_",
    "outer",
    "patternbroadcast",
    "permute_row_elements",
    "pow",
    "power",
    "pprint",
    "prod",
    "psi",
    "ptp",
    "rad2deg",
    "random",
    "ravel_multi_index",
    "raw_random",
    "real",
    "repeat",
    "reshape",
    "roll",
    "round",
    "round_half_away_from_zero",
    "round_half_to_even",
    "row",
    "rows",
    "scalar",
    "scalars",
    "second",
    "set_subtensor",
    "setdefault",
    "sgn",
    "shape",
    "shape_padaxis",
    "shape_padleft",
    "shape_padright",
    "shared_randomstreams",
    "sharedvar",
    "sin",
    "sinh",
    "slinalg",
    "smallest",
    "sort",
    "specify_shape",
    "split",
    "sqr",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "stacklists",
    "std",
    "sub",
    "sum",
    "swapaxes",
    "switch",
    "take",
    "tan",
    "tanh",
    "tensor",
    "tensor3",
    "tensor3s",
    "tensor4",
    "tensor4s",
    "tensor5",
    "tensor5s",
    "tensor6",
    "tensor6s",
    "tensor7",
    "tensor7s",
    "tensor_copy",
    "tensordot",
    "tile",
    "topk",
    "topk_and_argtopk",
    "trace",
    "transpose",
    "tri",
    "tri_gamma",
    "tril",
    "triu",
    "true_div",
    "trunc",
    "uint_dtypes",
    "unbroadcast",
    "unravel_index",
    "var",
    "vector",
    "vectors",
    "verify_grad",
    "vertical_stack",
    "wcol",
    "where",
    "wmatrix",
    "wrap_constant",
    "wrow",
    "wscalar",
    "wtensor3",
    "wtensor4",
    "wtensor5",
    "wtensor6",
    "wtensor7",
    "wvector",
    "xlogx",
    "xor",
    "zcol",
    "zeros",
    "zeros_like",
    "zmatrix",
    "zrow",
    "zscalar",
    "ztensor3",
    "ztensor4",
    "ztensor5",
    "ztensor6",
    "ztensor7",
    "zvector",
]


# Few programs need all of them, and `import theano` is to be instant.
_LATE = {
    "extra_ops",
    "fft",
    "inplace",
    "linalg",
    "nlinalg",
    "nnet",
    "random",
    "raw_random",
    "shared_randomstreams",
    "sharedvar",
    "signal",
    "slinalg",
    "xlogx",
}
_old_name = _old_names(__name__)


def __getattr__(name: str) -> object:
    if name in _LATE:
        return _import_module(f"theano.tensor.{name}")
    if name == "TensorLike":
        # What annotations name: all that a tensor can be made of.
        return _import_module("theano._core.ir.annotations").TensorLike
    return _old_name(name)


def __dir__() -> list[str]:
    private = ("annotations",)
    return sorted({n for n in globals() if n not in private and n[0] != "_"} | _LATE)
