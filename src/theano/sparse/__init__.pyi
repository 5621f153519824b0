# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano._core.api.sparse import (
    all_dtypes as all_dtypes, bcast as bcast, ccast as ccast, complex_dtypes as complex_dtypes,
    construct_sparse_from_list as construct_sparse_from_list,
    continuous_dtypes as continuous_dtypes, csc_from_dense as csc_from_dense, csm_grad as csm_grad,
    csm_properties as csm_properties, csr_from_dense as csr_from_dense, dcast as dcast,
    diag as diag, discrete_dtypes as discrete_dtypes, enable_sparse as enable_sparse,
    fcast as fcast, float_dtypes as float_dtypes, get_item_2d as get_item_2d,
    get_item_2lists as get_item_2lists, get_item_2lists_grad as get_item_2lists_grad,
    get_item_list as get_item_list, get_item_list_grad as get_item_list_grad,
    get_item_scalar as get_item_scalar, icast as icast, int_dtypes as int_dtypes,
    integer_dtypes as integer_dtypes, lcast as lcast, sdg_csc as sdg_csc, sdg_csr as sdg_csr,
    sparse_formats as sparse_formats, square_diagonal as square_diagonal,
    uint_dtypes as uint_dtypes, verify_grad_sparse as verify_grad_sparse, wcast as wcast,
    zcast as zcast,
)
from theano._core.api.variable.sparse_shared import (
    SparseTensorSharedVariable as SparseTensorSharedVariable,
    shared as shared, sparse_constructor as sparse_constructor,
)
from theano._core.ops.sparse.arithmetic import (
    AddSD as AddSD, AddSS as AddSS, AddSSData as AddSSData, ColScaleCSC as ColScaleCSC,
    MulSD as MulSD, MulSS as MulSS, MulSV as MulSV, RowScaleCSC as RowScaleCSC, SpSum as SpSum,
    StructuredAddSV as StructuredAddSV,
)
from theano._core.ops.sparse.construction import (
    bsr_matrix as bsr_matrix, cast as cast, clean as clean, constant as constant,
    csc_matrix as csc_matrix, csm_data as csm_data, csm_indices as csm_indices,
    csm_indptr as csm_indptr, csm_shape as csm_shape, csr_matrix as csr_matrix,
    ensure_sorted_indices as ensure_sorted_indices, hstack as hstack, matrix as matrix,
    remove0 as remove0, sp_ones_like as sp_ones_like, sp_zeros_like as sp_zeros_like,
    vstack as vstack,
)
from theano._core.ops.sparse.functions import (
    SparseConstant as SparseConstant, SparseVariable as SparseVariable, add as add,
    add_s_d as add_s_d, add_s_s as add_s_s, add_s_s_data as add_s_s_data, arcsin as arcsin,
    arcsinh as arcsinh, arctan as arctan, arctanh as arctanh,
    as_sparse_or_tensor_variable as as_sparse_or_tensor_variable,
    as_sparse_variable as as_sparse_variable, ceil as ceil, col_scale as col_scale, conj as conj,
    deg2rad as deg2rad, dense_from_sparse as dense_from_sparse, dot as dot, eq as eq,
    expm1 as expm1, floor as floor, ge as ge, gt as gt, le as le, log1p as log1p, lt as lt,
    mul as mul, mul_s_d as mul_s_d, mul_s_s as mul_s_s, mul_s_v as mul_s_v, neg as neg, neq as neq,
    rad2deg as rad2deg, rint as rint, row_scale as row_scale, sampling_dot as sampling_dot,
    sgn as sgn, sin as sin, sinh as sinh, sp_sum as sp_sum, sqr as sqr, sqrt as sqrt,
    structured_add as structured_add, structured_add_s_v as structured_add_s_v,
    structured_dot as structured_dot, structured_exp as structured_exp,
    structured_log as structured_log, structured_maximum as structured_maximum,
    structured_minimum as structured_minimum, structured_monoid as structured_monoid,
    structured_pow as structured_pow, structured_sigmoid as structured_sigmoid, sub as sub,
    tan as tan, tanh as tanh, transpose as transpose, true_dot as true_dot, trunc as trunc,
    usmm as usmm,
)
from theano._core.ops.sparse.indexing import (
    GetItem2Lists as GetItem2Lists, GetItem2ListsGrad as GetItem2ListsGrad, GetItem2d as GetItem2d,
    GetItemList as GetItemList, GetItemListGrad as GetItemListGrad, GetItemScalar as GetItemScalar,
)
from theano._core.ops.sparse.products import (
    Dot as Dot, SamplingDot as SamplingDot, StructuredDot as StructuredDot,
    StructuredDotGradCSC as StructuredDotGradCSC, StructuredDotGradCSR as StructuredDotGradCSR,
    TrueDot as TrueDot, Usmm as Usmm, structured_dot_grad as structured_dot_grad,
)
from theano._core.ops.sparse.stacking import HStack as HStack, VStack as VStack
from theano._core.ops.sparse.structure import (
    CSC as CSC, CSM as CSM, CSMGrad as CSMGrad, CSMProperties as CSMProperties, CSR as CSR,
    Cast as Cast, ConstructSparseFromList as ConstructSparseFromList,
    DenseFromSparse as DenseFromSparse, Diag as Diag, EnsureSortedIndices as EnsureSortedIndices,
    Neg as Neg, Remove0 as Remove0, SparseFromDense as SparseFromDense,
    SquareDiagonal as SquareDiagonal, Transpose as Transpose,
)
from theano._core.ops.sparse.type import (
    SparseType as SparseType, hash_of as hash_of, is_sparse as is_sparse,
    is_sparse_variable as is_sparse_variable,
)
