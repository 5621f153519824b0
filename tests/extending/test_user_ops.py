"""Users' own operations: `perform` inside native functions, gradients, shapes, errors."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
import user_ops
from user_ops import (
    ByThunk,
    Double,
    InPlace,
    Reversed,
    Scaled,
    Square,
    SumAndProduct,
    TypedDouble,
    Undefined,
)

import theano
import theano.tensor as T
from theano.compile.debugmode import InvalidValueError
from theano.gof import Apply
from theano.gof.utils import MethodNotDefined
from theano.ifelse import ifelse

VALUE = np.array([1.0, -2.0, 3.0])
# operation: its meaning with NumPy
OPS = {
    "make_node": (Double(), lambda x: 2 * x),
    "itypes": (TypedDouble(), lambda x: 2 * x),
    "hand-written equality": (Scaled(3, 4), lambda x: 3 * x + 4),
    "L_op": (Square(), lambda x: x**2),
    "destroy_map": (InPlace(), lambda x: x + 1),
    "view_map": (Reversed(), lambda x: x[::-1]),
    "make_thunk": (ByThunk(), lambda x: 3 * x),
}


def dvector(name="x"):
    return T.dvector(name)


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize(
    "mode", ["FAST_RUN", "FAST_COMPILE", theano.Mode("py", None), theano.Mode("cvm", None)]
)
def test_values(name, mode):
    op, meaning = OPS[name]
    x = dvector()
    overwrites = bool(op.destroy_map)
    start = x * 1 if overwrites else x
    outs = [op(start), op(x * 2) + 1, x + op(start)]
    f = theano.function([x], outs, mode=mode, accept_inplace=overwrites)
    given = VALUE.copy()
    for _ in range(3):
        one, two, three = f(given)
        np.testing.assert_array_equal(one, meaning(VALUE))
        np.testing.assert_array_equal(two, meaning(2 * VALUE) + 1)
        np.testing.assert_array_equal(three, VALUE + meaning(VALUE))
        # Results are the caller's own, and arguments stay as they were.
        one[...] = 0
        np.testing.assert_array_equal(given, VALUE)
    assert f(VALUE[:0])[0].shape == (0,)


@pytest.mark.parametrize("name", OPS)
def test_inside_a_loop(name):
    op, meaning = OPS[name]
    x, rows = dvector(), T.dmatrix("rows")
    carried, _ = theano.scan(lambda c: op(c) / 2, outputs_info=[x], n_steps=4)
    mapped, _ = theano.scan(lambda row: op(row), sequences=[rows])
    wanted, c = [], VALUE
    for _ in range(4):
        c = meaning(c) / 2
        wanted.append(c)
    table = np.arange(12.0).reshape(4, 3)
    got, got_rows = theano.function([x, rows], [carried, mapped])(VALUE, table)
    np.testing.assert_allclose(got, wanted)
    np.testing.assert_array_equal(got_rows, [meaning(row) for row in table])


@pytest.mark.parametrize("op", [Double(), TypedDouble(), Scaled(3, 4), Square()], ids=str)
def test_gradients(op):
    rng = np.random.RandomState(3)
    theano.gradient.verify_grad(op, [VALUE], rng=rng)
    theano.gradient.verify_grad(lambda x: T.exp(op(T.sin(x))) * x, [VALUE], rng=rng)
    x, g = dvector(), dvector("g")
    jacobian = theano.gradient.jacobian(op(x), x).eval({x: VALUE})
    pushed, pulled = theano.function([x, g], [T.Rop(op(x), x, g), T.Lop(op(x), x, g)])(
        VALUE, [1, 2, 3]
    )
    np.testing.assert_allclose(pushed, jacobian @ [1, 2, 3])
    np.testing.assert_allclose(pulled, jacobian.T @ [1, 2, 3])
    second = theano.gradient.hessian(op(x).sum(), x, disconnected_inputs="ignore")
    assert second.eval({x: VALUE}).shape == (3, 3)


def test_gradients_inside_a_loop():
    x = dvector()
    rows, _ = theano.scan(lambda c: Square()(c) / 3 + x, outputs_info=[x], n_steps=3)
    theano.gradient.verify_grad(
        lambda v: theano.clone(rows[-1], {x: v}), [VALUE / 4], rng=np.random.RandomState(0)
    )


def test_forward_derivative_of_its_own():
    class OnlyForward(Double):
        __props__ = ()

        def grad(self, inputs, output_grads):
            raise AssertionError("not asked for")

        def R_op(self, inputs, eval_points):
            return [2 * eval_points[0]]

    x, v = dvector(), dvector("v")
    y = T.exp(OnlyForward()(x * x)).sum() + x[0]
    got = theano.function([x, v], T.Rop(y, x, v))(VALUE / 3, [1.0, 0.5, 2.0])
    p, d = VALUE / 3, np.array([1.0, 0.5, 2.0])
    np.testing.assert_allclose(got, (np.exp(2 * p * p) * 4 * p * d).sum() + d[0])
    a, b = dvector("a"), dvector("b")
    first = SumAndProduct()(OnlyForward()(a), b, b)[1]
    got = theano.function([a, b, v], T.Rop(first, [a, b], [v, v]))(VALUE, 2 * VALUE, d)
    np.testing.assert_allclose(got, 3 * (2 * d * 2 * VALUE + 2 * VALUE * d))


def test_tangents_beyond_the_outputs_are_left_out_as_in_theano_105():
    # Operations of two inputs and one output often have `R_op` return what `grad` returns.
    class Wide(theano.Op):
        __props__ = ()

        def make_node(self, x, y):
            return theano.Apply(self, [x, y], [x.type()])

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = inputs[0] * inputs[0] + inputs[1]

        def grad(self, inputs, output_grads):
            return [2 * inputs[0] * output_grads[0], output_grads[0]]

        def R_op(self, inputs, eval_points):
            if eval_points[0] is None:
                return eval_points
            return self.grad(inputs, eval_points)

    x, y, v = T.dvectors("x", "y", "v")
    along = T.Rop(Wide()(x, y), x, v)
    got = theano.function([x, y, v], along, on_unused_input="ignore")(VALUE, VALUE, VALUE / 3)
    np.testing.assert_allclose(got, 2 * VALUE * VALUE / 3)

    class Narrow(Wide):
        def R_op(self, inputs, eval_points):
            return []

    with pytest.raises(ValueError, match="Narrow returned 0 tangents for 1 outputs"):
        T.Rop(Narrow()(x, y), x, v)


def test_a_forward_derivative_that_nothing_says_is_not_implemented():
    class Opaque(theano.Op):
        __props__ = ()

        def make_node(self, x):
            return theano.Apply(self, [x], [x.type()])

    x = dvector()
    with pytest.raises(NotImplementedError, match="Opaque does not implement R_op"):
        T.Rop(Opaque()(x), x, x)


def test_the_default_output_is_printed_as_out():
    class Pair(theano.Op):
        __props__ = ()
        default_output = 1

        def make_node(self, x):
            return theano.Apply(self, [x], [x.type(), x.type()])

    second = Pair()(dvector())
    assert str(second) == "Pair.out" and str(second.owner.outputs[0]) == "Pair.0"


def test_several_outputs_and_what_they_depend_on():
    x, y, z = dvector("x"), dvector("y"), dvector("z")
    total, product = SumAndProduct(5)(x, y, z)
    np.testing.assert_array_equal(
        theano.function([x, y, z], product)(VALUE, VALUE, [1, 2]), 2 * VALUE**2
    )
    args = (VALUE, VALUE + 1, [1.0, 2.0])
    of_sum = theano.function([x, y, z], T.grad(total.sum(), [x, y]), on_unused_input="ignore")
    np.testing.assert_array_equal(of_sum(*args), np.full((2, 3), 5.0))
    of_product = theano.function([x, y, z], T.grad(product.sum(), [x, y]))
    np.testing.assert_array_equal(of_product(*args), [2 * (VALUE + 1), 2 * VALUE])
    with pytest.raises(theano.gradient.DisconnectedInputError):
        T.grad(total.sum(), z)
    with pytest.raises(theano.gradient.NullTypeGradError, match="nobody knows"):
        T.grad(Undefined()(x).sum(), x)


def test_default_output_and_return_list():
    class First(SumAndProduct):
        __props__ = ()
        default_output = 1

        def __init__(self):
            super().__init__(2)

    x = dvector()
    chosen = First()(x, x, x)
    assert chosen.index == 1
    assert First()(x, x, x, return_list=True)[0].index == 1
    assert len(SumAndProduct()(x, x, x)) == 2
    assert isinstance(Double()(x, return_list=True), list)
    assert chosen.owner.out is chosen


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (Double(), Double(), True),
        (Scaled(1, 2), Scaled(1, 2), True),
        (Scaled(1, 2), Scaled(1, 3), False),
        (SumAndProduct(1), SumAndProduct(1), True),
        (SumAndProduct(1), SumAndProduct(2), False),
        (Double(), Square(), False),
    ],
    ids=str,
)
def test_equality_by_props(one, other, equal):
    assert (one == other) is equal
    assert (one != other) is not equal
    if equal:
        assert hash(one) == hash(other)


def test_an_operation_without_props_equals_itself_only():
    class Plain(Double):
        __props__ = ()

    class Bare(theano.Op):
        pass

    class OnlyEquality(theano.Op):
        def __eq__(self, other):
            return type(self) is type(other)

    bare = Bare()
    assert bare == bare
    assert bare != Bare()
    assert hash(OnlyEquality()) == hash(OnlyEquality())
    assert Plain() != Double()
    assert str(SumAndProduct(3)) == "SumAndProduct{scale=3}"
    assert str(Plain()) == "Plain"


def test_equal_applications_run_once():
    calls = []

    class Counted(Double):
        __props__ = ()

        def perform(self, node, inputs, output_storage):
            calls.append(1)
            super().perform(node, inputs, output_storage)

    x = dvector()
    f = theano.function([x], Counted()(x) + Counted()(x))
    np.testing.assert_array_equal(f(VALUE), 4 * VALUE)
    assert len(calls) == 1
    # Only lengths are needed: the operation has a formula for them.
    shape = theano.function([x], Counted()(x).shape)
    np.testing.assert_array_equal(shape(VALUE), [3])
    assert len(calls) == 1


@pytest.mark.parametrize("folds", [True, False])
def test_constant_folding(folds):
    calls = []

    class Counted(Double):
        __props__ = ()

        def do_constant_folding(self, node):
            return folds

        def perform(self, node, inputs, output_storage):
            calls.append(1)
            super().perform(node, inputs, output_storage)

    x = dvector()
    f = theano.function([x], Counted()(T.constant(VALUE)) + x)
    before = len(calls)
    for _ in range(2):
        np.testing.assert_array_equal(f(VALUE), 3 * VALUE)
    assert before == folds
    assert len(calls) - before == (0 if folds else 2)


def test_shared_variables_updates_givens_and_branches():
    state = theano.shared(VALUE)
    x = dvector()
    f = theano.function([], Double()(state), updates=[(state, Scaled(2, 1)(state))])
    np.testing.assert_array_equal(f(), 2 * VALUE)
    np.testing.assert_array_equal(state.get_value(), 2 * VALUE + 1)
    g = theano.function([], Double()(x), givens={x: state * 2})
    np.testing.assert_array_equal(g(), 4 * (2 * VALUE + 1))
    grown = theano.shared(VALUE)
    theano.function([], updates=[(grown, InPlace()(grown))], accept_inplace=True)()
    np.testing.assert_array_equal(grown.get_value(), VALUE + 1)

    class Never(Double):
        __props__ = ()

        def perform(self, node, inputs, output_storage):
            raise AssertionError("this branch was not asked for")

    lazy = theano.function([x], ifelse(T.gt(x[0], 0), Double()(x), Never()(x)))
    np.testing.assert_array_equal(lazy(VALUE), 2 * VALUE)


def test_lengths_become_known_after_the_types():
    # Rewriting finds that an axis has one item; the operation was made for a vector.
    x = dvector()
    y = TypedDouble()(T.patternbroadcast(T.alloc(x[0], 1), (False,)))
    np.testing.assert_array_equal(theano.function([x], y)(VALUE), [2.0])


def test_infer_shape_by_values():
    class Repeat(theano.Op):
        __props__ = ()

        def make_node(self, x, n):
            return Apply(self, [x, T.as_tensor_variable(n)], [T.dmatrix()])

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = np.tile(inputs[0], (int(inputs[1]), 1))

        def infer_shape(self, node, shapes):
            return [(node.inputs[1], shapes[0][0])]

    x, n, rows = dvector(), T.lscalar("n"), T.lvector("rows")
    f = theano.function([x, n], [Repeat()(x, n) + 1, Repeat()(x, n * 2).shape])
    table, shape = f(VALUE, 2)
    np.testing.assert_array_equal(table, np.tile(VALUE, (2, 1)) + 1)
    np.testing.assert_array_equal(shape, [4, 3])
    g = theano.function([x, rows], [Repeat()(x, rows.sum()) * 2, Repeat()(x, rows.sum()).shape])
    table, shape = g(VALUE, [1, 2])
    np.testing.assert_array_equal(table, np.tile(VALUE, (3, 1)) * 2)
    np.testing.assert_array_equal(shape, [3, 3])


@pytest.mark.parametrize(
    "make", [lambda v: v, lambda v: v * 2, lambda v: v[::-1], lambda v: T.cumsum(v)]
)
def test_infer_shape_by_items_of_a_vector(make):
    class Filled(theano.Op):
        __props__ = ()

        def make_node(self, shape):
            return Apply(self, [shape], [T.dmatrix()])

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = np.ones(inputs[0])

        def infer_shape(self, node, shapes):
            return [(node.inputs[0][0], node.inputs[0][1])]

    v = T.lvector("v")
    ones = Filled()(make(v))
    f = theano.function([v], [T.exp(ones) * 2, ones.shape, T.zeros_like(ones)])
    shape = make(T.constant(np.array([2, 3]))).eval()
    table, got, zeros = f([2, 3])
    np.testing.assert_array_equal(got, shape)
    assert table.shape == zeros.shape == tuple(shape)
    np.testing.assert_array_equal(theano.function([v], ones.shape)([2, 3]), shape)


def test_storage_cells():
    seen = []

    class Seen(Double):
        __props__ = ()

        def perform(self, node, inputs, output_storage):
            last = output_storage[0][0]
            seen.append(None if last is None else last.copy())
            super().perform(node, inputs, output_storage)

    x = dvector()
    f = theano.function([x], Seen()(x) + 1)
    f(VALUE), f(VALUE)
    assert seen == [None, None]
    seen.clear()
    with theano.change_flags(allow_gc=False):
        f = theano.function([x], Seen()(x) + 1)
    f(VALUE), f(VALUE)
    assert seen[0] is None
    np.testing.assert_array_equal(seen[1], 2 * VALUE)


def test_kept_storage_never_reaches_a_result():
    x = dvector()
    with theano.change_flags(allow_gc=False):
        f = theano.function([x], [Scaled(2, 0)(x), Scaled(2, 0)(Scaled(3, 0)(x))])
        rows, _ = theano.scan(lambda c: Scaled(2, 0)(c), outputs_info=[x], n_steps=3)
        g = theano.function([x], rows)
    first = f(VALUE)
    f(-VALUE)
    np.testing.assert_array_equal(first, [2 * VALUE, 6 * VALUE])
    once = g(VALUE)
    g(-VALUE)
    np.testing.assert_array_equal(once, [2 * VALUE, 4 * VALUE, 8 * VALUE])


def test_a_function_inside_perform():
    x = dvector()
    inner = theano.function([x], Double()(x) + 1)

    class Outer(Double):
        __props__ = ()

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = inner(inputs[0])

    f = theano.function([x], Outer()(Outer()(x)))
    np.testing.assert_array_equal(f(VALUE), 4 * VALUE + 3)

    class Again(Double):
        __props__ = ()

        def perform(self, node, inputs, output_storage):
            value = inputs[0]
            output_storage[0][0] = value * 2 if value[0] > 8 else itself(value * 2)

    itself = theano.function([x], Again()(x))
    np.testing.assert_array_equal(itself(VALUE), 32 * VALUE)


def test_many_threads():
    x = dvector()
    with theano.change_flags(allow_gc=False):
        f = theano.function([x], Scaled(2, 1)(x) - Double()(x))
    failures = []

    def run(number):
        for _ in range(50):
            if not np.array_equal(f(VALUE * number), np.ones(3)):
                failures.append(number)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.parametrize("op", [Double(), Scaled(3, 4), SumAndProduct(3), TypedDouble()], ids=str)
def test_pickles(op):
    assert pickle.loads(pickle.dumps(op)) == op
    x = dvector()
    inputs = [x] * len(op.make_node(x, x, x).inputs) if isinstance(op, SumAndProduct) else [x]
    f = theano.function([x], op(*inputs))
    again = pickle.loads(pickle.dumps(f))
    np.testing.assert_array_equal(again(VALUE), f(VALUE))


def test_copies_and_prints():
    x, y = dvector("x"), dvector("y")
    out = theano.clone(Scaled(3, 4)(x), {x: y})
    assert out.owner.op == Scaled(3, 4)
    assert out.owner.inputs == [y]
    text = theano.printing.debugprint(Scaled(3, 4)(x), file="str")
    assert "Scaled{3,4}" in text
    assert theano.pp(Double()(x)) == "Double(x)"
    copied = theano.function([x], Double()(x)).copy()
    np.testing.assert_array_equal(copied(VALUE)[0], 2 * VALUE)


@pytest.mark.parametrize("use_get_params", [False, True])
def test_params(use_get_params):
    class WithParams(theano.Op):
        __props__ = ("a", "b")
        params_type = theano.gof.ParamsType(a=theano.scalar.float64, b=theano.gof.generic)

        def __init__(self, a, b):
            self.a, self.b = a, b

        if use_get_params:

            def get_params(self, node):
                return self.params_type.get_params(a=self.a, b=self.b)

        def make_node(self, x):
            return Apply(self, [x], [x.type()])

        def perform(self, node, inputs, output_storage, params):
            assert params.b == "text"
            output_storage[0][0] = inputs[0] * params.a

    x = dvector()
    np.testing.assert_array_equal(WithParams(3.0, "text")(x).eval({x: VALUE}), 3 * VALUE)


class Bad(Double):
    """Does to its storage what it is told."""

    __props__ = ("kind",)

    def __init__(self, kind):
        self.kind = kind

    def perform(self, node, inputs, output_storage):
        x = inputs[0]
        if self.kind == "raises":
            raise KeyError("key")
        if self.kind == "writes":
            x[0] = 7
        if self.kind == "no cell":
            output_storage[0] = x
            return
        if self.kind == "more cells":
            output_storage.append([x])
        output_storage[0][0:1] = [
            {
                "none": None,
                "dtype": x.astype("float32"),
                "rank": x[None].copy(),
                "list": [1.0, 2.0],
                "object": x.astype(object),
                "number": 3.0,
                "shape": x[1:].copy(),
                "writes": x,
                "more cells": x,
            }[self.kind]
        ]


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        ("none", ValueError, r"left output 0 empty: output_storage\[0\]\[0\] is None"),
        ("dtype", TypeError, "output 0 of Bad.* does not fit the type TensorType.*float32"),
        ("rank", TypeError, "expected 1, got 2"),
        ("list", TypeError, "an array is needed, got list"),
        ("object", TypeError, "got object"),
        ("number", TypeError, "an array is needed, got float"),
        ("shape", ValueError, "Input dimension mis-match"),
        ("writes", ValueError, "read-only.*destroy_map"),
        ("no cell", TypeError, "replaced the cell of output 0"),
        ("more cells", ValueError, "2 of them for 1 outputs"),
    ],
)
@pytest.mark.parametrize("linker", ["cvm", "py"])
def test_bad_performs(kind, error, text, linker):
    x = dvector()
    f = theano.function([x], Bad(kind)(x) + x, mode=theano.Mode(linker))
    for _ in range(2):
        with pytest.raises(error, match=text) as caught:
            f(VALUE)
        message = str(caught.value)
        assert "Apply node that caused the error:" in message
        assert "Bad" in message
        assert "Inputs shapes: [(" in message
        assert "test_user_ops.py" in message


MISFITS = ["dtype", "rank", "list", "object", "number"]


@pytest.mark.parametrize("kind", MISFITS)
def test_what_is_only_a_result_may_be_anything_as_in_theano_105(kind):
    x = dvector()
    out = Bad(kind)(x)
    expected = {
        "dtype": VALUE.astype("float32"),
        "rank": VALUE[None],
        "list": [1.0, 2.0],
        "object": VALUE.astype(object),
        "number": 3.0,
    }[kind]
    f = theano.function([x], [out, x + 1])
    for _ in range(2):
        got, other = f(VALUE)
        assert type(got) is type(expected)
        assert getattr(got, "dtype", None) == getattr(expected, "dtype", None)
        np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(other, VALUE + 1)
    cell = theano.shared(VALUE)
    for results, updates in (([out, out.sum()], None), ([out], [(cell, out)]), ([out, out], None)):
        f = theano.function([x], results, updates=updates)
        with pytest.raises(TypeError, match="does not fit the type"):
            f(VALUE)
        np.testing.assert_array_equal(cell.get_value(), VALUE)


@pytest.mark.parametrize("kind", MISFITS)
def test_debug_mode_has_an_error_for_values_that_do_not_fit(kind):
    x = dvector()
    f = theano.function([x], Bad(kind)(x), mode="DebugMode")
    text = "Bad.* of type TensorType.float64, vector. has the value"
    with pytest.raises(InvalidValueError, match=text) as caught:
        f(VALUE)
    assert caught.value.r.owner.op == Bad(kind)


class Unique(theano.Op):
    """Says that it keeps the length, which is wrong where items repeat."""

    __props__ = ()
    ran = 0

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        Unique.ran += 1
        output_storage[0][0] = np.unique(inputs[0])

    def infer_shape(self, node, shapes):
        return shapes

    def grad(self, inputs, output_grads):
        return [T.zeros_like(inputs[0]) + output_grads[0].sum()]


def test_a_wrong_infer_shape_counts_where_only_lengths_are_needed():
    x = dvector("x")
    unique, given = Unique()(x), np.array([1.0, 2, 2, 3, 3])

    def run(out, calls):
        Unique.ran = 0
        f = theano.function([x], out)
        f(given)
        assert Unique.ran == calls
        return np.asarray(f(given)).tolist()

    assert run(unique, 1) == [1, 2, 3]
    assert run(unique * 2 + unique.shape[0], 1) == [5, 7, 9]
    assert run(T.outer(unique, unique)[2], 1) == [3, 6, 9]
    assert run(unique + x[:3], 1) == [2, 4, 5]
    assert run(T.concatenate([unique, x]), 1) == [1, 2, 3, 1, 2, 2, 3, 3]
    assert run(theano.map(lambda a: a * 2, unique)[0], 1) == [2, 4, 6]
    assert run(T.grad((unique**2).sum(), x), 1) == [12] * 5
    # Theano 1.0.5 says 5 here, too.
    assert run(unique.shape[0], 0) == 5
    assert run(T.zeros_like(unique), 0) == [0] * 5
    with pytest.raises(ValueError, match="Input dimension mis-match"):
        theano.function([x], unique + x)(given)
    steps, _ = theano.scan(lambda a, h: T.sum(Unique()(h)) * h, x, x)
    with pytest.raises(ValueError, match="length 3 along axis 0, and the operation promised 5"):
        theano.function([x], steps)(given)


def test_a_length_of_one_that_was_declared():
    class Row(Double):
        __props__ = ()

        def make_node(self, x):
            return Apply(self, [x], [T.drow()])

        def infer_shape(self, node, shapes):
            return [(1, shapes[0][0])]

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = np.ones((2, 3))

    x = dvector()
    with pytest.raises(TypeError, match="axis 0 of shape"):
        theano.function([x], Row()(x) * 2)(VALUE)


def test_exceptions_keep_their_type_and_say_where():
    class OwnError(Exception):
        def __init__(self, one, two):
            super().__init__(one, two)

    class Raises(Double):
        __props__ = ()

        def perform(self, node, inputs, output_storage):
            raise OwnError(1, 2)

    x = dvector()
    with pytest.raises(OwnError) as caught:
        theano.function([x], Raises()(x))(VALUE)
    assert caught.value.args == (1, 2)
    (note,) = caught.value.__notes__
    assert "Raises(x)" in note
    assert "Inputs values: [array([ 1., -2.,  3.])]" in note
    assert "test_user_ops.py" in note
    with pytest.raises(KeyError) as caught:
        theano.function([x], Bad("raises")(x))(VALUE)
    assert caught.value.args == ("key",)
    assert "Bad" in caught.value.__notes__[0]
    assert caught.traceback[-1].name == "perform"


def test_errors_in_loops_name_the_steps():
    class Picky(Double):
        __props__ = ()

        def perform(self, node, inputs, output_storage):
            if inputs[0][0] > 100:
                raise ValueError(f"{inputs[0][0]} is too much")
            super().perform(node, inputs, output_storage)

    x = dvector()
    rows, _ = theano.scan(lambda c: Picky()(c), outputs_info=[x], n_steps=9)
    with pytest.raises(
        ValueError, match=r"160.0 is too much\nThis was in step 5 \(0-based\) of for"
    ):
        theano.function([x], rows)([5.0])

    def outer(start):
        return theano.scan(lambda c: Picky()(c), outputs_info=[start], n_steps=3)[0][-1]

    nested, _ = theano.scan(outer, sequences=[T.dmatrix("m")])
    m = theano.gof.graph.inputs([nested])
    m = next(v for v in m if v.name == "m")
    with pytest.raises(ValueError, match=r"in step 1 .*\nThis was in step 2") as caught:
        theano.function([m], nested)([[1.0], [30.0]])
    assert "Inputs values: [array([120.])]" in str(caught.value)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda op, x: op(x), NotImplementedError),
        (lambda op, x: op.perform(None, [], []), MethodNotDefined),
        (lambda op, x: op.c_code(None, "n", [], [], {}), MethodNotDefined),
        (lambda op, x: op.c_support_code(), MethodNotDefined),
        (lambda op, x: op.get_params(None), MethodNotDefined),
        (lambda op, x: op.R_op([], []), NotImplementedError),
        (lambda op, x: op.grad, AttributeError),
        (lambda op, x: op.infer_shape, AttributeError),
    ],
)
def test_what_is_not_defined(call, error):
    class Empty(theano.Op):
        pass

    with pytest.raises(error):
        call(Empty(), dvector())


def test_c_code_alone_is_refused():
    class OnlyC(theano.Op):
        __props__ = ()

        def make_node(self, x):
            return Apply(self, [x], [x.type()])

        def c_code(self, node, name, inputs, outputs, sub):
            return "int a;"

    x = dvector()
    with pytest.raises(MethodNotDefined, match="write perform"):
        theano.function([x], OnlyC()(x))


@pytest.mark.parametrize(
    ("grad", "error", "text"),
    [
        (lambda i, g: [None], TypeError, "returned None for a gradient term"),
        (lambda i, g: g[0], TypeError, "a list with one gradient for each input"),
        (lambda i, g: [g[0], g[0]], ValueError, "2 gradients for 1 inputs"),
        (lambda i, g: [g[0].sum()], ValueError, "0 dimensions"),
    ],
)
def test_bad_gradients(grad, error, text):
    class BadGrad(Double):
        __props__ = ()

        def grad(self, inputs, output_grads):
            return grad(inputs, output_grads)

    x = dvector()
    with pytest.raises(error, match=text):
        T.grad(BadGrad()(x).sum(), x)


def test_no_gradient_at_all():
    x = dvector()
    with pytest.raises(AttributeError, match="neither grad nor L_op"):
        T.grad(InPlace()(x).sum(), x)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((), ValueError, "expected 1 inputs but got 0"),
        ((T.dmatrix(),), TypeError, "We expected inputs of types"),
        ((T.fvector(),), TypeError, "We expected inputs of types"),
    ],
)
def test_inputs_of_other_types(arguments, error, text):
    with pytest.raises(error, match=text):
        TypedDouble()(*arguments)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda shapes: [], "one tuple of lengths"),
        (lambda shapes: [(1, 2)], "1 dimensions"),
        (lambda shapes: None, "one tuple of lengths"),
        # A tuple of lengths where a list of them is due.
        (lambda shapes: shapes[0], "1 dimensions"),
        (lambda shapes: [T.constant([2, 3])], "1 dimensions"),
        (lambda shapes: [(T.constant([2, 3]),)], "lengths that are arrays"),
    ],
)
def test_bad_infer_shape(answer, text):
    class BadShape(Double):
        __props__ = ()

        def infer_shape(self, node, shapes):
            return answer(shapes)

    x = dvector()
    with pytest.warns(UserWarning, match=text):
        f = theano.function([x], BadShape()(x).shape)
    assert f(VALUE) == VALUE.shape
    with theano.change_flags(on_shape_error="raise"), pytest.raises((TypeError, ValueError)):
        theano.function([x], BadShape()(x).shape)


def test_lengths_that_infer_shape_does_not_know():
    class Unsaid(Double):
        __props__ = ()

        def infer_shape(self, node, shapes):
            return [None]

    x = dvector()
    assert theano.function([x], Unsaid()(x).shape)(VALUE) == VALUE.shape


def test_errors_of_infer_shape():
    class Fails(Double):
        __props__ = ()

        def infer_shape(self, node, shapes):
            raise KeyError("oops")

    x = dvector()
    with pytest.warns(UserWarning, match="infer_shape of Fails failed"):
        f = theano.function([x], Fails()(x) + 1)
    np.testing.assert_array_equal(f(VALUE), 2 * VALUE + 1)
    with theano.change_flags(on_shape_error="raise"), pytest.raises(KeyError):
        theano.function([x], Fails()(x) + 1)


def test_engine_operations_count():
    assert isinstance(T.exp, theano.Op)
    assert isinstance(Double(), theano.Op)
    assert issubclass(Double, theano.gof.Op)
    assert issubclass(type(T.exp), theano.gof.op.Op)
    assert not isinstance(Double(), Scaled)
    assert theano.Op is T.Op is theano.gof.Op is theano.gof.op.PureOp
    assert user_ops.Double is Double


def test_names_of_the_engine_mean_nothing():
    for name in ("Second", "Alloc", "DimShuffle", "MakeVector", "ShapeOf"):
        kind = type(
            name, (Double,), {"__props__": (), "do_constant_folding": lambda op, node: False}
        )
        x = dvector()
        out = x * kind()(T.constant(np.ones(3))) + x
        np.testing.assert_array_equal(theano.function([x], out)(VALUE), 3 * VALUE)


class Named(theano.Op):
    """Has attributes that the engine's own operations use for something else."""

    __props__ = ("shape", "lower", "batch")

    def __init__(self, shape):
        self.shape, self.lower, self.batch = shape, True, 2
        self.compute, self.vjp, self.connection, self.linear = "x", 1, [3], None
        self.pure, self.folds, self.foldable, self.name = False, 0, 1, "named"

    def make_node(self, x):
        x = T.as_tensor_variable(x)
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0] * self.shape

    def grad(self, inputs, output_grads):
        return [output_grads[0] * self.shape]

    def infer_shape(self, node, shapes):
        return shapes


