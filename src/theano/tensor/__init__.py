"""Symbolic arrays: NumPy's functions on variables."""
from theano._core.api.variables import TensorVariable, TensorConstant
from theano._core.ir.types import TensorType
from theano._core.api.types import CONSTRUCTORS as _c, tensor
globals().update(_c)
from theano._core.api.elementwise import OPERATIONS as _o
globals().update(_o)
from theano._core.api.creation import *
from theano._core.api.shaping import *
from theano._core.api.products import *
from theano._core.api.conversion import *
from theano._core.api.elementwise import *
from theano._core.api.reductions import *
from theano._core.api.indexing import *
from theano._core.autodiff.reverse import grad
