"""Users' own operations: `perform` inside native functions, gradients, shapes, errors."""

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
    Same,
    Scaled,
    Square,
    SumAndProduct,
    TypedDouble,
    Undefined,
    computes,
    operation,
)

import theano
import theano.tensor as T
from support.compiling import evaluate
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
x, y, z, v = T.dvectors("xyzv")
equal, close = np.testing.assert_array_equal, np.testing.assert_allclose


def counting(**methods):
    """Return an operation, and what its storage held at each call of `perform`."""
    calls = []

    def perform(op, node, inputs, output_storage):
        (last,) = output_storage[0]
        calls.append(last if last is None else last.tolist())
        output_storage[0][0] = inputs[0] * 2

    return operation("Counted", Double, perform=perform, **methods), calls


# -- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize(
    "mode", ["FAST_RUN", "FAST_COMPILE", theano.Mode("py", None), theano.Mode("cvm", None)]
)
def test_values_are_those_of_perform_and_belong_to_the_caller(name, mode):
    op, meaning = OPS[name]
    overwrites = bool(op.destroy_map)
    start = x * 1 if overwrites else x
    outs = [op(start), op(x * 2) + 1, x + op(start)]
    f = theano.function([x], outs, mode=mode, accept_inplace=overwrites)
    given = VALUE.copy()
    for _ in range(3):
        one, two, three = f(given)
        equal(one, meaning(VALUE))
        equal(two, meaning(2 * VALUE) + 1)
        equal(three, VALUE + meaning(VALUE))
        # Results are the caller's own, and arguments stay as they were.
        one[...] = 0
        equal(given, VALUE)
    assert f(VALUE[:0])[0].shape == (0,)


@pytest.mark.parametrize("name", OPS)
def test_values_in_steps_of_a_loop(name):
    op, meaning = OPS[name]
    rows = T.dmatrix("rows")
    carried, _ = theano.scan(lambda c: op(c) / 2, outputs_info=[x], n_steps=4)
    mapped, _ = theano.scan(op, sequences=[rows])
    wanted, c = [], VALUE
    for _ in range(4):
        c = meaning(c) / 2
        wanted.append(c)
    table = np.arange(12.0).reshape(4, 3)
    got, got_rows = theano.function([x, rows], [carried, mapped])(VALUE, table)
    close(got, wanted)
    equal(got_rows, [meaning(row) for row in table])


def test_shared_variables_updates_givens_and_branches():
    state, grown = theano.shared(VALUE), theano.shared(VALUE)
    f = theano.function([], Double()(state), updates=[(state, Scaled(2, 1)(state))])
    equal(f(), 2 * VALUE)
    equal(state.get_value(), 2 * VALUE + 1)
    g = theano.function([], Double()(x), givens={x: state * 2})
    equal(g(), 4 * (2 * VALUE + 1))
    theano.function([], updates=[(grown, InPlace()(grown))], accept_inplace=True)()
    equal(grown.get_value(), VALUE + 1)
    # The other branch would raise.
    lazy = ifelse(T.gt(x[0], 0), Double()(x), Bad("raises")(x))
    equal(evaluate(lazy, {x: VALUE}), 2 * VALUE)


def test_lengths_become_known_after_the_types():
    # Rewriting finds that an axis has one item; the operation was made for a vector.
    out = TypedDouble()(T.patternbroadcast(T.alloc(x[0], 1), (False,)))
    equal(evaluate(out, {x: VALUE}), [2.0])


def test_a_function_inside_perform():
    outer = operation("Outer", perform=computes(theano.function([x], Double()(x) + 1)))
    equal(evaluate(outer(outer(x)), {x: VALUE}), 4 * VALUE + 3)
    again = computes(lambda value: value * 2 if value[0] > 8 else itself(value * 2))
    itself = theano.function([x], operation("Again", perform=again)(x))
    equal(itself(VALUE), 32 * VALUE)


def test_many_threads_may_call_a_function_that_keeps_its_storage():
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


@pytest.mark.parametrize("kept", [False, True])
def test_storage_cells_hold_the_last_result_where_they_are_kept(kept):
    op, seen = counting()
    with theano.change_flags(allow_gc=not kept):
        f = theano.function([x], op(x) + 1)
    f(VALUE), f(VALUE)
    assert seen == [None, [2, -4, 6] if kept else None]


