"""`theano.extend`: functions that fuse, operations on arrays, and their generic tests."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from declared import OuterProduct, Total, softsquare, wave
from user_ops import Double, Scaled, Square, SumAndProduct, TypedDouble, Undefined

import theano
import theano.tensor as T
from theano import extend

X = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.75]])
V, W = np.array([1.0, -2.0, 0.5]), np.array([0.3, 2.0])


def test_a_function_with_native_code_fuses() -> None:
    x = T.dmatrix("x")
    f = theano.function([x], T.exp(softsquare(x)) * 2 + x)
    np.testing.assert_allclose(f(X), np.exp(X**2 / (1 + X**2)) * 2 + X, rtol=1e-14)
    assert len(f.maker.kernels) == 3  # one loop: for contiguous and other data, and short rows
    assert not f.maker.callbacks


def test_a_function_without_native_code_runs_all_the_same() -> None:
    x, y = T.dmatrix("x"), T.drow("y")
    f = theano.function([x, y], T.exp(wave(x, y)) + 1)
    np.testing.assert_allclose(f(X, X[:1]), np.exp(np.sin(X) * X[:1]) + 1)
    assert len(f.maker.callbacks) == 1
    with pytest.raises(ValueError, match="mis-match"):
        theano.function([x], wave(x, x[:, :2]))(X)


@pytest.mark.parametrize("op", [softsquare, wave], ids=str)
def test_functions_pass_the_generic_tests(op: extend.Elementwise) -> None:
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
def test_operations_pass_the_generic_tests(op: object, examples: list, order: int) -> None:
    extend.check(op, *examples, order=order)


def test_structured_operations_in_functions_and_loops() -> None:
    x, y, rows = T.dvector("x"), T.dvector("y"), T.dmatrix("rows")
    f = theano.function([x, y], [OuterProduct()(x, y) * 2, OuterProduct()(x, y).shape])
    table, shape = f(V, W)
    np.testing.assert_allclose(table, 2 * np.outer(V, W))
    assert shape.tolist() == [3, 2]
    totals, _ = theano.scan(lambda row: Total()(row) * 2, [rows])
    np.testing.assert_allclose(totals.eval({rows: X}), 2 * X.sum(1))
    assert OuterProduct() == OuterProduct()


WRONG = {
    "compute": (
        lambda: extend.elementwise(
            "wrong_native", lambda xp, x: x * 2, llvm=lambda b, x: b.mul(x, x)
        ),
        (),
        "native code differs from compute",
    ),
    "gradient": (
        lambda: extend.elementwise(
            "wrong_gradient",
            lambda xp, x: x * x,
            grad=lambda g, x, y: (g * x,),
            dtype=extend.same_float,
        ),
        (),
        "gradient of order 1.*by central differences",
    ),
    "second gradient": (
        lambda: extend.elementwise(
            "wrong_second_gradient",
            lambda xp, x: x * x * x,
            grad=lambda g, x, y: (g * 3 * T.sqr(theano.gradient.disconnected_grad(x)),),
            dtype=extend.same_float,
        ),
        (),
        "gradient of order 2",
    ),
    "nothing to run on": (OuterProduct, (), "give arrays"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_declarations_are_found(name: str) -> None:
    make, examples, text = WRONG[name]
    with pytest.raises(AssertionError, match=text):
        extend.check(make(), *examples)


class Broken(OuterProduct):
    """Wrong in the way that it is told."""

    __props__ = ("how",)

    def __init__(self, how: str) -> None:
        self.how = how

    def compute(self, xp, node, x, y):
        if self.how == "dtype":
            return (xp.outer(x, y).astype("float32"),)
        if self.how == "count":
            return ()
        if self.how == "no tuple":
            return xp.outer(x, y)
        if self.how == "writes":
            x[...] = 0
        if self.how == "raises":
            raise KeyError("oops")
        return (xp.outer(x, y),)

    def shape(self, node, shapes):
        found = super().shape(node, shapes)
        return [found[0][::-1]] if self.how == "shape" else found

    def vjp(self, node, cotangents):
        one, two = super().vjp(node, cotangents)
        return [one, two * 2] if self.how == "gradient" else [one, two]


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("dtype", "result 0 has dtype float32"),
        ("count", "0 results for 1 outputs"),
        ("no tuple", "must return a tuple with an array for each output"),
        ("writes", "input 0 was changed"),
        ("raises", "KeyError"),
        ("shape", "the operation promised"),
        ("gradient", "gradient of order 1"),
    ],
)
def test_broken_operations_are_found(how: str, text: str) -> None:
    with pytest.raises(AssertionError, match=text):
        extend.check(Broken(how), (V, W))


def test_native_code_under_names_of_numpy() -> None:
    relative = extend.elementwise(
        "relative_distance",
        lambda xp, x, y: xp.where(x < y, (y - x) / (x + y), xp.power(x - y, 2)),
        dtype=extend.to_real_float,
        llvm=lambda b, x, y: b.where(
            b.less(x, y), b.divide(b.subtract(y, x), b.add(x, y)), b.square(b.subtract(x, y))
        ),
        samples=extend.positive,
    )
    extend.check(relative)


def test_native_code_of_a_function_that_is_not_there() -> None:
    op = extend.elementwise("root_of", lambda xp, x: xp.sqrt(x), llvm=lambda b, x: b.sqrtt(x))
    x = T.dvector("x")
    with pytest.raises(AttributeError, match="no function 'sqrtt'; similar are sqrt"):
        theano.function([x], op(x))


def test_wrong_performs_are_found() -> None:
    class Wrong(Double):
        __props__ = ()

        def grad(self, inputs, output_grads):
            return [output_grads[0] * 3]

    class Shape(Double):
        __props__ = ()

        def infer_shape(self, node, shapes):
            return [(shapes[0][0] + 1,)]

    with pytest.raises(AssertionError, match="gradient of order 1"):
        extend.check(Wrong(), (V,))
    with pytest.raises(AssertionError, match="the shape alone differs"):
        extend.check(Shape(), (V,))
    with pytest.raises(AssertionError, match="nobody knows"):
        extend.check(Undefined(), (V,))


def test_names_and_declarations() -> None:
    with pytest.raises(ValueError, match="two operations are called exp"):
        extend.elementwise("exp", lambda xp, x: x)
    with pytest.raises(ValueError, match="takes 1 arguments, and samples has 2"):
        extend.elementwise("ranges", lambda xp, x: x, samples=(extend.reals(0, 1),) * 2)
    with pytest.raises(TypeError, match="must be a Python function"):
        extend.elementwise("ufunc", np.sin)
    one = extend.elementwise("again", lambda xp, x: x + 1)
    two = extend.elementwise("again", lambda xp, x: x + 2)
    assert one != two
    x = T.dvector("x")
    got = theano.function([x], [one(x), two(x)])([0.0])
    np.testing.assert_array_equal(got, [[1], [2]])
    assert softsquare.__doc__
    assert "exp" not in (softsquare.name, wave.name)


def test_pickles_name_the_module_of_the_declaration(tmp_path: Path) -> None:
    x = T.dvector("x")
    path = tmp_path / "expression"
    path.write_bytes(pickle.dumps((x, softsquare(x))))
    program = (
        "import pickle, pathlib, theano;"
        f"x, y = pickle.loads(pathlib.Path({str(path)!r}).read_bytes());"
        "print(theano.function([x], y)([1.0])[0])"
    )
    got = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
    )
    assert got.stdout.strip() == "0.5"
