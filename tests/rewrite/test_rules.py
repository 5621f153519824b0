"""Every rewriting rule: it fires through the whole pipeline, keeps values, and comes to an end."""

import itertools

import mpmath
import numpy as np
import pytest
from rule_examples import EXAMPLES, VALUES, m, x, y

import theano
import theano.tensor as T
from support.arrays import values
from support.comparison import EXACT
from support.compiling import check, evaluate as evaluate_all
from support.errors import refused
from theano._core.ir.graph import made_by, toposort
from theano._core.lower.reference import evaluate
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.indexing import AdvancedSubtensor, Subtensor
from theano._core.ops.array.products import Dot, Gemm
from theano._core.ops.array.reductions import Reduction
from theano._core.ops.array.shaping import Reshape
from theano._core.ops.elementwise.elementwise import Elementwise, elementwise_ops
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pipeline import INCLUDES, PASSES, all_rules, rewrite


def names_of(out):
    return [str(node.op) for node in toposort([out])]


def test_every_rule_has_an_example():
    assert {rule.name for rule in all_rules()} == set(EXAMPLES)


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_rule(name):
    out = EXAMPLES[name]
    rewriter = Rewriter(keep_log=True)
    fired = []
    result = rewrite([out], rewriter=rewriter)[0]
    assert rewriter.log is not None
    fired = [entry.rule.name for entry in rewriter.log]
    assert name in fired
    # None finds what it made itself again.
    assert len(fired) < 40
    before, after = (evaluate([v], VALUES)[0] for v in (out, result))
    assert before.dtype == after.dtype
    np.testing.assert_allclose(after, before, rtol=1e-13)
    again = rewrite([result])[0]
    assert names_of(again) == names_of(result)
    used = list(VALUES)
    f = theano.function(used, out, on_unused_input="ignore")
    np.testing.assert_allclose(f(*(VALUES[v] for v in used)), before, rtol=1e-13)


def added(f):
    """Return how many sums a function computes."""
    return [n.op for n in f.maker.graph.toposort()].count(T.add)


def entropy(p):
    return -(p * T.log(p) + (1 - p) * T.log(1 - p))


sigmoid, exp, log1p = T.nnet.sigmoid, mpmath.exp, mpmath.log1p
FAR, BACK, NEAR = [-1000, -40, -30, 0.1, 40], [1000, 40, 30, 0.1, -40], [1e-20, -1e-17, 0.5]
# What is written, what it is of a number, and numbers where digits would be lost.
STABLE = {
    "log(sigmoid)": (lambda v: T.log(sigmoid(v)), lambda v: -log1p(exp(-v)), FAR),
    "log1p(-sigmoid)": (lambda v: T.log1p(-sigmoid(v)), lambda v: -log1p(exp(v)), BACK),
    "gradient of log1p(-sigmoid)": (
        lambda v: T.grad((v * T.log1p(-sigmoid(v))).sum(), v),
        lambda v: -log1p(exp(v)) - v / (1 + exp(-v)),
        [-40, 0.1, 40, 1000],
    ),
    "gradient of an entropy": (
        lambda v: T.grad(entropy(sigmoid(v)).sum(), v),
        lambda v: -v / ((1 + exp(v)) * (1 + exp(-v))),
        [-700, -40, 0.1, 40, 700],
    ),
    "log(1 - sigmoid)": (lambda v: T.log(1 - sigmoid(v)), lambda v: -log1p(exp(v)), BACK),
    "1 - sigmoid": (lambda v: 1 - sigmoid(v), lambda v: 1 / (1 + exp(v)), [-40, 0.1, 50, 700]),
    "softplus": (lambda v: T.log(1 + T.exp(v)), lambda v: log1p(exp(v)), [-700, -40, 1, 1000]),
    "log(1 + x)": (lambda v: T.log(1 + v), log1p, NEAR),
    "log(1 - x)": (lambda v: T.log(1 - v), lambda v: log1p(-v), NEAR),
    "exp(x) - 1": (lambda v: T.exp(v) - 1, mpmath.expm1, NEAR),
    "1 - exp(x)": (lambda v: 1 - T.exp(v), lambda v: -mpmath.expm1(v), NEAR),
}


@pytest.mark.parametrize("name", STABLE)
def test_rules_lose_no_digits(name):
    build, exact, points = STABLE[name]
    got = evaluate_all(build(x), {x: points})
    with mpmath.workdps(60):
        wanted = np.array([float(exact(mpmath.mpf(p))) for p in points])
    np.testing.assert_allclose(got, wanted, rtol=1e-14)