def test_attributes_may_have_any_name():
    x = dvector("x")
    y = Named(3)(x)
    f = theano.function([x], [y, T.grad(y.sum(), x), y.shape, T.Rop(y, x, x)])
    value, slope, shape, along = f([1.0, 2.0])
    assert value.tolist() == [3, 6] == along.tolist()
    assert (slope.tolist(), shape.tolist()) == ([3, 3], [2])
    rows, _ = theano.scan(Named(2), outputs_info=x, n_steps=2)
    assert theano.function([x], rows[-1])([1.0]).tolist() == [4]
    assert theano.vectorize(Named(2))(T.dmatrix()).eval is not None
    assert Named(2) == Named(2) != Named(3)


def test_forward_mode_in_a_loop_uses_r_op():
    class Marked(Named):
        def R_op(self, inputs, eval_points):
            return [eval_points[0] * 100]

    x = dvector("x")
    rows, _ = theano.scan(Marked(2), outputs_info=x, n_steps=2)
    along = T.Rop(rows[-1], x, T.ones_like(x))
    assert theano.function([x], along)([1.0]).tolist() == [10000]


def test_a_forward_rule_that_says_nothing() -> None:
    """What depends on `wrt` by such an operation alone is disconnected; else it counts as zero."""

    class Silent(theano.Op):
        __props__ = ()

        def make_node(self, x):
            return theano.Apply(self, [x], [x.type()])

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = inputs[0].copy()

        def R_op(self, inputs, eval_points):
            return [None]

    x, v = T.dvectors("x", "v")
    y = Silent()(x)
    for out in (y, y.sum(), T.exp(y)[0]):
        with pytest.raises(theano.gradient.DisconnectedInputError):
            T.Rop(out, x, v)
    assert T.Rop(y, x, v, "ignore", "None") is None
    assert T.Rop(y * x, x, v).eval({x: [2.0], v: [3.0]}).tolist() == [6.0]


