"""`theano.extend`: functions that fuse, operations on arrays, rules, and their generic tests."""

import importlib
import pickle

import numpy as np
import pytest
from user_ops import Double, Scaled, Square, SumAndProduct, TypedDouble, Undefined, operation

import theano
import theano.tensor as T
from support.compiling import evaluate
from support.processes import run_python
from theano import extend

X = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.75]])
V, W = np.array([1.0, -2.0, 0.5]), np.array([0.3, 2.0])
x, v, w = T.dmatrix("x"), T.dvector("v"), T.dvector("w")
close = np.testing.assert_allclose

softsquare = extend.elementwise(
    "softsquare",
    lambda xp, x: x * x / (1 + x * x),
    grad=lambda g, x, y: (g * 2 * x / T.sqr(1 + x * x),),
    llvm=lambda b, x: b.true_div(b.mul(x, x), b.add(b.mul(x, x), b.const(1, x.dtype))),
    dtype=extend.to_real_float,
    samples=extend.reals(-3, 3),
)
# Without native code: `compute` is called for whole arrays.
wave = extend.elementwise(
    "wave",
    lambda xp, x, y: xp.sin(x) * y,
    grad=lambda g, x, y, z: (g * T.cos(x) * y, g * T.sin(x)),
    dtype=extend.to_real_float,
    samples=(extend.reals(-9, 9), extend.anything),
)
# Native code under names of NumPy.
relative = extend.elementwise(
    "relative_distance",
    lambda xp, x, y: xp.where(x < y, (y - x) / (x + y), xp.power(x - y, 2)),
    dtype=extend.to_real_float,
    llvm=lambda b, x, y: b.where(
        b.less(x, y), b.divide(b.subtract(y, x), b.add(x, y)), b.square(b.subtract(x, y))
    ),
    samples=extend.positive,
)


class OuterProduct(extend.Structured):
    """Products of all pairs of elements of two vectors."""

    __props__ = ()

    def make_node(self, x, y):
        x, y = extend.as_variable(x), extend.as_variable(y)
        kind = extend.TensorType(x.dtype, (False, False))
        return extend.Apply(self, [x, y], [kind()])

    def compute(self, xp, node, x, y):
        return (xp.outer(x, y),)

    def shape(self, node, shapes):
        return [(shapes[0][0], shapes[1][0])]

    def vjp(self, node, cotangents):
        x, y = node.inputs
        (g,) = cotangents
        return [T.dot(g, y), T.dot(x, g)]


class Total(extend.Structured):
    """The sum of all elements, as a NumPy scalar."""

    __props__ = ()

    def make_node(self, x):
        return self.one([x], x.dtype, ())

    def compute(self, xp, node, x):
        return (np.sum(x),)

    def shape(self, node, shapes):
        return [()]

    def vjp(self, node, cotangents):
        return [T.ones_like(node.inputs[0]) * cotangents[0]]


def test_a_function_with_native_code_fuses():
    f = theano.function([x], T.exp(softsquare(x)) * 2 + x)
    close(f(X), np.exp(X**2 / (1 + X**2)) * 2 + X, rtol=1e-14)
    assert len(f.maker.kernels) == 3  # one loop: for contiguous and other data, and short rows
    assert not f.maker.callbacks


def test_a_function_without_native_code_runs_all_the_same():
    y = T.drow("y")
    f = theano.function([x, y], T.exp(wave(x, y)) + 1)
    close(f(X, X[:1]), np.exp(np.sin(X) * X[:1]) + 1)
    assert len(f.maker.callbacks) == 1
    with pytest.raises(ValueError, match="mis-match"):
        evaluate(wave(x, x[:, :2]), {x: X})


@pytest.mark.parametrize("op", [softsquare, wave, relative], ids=str)
def test_functions_pass_the_generic_tests(op):
    extend.check(op)
    assert pickle.loads(pickle.dumps(op)) == op