def test_log_sum_exp_of_numbers_far_from_0():
    values = [[1000, 1000], [-1000, -1001], [-np.inf, -np.inf]]
    wanted = [1000 + np.log(2), -1000 + np.log1p(np.exp(-1)), -np.inf]
    got = evaluate_all(T.log(T.exp(m).sum(axis=1)), {m: values})
    np.testing.assert_allclose(got, wanted, rtol=1e-14)


def test_what_has_its_largest_taken_away_is_left():
    x = T.dtensor3("x")
    f = theano.function([x], T.logsumexp(x, axis=1))
    kinds = [n.op.kind for n in f.maker.graph.toposort() if isinstance(n.op, Reduction)]
    assert sorted(kinds) == ["max", "sum"]
    values = np.array([[[1000.0, -np.inf], [1000.0, -np.inf], [-1000.0, -np.inf]]])
    np.testing.assert_allclose(f(values), [[1000 + np.log(2), -np.inf]], rtol=1e-14)


@pytest.mark.parametrize("stacked", [False, True])
def test_what_has_the_larger_of_some_taken_away_is_left(stacked):
    a, b, c = T.dvectors("a", "b", "c")
    most, least = T.maximum(T.maximum(a, b), c), T.minimum(a, T.minimum(b, c))
    if stacked:
        most, least = T.stack([a, b, c]).max(axis=0), T.stack([a, b, c]).min(axis=0)
    outputs = [
        most + T.log(T.exp(a - most) + T.exp(b - most) + T.exp(c - most)),
        T.log(T.exp(least - a) + T.exp(least - b) + T.exp(least - c)) - least,
    ]
    f = theano.function([a, b, c], [v for o in outputs for v in (o, T.grad(o.sum(), a))])
    names = [str(n.op) for n in f.maker.graph.toposort()]
    assert sum(name.startswith("Elemwise{exp,") for name in names) == 6
    assert not any("isinf" in name for name in names)
    values = np.array([[1000.0, -1000, 3], [999.0, -2000, 3], [-1000.0, -1001, 3]])
    values = values[:, [0, 1, 2, 0]] + [0, 0, 0, 5e3]
    weights = np.exp(values - values.max(axis=0))
    total = weights.sum(axis=0)
    upper, slope, lower, fall = f(*values)
    np.testing.assert_allclose(upper, values.max(axis=0) + np.log(total), rtol=1e-15)
    np.testing.assert_allclose(slope, weights[0] / total, rtol=1e-14)
    weights = np.exp(values.min(axis=0) - values)
    total = weights.sum(axis=0)
    np.testing.assert_allclose(lower, np.log(total) - values.min(axis=0), rtol=1e-15)
    np.testing.assert_allclose(fall, -weights[0] / total, rtol=1e-14)
    # Of other numbers than those that are summed, the largest may be far from them.
    far = T.log(T.exp(a - most) + T.exp(b - most))
    assert np.isfinite(theano.function([a, b, c], far)([-1e3], [-1e3], [1e3])).all()


def test_items_of_a_softmax_are_added_to_one_as_they_are():
    x = T.dmatrix("x")
    e = T.exp(x)
    f = theano.function([x], T.log1p(e / e.sum(axis=1, keepdims=True)))
    assert len(f.maker.graph.toposort()) <= 10
    value = np.array([[1000.0, -1000], [3, 3]])
    np.testing.assert_allclose(f(value), np.log1p([[1, 0], [0.5, 0.5]]), rtol=1e-15)
    # What other items make a sum of may be small beside one, as is the sum beside a square.
    others = T.log1p(e / e.sum(axis=1)), T.log1p(e * e / e.sum(axis=1, keepdims=True))
    one, two = theano.function([x], others)(value)
    np.testing.assert_allclose(one, [[np.log(2), 0], [0, np.log1p(0.5)]], atol=1e-300)
    np.testing.assert_allclose(two, [[1000, 0], np.log1p([np.exp(3) / 2] * 2)], rtol=1e-14)


def test_a_step_of_gradient_descent_is_one_gemm():
    a, b, w = T.dmatrix("a"), T.dvector("b"), T.dvector("w")
    out = w - 0.1 * (T.dot(a.T, b) + 0.02 * w)
    result = rewrite([out])[0]
    assert isinstance(result.owner.op, Gemm)
    assert result.owner.inputs[0] is w
    np.testing.assert_allclose(
        [v.data for v in (result.owner.inputs[1], result.owner.inputs[4])], [-0.1, 0.998]
    )


