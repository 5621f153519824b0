"""`any` and `all` of everything end where their result is known, and have it in any case."""

from __future__ import annotations

import numpy as np
import pytest

import theano
import theano.tensor as T


@pytest.mark.parametrize("threads", [1, 2])
def test_wherever_the_item_is_that_decides(threads: int) -> None:
    x, m = T.vector(dtype="bool"), T.tensor3(dtype="float32")
    with theano.config.change_flags(threads=threads):
        f = theano.function([x], [T.any(x), T.all(x), T.any(x[::-3]), T.all(~x[::2])])
        g = theano.function([m], [T.any(m > 0), T.all(m <= 0), T.any(T.isnan(m), axis=(0, 2))])
        for n in (0, 1, 2047, 2048, 2049, 40_000, 1_000_000):
            for place in {0, 1, n // 2, n - 2, n - 1, -1} & set(range(-1, n)):
                a = np.zeros(n, "bool")
                a[place : place + 1] = place >= 0
                for given in (a, ~a):
                    wanted = given.any(), given.all(), given[::-3].any(), (~given[::2]).all()
                    assert [bool(v) for v in f(given)] == list(map(bool, wanted))
                b = np.zeros((1, n // 10, 10), "float32")
                b.ravel()[max(place, 0) : place + 1] = 1
                for given in (b, b.transpose(2, 1, 0), b[:, ::-1, ::2]):
                    some, none, odd = g(given)
                    assert (bool(some), bool(none)) == ((given > 0).any(), (given <= 0).all())
                    assert not odd.any() and odd.shape == given.shape[1:2]