@pytest.mark.parametrize(
    ("op", "examples", "order"),
    [
        (OuterProduct(), [(V, W), (V[:0], W), (V, W[:1])], 2),
        (Total(), [(X,), (V,), (X[:0],)], 2),
        (Double(), [(X,), (np.arange(3),), (V.astype("float32"),)], 2),
        (TypedDouble(), [(V,)], 2),
        (Scaled(3, 4), [(X,)], 2),
        (Square(), [(X,), (V[:0],)], 2),
        (SumAndProduct(2), [(V, V + 1, W)], 2),
        (Undefined(), [(X,)], 0),
    ],
    ids=str,
)
def test_operations_pass_the_generic_tests(op, examples, order):
    extend.check(op, *examples, order=order)


def test_structured_operations_in_functions_and_loops():
    outer, rows = OuterProduct()(v, w), theano.scan(lambda row: Total()(row) * 2, [x])[0]
    table, shape, totals = evaluate([outer * 2, outer.shape, rows], {v: V, w: W, x: X})
    close(table, 2 * np.outer(V, W))
    assert shape.tolist() == [3, 2]
    close(totals, 2 * X.sum(1))
    assert OuterProduct() == OuterProduct()


class Broken(OuterProduct):
    """Wrong in the way that it is told."""

    __props__ = ("how",)

    def __init__(self, how):
        self.how = how

    def compute(self, xp, node, x, y):
        if self.how == "writes":
            x[...] = 0
        if self.how == "raises":
            raise KeyError("oops")
        result = xp.outer(x, y)
        wrong = {"dtype": (result.astype("float32"),), "count": (), "no tuple": result}
        return wrong.get(self.how, (result,))

    def shape(self, node, shapes):
        found = super().shape(node, shapes)
        return [found[0][::-1]] if self.how == "shape" else found

    def vjp(self, node, cotangents):
        one, two = super().vjp(node, cotangents)
        return [one, two * 2] if self.how == "gradient" else [one, two]


def elementwise(*arguments, dtype=extend.same_float, **options):
    return lambda: extend.elementwise(*arguments, dtype=dtype, **options)


CUBE = lambda g, x, y: (g * 3 * T.sqr(theano.gradient.disconnected_grad(x)),)
WRONG = [
    (
        elementwise("wrong_native", lambda xp, x: x * 2, llvm=lambda b, x: b.mul(x, x)),
        *((), "native code differs from compute"),
    ),
    (
        elementwise("wrong_gradient", lambda xp, x: x * x, grad=lambda g, x, y: (g * x,)),
        *((), "gradient of order 1.*by central differences"),
    ),
    (
        elementwise("wrong_second_gradient", lambda xp, x: x * x * x, grad=CUBE),
        *((), "gradient of order 2"),
    ),
    (OuterProduct, (), "give arrays"),
    (lambda: Broken("dtype"), (V, W), "result 0 has dtype float32"),
    (lambda: Broken("count"), (V, W), "0 results for 1 outputs"),
    (lambda: Broken("no tuple"), (V, W), "must return a tuple with an array for each output"),
    (lambda: Broken("writes"), (V, W), "input 0 was changed"),
    (lambda: Broken("raises"), (V, W), "KeyError"),
    (lambda: Broken("shape"), (V, W), "the operation promised"),
    (lambda: Broken("gradient"), (V, W), "gradient of order 1"),
    (
        lambda: operation("Wrong", Double, grad=lambda op, inputs, g: [g[0] * 3]),
        *((V,), "gradient of order 1"),
    ),
    (
        lambda: operation("Shape", Double, infer_shape=lambda op, node, s: [(s[0][0] + 1,)]),
        *((V,), "the shape alone differs"),
    ),
    (Undefined, (V,), "nobody knows"),
]


@pytest.mark.parametrize(("make", "example", "text"), WRONG, ids=[row[-1] for row in WRONG])
def test_wrong_declarations_are_found(make, example, text):
    with pytest.raises(AssertionError, match=text):
        extend.check(make(), *([example] if example else []))