@pytest.mark.parametrize(
    ("build", "length"),
    [
        (lambda m, k: m + T.ones((k, 3)), 3),
        (lambda m, k: T.ones((k, 3)) * m + T.zeros((k, 3)), 3),
        (lambda m, k: m ** T.ones((k, 3)), 3),
        (lambda m, k: T.switch(T.ones((k, 3)), m, 2 * m), 3),
        (lambda m, k: T.alloc(m, k, 3), 3),
        (lambda m, k: T.ones((k, k)) + T.dot(m, m.T), 3),
        (lambda m, k: T.ones((k, 2)) + T.dot(m, m.T), 1),
        (lambda m, k: (lambda z: z[:, :1] + z[:, 1:2])(T.exp(m) + T.arange(k + 1.0)), 1),
        (lambda m, k: (lambda z: z[0] + z[1])(T.exp(m) * T.arange(k).dimshuffle(0, "x")), 1),
    ],
)
def test_no_rule_takes_a_check_for_granted_that_it_removes(build, length):
    m, k = T.dmatrix("m"), T.lscalar("k")
    for mode in ("FAST_RUN", theano.Mode("py", "fast_run")):
        f = theano.function([m, k], build(m, k), mode=mode)
        f(np.ones((2, 3)), 2)
        with pytest.raises((ValueError, AssertionError), match=r"mis-match|shape"):
            f(np.ones((2, 3)), length)


def test_a_product_that_is_used_twice_is_computed_once():
    product = T.dot(m + T.dot(m, T.dot(m.T, m)), m.T)
    result = rewrite([m[:, :1] + product, T.tanh(product)])
    nodes = [n for n in toposort(result) if isinstance(n.op, (Dot, Gemm))]
    assert len(nodes) == 3


def recurrence(a, count):
    """Return a sum of Chebyshev polynomials by Clenshaw's recurrence."""
    one, two = 0 * a, 0 * a
    for k in range(count, 0, -1):
        one, two = 1.0 / k + 2 * a * one - two, one
    return a * one - two


def test_sums_that_others_need_are_not_added_up_again():
    for count in (10, 40):
        nodes = toposort(rewrite([recurrence(x, count)]))
        assert len(nodes) <= 3 * count
    f, values = theano.function([x], recurrence(x, 40)), np.linspace(-1, 1, 9)
    np.testing.assert_allclose(f(values), recurrence(values, 40), rtol=1e-12, atol=1e-12)
    z = (x + y) - m[0]
    both = rewrite([T.exp(z), -z])
    assert len([n for n in toposort(both) if n.op in (T.add, T.sub)]) == 2
    # What cancels does so wherever it stands.
    cancelled = rewrite([T.exp(x + T.sqr(x)), x + T.sqr(x) - x])[1]
    assert str(cancelled.owner.op) == "Elemwise{sqr,no_inplace}"


def test_parts_of_a_sum_are_added_where_they_are_used():
    z = T.dot(m, m.T) + x
    gates = T.nnet.sigmoid(z[:, :1]) * T.tanh(z[:, 1:])
    f = theano.function([m, x], gates)
    adds = [n for n in f.maker.graph.toposort() if n.op is T.add]
    assert len(adds) == 2
    checked = [v.owner.inputs[0] if made_by(v, Require) else v for n in adds for v in n.inputs]
    assert all(made_by(v, Subtensor) for v in checked)


def stencil(a):
    """Return Sobel's sum along rows: two parts of a cheap sum of parts."""
    smooth = a[:, :-2] + 2 * a[:, 1:-1] + a[:, 2:]
    return smooth[1:] - smooth[:-1]


def test_parts_of_cheap_sums_are_computed_again():
    for shape in [(0, 0), (1, 3), (2, 1), (2, 2), (5, 7), (4, 40)]:
        f = check(stencil, stencil, values(shape), tolerance=EXACT)
    # All parts are views of the input itself: the loop reads what it needs and stores nothing.
    parts = [n for n in f.maker.graph.toposort() if isinstance(n.op, Subtensor)]
    assert all(n.inputs[0] is f.maker.graph.inputs[0] for n in parts)


def apart(x, y):
    """Return the products of coordinates of all differences of points."""
    d = x[:, None, :] - y
    return d[:, :, 0] * d[:, :, 1]


