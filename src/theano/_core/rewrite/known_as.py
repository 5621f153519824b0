"""What rewrites of Theano 1.0.5 were called, and the rules that do here what they did.

A mode that excludes one of these names does without the rules beside it, and old programs can run
them by the name on a node or a graph of their own.
"""

from __future__ import annotations

_SWITCHES = "switch(c, x, 0) y → switch(c, x y, 0)"
_SWITCHES_USED = "switch(c, x, 0) y, with other users → switch(c, x y, 0)"
_INVERSES = (
    *("deg2rad(rad2deg(x)) → x", "rad2deg(deg2rad(x)) → x", "sinh(arcsinh(x)) → x"),
    *("arcsinh(sinh(x)) → x", "arctanh(tanh(x)) → x", "arccosh(cosh(x)) → |x|"),
    *("inv(inv(x)) → x", "conj(conj(x)) → x"),
)
_TO_GEMM = "beta z + alpha dot(x, y) → gemm"

KNOWN_AS: dict[str, tuple[str, ...]] = {
    "GemmOptimizer": (_TO_GEMM,),
    "add_canonizer": ("x + y - x → y", "-(x - y) → y - x"),
    "gemm_optimizer": (_TO_GEMM,),
    "inv_as_solve": ("dot(inv(A), b) → solve(A, b)",),
    "local_1msigmoid": ("1 - sigmoid(x) → sigmoid(-x)",),
    "local_abs_merge": ("|x| |y| → |x y|", "|x| / |y| → |x / y|"),
    "local_add_canonizer": ("x + y - x → y", "-(x - y) → y - x"),
    # What is filled has all axes here from the start.
    "local_alloc_dimshuffle": (),
    "local_argmax_pushdown": ("argmax(softmax(x)) → argmax(x)",),
    "local_cast_cast": ("cast(cast(x)) → cast(x)",),
    "local_cut_useless_reduce": ("reduce(x) over length 1 → x",),
    "local_dimshuffle_lift": (
        "dimshuffle(dimshuffle(x)) → dimshuffle(x)",
        "f(x.T, y).T → f(x, y.T)",
    ),
    "local_div_switch_sink": (_SWITCHES, _SWITCHES_USED),
    "local_elemwise_alloc": ("x + alloc(y, shape(x)) → x + y",),
    "local_erf_minus_one": ("1 + erf(x) → erfc(-x)",),
    "local_expm1": ("exp(x) - 1 → expm1(x)", "-1 + exp(x) → expm1(x)"),
    "local_fill_sink": ("x + alloc(y, shape(x)) → x + y",),
    "local_fill_to_alloc": ("fill(x, y) → alloc(y, shape(x))",),
    "local_func_inv": _INVERSES,
    "local_incsubtensor_of_zeros_to_setsubtensor": ("inc(zeros, y, i) → set(zeros, y, i)",),
    "local_intdiv_by_one": ("cast to its own dtype → x; max(x, x) → x",),
    "local_join_make_vector": ("join(vector(a, …), vector(b, …)) → vector(a, …, b, …)",),
    "local_lift_transpose_through_dot": ("dot(x, y).T → dot(y.T, x.T)",),
    "local_log1p": ("log(1 + x) → log1p(x)", "log(1 - x) → log1p(-x)"),
    "local_log_add": ("log(exp(x) + exp(y)) → max + log(exp(x - max) + exp(y - max))",),
    "local_log_erfc": ("log(c erfc(x)) → log(c erfcx(x)) - x²",),
    "local_log_sum_exp": ("log(sum(exp(x))) → max + log(sum(exp(x - max)))",),
    "local_mul_canonizer": ("x y / x → y",),
    "local_mul_switch_sink": (_SWITCHES, _SWITCHES_USED),
    "local_mul_to_sqr": ("x x → sqr(x)",),
    "local_one_minus_erf": ("1 + erf(x) → erfc(-x)",),
    "local_one_minus_erfc": ("1 + erf(x) → erfc(-x)",),
    "local_one_plus_erf": ("1 + erf(x) → erfc(-x)",),
    "local_pow_specialize": ("x ** constant → product", "x ** 3 → x x x"),
    "local_rebroadcast_lift": ("rebroadcast(x) → x",),
    "local_reduce_broadcastable": ("reduce(x) over length 1 → x",),
    "local_remove_useless_assert": ("assert(x, True) → x",),
    "local_reshape_chain": ("reshape(reshape(x)) → reshape(x)",),
    "local_reshape_to_dimshuffle": ("reshape(x) → dimshuffle(x)",),
    "local_shape_to_shape_i": ("shape(x) → lengths of x",),
    "local_sigm_times_exp": ("sigmoid(x) exp(-x) → sigmoid(-x)",),
    "local_subtensor_inc_subtensor": ("set(x, y, i)[i] → y",),
    "local_subtensor_lift": ("f(x)[i] → f(x[i])",),
    "local_subtensor_make_vector": ("vector(a, b, …)[i] → item i",),
    "local_subtensor_merge": ("x[a:][b:] → x[a + b:]",),
    "local_subtensor_of_dot": ("dot(x, y)[i, j] → dot(x[i], y[:, j])",),
    "local_sum_prod_alloc": ("sum(c, n times) → c n",),
    "local_sum_prod_div_dimshuffle": ("sum(x / y) → sum(x) / y",),
    "local_sum_prod_mul_by_scalar": ("sum(c x) → c sum(x)",),
    "local_useless_alloc": ("alloc(x, shape(x)) → x",),
    "local_useless_elemwise": ("cast to its own dtype → x; max(x, x) → x",),
    "local_useless_fill": ("alloc(x, shape(x)) → x",),
    "local_useless_rebroadcast": ("rebroadcast(x) → x",),
    "local_useless_reduce": ("reduce(x) over length 1 → x",),
    "local_useless_reshape": ("reshape(reshape(x)) → reshape(x)", "reshape(x) → dimshuffle(x)"),
    "local_useless_subtensor": ("x[0:length of x] → x",),
    "local_useless_switch": ("switch(known, x, y) → x or y",),
    "log1msigm_to_softplus": ("log1p(-sigmoid(x)) → -softplus(x)",),
    "log1p_neg_sigmoid": ("log1p(-sigmoid(x)) → -softplus(x)",),
    "log1pexp_to_softplus": ("log(1 + exp(x)) → softplus(x)", "log1p(exp(x)) → softplus(x)"),
    "logsigm_to_softplus": ("log(sigmoid(x)) → -softplus(-x)",),
    "mul_canonizer": ("x y / x → y",),
}