def test_native_code_of_a_function_that_is_not_there():
    op = extend.elementwise("root_of", lambda xp, x: xp.sqrt(x), llvm=lambda b, x: b.sqrtt(x))
    with pytest.raises(AttributeError, match="no function 'sqrtt'; similar are sqrt"):
        theano.function([v], op(v))


def test_names_and_declarations():
    two = (extend.reals(0, 1),) * 2
    for arguments, options, error, text in (
        (("exp", lambda xp, x: x), {}, ValueError, "two operations are called exp"),
        (
            *(("ranges", lambda xp, x: x), {"samples": two}),
            *(ValueError, "takes 1 arguments, and samples has 2"),
        ),
        (("ufunc", np.sin), {}, TypeError, "must be a Python function"),
    ):
        with pytest.raises(error, match=text):
            extend.elementwise(*arguments, **options)
    one = extend.elementwise("again", lambda xp, x: x + 1)
    two = extend.elementwise("again", lambda xp, x: x + 2)
    assert one != two
    np.testing.assert_array_equal(evaluate([one(v), two(v)], {v: [0.0]}), [[1], [2]])
    assert softsquare.__doc__ and "exp" not in (softsquare.name, wave.name)


def test_pickles_name_the_module_of_the_declaration(tmp_path, monkeypatch):
    declaration = "import theano.extend as e; half = e.elementwise('half', lambda xp, x: x / 2)"
    (tmp_path / "declared.py").write_text(declaration)
    monkeypatch.syspath_prepend(tmp_path)
    stored = pickle.dumps((v, importlib.import_module("declared").half(v)))
    program = f"""
        import pickle, theano
        v, out = pickle.loads({stored!r})
        print(theano.function([v], out)([1.0])[0])
    """
    assert run_python(program, folder=tmp_path) == "0.5"


# -- rules ----------------------------------------------------------------------------------------

a, b = extend.wild("a"), extend.wild("b")
identity = extend.rule(
    "sin(a) cos(b) + cos(a) sin(b) → sin(a + b)",
    T.sin(a) * T.cos(b) + T.cos(a) * T.sin(b),
    T.sin(a + b),
    phase="special",
    why="one long function instead of four",
)


def sines(**options):
    f = theano.function([v, w], T.sin(v) * T.cos(w) + T.cos(v) * T.sin(w), **options)
    return sum("sin" in str(n.op) or "cos" in str(n.op) for n in f.maker.graph.toposort()), f


def test_rules_are_used_from_when_they_are_added_until_they_are_removed():
    assert sines()[0] == 4
    extend.add_rule(identity)
    try:
        count, f = sines()
        assert count == 1
        close(f([0.1, 2.0], [0.3, -1.0]), np.sin([0.4, 1.0]))
        assert sines(mode=theano.Mode().excluding(identity.name))[0] == 4
        with pytest.raises(ValueError, match="there is a rule"):
            extend.add_rule(identity)
    finally:
        extend.remove_rule(identity)
    assert sines()[0] == 4
    with pytest.raises(ValueError, match="was not added"):
        extend.remove_rule(identity)
    with pytest.raises(ValueError, match="there is no phase 'late'"):
        extend.add_rule(identity.replace(phase="late"))


def test_rules_are_checked():
    extend.check_rule(identity, [0.1, 2.0], [0.3, -1.0])
    wrong = extend.rule("cosh(a) → sinh(a)", T.cosh(a), T.sinh(a), phase="canonical", why="")
    never = {"why": "", "when": lambda found: False}
    picky = extend.rule("exp(a) → exp(a)", T.exp(a), T.exp(a), phase="special", **never)
    for rule, arrays, error, text in (
        (wrong, ([1.0],), AssertionError, "results"),
        (wrong, ([1.0], [2.0]), ValueError, "1 arrays are needed, got 2"),
        (picky, ([1.0],), AssertionError, "does not fire"),
    ):
        with pytest.raises(error, match=text):
            extend.check_rule(rule, *arrays)
