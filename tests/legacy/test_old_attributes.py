"""Attributes that programs written for Theano 1.0.5 look at."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano.errors import MethodNotDefined
from theano.tensor import slinalg

x, y, v = T.dscalar("x"), T.dscalar("y"), T.dvector("v")


def test_operations_know_the_function_of_numpy():
    specs = {"add": "add", "mul": "multiply", "eq": "equal", "mod": "mod", "exp": "exp"}
    for name, numpy_name in (specs | {"clip": None, "inv": None}).items():
        op = getattr(T, name)
        arity = 1 if name == "exp" else 2
        assert op.nfunc_spec == (numpy_name and (numpy_name, arity, 1))
        assert op.ufunc is op.nfunc is (numpy_name and getattr(np, numpy_name))
    ufuncs = {"sum": np.add, "prod": np.multiply, "all": np.logical_and, "any": np.logical_or}
    assert {name: getattr(v, name)().owner.op.ufunc for name in ufuncs} == ufuncs


def test_operations_make_thunks():
    w = T.dvector("w")
    node = (v + w).owner
    op, out = node.op, node.outputs[0]
    storage = {v: [np.ones(2)], w: [np.full(2, 3.0)], out: [None]}
    computed = {u: [u is not out] for u in storage}
    thunk = op.make_thunk(node, storage, computed, [])
    assert not thunk.lazy
    thunk()
    assert storage[out][0].tolist() == [4, 4] and computed[out] == [True]
    assert op.do_constant_folding(node) and op.add_tag_trace(v) is v
    with pytest.raises(MethodNotDefined):
        op.get_params(node)
    assert node.params_type is None and node.run_params() is None


def test_a_maker_tells_what_calls_must_give():
    s = theano.shared(1.0, "s")
    maker = theano.function([x, theano.In(y, value=2.0)], [x * y, x + s]).maker
    assert maker.required == [True, False, False] and maker.refeed == [False, True, False]
    assert [row[0].variable for row in maker.indices] == [x, y, s]
    assert not maker.unpack_single and not maker.return_none and maker.output_keys is None
    assert theano.function([x], {"a": x}).maker.output_keys == ["a"]
    assert theano.function([x], x).maker.unpack_single


def test_the_finder_is_a_dictionary():
    other, s = T.dscalar("x"), theano.shared(1.0, "s")
    f = theano.function([x], x + s)
    assert list(f.finder) == [0, 1, x, s, "x", "s"]
    assert f.finder["s"].value == 1.0 and f.finder[x] is f.finder[0]
    assert "x" not in theano.function([x, other], x + other).finder


def test_what_runs_a_function_counts_and_takes_options():
    f = theano.function([v], T.exp(v).sum(), profile=True)
    f([1.0]), f([2.0])
    assert sum(f.fn.call_counts) >= 2 and len(f.fn.call_times) == len(f.fn.nodes)
    assert f.fn.time_thunks and f.fn.position_of_error == -1 and f.fn.allow_gc
    f.fn.allow_gc = False
    assert not f.fn.allow_gc
    f.fn.clear_storage()
    assert {u: flag for u, [flag] in f.fn.compute_map.items()}[f.maker.fgraph.inputs[0]]
    unprofiled = theano.function([v], v + 1)
    unprofiled([1.0])
    assert unprofiled.fn.call_counts == [0] and not unprofiled.fn.time_thunks


def test_types_say_why_a_value_is_none_of_theirs():
    assert "expected a ndarray" in T.dvector.value_validity_msg(3)
    assert T.dvector.value_validity_msg(np.ones(2)) == "value is valid"


def test_systems_tell_which_triangle_they_read():
    a, b = T.dmatrices("a", "b")
    lower, upper = slinalg.Cholesky(), slinalg.Cholesky(lower=False)
    assert lower.lower is True and upper.lower is False and not lower.destructive
    assert slinalg.solve_lower_triangular.lower is True and slinalg.Solve().lower is False
    assert theano.tensor.opt.Shape_i(1).i == 1
    solve = slinalg.Solve("positive_definite", lower=True)
    assert solve.lower is True and not solve.overwrite_A and not solve.overwrite_b
    m = np.array([[4.0, 1.0], [1.0, 3.0]])
    out, given = solve(a, b), {a: m, b: m}
    left, right, one, *_ = evaluate([lower(a), upper(a), out, *T.grad(out.sum(), [a, b])], given)
    np.testing.assert_allclose(left @ left.T, m)
    np.testing.assert_allclose(right.T @ right, m)
    for found in (one, evaluate(out, given, "FAST_COMPILE")):
        np.testing.assert_allclose(found, np.eye(2), atol=1e-15)


def test_a_class_derived_from_a_factorization_runs():
    class Twice(slinalg.Cholesky):
        def perform(self, node, inputs, outputs):
            outputs[0][0] = 2 * np.linalg.cholesky(inputs[0])

    class Named(slinalg.Cholesky):
        pass

    a = T.dmatrix("a")
    twice, named = evaluate([Twice()(a), Named()(a)], {a: np.diag([4.0, 9.0])})
    assert twice.tolist() == [[4.0, 0.0], [0.0, 6.0]] and named.tolist() == [[2.0, 0.0], [0.0, 3.0]]
    assert Named().lower is True and Twice(lower=False).lower is False
