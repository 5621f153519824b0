"""Gradients of every operation to order two, against central differences of order two."""

import zlib

import numpy as np
import pytest
from registry import OPS

import theano
import theano.tensor as T
from support.compiling import evaluate
from support.errors import refused
from theano._core.api.debug.checks import check_gradient as check, draw, is_smooth
from theano._core.base.errors import NullTypeGradError
from theano._core.ops.array.reductions import reduce
from theano.gradient import DisconnectedInputError

SMOOTH = [
    name
    for name, op in OPS.items()
    if is_smooth(op) and name not in ("switch", "imag", "angle", "mod", "tetra_gamma", "jv", "iv")
]
# Functions whose second derivative is not there: asking for it is an error that says so.
ONCE = ("tri_gamma", "gammainc", "gammaincc", "gammal", "gammau", "chdtrc", "chi2sf")


@pytest.mark.parametrize("name", SMOOTH)
def test_elementwise(name):
    op = OPS[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    arrays = [np.asarray(draw(rng, where, "float64", (2, 3))) for where in op.samples]
    check(op, arrays, order=1 if name in ONCE else 2)


@pytest.mark.parametrize("name", ["jv", "iv"])
def test_bessel_functions_of_an_order_that_is_fixed(name):
    for order in (0, 1, 2.5):
        check(lambda x, order=order: OPS[name](order, x), [np.array([[0.5, 1.0, 2.0, 3.5]])])


@pytest.mark.parametrize("name", ["tetra_gamma", "jv", "iv"])
def test_derivatives_that_are_not_there(name):
    x = T.dscalar("x")
    out = OPS[name](x) if OPS[name].nin == 1 else OPS[name](x, 2.0)
    with pytest.raises(NullTypeGradError, match="is not there"):
        theano.grad(out, x)


CASES = {
    "sort": (lambda x: T.sqr(T.sort(x, axis=0)), [(3, 4)]),
    "topk": (lambda x: T.sqr(T.topk(x, 2)) * 3, [(3, 4)]),
    "cumsum": (lambda x: T.sqr(T.cumsum(x, axis=1)), [(3, 4)]),
    "cumprod": (lambda x: T.cumprod(x, axis=0), [(3, 4)]),
    "diff": (lambda x: T.diff(x, 2) ** 2, [(3, 4)]),
    "choose": (
        lambda x, y: T.choose(np.array([[0, 1, 1], [1, 0, 1]]), [x, y]) ** 2,
        [(2, 3), (3,)],
    ),
    "unique": (lambda x: T.extra_ops.Unique()(x) ** 2, [(3, 4)]),
    "unique rows": (lambda x: T.extra_ops.Unique(axis=1)(x) ** 2, [(3, 4)]),
    "repeat": (lambda x: T.repeat(x, np.array([0, 3, 1]), axis=0) ** 2, [(3, 4)]),
    "bincount": (lambda w: T.bincount(np.array([1, 3, 1]), w) ** 2, [(3,)]),
    "compress": (lambda x: T.extra_ops.compress(x[0] > 0, x, axis=1) ** 2, [(3, 4)]),
    "fill diagonal": (lambda x, v: T.fill_diagonal(x, v) ** 2, [(3, 4), ()]),
    "broadcast": (lambda x, y: x.dimshuffle(0, "x") * T.exp(y), [(3,), (3, 4)]),
    "scalar": (lambda x, y: x * y**2, [(), (3, 4)]),
    "sum": (lambda x: T.sqr(x.sum(axis=1)), [(3, 4)]),
    "mean": (lambda x: T.sqr(x.mean(axis=0)) * x, [(3, 4)]),
    "prod": (lambda x: x.prod(axis=1) ** 2, [(3, 4)]),
    "max": (lambda x: T.sqr(x.max(axis=1)), [(3, 4)]),
    "min": (lambda x: T.sqr(x.min()), [(3, 4)]),
    "var": (lambda x: x.var(axis=1), [(3, 4)]),
    "dot matrices": (lambda x, y: T.tanh(T.dot(x, y)), [(3, 4), (4, 2)]),
    "dot vector": (lambda x, y: T.sqr(T.dot(x, y)), [(3, 4), (4,)]),
    "vector dot": (lambda x, y: T.sqr(T.dot(y, x)), [(3, 4), (3,)]),
    "inner": (lambda x, y: T.sqr(T.dot(x, y)), [(4,), (4,)]),
    "dot higher": (lambda x, y: T.tanh(T.dot(x, y)), [(2, 3, 4), (4, 2)]),
    "tensordot": (lambda x, y: T.tanh(T.tensordot(x, y, [[1, 2], [0, 1]])), [(2, 3, 4), (3, 4, 2)]),
    "outer": (lambda x, y: T.sqr(T.outer(x, y)), [(3,), (2,)]),
    "transpose": (lambda x: T.sqr(x.T) * x.T[0], [(3, 4)]),
    "reshape": (lambda x: T.sqr(x.reshape((4, 3))), [(3, 4)]),
    "join": (lambda x, y: T.sqr(T.concatenate([x, y, x], axis=1)), [(2, 3), (2, 1)]),
    "stack": (lambda x, y: T.sqr(T.stack([x, y, x * y])), [(3,), (3,)]),
    "slice": (lambda x: T.sqr(x[1:, ::-2]), [(3, 4)]),
    "item": (lambda x: T.sqr(x[1, 2]), [(3, 4)]),
    "set": (lambda x, y: T.sqr(T.set_subtensor(x[1:, 0], y)), [(3, 4), (2,)]),
    "inc": (lambda x, y: T.sqr(T.inc_subtensor(x[1], y)), [(3, 4), (4,)]),
    "gather": (lambda x: T.sqr(x[[2, 0, 2]]), [(3, 4)]),
    "set positions": (lambda x, y: T.sqr(T.set_subtensor(x[[2, 0]], y)), [(3, 4), (2, 4)]),
    "inc positions": (lambda x, y: T.sqr(T.inc_subtensor(x[[2, 0, 2]], y)), [(3, 4), (3, 4)]),
    "alloc": (lambda x: T.sqr(T.alloc(x, 5, 3)), [(3,)]),
    "switch": (lambda x, y: T.switch(x > 0, x * y, T.exp(x)), [(3, 4), (3, 4)]),
    "softmax": (lambda x: T.nnet.softmax(x), [(3, 4)]),
    "log sum exp": (lambda x: T.log(T.exp(x).sum(axis=1)), [(3, 4)]),
    "logistic": (lambda x: T.log(1 / (1 + T.exp(-x))), [(3, 4)]),
    "eye": (lambda x: T.dot(x, T.eye(4)) ** 2, [(3, 4)]),
    "any shape": (lambda x: x * x.shape[0] + T.cast(x.shape[1], "float64"), [(3, 4)]),
}


@pytest.mark.parametrize("name", list(CASES))
def test_structured(name):
    build, shapes = CASES[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    signs = lambda shape: rng.choice([-1, 1], shape)
    check(build, [np.asarray(rng.uniform(0.4, 1.6, size=s)) * signs(s) for s in shapes])


@pytest.mark.parametrize(
    ("build", "point", "wanted"),
    [
        (abs, [0.0], [0]),
        (T.nnet.relu, [0.0], [0.5]),
        (lambda x: T.clip(x, 0, 1), [0.0, 1, 2], [1, 1, 0]),
        (T.max, [1.0, 2, 2], [0, 1, 1]),
        (T.sqrt, [0.0], [np.inf]),
        (T.prod, [2.0, 0, 3], [0, 6, 0]),
        (lambda x: x**0, [0.0, 1], [0, 0]),
        (T.floor, [0.5, 1.5], [0, 0]),
        (lambda x: T.maximum(x, T.zeros(3)), [0.0] * 3, [1, 1, 1]),
        (lambda x: T.maximum(T.zeros(3), x), [0.0] * 3, [0, 0, 0]),
        # Of what is discrete there is none.
        (lambda x: T.argmax(x) * 1.0, [1.0, -2], [0, 0]),
        (lambda x: T.cast(x, "int32").sum() * 1.0, [1.0, -2], [0, 0]),
        (lambda x: (x > 0).sum() * 1.0, [1.0, -2], [0, 0]),
        (lambda x: T.cast(reduce("all", x), "float64"), [1.0, 2], [0, 0]),
        (lambda x: T.cast(reduce("any", x), "float64"), [1.0, 2], [0, 0]),
        # Of two equal ones the second is the largest.
        (lambda x: T.largest(x, 1.0), [1.0, np.nan], [0, 0]),
        (lambda x: T.smallest(x, 1.0), [1.0, np.nan], [0, 0]),
    ],
)
def test_derivatives_that_are_a_matter_of_choice_are_those_of_theano(build, point, wanted):
    x = T.dvector("x")
    gradient = theano.grad(build(x).sum(), x)
    np.testing.assert_array_equal(evaluate(gradient, {x: point}), wanted)


def test_the_largest_of_a_number_and_nan_is_the_number():
    x = T.dvector("x")
    for choose in (T.largest, T.smallest):
        assert choose(x, 1.0).eval({x: [1.0, np.nan]}).tolist() == [1.0, 1.0]


def test_a_power_of_what_is_not_positive():
    x, y = T.dvectors("x", "y")
    f = theano.function([x, y], T.grad((x**y).sum(), y))
    given = np.array([-2.0, -2.0, 0.0, 0.0, 0.0, 2.0]), np.array([2.0, 0.5, 2.0, 0.0, -1.0, 1.0])
    wanted = [np.nan, np.nan, 0, 0, 0, 2 * np.log(2)]
    np.testing.assert_allclose(f(*given), wanted)


def test_results_are_as_wrt():
    x, y = T.dvectors("x", "y")
    cost = (x * y).sum()
    assert isinstance(theano.grad(cost, [x, y]), list)
    assert isinstance(theano.grad(cost, (x, y)), tuple)
    assert theano.grad(cost, x).type == x.type


def test_float32_stays_float32():
    x = T.fvector("x")
    assert theano.grad((x * 0.1 + 1e300).sum(), x).dtype == "float32"


def test_disconnected():
    x, z = T.dvectors("x", "z")
    cost = x.sum()
    with pytest.raises(DisconnectedInputError, match="z"):
        theano.grad(cost, z)
    with pytest.warns(UserWarning, match="z"):
        theano.grad(cost, z, disconnected_inputs="warn")
    zeros = theano.grad(cost, z, disconnected_inputs="ignore")
    np.testing.assert_array_equal(theano.function([z], zeros)([1.0, 2.0]), [0, 0])
    assert theano.grad(cost, z, disconnected_inputs="ignore", return_disconnected="None") is None


def test_gradients_by_what_is_considered_constant():
    x, y = T.dscalars("x", "y")
    z = x * y
    assert T.grad(z, [x, y], consider_constant=[x])[0].eval({x: 2.0, y: 3.0}) == 3
    run = theano.function([x, y], T.grad(z * x, [z, x, y], [z], disconnected_inputs="ignore"))
    assert run(2.0, 3.0) == [2, 6, 0]


def test_known_gradients_are_sent_back():
    x = T.dvector("x")
    double = x * 2
    for known, wanted in ((T.constant(0.5), [1, 1]), (3 * double, [12, 24])):
        slope = T.grad(None, x, known_grads={double: known})
        assert slope.eval({x: [1.0, 2.0]}).tolist() == wanted
    refuse = lambda cost, value, known: T.grad(cost, x, known_grads={value: known})
    with refused(TypeError, "int8"):
        refuse(None, double, T.constant(1))
    with refused(ValueError, "2 dimensions"):
        refuse(None, double, T.dmatrix())
    total = x.sum()
    with pytest.raises(DisconnectedInputError):
        refuse(total, total, theano.gradient.DisconnectedType()())
    undefined = theano.gradient.grad_undefined(T.add, 0, x)
    with pytest.raises(NullTypeGradError):
        refuse(total, total, undefined)
    with refused(TypeError, "NaN"):
        theano.function([], undefined)


def test_what_the_cost_depends_on_counts_as_used():
    x, y = T.dscalars("x", "y")
    assert theano.function([x, y], T.grad(x + y, x))(1.0, 2.0) == 1
    n = T.iscalar()
    assert T.grad(n, n).eval({n: 12}) == 1


def test_gradients_of_parts():
    x, w, v = T.dvector("x"), theano.shared(np.eye(2) * 3), theano.shared(np.ones(2))
    hidden = T.tanh(T.dot(x, w))
    cost, penalty = T.sqr(T.dot(hidden, v)), T.sqr(w).sum()
    (by_v,), ends = theano.subgraph_grad([v], [hidden], cost=cost)
    (by_w,), (by_x,), before, own = theano.subgraph_grad(
        [w], [x], start=dict(zip([hidden], ends, strict=True)), cost=penalty, details=True
    )
    assert len(before) == len(own) == 2
    whole = T.grad(cost + penalty, [v, w, x])
    for part, wanted in zip((by_v, by_w, by_x), whole, strict=True):
        np.testing.assert_allclose(part.eval({x: [0.1, -0.2]}), wanted.eval({x: [0.1, -0.2]}))
    with pytest.raises(AssertionError, match="cost"):
        theano.subgraph_grad([w], [x])


def test_forward_mode_of_what_has_no_slope():
    x, v = T.dvectors("x", "v")
    flat = [T.eq(x, 0), T.zeros_like(x), T.cast(x, "int32"), theano.gradient.zero_grad(x)]
    for result in T.Rop(flat, x, v):
        found = theano.function([x, v], result, on_unused_input="ignore")([1, 2], [3, 4])
        assert found.tolist() == [0, 0]
    assert T.Rop(x.shape[0] * 1.0, x, v).eval({x: [1.0]}) == 0
    for cut in (theano.gradient.disconnected_grad(x), T.dvector(), x.shape[0], x.shape):
        with pytest.raises(DisconnectedInputError):
            T.Rop(cut, x, v)
    with pytest.raises(ValueError, match="variables"):
        T.Rop(0.0, x, v)


def test_forward_mode_uses_what_its_expression_uses():
    m, v, dm, dv = T.dmatrix(), T.dvector(), T.dmatrix(), T.dvector()
    run = theano.function([m, v, dm, dv], T.Rop([m, v, m + v], [m, v], [dm, dv]))
    results = run(np.zeros((2, 2)), np.zeros(2), np.ones((2, 2)), np.ones(2))
    assert [r.tolist() for r in results] == [[[1, 1], [1, 1]], [1, 1], [[2, 2], [2, 2]]]


def test_forward_mode_adds_what_comes_by_several_ways():
    x, y, dx, dy = T.dvectors(4)
    for out, wanted in ((x + y, 3), (x + y * y, 9), ((x + y) + (x - y), 2), (x, 1)):
        run = theano.function(
            [x, y, dx, dy], T.Rop(out, [x, y], [dx, dy]), on_unused_input="ignore"
        )
        assert run([7], [2], [1], [2]).tolist() == [wanted]


POINT = np.array([0.1, 0.4, -0.3])


def chain(x, mark):
    hidden = mark(T.tanh(x))
    hidden = mark(T.exp(mark(hidden * x)) - 1)
    return T.sin(hidden + T.dot(hidden, hidden)).sum()


def loop(x, mark):
    step = lambda h: mark(T.tanh(mark(h * 2))) + x
    return theano.scan(step, outputs_info=x, n_steps=4)[0][-1].sum()


@pytest.mark.parametrize("build", [chain, loop])
def test_values_that_are_computed_again(build):
    x = T.dvector("x")
    plain, marked = (build(x, mark) for mark in (lambda v: v, theano.gradient.checkpoint))

    def results(cost):
        slope = T.grad(cost, x)
        return evaluate([cost, slope, T.grad(slope.sum(), x), T.Rop(cost, x, x)], {x: POINT})

    for one, two in zip(results(plain), results(marked), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-13)

    def count(cost):
        f = theano.function([x], [cost, T.grad(cost, x)])
        return sum("tanh" in str(n.op) for n in f.maker.graph.toposort())

    assert build is loop or (count(plain) == 1 and count(marked) > 1)


def test_the_size_of_a_gradient_is_linear():
    x = T.dvector("x")
    out = x
    for _ in range(10_000):
        out = T.tanh(out)
    slope = T.grad(out.sum(), x)
    count = len(theano.gof.graph.ops([x], [out.sum()]))
    assert len(theano.gof.graph.ops([x], [slope])) - count <= 5 * count


def test_an_expression_that_is_written_twice():
    """One cotangent is sent through it, but not to what is asked for or given."""
    x, w = T.dvector("x"), T.dmatrix("w")

    def layer():
        return T.tanh(T.dot(x, w) / 2)

    def cost_of(one, two):
        return (one * 3).sum() + T.exp(two).sum()

    same = layer()
    costs = cost_of(layer(), layer()), cost_of(same, same)
    twice, once = (len(theano.gof.graph.ops([x, w], [T.grad(cost, w)])) for cost in costs)
    assert twice - once == len(theano.gof.graph.ops([x, w], [same]))
    values = [np.array([0.5, -1.0]), np.array([[1.0, 2.0], [0.3, -2.0]])]
    one, two = (theano.function([x, w], T.grad(cost, w))(*values) for cost in costs)
    np.testing.assert_allclose(one, two)

    first, second, at = T.exp(x), T.exp(x), values[0]
    cost = (first * 2 + second * 3).sum()
    for wrt, wanted in ((first, 2), (second, 3), (x, 5 * np.exp(at))):
        np.testing.assert_allclose(T.grad(cost, wrt).eval({x: at}) * np.ones(2), wanted)
    given = T.grad(None, x, known_grads={first: T.ones_like(x)})
    np.testing.assert_allclose(given.eval({x: at}), np.exp(at))
    rest = T.grad(cost, x, consider_constant=[second])
    np.testing.assert_allclose(rest.eval({x: at}), 2 * np.exp(at))


@pytest.mark.parametrize(
    "expression",
    [
        lambda x: T.tanh(x)[::-1],
        lambda x: T.tanh(x).reshape((2, 2)),
        lambda x: T.tanh(x) * [1.0, 2.0, 3.0, 4.0],
        lambda x: T.jacobian(T.tanh(x) * x.sum(), x),
    ],
    ids=["steps", "shapes", "arrays", "loops"],
)
def test_an_expression_of_equal_constants_that_is_written_twice(expression):
    """Loops of gradients read arrays backwards, and Jacobians nest: they doubled at each level."""
    x, at = T.dvector("x"), np.array([0.5, -1.0, 2.0, 0.1])
    same = expression(x)
    pairs = (expression(x), expression(x)), (same, same)
    costs = [T.exp(one).sum() + (3 * two).sum() for one, two in pairs]
    twice, once = (len(theano.gof.graph.ops([x], [T.grad(cost, x)])) for cost in costs)
    assert twice - once <= len(theano.gof.graph.ops([x], [same]))
    one, two = (theano.function([x], T.grad(cost, x))(at) for cost in costs)
    np.testing.assert_allclose(one, two)


@pytest.mark.parametrize(
    "function",
    [
        lambda z: T.exp(z) + T.sin(z) * T.cos(z),
        lambda z: T.log(z) * T.sqrt(z),
        lambda z: z**3 + 2**z,
        lambda z: T.tanh(z) / T.cosh(z) - T.sinh(z),
        lambda z: T.sqr(z) * T.inv(z) / (z + 2),
        lambda z: T.prod(z) + T.cumprod(z),
        lambda z: T.conj(T.exp(z)) * abs(z) + T.angle(z) * T.imag(z),
    ],
)
def test_complex_gradients(function):
    """A gradient is what the cost gains along the real axis, plus i times along the other."""
    z, t = T.zvector("z"), T.zvector("t")
    cost = T.sum(abs(function(z)) ** 2 + T.real(function(z)))
    value = np.array([0.7 + 0.4j, -0.3 + 0.9j, 1.1 - 0.5j])
    along = np.array([0.3 - 1j, 1 + 0.2j, -0.4j])
    run = theano.function([z], cost)
    step = 1e-6

    def slope(direction):
        return (run(value + step * direction) - run(value - step * direction)) / (2 * step)

    unit = np.eye(3)
    measured = [slope(unit[k]) + 1j * slope(1j * unit[k]) for k in range(3)]
    np.testing.assert_allclose(theano.grad(cost, z).eval({z: value}), measured, rtol=1e-6)
    forward = T.Rop(cost, z, t).eval({z: value, t: along})
    np.testing.assert_allclose(forward, slope(along), rtol=1e-6)


class Signs(theano.Op):
    """Its input, whose gradient is the sign of what flows back."""

    __props__ = ()

    def make_node(self, x):
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0].copy()

    def grad(self, inputs, gradients):
        return [T.sgn(gradients[0])]


class SignsOfScalars(theano.scalar.UnaryScalarOp):
    def impl(self, x):
        return x

    def grad(self, inputs, gradients):
        return [theano.scalar.sgn(gradients[0])]


clipped, _x = lambda x: theano.gradient.grad_clip(x, -1, 1), T.dvector("x")
NOT_ADDITIVE = {
    "clip": clipped,
    "of a user": Signs(),
    "of scalars": T.Elemwise(SignsOfScalars(theano.scalar.upgrade_to_float)),
    "override": theano.OpFromGraph([_x], [_x * 1], grad_overrides=lambda x, g: [T.sgn(g[0])]),
    "clip in a graph": theano.OpFromGraph([_x], [clipped(_x)]),
    "clip in a loop": lambda x: theano.scan(clipped, sequences=x)[0],
}


@pytest.mark.parametrize("name", list(NOT_ADDITIVE))
def test_each_of_two_gets_its_own_gradient_where_that_is_not_a_sum(name):
    once = NOT_ADDITIVE[name]
    slope = T.grad((3 * once(_x)).sum() + (10 * once(_x)).sum(), _x)
    assert theano.function([_x], slope)([2.0]) == 2
