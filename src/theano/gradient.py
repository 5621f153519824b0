"""Symbolic derivatives."""

from theano._core.api.derivatives.forward_mode import (
    Rop,
    hessian_vector_product,
    jvp,
)
from theano._core.api.derivatives.gradients import (
    Lop,
    checkpoint,
    consider_constant,
    consider_constant_,
    disconnected_grad,
    disconnected_grad_,
    disconnected_type,
    format_as,
    grad_clip,
    grad_not_implemented,
    grad_scale,
    grad_undefined,
    subgraph_grad,
    undefined_grad,
    undefined_grad_,
    value_and_grad,
    vjp,
    zero_grad,
    zero_grad_,
)
from theano._core.api.derivatives.jacobians import (
    hessian,
    jacobian,
)
from theano._core.api.derivatives.verification import verify_grad
from theano._core.autodiff.reverse import (
    grad,
)
from theano._core.autodiff.verify import numeric_grad
from theano._core.base.errors import (
    DisconnectedInputError,
    GradientError,
    NullTypeGradError,
)
from theano._core.legacy.paths import old_names as _old_names
from theano._core.ops.array.gradient import (
    DisconnectedGrad,
    DisconnectedType,
    GradClip,
    GradScale,
    NullType,
    UndefinedGrad,
    ZeroGrad,
    ZeroGrad as ConsiderConstant,
    null_type,
)

__all__ = [
    "ConsiderConstant",
    "DisconnectedGrad",
    "DisconnectedInputError",
    "DisconnectedType",
    "GradClip",
    "GradScale",
    "GradientError",
    "Lop",
    "NullType",
    "NullTypeGradError",
    "Rop",
    "UndefinedGrad",
    "ZeroGrad",
    "checkpoint",
    "consider_constant",
    "consider_constant_",
    "disconnected_grad",
    "disconnected_grad_",
    "disconnected_type",
    "format_as",
    "grad",
    "grad_clip",
    "grad_not_implemented",
    "grad_scale",
    "grad_undefined",
    "hessian",
    "hessian_vector_product",
    "jacobian",
    "jvp",
    "null_type",
    "numeric_grad",
    "subgraph_grad",
    "undefined_grad",
    "undefined_grad_",
    "value_and_grad",
    "verify_grad",
    "vjp",
    "zero_grad",
    "zero_grad_",
]

__getattr__ = _old_names(__name__)
