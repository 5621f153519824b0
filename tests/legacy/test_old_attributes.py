"""Attributes that programs written for Theano 1.0.5 look at."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.errors import MethodNotDefined


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("add", ("add", 2, 1)),
        ("mul", ("multiply", 2, 1)),
        ("eq", ("equal", 2, 1)),
        ("mod", ("mod", 2, 1)),
        ("exp", ("exp", 1, 1)),
        ("clip", None),
        ("inv", None),
    ],
)
def test_operations_know_the_function_of_numpy(name, spec):
    op = getattr(T, name)
    assert op.nfunc_spec == spec
    assert op.ufunc is op.nfunc is (None if spec is None else getattr(np, spec[0]))


def test_reductions_know_what_they_reduce_by():
    x = T.dmatrix()
    found = {name: getattr(x, name)().owner.op.ufunc for name in ("sum", "prod", "all", "any")}
    assert found == {
        "sum": np.add,
        "prod": np.multiply,
        "all": np.logical_and,
        "any": np.logical_or,
    }


def test_operations_make_thunks():
    x, y = T.dvectors("x", "y")
    node = (x + y).owner
    op = node.op
    storage = {x: [np.ones(2)], y: [np.full(2, 3.0)], node.outputs[0]: [None]}
    computed = {v: [v is not node.outputs[0]] for v in storage}
    thunk = op.make_thunk(node, storage, computed, [])
    assert not thunk.lazy
    thunk()
    assert storage[node.outputs[0]][0].tolist() == [4, 4]
    assert computed[node.outputs[0]] == [True]
    assert op.do_constant_folding(node) and op.add_tag_trace(x) is x
    with pytest.raises(MethodNotDefined):
        op.get_params(node)
    assert node.params_type is None and node.run_params() is None


def test_a_maker_tells_what_calls_must_give():
    x, y, s = T.dscalar("x"), T.dscalar("y"), theano.shared(1.0, "s")
    f = theano.function([x, theano.In(y, value=2.0)], [x * y, x + s])
    maker = f.maker
    assert maker.required == [True, False, False]
    assert maker.refeed == [False, True, False]
    assert [row[0].variable for row in maker.indices] == [x, y, s]
    assert not maker.unpack_single and not maker.return_none and maker.output_keys is None
    assert theano.function([x], {"a": x}).maker.output_keys == ["a"]
    assert theano.function([x], x).maker.unpack_single


def test_the_finder_is_a_dictionary():
    x, other, s = T.dscalar("x"), T.dscalar("x"), theano.shared(1.0, "s")
    f = theano.function([x], x + s)
    assert list(f.finder) == [0, 1, x, s, "x", "s"]
    assert f.finder["s"].value == 1.0 and f.finder[x] is f.finder[0]
    assert "x" not in theano.function([x, other], x + other).finder


def test_what_runs_a_function_counts_and_takes_options():
    x = T.dvector("x")
    f = theano.function([x], T.exp(x).sum(), profile=True)
    f([1.0]), f([2.0])
    assert sum(f.fn.call_counts) >= 2 and len(f.fn.call_times) == len(f.fn.nodes)
    assert f.fn.time_thunks and f.fn.position_of_error == -1
    assert f.fn.allow_gc
    f.fn.allow_gc = False
    assert not f.fn.allow_gc
    f.fn.clear_storage()
    assert {v: flag for v, [flag] in f.fn.compute_map.items()}[f.maker.fgraph.inputs[0]]
    unprofiled = theano.function([x], x + 1)
    unprofiled([1.0])
    assert unprofiled.fn.call_counts == [0] and not unprofiled.fn.time_thunks


def test_types_say_why_a_value_is_none_of_theirs():
    assert "expected a ndarray" in T.dvector.value_validity_msg(3)
    assert T.dvector.value_validity_msg(np.ones(2)) == "value is valid"


def test_rewrites_of_users_find_lengths():
    seen = []

    @theano.gof.local_optimizer([T.exp])
    def look(node):
        shapes = node.fgraph.shape_feature
        seen.append(shapes.same_shape(node.inputs[0], node.outputs[0]))
        return False

    mode = theano.compile.mode.Mode("cvm", theano.gof.opt.TopoOptimizer(look))
    theano.function([], T.exp(theano.shared(np.ones(3)) * 2), mode=mode)
    assert seen == [True]


def test_writes_tolerate_no_aliases():
    """As of every write to a part that no rewrite has put in place."""
    written = T.inc_subtensor(T.dvector()[:2], 1.0)
    assert list(written.owner.op.destroyhandler_tolerate_aliased) == []


def test_tags_print_what_is_in_them():
    x = T.dmatrix()
    x.tag.role = "weight"
    assert str(x.tag) == repr(x.tag) == "scratchpad{'role': 'weight'}"


def test_systems_tell_which_triangle_they_read():
    from theano.tensor import slinalg

    a, b = T.dmatrices("a", "b")
    lower, upper = slinalg.Cholesky(), slinalg.Cholesky(lower=False)
    assert lower.lower is True and upper.lower is False and not lower.destructive
    assert slinalg.solve_lower_triangular.lower is True and slinalg.Solve().lower is False
    assert theano.tensor.opt.Shape_i(1).i == 1
    solve = slinalg.Solve("positive_definite", lower=True)
    assert solve.lower is True and not solve.overwrite_A and not solve.overwrite_b
    m = np.array([[4.0, 1.0], [1.0, 3.0]])
    for op in (lower, upper):
        half = theano.function([a], op(a))(m)
        np.testing.assert_allclose(half @ half.T if op.lower else half.T @ half, m)
    out = solve(a, b)
    gradient = theano.function([a, b], [out, *T.grad(out.sum(), [a, b])])
    np.testing.assert_allclose(gradient(m, m)[0], np.eye(2), atol=1e-15)
    np.testing.assert_allclose(out.eval({a: m, b: m}, mode="FAST_COMPILE"), np.eye(2), atol=1e-15)


def test_a_class_derived_from_a_factorization_runs():
    from theano.tensor import slinalg

    class Twice(slinalg.Cholesky):
        def perform(self, node, inputs, outputs):
            outputs[0][0] = 2 * np.linalg.cholesky(inputs[0])

    class Named(slinalg.Cholesky):
        pass

    a = T.dmatrix("a")
    m = np.array([[4.0, 0.0], [0.0, 9.0]])
    assert Twice()(a).eval({a: m}).tolist() == [[4.0, 0.0], [0.0, 6.0]]
    assert Named()(a).eval({a: m}).tolist() == [[2.0, 0.0], [0.0, 3.0]]
    assert Named().lower is True and Twice(lower=False).lower is False
