"""Helpers that Theano's own rewrites were made of, which old programs import."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano.gof import FunctionGraph
from theano.gof.graph import is_same_graph
from theano.tensor import blas, opt
from theano.tensor.nnet import sigm, sigmoid

x, y, z = T.dvectors("xyz")
m, n = T.dmatrices("mn")
s, t = T.dscalars("st")

# -- products as trees ------------------------------------------------------------------------


def test_products_are_trees_of_factors_with_signs():
    parse = sigm.parse_mul_tree
    assert parse(x * -y) == [False, [[False, x], [True, y]]]
    assert parse(-(x * y)) == [True, [[False, x], [False, y]]]
    assert parse(-T.neg(x)) == [False, x]
    assert is_same_graph(sigm.compute_mul(parse((x * y) * -z)), (x * y) * -z)
    assert sigm.simplify_mul([True, [[True, None], [False, x]]]) == [False, x]
    assert sigm.simplify_mul([True, [[False, None]]]) == [True, None]
    with pytest.raises(AssertionError, match="1 or -1 alone"):
        sigm.compute_mul([True, None])


def test_signs_and_exponentials_are_found():
    assert sigm.is_neg(-x) is sigm.is_neg(-1 * x) is x and sigm.is_neg(x) is None
    assert sigm.is_mul(x * y) == [x, y]
    assert sigm.is_exp(-T.exp(x)) == (True, x) and sigm.is_exp(T.exp(x) * 2) is None
    assert sigm.is_1pexp(T.exp(x) + 1) == (False, x)
    for other in (1 - T.exp(x), 2 + T.exp(x), 1 + 2 * T.exp(x)):
        assert sigm.is_1pexp(other) is None
    found, rest, negated = sigm.partition_num_or_denom(-T.exp(x) * y * T.exp(y), sigm.is_exp)
    assert found == [y] and len(rest) == 1 and not negated


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (sigmoid(x) * T.exp(-x), sigmoid(-x)),
        (-y * sigmoid(-x) * -T.exp(x), -y * -sigmoid(x)),
        (T.exp(-x) * -T.exp(-x) * (-sigmoid(x) * -sigmoid(x)), -sigmoid(-x) * sigmoid(-x)),
        (T.exp(x) * sigmoid(-x) * T.exp(-x), sigmoid(-x)),
    ],
)
def test_sigmoids_take_in_exponentials(before, after):
    tree = sigm.parse_mul_tree(before)
    assert sigm.perform_sigm_times_exp(tree)
    made = sigm.compute_mul(sigm.simplify_mul(tree))
    given = {x: np.linspace(-2, 2, 5), y: np.arange(5.0)}
    np.testing.assert_allclose(evaluate(made, given), evaluate(before, given, "FAST_COMPILE"))
    parsed = sigm.simplify_mul(sigm.parse_mul_tree(after))
    assert is_same_graph(made, sigm.compute_mul(parsed))


def test_products_without_sigmoids_stay():
    assert not sigm.perform_sigm_times_exp(sigm.parse_mul_tree(sigmoid(x) * T.exp(y)))


# -- sums of scaled matrices ------------------------------------------------------------------


def test_sums_are_terms_beside_their_scales():
    terms = []
    blas._gemm_canonicalize(m - s * n + t * (s * m), 1.0, terms, 0)
    assert [term for _, term in terms] == [m, n, m] and terms[0][0] == 1.0
    assert evaluate([terms[1][0], terms[2][0]], {s: 2.0, t: 3.0}) == [-2.0, 6.0]
    assert blas._factor_canonicalized([(1.0, m), (2.0, n), (1.0, m)]) == [(2.0, m), (2.0, n)]


def test_what_has_one_element_is_a_scalar():
    assert blas._as_scalar(s.dimshuffle("x", "x")) is s
    assert blas._as_scalar(m) is None and blas._as_scalar(s, "float32") is None
    assert blas._as_scalar(T.fscalar(), "float64").dtype == "float64"
    assert blas._as_scalar(T.TensorType("float64", (True,))()).ndim == 0
    assert blas._is_real_matrix(m.T) and not blas._is_real_matrix(T.drow())
    assert blas._is_real_vector(x)
    assert blas.res_is_a(T.sqrt(s), T.sqrt) and not blas.res_is_a(s, T.sqrt)


@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_products_of_a_column_and_a_row_are_outer_products(beta):
    operands = m, s, x.dimshuffle(0, "x"), y.dimshuffle("x", 0)
    node = blas.gemm_no_inplace(*operands, np.asarray(beta)).owner
    (made,) = blas.local_gemm_to_ger.transform(node)
    found = evaluate(made, {m: np.ones((2, 3)), s: 2.0, x: [1.0, 2.0], y: [1.0, 2.0, 3.0]})
    np.testing.assert_array_equal(found, beta + 2 * np.outer([1, 2], [1, 2, 3]))
    half = blas.gemm_no_inplace(*operands, np.asarray(0.5))
    assert not blas.local_gemm_to_ger.transform(half.owner)


def test_scaled_products_are_one_operation():
    transform, value = blas.local_dot22_to_dot22scalar.transform, np.arange(4.0).reshape(2, 2)
    product = blas._dot22(m, m) * m
    (made,) = transform((product * s).owner)
    np.testing.assert_array_equal(evaluate(made, {m: value, s: 3.0}), value @ value * value * 3)
    assert not transform(product.owner)


# -- theano.tensor.opt ------------------------------------------------------------------------


def test_users_of_a_node_are_found():
    inner = T.exp(z)
    out = T.sqrt(inner + 1)
    graph = FunctionGraph([z], [out], clone=False)
    assert opt.get_clients(inner.owner) == [out.owner.inputs[0].owner]
    assert opt.get_clients2(inner.owner) == [out.owner]
    assert opt.get_clients(out.owner) == [] and graph.outputs == [out]


def test_values_take_the_shape_of_a_template():
    number = T.iscalar()
    graph = FunctionGraph([n, number], [n + 1], clone=False)
    made = opt.broadcast_like(number, n, graph)
    assert made.type == n.type and opt.broadcast_like(n, n, graph) is n
    value = theano.function([n, number], made)(np.zeros((2, 3)), 4)
    np.testing.assert_array_equal(value, np.full((2, 3), 4.0))
    with pytest.raises(NotImplementedError, match="no variable of the graph"):
        opt.broadcast_like(number, T.dmatrix(), graph)


def test_questions_of_types_and_patterns():
    upcasts = [("float32", "float64"), ("float64", "complex128")]
    for pair in (*upcasts, ("float64", "complex64"), ("int64", "float64")):
        assert opt.is_an_upcast(*pair) is (pair in upcasts)
    assert opt.encompasses_broadcastable((False, False), (True,))
    assert not opt.encompasses_broadcastable((True,), (False, False))
    assert opt.merge_broadcastables([(True, True), (True, False)]) == [True, False]
    column, number = T.dcol(), T.constant(2.0)
    assert opt.is_dimshuffle_useless(("x", 1), T.drow())
    assert not opt.is_dimshuffle_useless((1, 0), column)
    cosh, arccosh = theano.scalar.cosh, theano.scalar.arccosh
    kinds = (theano.scalar.Cosh, theano.scalar.ArcCosh)
    assert opt.is_inverse_pair(cosh, arccosh, kinds) and not opt.is_inverse_pair(cosh, cosh, kinds)
    assert opt.scalarconsts_rest([x, number]) == ([2.0], [number], [x])
    assert opt.apply_rebroadcast_opt(T.Rebroadcast((0, True))(column.T)) is not None