def test_kept_storage_never_reaches_a_result():
    with theano.change_flags(allow_gc=False):
        f = theano.function([x], [Scaled(2, 0)(x), Scaled(2, 0)(Scaled(3, 0)(x))])
        rows, _ = theano.scan(Scaled(2, 0), outputs_info=[x], n_steps=3)
        g = theano.function([x], rows)
    first, once = f(VALUE), g(VALUE)
    f(-VALUE), g(-VALUE)
    equal(first, [2 * VALUE, 6 * VALUE])
    equal(once, [2 * VALUE, 4 * VALUE, 8 * VALUE])


def test_equal_applications_run_once_and_lengths_run_nothing():
    op, calls = counting()
    equal(evaluate(op(x) + op(x), {x: VALUE}), 4 * VALUE)
    assert len(calls) == 1
    equal(evaluate(op(x).shape, {x: VALUE}), [3])
    assert len(calls) == 1


@pytest.mark.parametrize("folds", [True, False])
def test_constants_are_folded_if_the_operation_says_so(folds):
    op, calls = counting(do_constant_folding=lambda op, node: folds)
    f = theano.function([x], op(T.constant(VALUE)) + x)
    before = len(calls)
    for _ in range(2):
        equal(f(VALUE), 3 * VALUE)
    assert before == folds and len(calls) - before == (0 if folds else 2)


@pytest.mark.parametrize("use_get_params", [False, True])
def test_params_reach_perform(use_get_params):
    class WithParams(Same):
        __props__ = ("a", "b")
        params_type = theano.gof.ParamsType(a=theano.scalar.float64, b=theano.gof.generic)

        def __init__(self, a, b):
            self.a, self.b = a, b

        if use_get_params:

            def get_params(self, node):
                return self.params_type.get_params(a=self.a, b=self.b)

        def perform(self, node, inputs, output_storage, params):
            assert params.b == "text"
            output_storage[0][0] = inputs[0] * params.a

    equal(evaluate(WithParams(3.0, "text")(x), {x: VALUE}), 3 * VALUE)


# -- gradients ----------------------------------------------------------------------------------


@pytest.mark.parametrize("op", [Double(), TypedDouble(), Scaled(3, 4), Square()], ids=str)
def test_gradients(op):
    rng = np.random.RandomState(3)
    theano.gradient.verify_grad(lambda x: T.exp(op(T.sin(x))) * x, [VALUE], rng=rng)
    jacobian = theano.gradient.jacobian(op(x), x)
    second = theano.gradient.hessian(op(x).sum(), x, disconnected_inputs="ignore")
    outs = [jacobian, T.Rop(op(x), x, v), T.Lop(op(x), x, v), second.shape]
    jacobian, pushed, pulled, shape = evaluate(outs, {x: VALUE, v: [1, 2, 3]})
    close(pushed, jacobian @ [1, 2, 3])
    close(pulled, jacobian.T @ [1, 2, 3])
    equal(shape, [3, 3])


def test_gradients_inside_a_loop():
    rows, _ = theano.scan(lambda c: Square()(c) / 3 + x, outputs_info=[x], n_steps=3)
    theano.gradient.verify_grad(
        lambda v: theano.clone(rows[-1], {x: v}), [VALUE / 4], rng=np.random.RandomState(0)
    )


def test_forward_derivative_of_its_own():
    op = operation("OnlyForward", Double, grad=None, R_op=lambda op, inputs, v: [2 * v[0]])
    p, d = VALUE / 3, np.array([1.0, 0.5, 2.0])
    out = T.exp(op(x * x)).sum() + x[0]
    got = evaluate(T.Rop(out, x, v), {x: p, v: d})
    close(got, (np.exp(2 * p * p) * 4 * p * d).sum() + d[0])
    first = SumAndProduct()(op(x), y, y)[1]
    got = evaluate(T.Rop(first, [x, y], [v, v]), {x: VALUE, y: 2 * VALUE, v: d})
    close(got, 3 * (2 * d * 2 * VALUE + 2 * VALUE * d))


