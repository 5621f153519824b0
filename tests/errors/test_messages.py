"""One case for each error message: its type, the values and shapes in it, and the user's line."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano import In, function, shared
from theano._core.base.errors import (
    DisconnectedInputError,
    MissingInputError,
    NotScalarConstantError,
    UnusedInputError,
)
from theano._core.ir.source import SourceLine

HERE = "test_messages.py"

x, y, s = T.dscalar("x"), T.dscalar("y"), T.dscalar("x")
v, w, fv = T.dvector("v"), T.dvector("w"), T.fvector("fv")
m, k = T.dmatrix("m"), T.dmatrix("k")
i, n, index = T.iscalar("i"), T.lscalar("n"), T.lvector("index")
row, text_tensor = T.drow("row"), T.dtensor3("t")
a = shared(np.ones((2, 3)), "a")
number = shared(1, "number")
single = shared(np.float32(1), "single")


def call(inputs: list[Any], output: Any, *args: Any, **kwargs: Any) -> Callable[[], Any]:
    """Return what makes a function of `inputs` and calls it."""
    return lambda: function(inputs, output, name="mine")(*args, **kwargs)


Case = tuple[Callable[[], Any], type[Exception], list[str]]

# -- wrong arguments of a function that is called --------------------------------------------------

ARGUMENTS: dict[str, Case] = {
    "dtype of an array": (
        call([v, fv], fv + v, [1], np.arange(3.0)),
        TypeError,
        ['"fv"', '"mine"', "index 1 (0-based)", "float64", "float32", "allow_input_downcast=True"],
    ),
    "digits are lost": (
        call([fv], fv, [1.5, 2.1]),
        TypeError,
        ["Bad input argument", "[1.5, 2.1]", "float32", "precision", HERE],
    ),
    "number of axes": (
        call([m], m, np.ones((2, 3, 4))),
        TypeError,
        ["Wrong number of dimensions: expected 2, got 3 with shape (2, 3, 4)", HERE],
    ),
    "length of a broadcastable axis": (
        call([row], row, np.ones((2, 3))),
        TypeError,
        ["broadcastable", "axis 0", "(2, 3)", "(True, False)", HERE],
    ),
    "a variable as value": (
        call([x], x, y),
        TypeError,
        ["Bad input argument", "Expected an array-like object, but found a Variable", HERE],
    ),
    "strict": (
        call([In(x, strict=True)], x, 3),
        TypeError,
        ["Bad input argument", "expected a ndarray object", HERE],
    ),
    "text": (call([x], x, "word"), ValueError, ["Bad input argument", "'word'", HERE]),
    "ragged": (call([v], v, [1, [2, 3]]), ValueError, ["Bad input argument", "sequence", HERE]),
    "an object": (call([x], x, None), TypeError, ["Bad input argument", "None", HERE]),
    "a complex number": (call([x], x, 2j), TypeError, ["Bad input argument", "2j", HERE]),
    "too large": (
        call([n], n, 10**30),
        OverflowError,
        ["Bad input argument", str(10**30), "int64", HERE],
    ),
    "too many": (
        call([x, y], x + y, 1, 2, 3),
        TypeError,
        ["Too many parameter passed to theano function", "mine", "3", "2", "x, y"],
    ),
    "too few": (call([x, y], x + y), TypeError, ["Missing required input: x, y", "mine", "0"]),
    "one is missing": (call([x, y], x + y, y=1), TypeError, ["Missing required input: x", "mine"]),
    "unknown name": (
        call([x, y], x + y, 1, 2, q=3),
        TypeError,
        ["Unknown input or state: q. The function has 2 named inputs (x, y)."],
    ),
    "twice": (call([x, y], x + y, 1, x=3), TypeError, ["Multiple values for input: x"]),
    "ambiguous name": (call([x, s], x + s, 1, x=3), TypeError, ["Ambiguous name: x"]),
    "implicit": (
        call([y, In(x, value=1, implicit=True)], x + y, 1, x=2),
        TypeError,
        ["Tried to provide value for implicit input: x"],
    ),
}

# -- errors while a function runs ------------------------------------------------------------------

NODE = ["Apply node that caused the error", "Inputs types", "Inputs shapes", HERE]
RUNS: dict[str, Case] = {
    "lengths differ": (
        call([v, fv], v * fv, [1, 2], [1, 2, 3]),
        ValueError,
        [
            "Input dimension mis-match: in v * fv, axis 0 of v has 2 items, axis 0 of fv has 3.",
            "[(2,), (3,)]",
            "[1., 2.]",
        ],
    ),
    "an undeclared length of 1": (
        call([m, k], m + k, np.ones((1, 3)), np.ones((2, 3))),
        ValueError,
        ["axis 0 of m has 1", "Shapes: m (1, 3), k (2, 3).", "declares", "addbroadcast(m, 0)"],
    ),
    "matrix and vector": (
        call([m, v], T.dot(m, v), np.ones((2, 3)), np.ones(4)),
        ValueError,
        ["Shape mismatch: in T.dot(m, v), axis 1 of m has 3 items, axis 0 of v has 4."],
    ),
    "matrices": (
        call([m, k], T.dot(m, k), np.ones((2, 3)), np.ones((2, 5))),
        ValueError,
        ["Shape mismatch", "Shapes: m (2, 3), k (2, 5). m.T would fit."],
    ),
    "vectors": (
        call([v, w], T.dot(v, w), [1, 2], [1, 2, 3]),
        ValueError,
        ["Shape mismatch", "[(2,), (3,)]", "[1., 2., 3.]"],
    ),
    "matrix and its means": (
        call([m], m - m.mean(axis=1), np.ones((4, 3))),
        ValueError,
        ["axis 0 of m.mean(axis=1) has 4", "m.mean(axis=1)[:, None] is a column"],
    ),
    "what a function is made of": (
        call([text_tensor, m], T.tensordot(text_tensor, m, 2), np.ones((2, 3, 4)), np.ones((3, 5))),
        ValueError,
        ["T.tensordot(text_tensor, m, 2)", "Shapes: t (2, 3, 4), m (3, 5)."],
    ),
    "in an operation of the user's": (
        call([m, v], theano.OpFromGraph([m, v], [m + v])(m, v), np.ones((2, 3)), np.ones(4)),
        ValueError,
        ["in m + v, axis 1 of m has 3 items, axis 0 of v has 4."],
    ),
    "what became one product": (
        call([m, v, w], T.dot(m, v) - w, np.ones((2, 3)), np.ones(3), np.ones(4)),
        ValueError,
        ["in T.dot(m, v) - w, axis 0 of T.dot(m, v) has 2 items, axis 0 of w has 4."],
    ),
    "index": (
        call([v, i], v[i], [1, 2], 5),
        IndexError,
        ["index 5 is out of bounds for axis 0 with size 2", "[1., 2.]"],
    ),
    "negative index": (
        call([m, i], m[:, i], np.ones((2, 3)), -4),
        IndexError,
        ["index -4 is out of bounds for axis 1 with size 3", "[(2, 3), ()]"],
    ),
    "index in an array": (
        call([v, index], v[index], [1, 2], [0, 7]),
        IndexError,
        ["index 7 is out of bounds for axis 0 with size 2", "[0, 7]"],
    ),
    "reshape": (
        call([m, n], m.reshape((n, 4)), np.ones((2, 3)), 2),
        ValueError,
        ["cannot reshape array of size 6 into shape (2, 4)", "(2, 3)"],
    ),
    "reshape with one length left open": (
        call([m], m.reshape((-1, 4)), np.ones((2, 3))),
        ValueError,
        ["cannot reshape array of size 6 into shape (-1, 4)", "(2, 3)"],
    ),
    "concatenate": (
        call([m, k], T.concatenate([m, k]), np.ones((2, 3)), np.ones((2, 4))),
        ValueError,
        ["dimensions except for the concatenation axis must match", "[(2, 3), (2, 4)]"],
    ),
    "stack": (
        call([v, w], T.stack([v, w]), np.ones(3), np.ones(2)),
        ValueError,
        ["must match", "3", "2"],
    ),
    "value of a slice": (
        call([v, w], T.set_subtensor(v[:2], w), np.ones(3), np.ones(3)),
        ValueError,
        ["3 items", "2 positions", "[(3,), (3,)]"],
    ),
    "specify_shape": (
        call([v], T.specify_shape(v, (2,)), np.ones(3)),
        AssertionError,
        ["axis 0 has 3 items, expected 2", "(3,)"],
    ),
    "addbroadcast": (
        call([m], T.addbroadcast(m, 0), np.ones((2, 3))),
        ValueError,
        ["Dimension 0", "supposed to be 1 (got 2 instead)", "(2, 3)"],
    ),
    "greatest of nothing": (
        call([v], v.max(), []),
        ValueError,
        ["zero-size array", "no identity", "(0,)"],
    ),
    "alloc with a negative length": (
        call([n], T.alloc(1.0, n), -1),
        ValueError,
        ["negative dimensions are not allowed", "-1"],
    ),
    "alloc of a value that does not fit": (
        call([v, n], T.alloc(v, n, 3), [1, 2], 2),
        ValueError,
        ["2 items along axis 1 to length 3"],
    ),
}

# -- errors while a function is made ---------------------------------------------------------------

MADE: dict[str, Case] = {
    "missing input": (
        lambda: function([x], x + y * 2),
        MissingInputError,
        ["Input 0 of the graph", "(y * 2)", "y", "float64", "givens", "shared", HERE],
    ),
    "missing input that is a result": (
        lambda: function([], [x + 0, y]),
        MissingInputError,
        ["was not provided and not given a value", HERE],
    ),
    "unused input": (
        lambda: function([x, y], x),
        UnusedInputError,
        ["at index 1", "y", "on_unused_input='warn'", "on_unused_input='ignore'"],
    ),
    "repeated input": (
        lambda: function([y, x, x], x + y),
        UnusedInputError,
        ["Variable x is used twice in inputs to theano.function, at indices 1 and 2"],
    ),
    "no list of inputs": (lambda: function(x, x), TypeError, ["'inputs' argument", "[x]"]),
    "a shared variable as input": (
        lambda: function([a], a),
        TypeError,
        ["Cannot use a shared variable (a) as explicit input", "givens"],
    ),
    "an input of no kind": (
        lambda: function([3], x),
        TypeError,
        ["int", "expected Variable or In"],
    ),
    "an output of no kind": (
        lambda: function([], 3),
        TypeError,
        ["Outputs must be theano Variable or Out instances. Received 3 of type <class 'int'>"],
    ),
    "policy": (
        lambda: function([x], x, on_unused_input="no"),
        ValueError,
        ["on_unused_input", "'no'", "'raise', 'warn', and 'ignore'"],
    ),
    "update of no shared variable": (
        lambda: function([x], x, updates=[(x, x + 1)]),
        TypeError,
        ["update target must be a SharedVariable", "x"],
    ),
    "second update": (
        lambda: function([], a, updates=[(a, a), (a, a * 2)]),
        ValueError,
        ["already has an update expression", "a"],
    ),
    "updates that are no pairs": (
        lambda: function([], a, updates=[(a,)]),
        ValueError,
        ["pairs", "(a,)"],
    ),
    "pattern of an update": (
        lambda: function([], a, updates=[(a, a.sum())]),
        TypeError,
        ["same type as the original shared variable", "shared_var=a", "0 dimension(s)", "matrix"],
    ),
    "lengths of an update": (
        lambda: function([], a, updates=[(a, a.sum(axis=0, keepdims=True))]),
        TypeError,
        ["same type as the original shared variable", "shared_var=a", "row", "patternbroadcast"],
    ),
    "dtype of an update": (
        lambda: function([], [], updates=[(single, single + x)]),
        TypeError,
        ["shared_var=single", "TensorType(float32, scalar)", "TensorType(float64, scalar)", "cast"],
    ),
    "value of an update": (
        lambda: function([], [], updates=[(number, 5.5)]),
        TypeError,
        ["shared_var=number", "update_val=5.5", "int64"],
    ),
    "given for an input": (
        lambda: function([x], x, givens={x: y}),
        RuntimeError,
        ["replace variable 'x' through the `givens` parameter"],
    ),
    "type of a given": (
        lambda: function([v], x + 1, givens={x: v}),
        TypeError,
        ["TensorType(float64, vector)", "v", "TensorType(float64, scalar)"],
    ),
    "givens that use each other": (
        lambda: function([s], x + y, givens=[(x, y), (y, s)]),
        AssertionError,
        ["y is used by the pairs before its own"],
    ),
    "mode": (lambda: function([x], x, mode="QUICK"), ValueError, ["'QUICK'", "FAST_RUN"]),
    "linker": (lambda: theano.Mode("quick"), ValueError, ["'quick'", "cvm", "py"]),
    "default of an implicit input": (
        lambda: function([In(x, implicit=True)], x),
        TypeError,
        ["An implicit input must be given a default value", "x"],
    ),
    "missing value in eval": (lambda: (x + y).eval({x: 1}), MissingInputError, ["y", HERE]),
}

# -- errors while an expression is written ---------------------------------------------------------

WRITTEN: dict[str, Case] = {
    "too many indices": (lambda: m[0, 0, 0], IndexError, ["too many indices", "2", "m"]),
    "index of a wrong type": (lambda: v[1.5], TypeError, ["1.5"]),
    "axis of a reduction": (lambda: m.sum(axis=2), ValueError, ["axis 2", "m", "2"]),
    "dropped axis": (
        lambda: m.dimshuffle(1),
        ValueError,
        ["cannot drop a non-broadcastable dimension", "axis 0", "(False, False)"],
    ),
    "truth of a comparison": (lambda: bool(x > 0), TypeError, ["bool"]),
    "length": (lambda: len(v), TypeError, ["len"]),
    "items": (lambda: list(v), ValueError, ["length not known", "v", "theano.scan", "x[0]"]),
    "item assignment": (
        lambda: exec("v[0] = 1", {"v": v}),
        TypeError,
        ["does not support item assignment", "set_subtensor"],
    ),
    "a float of a variable": (lambda: float(x), TypeError, ["x", "no value", "eval"]),
    "an integer of a variable": (lambda: int(i), TypeError, ["i", "no value", "eval"]),
    "a complex of a variable": (lambda: complex(x), TypeError, ["x", "no value", "eval"]),
    "a range of a variable": (lambda: range(i), TypeError, ["i", "an integer", "no value"]),
    "NumPy's array of a symbolic shape": (lambda: np.ones(m.shape), TypeError, ["no value"]),
    "keyword of a function": (lambda: T.clip(v, min=0), TypeError, ["clip(x, low, high)", "min"]),
    "keyword of eval": (lambda: v.eval(v=[1.0]), TypeError, ["x.eval({x: 1.0})", "'v'"]),
    "arguments of a step": (
        lambda: theano.scan(lambda a, b, c: a, sequences=v, outputs_info=x, name="sum"),
        TypeError,
        ["'sum'", "1 of sequences, then 1 of outputs_info", "(a, b, c)", "'c'"],
    ),
    "bits of floats": (lambda: x & y, TypeError, ["float64"]),
    "text as a tensor": (lambda: T.as_tensor_variable("word"), TypeError, ["word"]),
    "dtype of a type": (lambda: T.TensorType("float63", ()), TypeError, ["float63", "float64"]),
    "dtype of a cast": (lambda: x.astype("int99"), (KeyError, TypeError), ["int99"]),  # type: ignore[dict-item]
    "target of set_subtensor": (lambda: T.set_subtensor(x, 1), TypeError, ["subtensor", "x"]),
    "value of set_subtensor": (
        lambda: T.inc_subtensor(v[:2], m),
        TypeError,
        ["1-dimensional subtensor with a 2-dimensional value"],
    ),
    "cost": (lambda: theano.grad(v, v), TypeError, ["cost must be a scalar", "v.mean()", HERE]),
    "disconnected": (
        lambda: theano.grad(v.sum(), x),
        DisconnectedInputError,
        ["x", "disconnected", HERE],
    ),
    "scalars joined": (lambda: T.concatenate([x, y]), TypeError, ["scalar"]),
    "scalar constant": (
        lambda: T.get_scalar_constant_value(x + y),
        NotScalarConstantError,
        ["x"],
    ),
    "filter of an update": (
        lambda: setattr(single, "default_update", x * 1),
        TypeError,
        ["TensorType(float64, scalar)", "TensorType(float32, scalar)"],
    ),
}

# -- shared variables, functions and settings ------------------------------------------------------

f = function([x], x, name="mine")
OTHERS: dict[str, Case] = {
    "value of a shared variable": (
        lambda: a.set_value(np.ones(4)),
        TypeError,
        ["expected 2, got 1 with shape (4,)", 'Container name "a"'],
    ),
    "digits of a shared variable": (
        lambda: single.set_value(0.1),
        TypeError,
        ["0.1", "float32", "precision", 'Container name "single"'],
    ),
    "a symbolic value": (lambda: shared(x), TypeError, ["symbolic"]),
    "options of shared": (
        lambda: shared(1.5, dtype="float32"),
        TypeError,
        ["No suitable SharedVariable constructor", "1.5", "dtype"],
    ),
    "unknown container": (
        lambda: f["q"],
        TypeError,
        ["Unknown input or state: q. The function has 1 named input (x)."],
    ),
    "swap": (
        lambda: f.copy(swap={a: a}),
        ValueError,
        ["SharedVariable a is not used by the function"],
    ),
    "setting": (
        lambda: setattr(theano.config, "floatX", "float99"),
        ValueError,
        ["float99", "float64", "float32"],
    ),
    "setting that is fixed": (
        lambda: setattr(theano.config, "device", "cuda"),
        Exception,
        ["device", "THEANO_FLAGS"],
    ),
    "setting that does not exist": (lambda: theano.config.nope, AttributeError, ["nope"]),
}

TABLE = [
    *[(f"argument: {name}", case, []) for name, case in ARGUMENTS.items()],
    *[(f"run: {name}", case, NODE) for name, case in RUNS.items()],
    *[(f"made: {name}", case, []) for name, case in MADE.items()],
    *[(f"written: {name}", case, []) for name, case in WRITTEN.items()],
    *[(f"other: {name}", case, []) for name, case in OTHERS.items()],
]


@pytest.mark.parametrize(
    ("case", "common"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_message(case: Case, common: list[str]) -> None:
    act, error, words = case
    with pytest.raises(error) as caught:
        act()
    text = " ".join(str(part) for part in caught.value.args)
    missing = [word for word in [*words, *common] if word not in text]
    assert missing == [], text


def test_the_line_is_the_one_that_made_the_node() -> None:
    g = function([v, w], (v + 1) * w, mode="FAST_COMPILE")  # this line
    with pytest.raises(ValueError, match="mis-match") as caught:
        g([1, 2], [1, 2, 3])
    with open(__file__, encoding="utf-8") as file:
        line = next(k for k, t in enumerate(file, 1) if t.rstrip().endswith("# this line"))
    assert re.search(rf"{HERE}\", line {line}, in test_the_line", str(caught.value))


def test_the_expression_is_marked() -> None:
    wrong = T.exp(x) + T.dot(v, w)
    with pytest.raises(ValueError, match="Shape mismatch") as raised:
        function([x, v, w], wrong)(1, [1, 2], [1, 2, 3])
    place, text, mark = str(raised.value).split("is created:\n")[1].splitlines()[:3]
    assert HERE in place
    assert text.strip() == "wrong = T.exp(x) + T.dot(v, w)"
    assert text[mark.index("^") : mark.rindex("^") + 1] == "T.dot(v, w)"


def test_letters_of_several_bytes_do_not_move_the_mark() -> None:
    nowhere = compile("T.dot(v, w, )", "<nowhere>", "eval")
    line = eval(nowhere, {"T": T, "v": v, "w": w}).owner.source
    assert line.quoted() == str(line)  # text that is nowhere
    é = T.dot(v, w)
    *_, text, mark = é.owner.source.quoted().splitlines()
    assert text[mark.index("^") : mark.rindex("^") + 1] == "T.dot(v, w)"


def test_lines_travel_without_code() -> None:
    again = pickle.loads(pickle.dumps(T.exp(x))).owner.source
    assert again == SourceLine(__file__, again.line, "test_lines_travel_without_code")
    assert "^" not in again.quoted()


def test_the_line_survives_fast_run() -> None:
    g = function([v, w], T.exp(v + 1) * T.tanh(w) + w)  # fused
    with pytest.raises(ValueError, match="mis-match") as caught:
        g([1, 2], [1, 2, 3])
    assert HERE in str(caught.value)


def test_the_whole_expression_on_demand() -> None:
    g = function([v, w], (v + 1) * w)
    with pytest.raises(ValueError, match="exception_verbosity=high"):
        g([1, 2], [1, 2, 3])
    with (
        theano.config.change_flags(exception_verbosity="high"),
        pytest.raises(ValueError, match="Expression:"),
    ):
        g([1, 2], [1, 2, 3])


def test_large_values_are_not_printed() -> None:
    g = function([v, w], v * w)
    with pytest.raises(ValueError, match="not shown") as caught:
        g(np.arange(1000.0), np.arange(999.0))
    assert "[(1000,), (999,)]" in str(caught.value)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", theano.Mode("py")], ids=str)
def test_every_mode_tells_shapes(mode: Any) -> None:
    g = function([m, v], T.dot(m, v), mode=mode)
    with pytest.raises(ValueError, match=r"(?s)3.*4"):
        g(np.ones((2, 3)), np.ones(4))
