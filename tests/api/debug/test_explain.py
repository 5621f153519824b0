"""`theano.explain` says what compiling made of a function."""

import io

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.compile.ops import as_op

x, m = T.dvector("x"), T.dmatrix("m")


def said(f):
    return theano.explain(f, file="str")


def test_what_is_fused_and_what_calls_a_library():
    w = theano.shared(np.ones((3, 2)), "w")
    text = said(theano.function([m], T.tanh(T.dot(m, w) + 1).sum()))
    assert "function test_explain.py" in text
    assert "calls BLAS (test_explain.py:" in text
    assert "one loop (test_explain.py:" in text
    assert "nothing that is known here" in text


def test_why_loops_stay_apart():
    y = T.exp(x)
    text = said(theano.function([x], y / y.sum()))
    assert "the second needs what follows from all of the first, too" in text
    nested = said(theano.function([m], T.exp(T.exp(m).sum(axis=0)).sum()))
    assert "a sum is known only when its whole loop has run" in nested
    y = T.lvector("y")
    picked = theano.function([m, y], T.nnet.categorical_crossentropy(T.nnet.softmax(m), y))
    assert "their shapes are not known to be equal" in said(picked)
    gathered = said(theano.function([x, y], T.exp(x[y]).sum()))
    assert "items at positions are picked and written by loops of their own" in gathered
    long = x
    for _ in range(40):
        long = T.exp(T.sin(long) + x)
    assert "so long that processors see no two" in said(theano.function([x], long))


def test_what_is_computed_once():
    constant = T.exp(T.constant(2.0)) * 3
    y = T.exp(x)
    rows, _ = theano.scan(lambda v, h, u: T.dot(T.exp(u), v + h), m, [m[0]], [m])
    text = said(theano.function([x, m], [x * constant, y.sum(), y[::2], rows]))
    assert "made of constants alone: while compiling" in text
    assert "for all that read them" in text
    assert "a native loop over steps" in text


def test_float32_that_becomes_float64():
    v = T.fvector("v")
    text = said(theano.function([v], v * T.constant(0.5, dtype="float64")))
    assert "v is float32, the constant 0.5 is float64, so the result is float64" in text
    assert "dtype='float32'" in text
    i = T.lvector("i")
    text = said(theano.function([v, i], v * i))
    assert "i is int64" in text and "astype" in text
    assert "float64" not in said(theano.function([v], v * 0.5)).split("What could be faster")[1]


def test_calls_of_python_and_integers():
    @as_op(itypes=[T.dvector], otypes=[T.dvector])
    def turned(v):
        return v[::-1].copy()

    assert "calls Python back" in said(theano.function([x], turned(x) + 1))
    i = T.lmatrix("i")
    assert "BLAS does not have" in said(theano.function([i], T.dot(i, i)))


def test_modes():
    assert "fuses no loops" in said(
        theano.function([x], T.exp(x) + 1, mode=theano.compile.mode.FAST_RUN.excluding("fusion"))
    )
    by_numpy = theano.function([x], T.exp(x), mode=theano.Mode(linker="py"))
    assert "'reference' runs it" in said(by_numpy)


def test_where_it_goes(capsys):
    f = theano.function([x], T.exp(x))
    assert theano.explain(f) is None
    assert capsys.readouterr().out == said(f)
    file = io.StringIO()
    assert theano.explain(f, file=file) is file and file.getvalue() == said(f)
    with pytest.raises(TypeError, match=r"takes a compiled function, got TensorVariable"):
        theano.explain(x)


def test_objects_of_python():
    held = theano.shared([1.0, 2.0], "held")
    total = as_op([held.type], [T.dscalar])(lambda values: np.array(sum(values)))
    text = said(theano.function([], total(held) + 1))
    assert "calls Python back: held of" in text and "is a Python object" in text