def test_tangents_beyond_the_outputs_are_left_out_and_missing_ones_are_errors():
    # Operations of two inputs and one output often have `R_op` return what `grad` returns.
    class Wide(Same):
        perform = computes(lambda x, y: x * x + y)

        def grad(self, inputs, output_grads):
            return [2 * inputs[0] * output_grads[0], output_grads[0]]

        def R_op(self, inputs, eval_points):
            return eval_points if eval_points[0] is None else self.grad(inputs, eval_points)

    got = evaluate(T.Rop(Wide()(x, y), x, v), {x: VALUE, y: VALUE, v: VALUE / 3})
    close(got, 2 * VALUE * VALUE / 3)
    with pytest.raises(NotImplementedError, match="Opaque does not implement R_op"):
        T.Rop(operation("Opaque")(x), x, x)
    narrow = operation("Narrow", Wide, R_op=lambda op, inputs, eval_points: [])
    with pytest.raises(ValueError, match="Narrow returned 0 tangents for 1 outputs"):
        T.Rop(narrow(x, y), x, v)


def test_a_forward_rule_that_says_nothing():
    """What depends on `wrt` by such an operation alone is disconnected; else it counts as zero."""
    copy = computes(lambda x: x.copy())
    silent = operation("Silent", perform=copy, R_op=lambda op, inputs, eval_points: [None])(x)
    for out in (silent, silent.sum(), T.exp(silent)[0]):
        with pytest.raises(theano.gradient.DisconnectedInputError):
            T.Rop(out, x, v)
    assert T.Rop(silent, x, v, "ignore", "None") is None
    assert evaluate(T.Rop(silent * x, x, v), {x: [2.0], v: [3.0]}).tolist() == [6.0]


def test_several_outputs_and_what_they_depend_on():
    total, product = SumAndProduct(5)(x, y, z)
    given = {x: VALUE, y: VALUE + 1, z: [1.0, 2.0]}
    outs = [product, *T.grad(total.sum(), [x, y]), *T.grad(product.sum(), [x, y])]
    got = evaluate(outs, given)
    wanted = [2 * VALUE * (VALUE + 1), [5.0] * 3, [5.0] * 3, 2 * (VALUE + 1), 2 * VALUE]
    equal(got, wanted)
    with pytest.raises(theano.gradient.DisconnectedInputError):
        T.grad(total.sum(), z)
    with pytest.raises(theano.gradient.NullTypeGradError, match="nobody knows"):
        T.grad(Undefined()(x).sum(), x)


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

    factor = T.dscalar()
    shifted = ScaledAndShifted()(x, factor)[1].sum()
    with pytest.raises(theano.gradient.DisconnectedInputError):
        T.grad(shifted, factor)
    assert T.grad(shifted, factor, disconnected_inputs="ignore").eval({factor: 2.0}) == 0


def test_gradients_pass_integer_results_as_their_rule_says():
    rounded = operation(
        "Rounded",
        make_node=lambda op, x: Apply(op, [x], [T.TensorType("int64", x.type.broadcastable)()]),
        perform=computes(lambda x: np.round(x).astype("int64")),
        grad=lambda op, inputs, gradients: [3 * gradients[0]],
    )(x)
    weights = np.array([[0.5, 1.0, 2.0]])
    cost = (rounded.reshape((1, 3)) * weights).sum() + (rounded * 1.5).sum()
    found = evaluate([rounded, T.grad(cost, x)], {x: [0.6, 1.4, 2.0]})
    assert [v.tolist() for v in found] == [[1, 1, 2], [6, 7.5, 10.5]]
    # A cast that the engine knows has none.
    assert T.grad((T.cast(x, "int64") * 1.5).sum(), x).eval({x: [1.0]}).tolist() == [0]


def test_gradients_pass_integers_where_theano_lets_them():
    m, i = T.lmatrix("m"), T.lvector("i")
    cases = [
        (m.max(axis=0), m, [[0, 0, 0], [1.5, 1.5, 1.5]]),
        (m[[0, 0, 1]], m, [[3, 3, 3], [1.5, 1.5, 1.5]]),
        (T.cumsum(i), i, [4.5, 3, 1.5]),
        (T.sort(i), i, [1.5, 1.5, 1.5]),
        (T.alloc(i, 3), i, [1.5, 1.5, 1.5]),
        (i.sum(), i, [0, 0, 0]),
        (i * 2, i, [0, 0, 0]),
    ]
    gradients = [T.grad((made * 1.5).sum(), wrt) for made, wrt, _ in cases]
    assert {g.dtype for g in gradients} == {"float64"}
    found = evaluate(gradients, {m: np.arange(6).reshape(2, 3), i: [3, 1, 2]})
    assert [g.tolist() for g in found] == [wanted for *_, wanted in cases]