def test_parts_of_differences_of_all_pairs_are_not_stored():
    f = check(apart, apart, values((5, 3)), values((4, 3), seed=1), tolerance=EXACT)
    assert all(n.outputs[0].type.ndim < 3 for n in f.maker.graph.toposort() if n.op is T.sub)
    with refused(ValueError, "mis-match"):
        f(values((5, 3)), values((5, 2)))


def sums(a, count=12):
    """Return sums of neighbours: each is computed for a few points again, never for all."""
    for _ in range(count):
        a = a[1:] + a[:-1]
    return a


def test_parts_of_parts_of_sums_do_not_grow():
    assert added(check(sums, sums, values((30, 2)), tolerance=EXACT)) < 60


def test_parts_of_dear_functions_are_stored():
    both = T.exp(m) + T.log(m)
    f = theano.function([m], both[1:] * both[:-1])
    assert [n.op for n in f.maker.graph.toposort()].count(T.exp) == 1


def test_parts_of_what_is_made_of_parts_share_it():
    """Each of three stencils is stored: the factor of one is taken over by what reads it."""
    a = m
    for _ in range(3):
        a = (a[2:, 1:-1] + a[:-2, 1:-1] + a[1:-1, 2:] + a[1:-1, :-2] + 4 * a[1:-1, 1:-1]) / 8
    assert added(theano.function([m], a)) == 12


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", "uint16", "uint32"])
def test_narrow_positions_are_widened_as_they_are_read(dtype):
    i = np.array([[0, 1, 2], [2, 1, 1], [0, 0, 2]], dtype)
    if dtype.startswith("i"):
        i[0] = -1, -2, -3
    take = lambda x, m, i: [x[i], m[:, i], m[i, i.T], m[i]]
    check(take, take, values(3), values((3, 3), seed=1), i, tolerance=EXACT)
    g = check(lambda x, i: x[i], lambda x, i: x[i], values(3), i[:, :0], tolerance=EXACT)
    assert len(g.maker.graph.toposort()) == 1
    with refused(IndexError, "3"):
        g(values(3), np.full((1, 2), 3, dtype))


def test_every_other_item_is_read_of_what_is_stored():
    a = m
    for _ in range(3):
        a = a[::2] + a[1::2]
    assert added(theano.function([m], a)) == 3


def test_lengths_of_what_is_cut_off_are_equal():
    f = theano.function([x], [x[2:].shape[0], x[1:-1].shape[0], x[:-2].shape[0]])
    assert len(f.maker.graph.toposort()) == 3
    for n in range(5):
        assert f(np.zeros(n)) == [max(n - 2, 0)] * 3
    far = 2**63 - 1
    g = theano.function([x], [x[far:-far].shape[0], x[far:].shape[0], x[: -far - 1].shape[0]])
    assert g(np.zeros(4)) == [0, 0, 0]


def test_shapes_need_no_values():
    out = T.dot(T.exp(m), m.T).shape[0] + T.concatenate([x, T.log(y)]).shape[0]
    names = set(names_of(rewrite([out])[0]))
    assert names <= {"Shape_i{0}", "SumOfLengths", str(elementwise_ops()["add"])}


@pytest.mark.parametrize(
    ("build", "wanted"),
    [
        (lambda y: y.flatten(), (24,)),
        (lambda y: y.reshape((-1, 1)), (24, 1)),
        (lambda y: y.reshape((y.shape[0], -1)), (2, 12)),
        (lambda y: y.reshape((y.shape[2], 1, -1)), (4, 1, 6)),
        (lambda y: y.reshape((y.shape[2], -1, y.shape[0])), (4, 3, 2)),
        (lambda y: T.repeat(y, 3), (72,)),
    ],
)
def test_the_length_that_is_left_of_a_reshape_needs_no_values(build, wanted):
    x = T.dtensor3("x")
    f = theano.function([x], build(T.exp(x)).shape)
    assert not any(isinstance(node.op, (Reshape, Elementwise)) for node in f.maker.graph.toposort())
    assert tuple(f(np.ones((2, 3, 4)))) == wanted
    # A length that is stated twice and is there once decides nothing.
    other = theano.function([x], T.exp(x).reshape((x.shape[0], -1, x.shape[0])).shape)
    assert other(np.ones((2, 3, 4))).tolist() == [2, 6, 2]


