"""A matrix that is multiplied from both sides is read once; results are those of two products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir
from theano._core.lower.passes.outline import inlined
from theano._core.runtime import native

DTYPES = ("float64", "float32")
# No rows, no columns, a part of a tile, several tiles and blocks, rows too long and too short.
SHAPES = (
    (0, 4),
    (4, 0),
    (1, 1),
    (5, 9),
    (400, 784),
    (1037, 33),
    (9001, 100),
    (30, 20_000),
    (999, 3),
)


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    threads = native.get_threads()
    yield
    native.set_threads(threads)


def calls(f: Any) -> list[str]:
    """Return the functions of the runtime that multiply in a program."""
    body = inlined(f.maker.program_text.program).body
    found = [i.function for i in ir.walk(body) if isinstance(i, ir.Call)]
    return [name for name in found if name in ("matmul", "matrix_pass")]


def is_one_pass(f: Any) -> bool:
    return "matrix_pass" in calls(f) and "matmul" not in calls(f)


def variables(dtype: str) -> tuple[Any, Any, Any]:
    vector = T.TensorType(dtype, (False,))
    return T.TensorType(dtype, (False, False))("X"), vector("w"), vector("y")


def logistic(x: Any, w: Any, y: Any) -> list[Any]:
    cost = T.nnet.binary_crossentropy(T.nnet.sigmoid(T.dot(x, w)), y)
    return [T.grad(cost.sum(), w), cost.mean(), cost]


def least_squares(x: Any, w: Any, y: Any) -> list[Any]:
    return [T.grad(((T.dot(x, w) - y) ** 2).sum(), w)]


def turned(x: Any, w: Any, y: Any) -> list[Any]:
    return [T.dot(T.tanh(T.dot(w, x.T)) * y, x)]


def no_loop(x: Any, w: Any, y: Any) -> list[Any]:
    return [T.dot(x.T, T.dot(x, w)), y + 1]


def added(x: Any, w: Any, y: Any) -> list[Any]:
    return [w * 3 - 2 * T.dot(x.T, T.exp(-abs(T.dot(x, w))) * y), (w**2).sum()]


def of_columns(x: Any, w: Any, y: Any) -> list[Any]:
    # The other way round: what is a row here is a column of the matrix.
    return [T.dot(x, T.tanh(T.dot(x.T, y))), w]


FORMS: list[Callable[..., list[Any]]] = [
    logistic,
    least_squares,
    turned,
    no_loop,
    added,
    of_columns,
]


def by_numpy(form: Callable[..., list[Any]], x: Any, w: Any, y: Any) -> list[Any]:
    """Return the results that are not the arguments, in float64."""
    x, w, y = (a.astype("float64") for a in (x, w, y))
    s = x @ w
    p = 1 / (1 + np.exp(-s))
    cost = np.logaddexp(0, s) - y * s
    with np.errstate(invalid="ignore"):
        mean = cost.sum() / np.float64(len(cost)) if len(cost) else np.nan
    return {
        logistic: lambda: [x.T @ (p - y), mean, cost],
        least_squares: lambda: [x.T @ (2 * (s - y))],
        turned: lambda: [(np.tanh(s) * y) @ x],
        no_loop: lambda: [x.T @ s, y + 1],
        added: lambda: [w * 3 - 2 * (x.T @ (np.exp(-abs(s)) * y)), (w**2).sum()],
        of_columns: lambda: [x @ np.tanh(x.T @ y), w],
    }[form]()


def arguments(rows: int, columns: int, dtype: str) -> tuple[Any, Any, Any]:
    rng = np.random.RandomState(rows + columns)
    w = rng.randn(columns) / max(columns, 1) ** 0.5
    y = rng.randint(2, size=rows)
    return rng.randn(rows, columns).astype(dtype), w.astype(dtype), y.astype(dtype)


def layouts(x: Any) -> Iterator[Any]:
    """Yield a matrix as it may lie in memory."""
    yield x
    yield np.asfortranarray(x)
    yield x[::-1]
    yield np.concatenate([x, x], axis=1)[:, : x.shape[1]]
    yield np.repeat(x, 2, axis=1)[:, ::2]
    yield np.broadcast_to(x[:1], x.shape)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_results_are_those_of_numpy(form: Callable[..., list[Any]], dtype: str) -> None:
    x, w, y = variables(dtype)
    f = theano.function([x, w, y], form(x, w, y), on_unused_input="ignore")
    assert "matrix_pass" in calls(f)
    for shape in SHAPES:
        values, *vectors = arguments(*shape, dtype)
        for matrix in layouts(values):
            for own in (vectors, [np.repeat(v, 2)[::2] for v in vectors]):
                for got, wanted in zip(f(matrix, *own), by_numpy(form, matrix, *own), strict=True):
                    size = max(float(np.abs(wanted).max(initial=0)), 1)
                    tolerance = 2e-5 if dtype == "float32" else 1e-11
                    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * size * 10)
                    assert got.dtype == dtype


@pytest.mark.parametrize("form", [logistic, least_squares, no_loop], ids=lambda f: f.__name__)
def test_the_matrix_is_read_once(form: Callable[..., list[Any]]) -> None:
    x, w, y = variables("float64")
    assert is_one_pass(theano.function([x, w, y], form(x, w, y), on_unused_input="ignore"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_are_the_same_on_any_number_of_threads(dtype: str) -> None:
    x, w, y = variables(dtype)
    f = theano.function([x, w, y], logistic(x, w, y))
    for shape in ((400, 784), (9001, 100), (70_001, 64)):
        values = arguments(*shape, dtype)
        found = []
        for threads in (1, 2, 3, 7):
            native.set_threads(threads)
            found.append([a.tobytes() for a in f(*values)])
        assert all(one == found[0] for one in found)


@pytest.mark.parametrize("rows", [8, 100, 255])
def test_tiles_do_not_change_bits(rows: int) -> None:
    """Of few items, sums are added up in the order of separate products."""
    x, w, y = variables("float64")
    f = theano.function([x, w, y], turned(x, w, y))
    apart = theano.Mode(optimizer="fast_run").excluding("fusion")
    g = theano.function([x, w, y], turned(x, w, y), mode=apart)
    values = arguments(rows, 900, "float64")
    assert is_one_pass(f)
    assert not is_one_pass(g)
    assert f(*values)[0].tobytes() == g(*values)[0].tobytes()


def test_what_is_updated_is_read_before() -> None:
    """The sums are added to the weights in place, which all rows are multiplied by."""
    values, start, labels = arguments(5000, 70, "float64")
    x, _, y = variables("float64")
    w = theano.shared(start.copy())
    gradient = logistic(x, w, y)[0]
    f = theano.function([x, y], updates=[(w, w - 1e-3 * gradient)])
    assert calls(f)[-1] == "matmul"
    assert "matrix_pass" in calls(f)
    assert any(isinstance(i, ir.Fence) for i in f.maker.program_text.program.body)
    wanted = start
    for _ in range(3):
        f(values, labels)
        wanted = wanted - 1e-3 * by_numpy(logistic, values, wanted, labels)[0]
        np.testing.assert_allclose(w.get_value(), wanted, rtol=1e-10)


def test_a_loop_that_is_updated_keeps_its_step() -> None:
    """What the loop makes would overwrite a shared variable before all else is checked."""
    values, start, labels = arguments(50, 7, "float64")
    x, w, _ = variables("float64")
    state = theano.shared(labels.copy())
    residual = T.dot(x, w) - state
    f = theano.function([x, w], T.dot(x.T, residual), updates=[(state, residual)])
    got = f(values, start)
    np.testing.assert_allclose(state.get_value(), values @ start - labels)
    np.testing.assert_allclose(got, values.T @ (values @ start - labels))
    before = state.get_value()
    with pytest.raises(ValueError, match="dot"):
        f(values, start[:-1])
    np.testing.assert_array_equal(state.get_value(), before)


def test_what_needs_all_rows_between_is_no_part() -> None:
    """A softmax over rows needs a sum before the second product."""
    x, w, _ = variables("float64")
    f = theano.function([x, w], T.grad(T.log(T.exp(T.dot(x, w)).sum()), w))
    assert "matrix_pass" not in calls(f)
    values, start, _ = arguments(500, 20, "float64")
    e = np.exp(values @ start)
    np.testing.assert_allclose(f(values, start), values.T @ (e / e.sum()), rtol=1e-10)


def test_one_row_that_is_repeated_is_no_part() -> None:
    values, start, labels = arguments(1, 6, "float64")
    x, w, y = T.row("X"), T.dvector("w"), T.dvector("y")
    f = theano.function([x, w, y], T.dot(x.T, T.tanh(T.dot(x, w) + y)))
    np.testing.assert_allclose(
        f(values, start, labels), values.T @ np.tanh(values @ start + labels)
    )
    with pytest.raises(ValueError):
        f(values, start, np.ones(3))


@pytest.mark.parametrize("wrong", ["w", "y"])
def test_lengths_that_do_not_fit_are_named(wrong: str) -> None:
    x, w, y = variables("float64")
    f = theano.function([x, w, y], logistic(x, w, y))
    values, start, labels = arguments(30, 5, "float64")
    with pytest.raises(ValueError, match=r"test_matrix_passes\.py") as caught:
        f(values, start[: 5 - (wrong == "w")], labels[: 30 - (wrong == "y")])
    assert "4" in str(caught.value) or "29" in str(caught.value)


def test_two_models_of_one_matrix() -> None:
    """Each step belongs to one pass; what two products need is made once."""
    x, w, y = variables("float64")
    v = T.dvector("v")
    first, second = T.tanh(T.dot(x, w)), T.tanh(T.dot(x, v))
    both = first * second
    f = theano.function([x, w, v, y], [T.dot(x.T, both), T.dot(x.T, both * y), both.sum()])
    values, start, labels = arguments(600, 80, "float64")
    one, two = np.tanh(values @ start), np.tanh(values @ (2 * start))
    wanted = [values.T @ (one * two), values.T @ (one * two * labels), (one * two).sum()]
    for got, right in zip(f(values, start, 2 * start, labels), wanted, strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-10)


def test_a_second_derivative_times_a_vector_reads_the_matrix_once() -> None:
    x, w, y = variables("float64")
    v = T.dvector("v")
    gradient = T.grad(((T.dot(x, w) - y) ** 2).sum(), w)
    f = theano.function([x, w, y, v], T.Rop(gradient, w, v), on_unused_input="ignore")
    assert is_one_pass(f)
    values, start, labels = arguments(300, 40, "float64")
    np.testing.assert_allclose(
        f(values, start, labels, start), 2 * values.T @ (values @ start), rtol=1e-10
    )