def test_derivatives_that_are_put_on_an_operation_of_theano_alone():
    def derivatives():
        found = [T.grad(T.exp(x).sum(), x), T.Rop(T.exp(x), x, T.ones_like(x))]
        return [v.tolist() for v in evaluate(found, {x: [0.0]})]

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
    assert derivatives() == [[1], [1]] and hash(T.exp) == own


@pytest.mark.parametrize(
    ("grad", "error", "text"),
    [
        (lambda i, g: [None], TypeError, "returned None for a gradient term"),
        (lambda i, g: g[0], TypeError, "a list with one gradient for each input"),
        (lambda i, g: [g[0], g[0]], ValueError, "2 gradients for 1 inputs"),
        (lambda i, g: [g[0].sum()], ValueError, "0 dimensions"),
        (None, AttributeError, "neither grad nor L_op"),
    ],
)
def test_bad_gradients(grad, error, text):
    methods = {"grad": lambda op, inputs, output_grads: grad(inputs, output_grads)}
    with pytest.raises(error, match=text):
        T.grad(operation("BadGrad", **methods if grad else {})(x).sum(), x)


# -- identity -----------------------------------------------------------------------------------


def test_default_output_and_return_list():
    class First(SumAndProduct):
        __props__ = ()
        default_output = 1

        def __init__(self):
            super().__init__(2)

    chosen = First()(x, x, x)
    assert chosen.index == First()(x, x, x, return_list=True)[0].index == 1
    assert len(SumAndProduct()(x, x, x)) == 2
    assert isinstance(Double()(x, return_list=True), list)
    assert chosen.owner.out is chosen
    assert str(chosen) == "First.out" and str(chosen.owner.outputs[0]) == "First.0"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Double(), Double(), True),
        (Scaled(1, 2), Scaled(1, 2), True),
        (Scaled(1, 2), Scaled(1, 3), False),
        (SumAndProduct(1), SumAndProduct(1), True),
        (SumAndProduct(1), SumAndProduct(2), False),
        (Double(), Square(), False),
        (Double(), operation("Plain", Double), False),
    ],
    ids=str,
)
def test_equality_by_props(one, other, same):
    assert (one == other) is same and (one != other) is not same
    assert not same or hash(one) == hash(other)


def test_an_operation_without_props_equals_itself_only():
    class Bare(theano.Op):
        pass

    class OnlyEquality(theano.Op):
        def __eq__(self, other):
            return type(self) is type(other)

    bare = Bare()
    assert bare == bare and bare != Bare()
    assert hash(OnlyEquality()) == hash(OnlyEquality())
    assert str(SumAndProduct(3)) == "SumAndProduct{scale=3}"
    assert str(operation("Plain", Double)) == "Plain"


@pytest.mark.parametrize("op", [Double(), Scaled(3, 4), SumAndProduct(3), TypedDouble()], ids=str)
def test_pickles(op):
    assert pickle.loads(pickle.dumps(op)) == op
    inputs = [x] * (3 if isinstance(op, SumAndProduct) else 1)
    f = theano.function([x], op(*inputs))
    equal(pickle.loads(pickle.dumps(f))(VALUE), f(VALUE))


def test_copies_and_prints():
    out = theano.clone(Scaled(3, 4)(x), {x: y})
    assert out.owner.op == Scaled(3, 4) and out.owner.inputs == [y]
    assert "Scaled{3,4}" in theano.printing.debugprint(Scaled(3, 4)(x), file="str")
    assert theano.pp(Double()(x)) == "Double(x)"
    copied = theano.function([x], Double()(x)).copy()
    equal(copied(VALUE)[0], 2 * VALUE)


def test_operations_of_the_engine_and_of_users_are_instances_of_op():
    assert isinstance(T.exp, theano.Op) and isinstance(Double(), theano.Op)
    assert issubclass(Double, theano.gof.Op) and issubclass(type(T.exp), theano.gof.op.Op)
    assert not isinstance(Double(), Scaled)
    assert theano.Op is T.Op is theano.gof.Op is theano.gof.op.PureOp
    assert user_ops.Double is Double


@pytest.mark.parametrize("name", ["Second", "Alloc", "DimShuffle", "MakeVector", "ShapeOf"])
def test_names_of_the_engine_mean_nothing(name):
    op = operation(name, Double, do_constant_folding=lambda op, node: False)
    equal(evaluate(x * op(T.constant(np.ones(3))) + x, {x: VALUE}), 3 * VALUE)


