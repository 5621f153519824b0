"""Lengths that a step computes: what they are made of is what the step computes, once."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import EXACT
from theano._core.rewrite.engine import Rewriter
from theano.ifelse import ifelse

rows = T.imatrix("rows")
VALUES = np.array([[1, 2, 3, 1, 2, 3, 4], [1, 1, 1, 1, 1, 1, 2], [7, 6, 5, 4, 3, 2, 1]], "int32")
distinct = T.extra_ops.Unique()
STEPS = {
    "counted": lambda u: T.arange(u.shape[0]).sum(),
    "multiplied": lambda u: T.sum(u * T.arange(u.shape[0])),
    "filled": lambda u: T.zeros((u.shape[0], 2)).shape[0] + T.arange(u.shape[0]).shape[0],
    "one hot": lambda u: T.extra_ops.to_one_hot(T.cast(u % 5, "int64"), 5)[:1].sum(0),
    "of a branch": lambda u: ifelse(u[0] > 0, T.arange(u.shape[0]).sum(), u.shape[0]),
    "in a branch": lambda u: ifelse(
        u[0] > 0, T.arange(distinct(u * 2).shape[0]).sum(), u.shape[0] * 0
    ),
}
CHOSEN = {
    "distinct": distinct,
    "positive": lambda r: r[(r > 0).nonzero()],
    "repeated": lambda r: T.repeat(r, T.cast(r % 3, "int64")),
}


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("chosen", list(CHOSEN))
@pytest.mark.parametrize("name", list(STEPS))
def test_lengths_of_what_a_step_chooses(name, chosen, kept, monkeypatch):
    """Also where lengths are made of other arrays than those of the step, if ever they are."""
    if not kept:
        monkeypatch.setattr(Rewriter, "keep", lambda self, nodes: None)

    def step(row):
        return STEPS[name](CHOSEN[chosen](row))

    agree([rows], theano.scan(step, rows)[0], [VALUES], tolerance=EXACT)


def test_rows_of_a_loop_that_is_the_same_in_every_step():
    """Their lengths are no reason to run it before the loop around."""

    def slopes(item):
        def step(r, s):
            return T.set_subtensor(s[1:], T.tanh(s[:-1] + r[:-1]))

        made = theano.scan(step, item, T.zeros_like(item[0]))[0]
        return T.grad(T.tanh(item.sum()) + T.tanh(made.sum()), item)

    items, counted = T.tensor3(), T.tensor3()
    each, _ = theano.scan(slopes, items)
    every, _ = theano.scan(
        lambda c, a: theano.scan(lambda s, t: slopes(s), [a, c])[0].copy(),
        sequences=counted,
        non_sequences=items,
    )
    run = theano.function([items, counted], [each, every, T.sort(every), every[1:] - every[0]])
    one, three, ordered, zeros = run(np.arange(24.0).reshape(2, 3, 4) / 24, np.ones((3, 2, 1)))
    np.testing.assert_allclose(three, np.stack([one] * 3), rtol=1e-12)
    np.testing.assert_array_equal(ordered, np.sort(three))
    assert zeros.shape == (2, 2, 3, 4) and not zeros.any()


def test_rows_in_rows_whose_lengths_are_sums():
    x, counts = T.dmatrix(), T.lvector()

    def step(row, counts):
        return theano.scan(lambda item: T.repeat(item * T.ones((3,)), counts), row)[0]

    found, _ = theano.scan(step, x, non_sequences=counts)
    run = theano.function([x, counts], [found, T.sort(found, -1), found.sum(0)])
    values = np.arange(6.0).reshape(2, 3)
    for rows in (values, values[:0]):
        wanted = np.repeat(rows[:, :, None] * np.ones(3), [2, 1, 3], axis=2)
        for got, expected in zip(
            run(rows, [2, 1, 3]), (wanted, wanted, wanted.sum(0)), strict=True
        ):
            np.testing.assert_array_equal(got, expected)
