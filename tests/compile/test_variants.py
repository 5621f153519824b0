"""Kernels that are compiled when data first needs them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.compile.maker import FunctionMaker

x = T.dvector("x")


@pytest.fixture(autouse=True)
def not_kept() -> Iterator[None]:
    # A program that is kept has the kernels that it needed the last time.
    with theano.change_flags(cache_programs=False):
        yield


def refuse(self: Any, number: int) -> Any:
    raise MemoryError("no memory for a kernel")


def test_a_result_whose_kernel_cannot_be_compiled() -> None:
    f = theano.function([x], [T.exp(x) + 1, x.sum()])
    data = np.arange(8.0)[::2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FunctionMaker, "variant", refuse)
        for _ in range(2):
            with pytest.raises(MemoryError, match="no memory for a kernel"):
                f(data)
        # Contiguous data needs no other kernel.
        assert f(data.copy())[1] == 12
    np.testing.assert_array_equal(f(data)[0], f(data.copy())[0])


@pytest.mark.parametrize("shape", [(6,), (6, 2)])
def test_shared_variables_stay_if_a_kernel_cannot_be_compiled(shape: tuple[int, ...]) -> None:
    start = np.ones(shape)
    w, other = theano.shared(start), theano.shared(0.0)
    y = T.TensorType("float64", (False,) * len(shape))("y")
    f = theano.function([y], w.sum(), updates=[(w, w * y + 1), (other, other + 1)])
    data = np.arange(start.size * 2.0).reshape(-1, *shape[1:])[::2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FunctionMaker, "variant", refuse)
        with pytest.raises(MemoryError, match="no memory for a kernel"):
            f(data)
    assert other.get_value() == 0
    np.testing.assert_array_equal(w.get_value(), start)
    f(data)
    np.testing.assert_array_equal(w.get_value(), data + 1)
    assert other.get_value() == 1


def test_a_kernel_in_a_loop_that_cannot_be_compiled() -> None:
    m, w = T.dmatrix("m"), theano.shared(np.zeros(300))
    rows = theano.scan(lambda row, h: T.tanh(row + h), sequences=m, outputs_info=T.zeros(300))[0]
    f = theano.function([m], rows.sum(), updates=[(w, w + rows[-1])])
    data = np.random.RandomState(0).randn(5, 600)[:, ::2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FunctionMaker, "variant", refuse)
        with pytest.raises(MemoryError, match="no memory for a kernel"):
            f(data)
    assert not w.get_value().any()
    np.testing.assert_allclose(f(data), f(data.copy()), rtol=1e-13)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("classes", [3, 10, 16, 40, 300])
def test_shared_variables_tell_which_kernels_are_compiled_ahead(classes: int, turned: bool) -> None:
    start = np.random.RandomState(0).randn(20, classes)
    w = theano.shared(start.T if turned else start)
    m, b = T.dmatrix("m"), theano.shared(np.zeros(classes))
    f = theano.function([m], T.tanh(T.dot(m, w.T if turned else w) + b).max(axis=1))
    data = np.ones((64, 20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FunctionMaker, "variant", refuse)
        got = f(data)
    np.testing.assert_allclose(got, np.tanh(data @ start).max(1), rtol=1e-12)
    # Others are compiled when they are needed.
    w.set_value(np.ones((500, 20) if turned else (20, 500)))
    b.set_value(np.zeros(500))
    np.testing.assert_allclose(f(data), np.ones(64), rtol=1e-12)


def test_what_was_put_into_a_storage_is_no_expectation() -> None:
    w, m = theano.shared(np.ones((3, 4))), T.dmatrix("m")
    w.container.storage[0] = np.ones(3)
    f = theano.function([m], (m * w).sum(axis=1))
    with pytest.raises(TypeError, match="damaged"):
        f(np.ones((3, 4)))
    w.set_value(np.ones((3, 4)))
    np.testing.assert_array_equal(f(np.ones((3, 4))), [4, 4, 4])