class Named(Same):
    """Has attributes that the engine's own operations use for something else."""

    __props__ = ("shape", "lower", "batch")

    def __init__(self, shape):
        self.shape, self.lower, self.batch = shape, True, 2
        self.compute, self.vjp, self.connection, self.linear = "x", 1, [3], None
        self.pure, self.folds, self.foldable, self.name = False, 0, 1, "named"

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0] * self.shape

    def grad(self, inputs, output_grads):
        return [output_grads[0] * self.shape]

    def infer_shape(self, node, shapes):
        return shapes


def test_attributes_may_have_any_name():
    out = Named(3)(x)
    found = evaluate([out, T.grad(out.sum(), x), out.shape, T.Rop(out, x, x)], {x: [1.0, 2.0]})
    assert [v.tolist() for v in found] == [[3, 6], [3, 3], [2], [3, 6]]
    rows, _ = theano.scan(Named(2), outputs_info=x, n_steps=2)
    assert evaluate(rows[-1], {x: [1.0]}).tolist() == [4]
    assert theano.vectorize(Named(2))(T.dmatrix()).eval is not None
    assert Named(2) == Named(2) != Named(3)


def test_forward_mode_in_a_loop_uses_r_op():
    class Marked(Named):
        def R_op(self, inputs, eval_points):
            return [eval_points[0] * 100]

    rows, _ = theano.scan(Marked(2), outputs_info=x, n_steps=2)
    along = T.Rop(rows[-1], x, T.ones_like(x))
    assert evaluate(along, {x: [1.0]}).tolist() == [10000]


def test_methods_that_are_put_on_an_operation_alone():
    # As the documentation of Theano makes its first operation.
    mul, made = theano.gof.Op(), theano.gof.Op()

    def perform(node, inputs, outputs):
        outputs[0][0] = inputs[0] * inputs[1]

    mul.make_node, mul.perform = lambda a, b: Apply(mul, [a, b], [a.type()]), perform
    mul.grad = lambda inputs, g: [g[0] * inputs[1], g[0] * inputs[0]]
    mul.infer_shape = lambda node, shapes: [shapes[0]]
    mul.R_op = lambda inputs, points: [inputs[1] * points[0]]
    out = mul(x, y)
    outputs = [out, out.shape[0], T.grad(out.sum(), x), T.Rop(out, x, x)]
    found = evaluate(outputs, {x: [5.0], y: [6.0]})
    assert [v.tolist() for v in found] == [[30], 1, [6], [30]]
    made.make_node = lambda a, b: Apply(made, [a, b], [a.type()])
    made.make_thunk = lambda node, storage, computed, keep, impl=None: (
        lambda: storage[node.outputs[0]].__setitem__(0, storage[node.inputs[0]][0] + 1)
    )
    assert evaluate(made(x, y), {x: [1.0], y: [0.0]}) == 2


# -- what perform does wrong --------------------------------------------------------------------


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
        output_storage[0][0] = MISFITS[self.kind](x) if self.kind in MISFITS else x


# What a result may be if nothing else reads it.
MISFITS = {
    "dtype": lambda x: x.astype("float32"),
    "rank": lambda x: x[None].copy(),
    "list": lambda x: [1.0, 2.0],
    "object": lambda x: x.astype(object),
    "number": lambda x: 3.0,
    "shape": lambda x: x[1:].copy(),
    "none": lambda x: None,
}


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
    f = theano.function([x], Bad(kind)(x) + x, mode=theano.Mode(linker))
    for _ in range(2):
        with pytest.raises(error, match=text) as caught:
            f(VALUE)
        message = str(caught.value)
        for part in ("Apply node that caused the error:", "Bad", "Inputs shapes: [(", "test_op.py"):
            assert part in message


