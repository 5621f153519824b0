"""What of a program's numbers is known while it is written."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.lower import program as ir
from theano._core.lower.builder.recorder import Recorder
from theano._core.lower.builder.region import Region
from theano._core.lower.simplify import COMMUTATIVE, applied, is_length, simplest
from theano._core.ops.array.dims import LARGEST

NUMBERS = (-LARGEST - 1, -LARGEST, -7, -2, -1, 0, 1, 2, 3, 8, 1 << 40, LARGEST - 1, LARGEST)
OF_TWO = [name for name, function in ir.FUNCTIONS.items() if "{1}" in function.text]
OF_TWO = [name for name in OF_TWO if name not in ("select", "slot")]


def value(function, kind, operands):
    """Return what a function is worth; None: it has no value."""
    if function in ("sdiv", "udiv") and operands[1] == 0:
        return None
    return applied(function, kind, operands)


@pytest.mark.parametrize("kind", ["int64", "bool"])
@pytest.mark.parametrize("function", OF_TWO)
def test_what_is_known_is_what_is_computed(function, kind):
    numbers = NUMBERS if kind == "int64" else (0, 1)
    for lengths in (frozenset(), frozenset({"%x"})):
        own = [n for n in numbers if n >= 0 or not lengths]
        for two in (*numbers, "%x", "%y"):
            known = simplest(function, ("%x", two), kind, lengths)
            if known is None:
                continue
            for x, y in itertools.product(own, numbers):
                at = {"%x": x, "%y": y}
                wanted = value(function, kind, (x, at.get(two, two)))
                assert wanted is None or at.get(known, known) == wanted
        for one in numbers:
            known = simplest(function, (one, "%x"), kind, lengths)
            for x in own if known is not None else ():
                wanted = value(function, kind, (one, x))
                assert wanted is None or {"%x": x}.get(known, known) == wanted


@pytest.mark.parametrize("function", OF_TWO)
def test_numbers_are_computed(function):
    for operands in itertools.product(NUMBERS, repeat=2):
        known = simplest(function, operands, "int64", ())
        if function != "word":
            assert known == value(function, "int64", operands)


@pytest.mark.parametrize("function", sorted(COMMUTATIVE))
def test_operands_that_change_places_give_the_same(function):
    for x, y in itertools.product(NUMBERS, repeat=2):
        assert applied(function, "int64", (x, y)) == applied(function, "int64", (y, x))


@pytest.mark.parametrize("function", OF_TWO)
def test_lengths_are_not_negative(function):
    for one, two in itertools.product(("%n", "%x", *NUMBERS), repeat=2):
        if is_length(function, (one, two), {"%n"}):
            for n, x in itertools.product((v for v in NUMBERS if v >= 0), NUMBERS):
                at = {"%n": n, "%x": x}
                got = value(function, "int64", (at.get(one, one), at.get(two, two)))
                assert got is None or got >= 0


def test_a_condition_is_checked_once_on_each_way():
    p = Recorder()
    holds = p.let("lt", "%a", "%b")
    assert not p.is_checked(holds)
    assert p.is_checked(holds)
    other = p.let("gt", "%a", "%c")
    with p.into([]):
        assert p.is_checked(holds)
        assert not p.is_checked(other)
        assert p.is_checked(other)
    # The block above may not be gone through.
    assert not p.is_checked(other)


def test_what_is_done_before_a_loop_does_not_rely_on_checks_of_its_steps():
    p = Recorder()
    holds = p.let("lt", "%a", "%b")
    p.region = Region(None, "%step", "%steps", None)
    with p.into([]):
        assert not p.is_checked(holds)
        with p.once():
            assert not p.is_checked(holds)
        assert p.is_checked(holds)


def faults(f):
    """Return the faults of the checks of a function's program."""
    body = f.maker.program_text.program.body
    return [i.fault for i in ir.walk(body) if isinstance(i, ir.Check)]


def test_lengths_of_arrays_are_no_missing_ones():
    # Lengths that are there can be no -1, and no number that could be worked out.
    x, n = T.dmatrix(), T.lscalar()
    own = theano.function([x], x.reshape((x.shape[1], x.shape[0])) * 2)
    given = theano.function([x, n], x.reshape((n, x.shape[0])) * 2)
    assert faults(own).count("reshape") < faults(given).count("reshape")
    np.testing.assert_array_equal(own(np.ones((2, 3))), np.full((3, 2), 2.0))
    np.testing.assert_array_equal(given(np.ones((2, 3)), -1), np.full((3, 2), 2.0))
    with pytest.raises(ValueError, match="reshape"):
        given(np.ones((2, 3)), 4)


def test_equal_checks_of_two_products_are_one():
    x, y = T.dmatrices("xy")
    once = theano.function([x, y], T.dot(x, y))
    twice = theano.function([x, y], [T.dot(x, y), T.dot(x * 2, y)])
    assert faults(once).count("matmul") == faults(twice).count("matmul") == 1
    with pytest.raises(ValueError, match=r"matmul|shapes"):
        twice(np.ones((2, 3)), np.ones((2, 3)))


# By NumPy's names.
OF_BITS = ["add", "multiply", "minimum", "maximum", "equal", "not_equal", "less", "less_equal"]
OF_BITS += ["greater", "greater_equal", "bitwise_and", "bitwise_or", "bitwise_xor"]
SCALARS = [*itertools.product(OF_BITS, ["bool", "int64"]), ("subtract", "int64")]


@pytest.mark.parametrize(("name", "dtype"), SCALARS)
def test_scalars_of_integers_and_truth_values_are_as_numpys(name, dtype):
    x, y = T.scalar(dtype=dtype), T.scalar(dtype=dtype)
    f = theano.function([x, y], getattr(T, name)(x, y))
    numbers = (False, True) if dtype == "bool" else NUMBERS
    for one, two in itertools.product(np.array(numbers, dtype), repeat=2):
        with np.errstate(all="ignore"):
            assert f(one, two) == getattr(np, name)(one, two)