def test_passes_say_why_and_what_they_keep():
    assert all(step.why for step in PASSES)
    keeps = ("exact", "rounding", "nan")
    names = [step.name for step in PASSES]
    for step in PASSES:
        phases = (step.name, *INCLUDES.get(step.name, ()))
        weakest = max((keeps.index(r.keeps) for r in all_rules() if r.phase in phases), default=0)
        assert keeps.index(step.keeps) >= weakest, step.name
    assert {rule.phase for rule in all_rules()} <= {*names, "shape"}
    assert all(rule.why and rule.keeps in ("exact", "rounding", "nan") for rule in all_rules())


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_reductions_of_permuted_axes(order):
    """They are reductions of the axes themselves, and only what is left is permuted."""
    x = T.TensorType("float64", (False, True, False, False))("x")
    array = np.arange(24.0).reshape(2, 1, 3, 4)
    view = x.dimshuffle(*[(0, 2, 3)[axis] for axis in order], "x")
    wanted = array[:, 0].transpose(order)[..., None]
    all_axes = ((0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2), (2, 3))
    cases = list(itertools.product(("sum", "max", "prod"), all_axes))
    f = theano.function([x], [getattr(view, name)(axis=list(axes)) for name, axes in cases])
    for got, (name, axes) in zip(f(array), cases, strict=True):
        np.testing.assert_allclose(got, getattr(wanted, name)(axis=axes))
    f = theano.function([x], view.sum(axis=0))
    reductions = [n for n in f.maker.graph.toposort() if isinstance(n.op, Reduction)]
    assert reductions[0].inputs[0] is f.maker.graph.inputs[0] or order == (0, 1, 2)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "uint64", "int64"])
def test_positions_are_read_as_they_are(dtype):
    i = T.TensorType(dtype, (False,))("i")
    f = theano.function([x, i], [x[i], T.inc_subtensor(x[i], 1)])
    nodes = [n for n in f.maker.graph.toposort() if isinstance(n.op, AdvancedSubtensor)]
    read = {node.inputs[-1].type.dtype for node in nodes}
    assert read == ({"int64"} if dtype == "uint64" else {dtype})
    at = np.array([2, 0, 2, *([-1] if dtype.startswith("i") else [])], dtype)
    four = np.arange(4.0)
    wanted = four.copy()
    np.add.at(wanted, at.astype("int64"), 1)
    got = f(four, at)
    np.testing.assert_array_equal(got[0], four[at.astype("int64")])
    np.testing.assert_array_equal(got[1], wanted)
    with pytest.raises(IndexError, match="out of bounds"):
        f(four, np.array([4], dtype))


@pytest.mark.parametrize(
    ("dtypes", "one"),
    [
        (("float32", "float64", "float32"), True),
        (("int8", "int64", "uint8"), True),
        (("int32", "float64", "float32"), True),
        (("float32", "complex64", "complex128"), True),
        (("int64", "float64", "float32"), False),
        (("int64", "complex128", "complex64"), False),
        (("int8", "float32", "uint8"), False),
        (("float32", "float64", "int32"), False),
        (("float64", "float32", "float64"), False),
        (("int32", "float64", "float16"), False),
    ],
)
def test_conversions_one_after_the_other(dtypes, one):
    """They are one where the first keeps all values, and the second sees no difference."""
    first, between, last = dtypes
    source = T.vector(dtype=first)
    f = theano.function([source], T.cast(T.cast(source, between), last))
    casts = [n for n in f.maker.graph.toposort() if getattr(n.op, "is_cast", False)]
    assert len(casts) == (2 if not one else int(first != last))
    exact = np.array([0, 1, -1, 127, -128, 2**24 + 1, 1 / 3, 2**62 + 2**8 + 1])
    with np.errstate(all="ignore"):
        values = exact[:5].astype(first) if first == "int8" else exact.astype(first)
        wanted = values.astype(between).astype(last)
    assert f(values).tobytes() == wanted.tobytes()


def test_logarithm_of_cosh_of_integers():
    """Twice an integer may not fit into its type."""
    i = T.bvector()
    f = theano.function([i], [T.log(T.cosh(i)), T.log(2 * T.cosh(i))])
    for offset, got in zip((0, np.log(2)), f(np.array([-80, 3, 80], "int8")), strict=True):
        wanted = np.log(np.cosh(np.array([-80, 3, 80], "float64"))) + offset
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_complex_exponents_are_no_factors():
    x = T.dvector()
    got = theano.function([x], x ** (2 + 0j) * x)([3.0])
    np.testing.assert_allclose(got, [27.0])
