"""Helpers that Theano's own rewrites were made of, which old programs import."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gof import FunctionGraph
from theano.gof.graph import is_same_graph
from theano.tensor import blas, opt
from theano.tensor.nnet import sigm, sigmoid

# -- products as trees ------------------------------------------------------------------------


def test_products_are_trees_of_factors_with_signs():
    x, y, z = T.dvectors("xyz")
    parse = sigm.parse_mul_tree
    assert parse(x * -y) == [False, [[False, x], [True, y]]]
    assert parse(-(x * y)) == [True, [[False, x], [False, y]]]
    assert parse(-T.neg(x)) == [False, x]
    tree = parse((x * y) * -z)
    assert is_same_graph(sigm.compute_mul(tree), (x * y) * -z)
    assert sigm.simplify_mul([True, [[True, None], [False, x]]]) == [False, x]
    assert sigm.simplify_mul([True, [[False, None]]]) == [True, None]
    with pytest.raises(AssertionError, match="1 or -1 alone"):
        sigm.compute_mul([True, None])


def test_signs_and_exponentials_are_found():
    x, y = T.dvectors("xy")
    assert sigm.is_neg(-x) is x
    assert sigm.is_neg(-1 * x) is x
    assert sigm.is_neg(x) is None
    assert sigm.is_mul(x * y) == [x, y]
    assert sigm.is_exp(-T.exp(x)) == (True, x)
    assert sigm.is_exp(T.exp(x) * 2) is None
    assert sigm.is_1pexp(T.exp(x) + 1) == (False, x)
    for other in (1 - T.exp(x), 2 + T.exp(x), 1 + 2 * T.exp(x)):
        assert sigm.is_1pexp(other) is None
    found, rest, negated = sigm.partition_num_or_denom(-T.exp(x) * y * T.exp(y), sigm.is_exp)
    assert found == [y]
    assert len(rest) == 1
    assert not negated


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (lambda x, y: sigmoid(x) * T.exp(-x), lambda x, y: sigmoid(-x)),
        (lambda x, y: -y * sigmoid(-x) * -T.exp(x), lambda x, y: -y * -sigmoid(x)),
        (
            lambda x, y: T.exp(-x) * -T.exp(-x) * (-sigmoid(x) * -sigmoid(x)),
            lambda x, y: -sigmoid(-x) * sigmoid(-x),
        ),
        (lambda x, y: T.exp(x) * sigmoid(-x) * T.exp(-x), lambda x, y: sigmoid(-x)),
    ],
)
def test_sigmoids_take_in_exponentials(before, after):
    x, y = T.dvectors("xy")
    tree = sigm.parse_mul_tree(before(x, y))
    assert sigm.perform_sigm_times_exp(tree)
    tree = sigm.simplify_mul(tree)
    values = (np.linspace(-2, 2, 5), np.arange(5.0))
    got = theano.function([x, y], sigm.compute_mul(tree), on_unused_input="ignore")(*values)
    want = theano.function([x, y], before(x, y), on_unused_input="ignore", mode="FAST_COMPILE")
    np.testing.assert_allclose(got, want(*values))
    parsed = sigm.simplify_mul(sigm.parse_mul_tree(after(x, y)))
    assert is_same_graph(sigm.compute_mul(tree), sigm.compute_mul(parsed))


def test_products_without_sigmoids_stay():
    x, y = T.dvectors("xy")
    tree = sigm.parse_mul_tree(sigmoid(x) * T.exp(y))
    assert not sigm.perform_sigm_times_exp(tree)


# -- sums of scaled matrices ------------------------------------------------------------------


def test_sums_are_terms_beside_their_scales():
    a, b = T.dscalars("ab")
    x, y = T.dmatrices("xy")
    terms = []
    blas._gemm_canonicalize(x - a * y + b * (a * x), 1.0, terms, 0)
    assert [term for _, term in terms] == [x, y, x]
    assert terms[0][0] == 1.0
    scales = theano.function([a, b], [terms[1][0], terms[2][0]])(2.0, 3.0)
    assert [float(s) for s in scales] == [-2.0, 6.0]
    assert blas._factor_canonicalized([(1.0, x), (2.0, y), (1.0, x)]) == [(2.0, x), (2.0, y)]


def test_what_has_one_item_is_a_scalar():
    a, x = T.dscalar(), T.dmatrix()
    assert blas._as_scalar(a.dimshuffle("x", "x")) is a
    assert blas._as_scalar(x) is None
    assert blas._as_scalar(T.fscalar(), "float64").dtype == "float64"
    assert blas._as_scalar(a, "float32") is None
    assert blas._as_scalar(T.TensorType("float64", (True,))()).ndim == 0
    assert blas._is_real_matrix(x.T)
    assert not blas._is_real_matrix(T.drow())
    assert blas._is_real_vector(T.dvector())
    assert blas.res_is_a(T.sqrt(a), T.sqrt)
    assert not blas.res_is_a(a, T.sqrt)


@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_products_of_a_column_and_a_row_are_outer_products(beta):
    z, a = T.dmatrix(), T.dscalar()
    x, y = T.dvectors("xy")
    column, row = x.dimshuffle(0, "x"), y.dimshuffle("x", 0)
    node = blas.gemm_no_inplace(z, a, column, row, np.asarray(beta)).owner
    (made,) = blas.local_gemm_to_ger.transform(node)
    f = theano.function([z, a, x, y], made)
    values = (np.ones((2, 3)), 2.0, [1.0, 2.0], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(f(*values), beta + 2 * np.outer([1, 2], [1, 2, 3]))
    assert not blas.local_gemm_to_ger.transform(
        blas.gemm_no_inplace(z, a, column, row, np.asarray(0.5)).owner
    )


def test_scaled_products_are_one_operation():
    x, a = T.dmatrix(), T.dscalar()
    node = (blas._dot22(x, x) * x * a).owner
    (made,) = blas.local_dot22_to_dot22scalar.transform(node)
    value = np.arange(4.0).reshape(2, 2)
    np.testing.assert_array_equal(
        theano.function([x, a], made)(value, 3.0), value @ value * value * 3
    )
    assert not blas.local_dot22_to_dot22scalar.transform((blas._dot22(x, x) * x).owner)


# -- theano.tensor.opt ------------------------------------------------------------------------


def test_users_of_a_node_are_found():
    x = T.dvector()
    y = T.exp(x)
    out = T.sqrt(y + 1)
    graph = FunctionGraph([x], [out], clone=False)
    assert opt.get_clients(y.owner) == [out.owner.inputs[0].owner]
    assert opt.get_clients2(y.owner) == [out.owner]
    assert opt.get_clients(out.owner) == []
    assert graph.outputs == [out]


def test_values_take_the_shape_of_a_template():
    x, number = T.dmatrix(), T.iscalar()
    graph = FunctionGraph([x, number], [x + 1], clone=False)
    made = opt.broadcast_like(number, x, graph)
    assert made.type == x.type
    value = theano.function([x, number], made)(np.zeros((2, 3)), 4)
    np.testing.assert_array_equal(value, np.full((2, 3), 4.0))
    assert opt.broadcast_like(x, x, graph) is x
    with pytest.raises(NotImplementedError, match="no variable of the graph"):
        opt.broadcast_like(number, T.dmatrix(), graph)


def test_questions_of_types_and_patterns():
    assert opt.is_an_upcast("float32", "float64")
    assert opt.is_an_upcast("float64", "complex128")
    assert not opt.is_an_upcast("float64", "complex64")
    assert not opt.is_an_upcast("int64", "float64")
    assert opt.encompasses_broadcastable((False, False), (True,))
    assert not opt.encompasses_broadcastable((True,), (False, False))
    assert opt.merge_broadcastables([(True, True), (True, False)]) == [True, False]
    column = T.dcol()
    assert opt.is_dimshuffle_useless(("x", 1), T.drow())
    assert not opt.is_dimshuffle_useless((1, 0), column)
    kinds = (theano.scalar.Cosh, theano.scalar.ArcCosh)
    assert opt.is_inverse_pair(theano.scalar.cosh, theano.scalar.arccosh, kinds)
    assert not opt.is_inverse_pair(theano.scalar.cosh, theano.scalar.cosh, kinds)
    number, x = T.constant(2.0), T.dvector()
    assert opt.scalarconsts_rest([x, number]) == ([2.0], [number], [x])
    assert opt.apply_rebroadcast_opt(T.Rebroadcast((0, True))(column.T)) is not None