@pytest.mark.parametrize("kind", list(MISFITS)[:5])
def test_what_is_only_a_result_may_be_anything_as_in_theano_105(kind):
    out, expected = Bad(kind)(x), MISFITS[kind](VALUE)
    f = theano.function([x], [out, x + 1])
    for _ in range(2):
        got, other = f(VALUE)
        assert type(got) is type(expected)
        assert getattr(got, "dtype", None) == getattr(expected, "dtype", None)
        equal(got, expected)
        equal(other, VALUE + 1)
    cell = theano.shared(VALUE)
    for results, updates in (([out, out.sum()], None), ([out], [(cell, out)]), ([out, out], None)):
        f = theano.function([x], results, updates=updates)
        with pytest.raises(TypeError, match="does not fit the type"):
            f(VALUE)
        equal(cell.get_value(), VALUE)
    # The debug mode has an error of its own.
    text = "Bad.* of type TensorType.float64, vector. has the value"
    with pytest.raises(InvalidValueError, match=text) as caught:
        theano.function([x], out, mode="DebugMode")(VALUE)
    assert caught.value.r.owner.op == Bad(kind)


def test_exceptions_keep_their_type_and_say_where():
    class OwnError(Exception):
        def __init__(self, one, two):
            super().__init__(one, two)

    def fail(x):
        raise OwnError(1, 2)

    with pytest.raises(OwnError) as caught:
        evaluate(operation("Raises", perform=computes(fail))(x), {x: VALUE})
    assert caught.value.args == (1, 2)
    (note,) = caught.value.__notes__
    for part in ("Raises(x)", "Inputs values: [array([ 1., -2.,  3.])]", "test_op.py"):
        assert part in note
    with pytest.raises(KeyError) as caught:
        evaluate(Bad("raises")(x), {x: VALUE})
    assert caught.value.args == ("key",) and "Bad" in caught.value.__notes__[0]
    assert caught.traceback[-1].name == "perform"


def test_errors_in_loops_name_the_steps():
    def double(value):
        if value[0] > 100:
            raise ValueError(f"{value[0]} is too much")
        return value * 2

    picky = operation("Picky", perform=computes(double))
    rows, _ = theano.scan(picky, outputs_info=[x], n_steps=9)
    text = r"160.0 is too much\nThis was in step 5 \(0-based\) of for"
    with pytest.raises(ValueError, match=text):
        evaluate(rows, {x: [5.0]})
    m = T.dmatrix("m")
    last = lambda start: theano.scan(picky, outputs_info=[start], n_steps=3)[0][-1]
    with pytest.raises(ValueError, match=r"in step 1 .*\nThis was in step 2") as caught:
        evaluate(theano.scan(last, sequences=[m])[0], {m: [[1.0], [30.0]]})
    assert "Inputs values: [array([120.])]" in str(caught.value)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda op: op(x), NotImplementedError),
        (lambda op: op.perform(None, [], []), MethodNotDefined),
        (lambda op: op.c_code(None, "n", [], [], {}), MethodNotDefined),
        (lambda op: op.c_support_code(), MethodNotDefined),
        (lambda op: op.get_params(None), MethodNotDefined),
        (lambda op: op.R_op([], []), NotImplementedError),
        (lambda op: op.grad, AttributeError),
        (lambda op: op.infer_shape, AttributeError),
    ],
)
def test_what_is_not_defined(call, error):
    with pytest.raises(error):
        call(operation("Empty", theano.Op))


def test_c_code_alone_is_refused():
    op = operation("OnlyC", c_code=lambda op, node, name, inputs, outputs, sub: "int a;")
    with pytest.raises(MethodNotDefined, match="write perform"):
        theano.function([x], op(x))


# A graph that goes in a circle: whatever walks it would not come to an end.
CIRCLE = operation("Same", make_node=lambda op, x: Apply(op, [x], [x]))


@pytest.mark.parametrize(
    ("op", "arguments", "error", "text"),
    [
        (TypedDouble(), (), ValueError, "expected 1 inputs but got 0"),
        (TypedDouble(), (T.dmatrix(),), TypeError, "We expected inputs of types"),
        (TypedDouble(), (T.fvector(),), TypeError, "We expected inputs of types"),
        (CIRCLE, (x,), ValueError, "An output of Apply is an input"),
    ],
)
def test_inputs_that_an_operation_does_not_take(op, arguments, error, text):
    with pytest.raises(error, match=text):
        op(*arguments)


# -- infer_shape --------------------------------------------------------------------------------


