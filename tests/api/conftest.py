"""Inputs with values, and the comparison of expressions with NumPy."""

import numpy as np
import pytest

import theano.tensor as T
from theano._core.ir.graph import inputs


class Bench:
    """Variables by name, their values, and expressions over both."""

    def __init__(self):
        rng = np.random.RandomState(0)
        x = rng.randn(3, 4)
        self.values = {
            "x": x,
            "v": rng.randn(4),
            "w": rng.randn(3),
            "t": rng.randn(2, 3, 4),
            "s": np.array(1.5),
            "i": np.array([2, 0, 2]),
            "m": np.array([[0, 1], [2, 0]]),
        }
        self.inputs = {
            "x": T.dmatrix("x"),
            "v": T.dvector("v"),
            "w": T.dvector("w"),
            "t": T.dtensor3("t"),
            "s": T.dscalar("s"),
            "i": T.lvector("i"),
            "m": T.lmatrix("m"),
        }
        self.known = {"np": np, "ROWS": np.array([True, False, True]), "MASK": x > 0}

    def build(self, text):
        """Return an expression of the variables."""
        return eval(text, {**self.inputs, **self.known, "T": T, "row": T.drow("row")})

    def numpy(self, text, **more):
        """Return what NumPy makes of a text over the values."""
        return eval(text, {**self.values, **self.known, **more})

    def value(self, expression):
        """Return the value of an expression of the variables."""
        needed = set(inputs([expression]))
        given = {v: self.values[name] for name, v in self.inputs.items() if v in needed}
        return expression.eval(given)

    def check(self, expression, wanted):
        """Fail unless value, shape, dtype and declared pattern of an expression are right."""
        got, wanted = self.value(expression), np.asarray(wanted)
        kind = expression.type
        assert got.shape == wanted.shape
        assert str(got.dtype) == kind.dtype
        pairs = zip(got.shape, kind.broadcastable, strict=True)
        assert [n for n, one in pairs if one and n != 1] == []
        np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-12)


@pytest.fixture(scope="session")
def bench():
    """Return the variables and values that the tables of cases speak of."""
    return Bench()
