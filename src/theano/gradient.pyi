# The names of this module, and where each is: see theano/_core/base/stubs.py.

from theano._core.api.derivatives.forward_mode import (
    Rop as Rop, hessian_vector_product as hessian_vector_product, jvp as jvp,
)
from theano._core.api.derivatives.gradients import (
    Lop as Lop, checkpoint as checkpoint, consider_constant as consider_constant,
    consider_constant_ as consider_constant_, disconnected_grad as disconnected_grad,
    disconnected_grad_ as disconnected_grad_, disconnected_type as disconnected_type,
    format_as as format_as, grad_clip as grad_clip, grad_not_implemented as grad_not_implemented,
    grad_scale as grad_scale, grad_undefined as grad_undefined, subgraph_grad as subgraph_grad,
    undefined_grad as undefined_grad, undefined_grad_ as undefined_grad_,
    value_and_grad as value_and_grad, vjp as vjp, zero_grad as zero_grad, zero_grad_ as zero_grad_,
)
from theano._core.api.derivatives.jacobians import hessian as hessian, jacobian as jacobian
from theano._core.api.derivatives.verification import verify_grad as verify_grad
from theano._core.autodiff.reverse import grad as grad
from theano._core.autodiff.verify import numeric_grad as numeric_grad
from theano._core.base.errors import (
    DisconnectedInputError as DisconnectedInputError, GradientError as GradientError,
    NullTypeGradError as NullTypeGradError,
)
from theano._core.ops.array.gradient import (
    DisconnectedGrad as DisconnectedGrad, DisconnectedType as DisconnectedType,
    GradClip as GradClip, GradScale as GradScale, NullType as NullType,
    UndefinedGrad as UndefinedGrad, ZeroGrad as ZeroGrad, null_type as null_type,
)

ConsiderConstant = ZeroGrad