def test_methods_that_are_put_on_an_operation_alone():
    # As the documentation of Theano makes its first operation.
    mul, x, y = theano.gof.Op(), T.dvector("x"), T.dvector("y")

    def make_node(a, b):
        return theano.gof.Apply(mul, [a, b], [a.type()])

    def perform(node, inputs, outputs):
        outputs[0][0] = inputs[0] * inputs[1]

    mul.make_node, mul.perform = make_node, perform
    mul.grad = lambda inputs, g: [g[0] * inputs[1], g[0] * inputs[0]]
    mul.infer_shape = lambda node, shapes: [shapes[0]]
    mul.R_op = lambda inputs, points: [inputs[1] * points[0]]
    out = mul(x, y)
    outputs = [out, out.shape[0], T.grad(out.sum(), x), T.Rop(out, x, x)]
    found = theano.function([x, y], outputs)([5.0], [6.0])
    assert [v.tolist() for v in found] == [[30], 1, [6], [30]]
    made = theano.gof.Op()
    made.make_node = make_node
    made.make_thunk = lambda node, storage, computed, keep, impl=None: (
        lambda: storage[node.outputs[0]].__setitem__(0, storage[node.inputs[0]][0] + 1)
    )
    mul = made
    assert theano.function([x, y], made(x, y), on_unused_input="ignore")([1.0], [0.0]) == 2


