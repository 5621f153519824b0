# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano._core.api.array.creation import (
    alloc as alloc, arange as arange, eye as eye, fill as fill, identity_like as identity_like,
    mgrid as mgrid, ogrid as ogrid, ones as ones, ones_like as ones_like, tri as tri, tril as tril,
    triu as triu, zeros as zeros, zeros_like as zeros_like,
)
from theano._core.api.array.elementwise import (
    ceil_intdiv as ceil_intdiv, default as default,
    div_proxy as div_proxy, divmod as divmod, iround as iround, isclose as isclose, isinf as isinf,
    isnan as isnan, largest as largest, mod_check as mod_check, power as power, round as round,
    smallest as smallest,
)
from theano._core.api.array.extra_ops import (
    bartlett as bartlett, bincount as bincount, choose as choose, cov as cov, cumprod as cumprod,
    cumsum as cumsum, fill_diagonal as fill_diagonal, fill_diagonal_offset as fill_diagonal_offset,
    ravel_multi_index as ravel_multi_index, unravel_index as unravel_index,
)
from theano._core.api.array.indexing import (
    flatnonzero as flatnonzero, inc_subtensor as inc_subtensor, nonzero as nonzero,
    nonzero_values as nonzero_values, set_subtensor as set_subtensor, take as take,
)
from theano._core.api.array.joining import (
    concatenate as concatenate, horizontal_stack as horizontal_stack, join as join,
    repeat as repeat, roll as roll, split as split, stack as stack, stacklists as stacklists,
    tile as tile, vertical_stack as vertical_stack,
)
from theano._core.api.array.permutations import (
    inverse_permutation as inverse_permutation, permute_row_elements as permute_row_elements,
)
from theano._core.api.array.products import (
    batched_dot as batched_dot, batched_tensordot as batched_tensordot, diag as diag,
    diagonal as diagonal, dot as dot, outer as outer, tensordot as tensordot,
)
from theano._core.api.array.reductions import (
    all as all, allclose as allclose, any as any, argmax as argmax, argmin as argmin, max as max,
    max_and_argmax as max_and_argmax, mean as mean, min as min, prod as prod, ptp as ptp,
    std as std, sum as sum, var as var,
)
from theano._core.api.array.shaping import (
    addbroadcast as addbroadcast, check_and_normalize_axes as check_and_normalize_axes,
    flatten as flatten, get_vector_length as get_vector_length, is_flat as is_flat, make_keep_dims,
    patternbroadcast as patternbroadcast, reshape as reshape, shape as shape,
    shape_padaxis as shape_padaxis, shape_padleft as shape_padleft,
    shape_padright as shape_padright, specify_shape as specify_shape, squeeze as squeeze,
    swapaxes as swapaxes, transpose as transpose, unbroadcast as unbroadcast,
)
from theano._core.api.array.sorting import (
    argsort as argsort, argtopk as argtopk, sort as sort, topk as topk,
    topk_and_argtopk as topk_and_argtopk,
)
from theano._core.api.conversion import (
    NoneConst as NoneConst, as_tensor_variable as as_tensor_variable, cast as cast,
    constant as constant, extract_constant as extract_constant,
    get_scalar_constant_value as get_scalar_constant_value, none_type_t as none_type_t,
    numpy_scalar as numpy_scalar, wrap_constant as wrap_constant,
)
from theano._core.api.debug.debugprint import min_informative_str as min_informative_str
from theano._core.api.debug.pretty import pprint as pprint
from theano._core.api.derivatives.forward_mode import Rop as Rop
from theano._core.api.derivatives.gradients import (
    Lop as Lop, consider_constant as consider_constant,
    grad_not_implemented as grad_not_implemented, grad_undefined as grad_undefined,
)
from theano._core.api.derivatives.jacobians import hessian as hessian, jacobian as jacobian
from theano._core.api.derivatives.verification import verify_grad as verify_grad
from theano._core.api.variable.constructors import (
    bcol as bcol, bmatrix as bmatrix, brow as brow, bscalar as bscalar, btensor3 as btensor3,
    btensor4 as btensor4, btensor5 as btensor5, btensor6 as btensor6, btensor7 as btensor7,
    bvector as bvector, ccol as ccol, cmatrix as cmatrix, col as col, cols as cols, crow as crow,
    cscalar as cscalar, ctensor3 as ctensor3, ctensor4 as ctensor4, ctensor5 as ctensor5,
    ctensor6 as ctensor6, ctensor7 as ctensor7, cvector as cvector, dcol as dcol, dcols as dcols,
    dmatrices as dmatrices, dmatrix as dmatrix, drow as drow, drows as drows, dscalar as dscalar,
    dscalars as dscalars, dtensor3 as dtensor3, dtensor3s as dtensor3s, dtensor4 as dtensor4,
    dtensor4s as dtensor4s, dtensor5 as dtensor5, dtensor5s as dtensor5s, dtensor6 as dtensor6,
    dtensor6s as dtensor6s, dtensor7 as dtensor7, dtensor7s as dtensor7s, dvector as dvector,
    dvectors as dvectors, fcol as fcol, fcols as fcols, fmatrices as fmatrices, fmatrix as fmatrix,
    frow as frow, frows as frows, fscalar as fscalar, fscalars as fscalars, ftensor3 as ftensor3,
    ftensor3s as ftensor3s, ftensor4 as ftensor4, ftensor4s as ftensor4s, ftensor5 as ftensor5,
    ftensor5s as ftensor5s, ftensor6 as ftensor6, ftensor6s as ftensor6s, ftensor7 as ftensor7,
    ftensor7s as ftensor7s, fvector as fvector, fvectors as fvectors, icol as icol, icols as icols,
    imatrices as imatrices, imatrix as imatrix, irow as irow, irows as irows, iscalar as iscalar,
    iscalars as iscalars, itensor3 as itensor3, itensor3s as itensor3s, itensor4 as itensor4,
    itensor4s as itensor4s, itensor5 as itensor5, itensor5s as itensor5s, itensor6 as itensor6,
    itensor6s as itensor6s, itensor7 as itensor7, itensor7s as itensor7s, ivector as ivector,
    ivectors as ivectors, lcol as lcol, lcols as lcols, lmatrices as lmatrices, lmatrix as lmatrix,
    lrow as lrow, lrows as lrows, lscalar as lscalar, lscalars as lscalars, ltensor3 as ltensor3,
    ltensor3s as ltensor3s, ltensor4 as ltensor4, ltensor4s as ltensor4s, ltensor5 as ltensor5,
    ltensor5s as ltensor5s, ltensor6 as ltensor6, ltensor6s as ltensor6s, ltensor7 as ltensor7,
    ltensor7s as ltensor7s, lvector as lvector, lvectors as lvectors, matrices as matrices,
    matrix as matrix, row as row, rows as rows, scalar as scalar, scalars as scalars,
    tensor as tensor, tensor3 as tensor3, tensor3s as tensor3s, tensor4 as tensor4,
    tensor4s as tensor4s, tensor5 as tensor5, tensor5s as tensor5s, tensor6 as tensor6,
    tensor6s as tensor6s, tensor7 as tensor7, tensor7s as tensor7s, vector as vector,
    vectors as vectors, wcol as wcol, wmatrix as wmatrix, wrow as wrow, wscalar as wscalar,
    wtensor3 as wtensor3, wtensor4 as wtensor4, wtensor5 as wtensor5, wtensor6 as wtensor6,
    wtensor7 as wtensor7, wvector as wvector, zcol as zcol, zmatrix as zmatrix, zrow as zrow,
    zscalar as zscalar, ztensor3 as ztensor3, ztensor4 as ztensor4, ztensor5 as ztensor5,
    ztensor6 as ztensor6, ztensor7 as ztensor7, zvector as zvector,
)
from theano._core.api.variable.shared import (
    ScalarSharedVariable as ScalarSharedVariable, TensorSharedVariable as TensorSharedVariable,
)
from theano._core.autodiff.reverse import grad as grad
from theano._core.autodiff.verify import numeric_grad as numeric_grad
from theano._core.base.dtypes import (
    all_dtypes as all_dtypes, complex_dtypes as complex_dtypes,
    continuous_dtypes as continuous_dtypes, discrete_dtypes as discrete_dtypes,
    float_dtypes as float_dtypes, int_dtypes as int_dtypes, integer_dtypes as integer_dtypes,
    uint_dtypes as uint_dtypes,
)
from theano._core.base.errors import (
    AdvancedBooleanIndexingError as AdvancedBooleanIndexingError,
    AdvancedIndexingError as AdvancedIndexingError, AsTensorError as AsTensorError,
    EmptyConstantError as EmptyConstantError, MethodNotDefined as MethodNotDefined,
    NotScalarConstantError as NotScalarConstantError, ShapeError as ShapeError,
)
from theano._core.base.settings import config as config
from theano._core.ir.tensor import (
    TensorConstant as TensorConstant, TensorVariable as TensorVariable,
)
from theano._core.ir.types import Generic as Generic, TensorType as TensorType
from theano._core.ir.variable import Apply as Apply, Constant as Constant, Variable as Variable
from theano._core.legacy.user.op import Op as Op
from theano._core.legacy.user.type import Type as Type
from theano._core.ops.array.assertions import Assert as Assert
from theano._core.ops.array.broadcasting import Alloc as Alloc
from theano._core.ops.array.creation import ARange as ARange
from theano._core.ops.array.gradient import DisconnectedType as DisconnectedType
from theano._core.ops.array.multi_index import Choose as Choose
from theano._core.ops.array.nonzero import Nonzero as Nonzero
from theano._core.ops.array.products import Dot as Dot
from theano._core.ops.array.shaping import Reshape as Reshape, ShapeOf, SpecifyShape as SpecifyShape
from theano._core.ops.core.dimshuffle import DimShuffle as DimShuffle
from theano._core.ops.composed import (
    chi2sf as chi2sf, complex_from_polar as complex_from_polar, gammal as gammal, gammau as gammau,
)
from theano._core.ops.elementwise.arithmetic import (
    abs_ as abs_, add as add, and_ as and_, ceil as ceil, clip as clip, complex_, copy, eq as eq,
    floor as floor, ge as ge, gt as gt, imag as imag, int_div as int_div, invert as invert,
    le as le, lt as lt, maximum as maximum, minimum as minimum, mod as mod, mul as mul, neg as neg,
    neq as neq, or_ as or_, real as real, reciprocal,
    round_half_away_from_zero as round_half_away_from_zero,
    round_half_to_even as round_half_to_even, sgn as sgn, sqr as sqr, sub as sub, switch as switch,
    true_div as true_div, trunc as trunc, xor as xor,
)
from theano._core.ops.elementwise.elementwise import conj as conj
from theano._core.ops.elementwise.transcendental import (
    angle as angle, arccos as arccos, arccosh as arccosh, arcsin as arcsin, arcsinh as arcsinh,
    arctan as arctan, arctan2 as arctan2, arctanh as arctanh, cos as cos, cosh as cosh,
    deg2rad as deg2rad, exp as exp, exp2 as exp2, expm1 as expm1, log as log, log10 as log10,
    log1p as log1p, log2 as log2, pow as pow, rad2deg as rad2deg, sin as sin, sinh as sinh,
    sqrt as sqrt, tan as tan, tanh as tanh,
)
from theano._core.ops.special import (
    erf as erf, erfc as erfc, erfcinv as erfcinv, erfcx as erfcx, erfinv as erfinv, gamma as gamma,
    gammainc as gammainc, gammaincc as gammaincc, gammaln as gammaln, i0 as i0, i1 as i1, iv as iv,
    j0 as j0, j1 as j1, jv as jv, psi as psi, tri_gamma as tri_gamma,
)
from theano.tensor import (
    extra_ops as extra_ops, nlinalg as nlinalg, nnet as nnet, raw_random as raw_random,
    shared_randomstreams as shared_randomstreams, sharedvar as sharedvar, slinalg as slinalg,
    xlogx as xlogx,
)