def test_infer_shape_by_values():
    repeat = operation(
        "Repeat",
        make_node=lambda op, x, n: Apply(op, [x, n], [T.dmatrix()]),
        perform=computes(lambda x, n: np.tile(x, (int(n), 1))),
        infer_shape=lambda op, node, shapes: [(node.inputs[1], shapes[0][0])],
    )
    n, rows = T.lscalar("n"), T.lvector("rows")
    for given, count, twice in (
        ({x: VALUE, n: 2}, n, n * 2),
        ({x: VALUE, rows: [1, 1]}, *[rows.sum()] * 2),
    ):
        table, shape = evaluate([repeat(x, count) + 1, repeat(x, twice).shape], given)
        equal(table, np.tile(VALUE, (2, 1)) + 1)
        equal(shape, [4 if n in given else 2, 3])


@pytest.mark.parametrize("make", [lambda v: v, lambda v: v * 2, lambda v: v[::-1], T.cumsum])
def test_infer_shape_by_items_of_a_vector(make):
    filled = operation(
        "Filled",
        make_node=lambda op, shape: Apply(op, [shape], [T.dmatrix()]),
        perform=computes(np.ones),
        infer_shape=lambda op, node, shapes: [(node.inputs[0][0], node.inputs[0][1])],
    )
    i = T.lvector("i")
    ones, given = filled(make(i)), {i: [2, 3]}
    shape = make(T.constant(np.array([2, 3]))).eval()
    table, got, zeros = evaluate([T.exp(ones) * 2, ones.shape, T.zeros_like(ones)], given)
    equal(got, shape)
    assert table.shape == zeros.shape == tuple(shape)
    equal(evaluate(ones.shape, given), shape)


def test_a_wrong_infer_shape_counts_where_only_lengths_are_needed():
    """`Unique` says that it keeps the length, which is wrong where items repeat."""
    ran = []

    op = operation(
        "Unique",
        perform=computes(lambda x: ran.append(x) or np.unique(x)),
        infer_shape=lambda op, node, shapes: shapes,
        grad=lambda op, inputs, grads: [T.zeros_like(inputs[0]) + grads[0].sum()],
    )
    unique, given = op(x), {x: np.array([1.0, 2, 2, 3, 3])}
    for out, calls, wanted in (
        (unique, 1, [1, 2, 3]),
        (unique * 2 + unique.shape[0], 1, [5, 7, 9]),
        (T.outer(unique, unique)[2], 1, [3, 6, 9]),
        (unique + x[:3], 1, [2, 4, 5]),
        (T.concatenate([unique, x]), 1, [1, 2, 3, 1, 2, 2, 3, 3]),
        (theano.map(lambda a: a * 2, unique)[0], 1, [2, 4, 6]),
        (T.grad((unique**2).sum(), x), 1, [12] * 5),
        # Theano 1.0.5 says 5 here, too.
        (unique.shape[0], 0, 5),
        (T.zeros_like(unique), 0, [0] * 5),
    ):
        ran.clear()
        assert np.asarray(evaluate(out, given)).tolist() == wanted and len(ran) == calls
    steps, _ = theano.scan(lambda a, h: T.sum(op(h)) * h, x, x)
    promised = "length 3 along axis 0, and the operation promised 5"
    for out, text in ((unique + x, "Input dimension mis-match"), (steps, promised)):
        with pytest.raises(ValueError, match=text):
            evaluate(out, given)


def test_a_length_of_one_that_was_declared():
    row = operation(
        "Row",
        make_node=lambda op, x: Apply(op, [x], [T.drow()]),
        infer_shape=lambda op, node, shapes: [(1, shapes[0][0])],
        perform=computes(lambda x: np.ones((2, 3))),
    )
    with pytest.raises(TypeError, match="axis 0 of shape"):
        evaluate(row(x) * 2, {x: VALUE})


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
        (lambda shapes: shapes["oops"], "infer_shape of BadShape failed"),
    ],
)
def test_bad_infer_shape(answer, text):
    op = operation("BadShape", Double, infer_shape=lambda op, node, shapes: answer(shapes))
    with pytest.warns(UserWarning, match=text):
        f = theano.function([x], [op(x).shape, op(x) + 1])
    shape, value = f(VALUE)
    assert tuple(shape) == VALUE.shape
    equal(value, 2 * VALUE + 1)
    with theano.change_flags(on_shape_error="raise"), pytest.raises((TypeError, ValueError)):
        theano.function([x], op(x).shape)
    # It may say that it does not know.
    unsaid = operation("Unsaid", Double, infer_shape=lambda op, node, shapes: [None])
    assert evaluate(unsaid(x).shape, {x: VALUE}) == VALUE.shape