def test_gradients_pass_integer_results_as_their_rule_says():
    class Rounded(theano.Op):
        __props__ = ()

        def make_node(self, x):
            return Apply(self, [x], [T.TensorType("int64", x.type.broadcastable)()])

        def perform(self, node, inputs, outputs):
            outputs[0][0] = np.round(inputs[0]).astype("int64")

        def grad(self, inputs, gradients):
            return [3 * gradients[0]]

    x, weights = T.dvector("x"), np.array([[0.5, 1.0, 2.0]])
    rounded = Rounded()(x)
    cost = (rounded.reshape((1, 3)) * weights).sum() + (rounded * 1.5).sum()
    f = theano.function([x], [rounded, T.grad(cost, x)])
    assert [v.tolist() for v in f([0.6, 1.4, 2.0])] == [[1, 1, 2], [6, 7.5, 10.5]]
    # A cast that the engine knows has none.
    assert T.grad((T.cast(x, "int64") * 1.5).sum(), x).eval({x: [1.0]}).tolist() == [0]


def test_gradients_pass_integers_where_theano_lets_them():
    x, i, index = T.lmatrix("x"), T.lvector("i"), [0, 0, 1]
    value, items = np.arange(6).reshape(2, 3), [3, 1, 2]
    cases = [
        (x.max(axis=0), [[0, 0, 0], [1.5, 1.5, 1.5]]),
        (x[index], [[3, 3, 3], [1.5, 1.5, 1.5]]),
        (T.cumsum(i), [4.5, 3, 1.5]),
        (T.sort(i), [1.5, 1.5, 1.5]),
        (T.alloc(i, 3), [1.5, 1.5, 1.5]),
        (i.sum(), [0, 0, 0]),
        (i * 2, [0, 0, 0]),
    ]
    for made, expected in cases:
        wrt = x if x in theano.gof.graph.inputs([made]) else i
        gradient = T.grad((made * 1.5).sum(), wrt)
        assert gradient.dtype == "float64"
        f = theano.function([x, i], gradient, on_unused_input="ignore")
        assert f(value, items).tolist() == expected, made