Shape = ShapeOf
Tensor = TensorType
as_tensor = as_tensor_variable
bitwise_and = and_
bitwise_not = invert
bitwise_or = or_
bitwise_xor = xor
complex = complex_
floor_div = int_div
inv = reciprocal
makeKeepDims = make_keep_dims
second = fill
setdefault = default
square = sqr
tensor_copy = copy
where = switch

# Not in __all__

from math import e as e, inf as inf, nan as nan, pi as pi
from numpy import newaxis as newaxis
from theano._core.api.array.arrangement import (
    atleast_1d as atleast_1d, atleast_2d as atleast_2d, broadcast_to as broadcast_to,
    column_stack as column_stack, digitize as digitize, ediff1d as ediff1d,
    expand_dims as expand_dims, flip as flip, fliplr as fliplr, flipud as flipud, hstack as hstack,
    isin as isin, moveaxis as moveaxis, pad as pad, rollaxis as rollaxis, rot90 as rot90,
    unique as unique, vstack as vstack,
)
from theano._core.api.array.einsum import einsum as einsum
from theano._core.api.array.elementwise import (
    hypot as hypot, isfinite as isfinite, logaddexp as logaddexp, logical_and as logical_and,
    logical_not as logical_not, logical_or as logical_or, logical_xor as logical_xor,
    nan_to_num as nan_to_num, sinc as sinc,
)
from theano._core.api.array.extra_ops import diff as diff
from theano._core.api.array.linalg import kron as kron
from theano._core.api.array.nan_statistics import (
    nanmax as nanmax, nanmean as nanmean, nanmin as nanmin, nanprod as nanprod, nanstd as nanstd,
    nansum as nansum, nanvar as nanvar,
)
from theano._core.api.array.products import (
    cross as cross, inner as inner, matmul as matmul, trace as trace, vdot as vdot,
)
from theano._core.api.array.ranges import (
    full as full, full_like as full_like, geomspace as geomspace, linspace as linspace,
    logspace as logspace, meshgrid as meshgrid,
)
from theano._core.api.array.sorting import searchsorted as searchsorted
from theano._core.api.array.statistics import (
    average as average, corrcoef as corrcoef, count_nonzero as count_nonzero,
    histogram as histogram, interp as interp, logsumexp as logsumexp, median as median,
    percentile as percentile, quantile as quantile, trapezoid as trapezoid,
)
from theano._core.ir.annotations import TensorLike as TensorLike
from theano.tensor import (
    fft as fft, inplace as inplace, linalg as linalg, random as random, signal as signal,
)

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