def test_derivatives_that_are_put_on_an_operation_of_theano_alone():
    x = T.dvector("x")

    def derivatives():
        found = [T.grad(T.exp(x).sum(), x), T.Rop(T.exp(x), x, T.ones_like(x))]
        return [v.tolist() for v in theano.function([x], found)([0.0])]

    assert derivatives() == [[1], [1]]
    own = hash(T.exp)
    T.exp.R_op = lambda inputs, points: [points[0] * 100]
    try:
        assert derivatives() == [[1], [100]]
        T.exp.L_op = lambda inputs, outputs, gradients: [gradients[0] * 10]
        assert derivatives() == [[10], [100]]
        del T.exp.R_op
        assert derivatives() == [[10], [1]]
    finally:
        del T.exp.L_op
    assert derivatives() == [[1], [1]]
    assert hash(T.exp) == own


def test_gradient_is_not_asked_where_nothing_is_connected():
    class ScaledAndShifted(theano.Op):
        __props__ = ()

        def make_node(self, x, factor):
            return Apply(self, [x, factor], [x.type(), x.type()])

        def connection_pattern(self, node):
            return [[True, True], [True, False]]

        def grad(self, inputs, gradients):
            scaled, shifted = gradients
            assert not isinstance(scaled.type, theano.gradient.DisconnectedType)
            return [scaled * inputs[1] + shifted, (scaled * inputs[0]).sum()]

    x, factor = T.dvector(), T.dscalar()
    shifted = ScaledAndShifted()(x, factor)[1]
    with pytest.raises(theano.gradient.DisconnectedInputError):
        T.grad(shifted.sum(), factor)
    assert T.grad(shifted.sum(), factor, disconnected_inputs="ignore").eval({factor: 2.0}) == 0


def test_an_input_cannot_be_an_output() -> None:
    class Same(theano.Op):
        __props__ = ()

        def make_node(self, x):
            return theano.Apply(self, [x], [x])

    # A graph that goes in a circle: whatever walks it would not come to an end.
    with pytest.raises(ValueError, match="An output of Apply is an input"):
        Same()(T.dmatrix("x"))
