"""Records mean what NamedTuple means."""

import copy
import pickle
from typing import NamedTuple

import pytest

from theano._core.base.records import Record


class Ours(Record):
    """A record."""

    one: int
    two: str = "b"
    three: tuple = ()

    def twice(self):
        return 2 * self.one


class Theirs(NamedTuple):
    """A named tuple."""

    one: int
    two: str = "b"
    three: tuple = ()


RIGHT = [
    *(((1,), {}), ((1, "x"), {}), ((1, "x", (3,)), {}), ((1,), {"three": (4,)})),
    *(((), {"two": "y", "one": 2}), ((1,), {"two": "y", "three": 5})),
]
WRONG = [
    *(((), {}), ((1, 2, 3, 4), {}), ((1,), {"one": 1}), ((1,), {"four": 1}), ((), {"two": "x"})),
]


@pytest.mark.parametrize(("values", "named"), RIGHT)
def test_records_are_named_tuples(values, named):
    ours, theirs = Ours(*values, **named), Theirs(*values, **named)
    assert tuple(ours) == tuple(theirs) == (ours.one, ours.two, ours.three)
    assert ours == theirs and hash(ours) == hash(theirs)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert ours.asdict() == theirs._asdict()
    assert ours.replace(two="z") == theirs._replace(two="z")
    assert type(ours.replace(two="z")) is Ours
    assert ours.twice() == 2 * ours.one
    for copied in (pickle.loads(pickle.dumps(ours)), copy.copy(ours), copy.deepcopy(ours)):
        assert copied == ours and type(copied) is Ours
    match ours:
        case Ours(one, two=two):
            assert (one, two) == theirs[:2]


@pytest.mark.parametrize(("values", "named"), WRONG)
def test_wrong_values_are_refused(values, named):
    with pytest.raises(TypeError):
        Theirs(*values, **named)
    with pytest.raises(TypeError, match="Ours takes one, two, three"):
        Ours(*values, **named)


def test_records_do_not_change():
    record = Ours(1)
    for name in ("one", "other"):
        with pytest.raises(AttributeError):
            setattr(record, name, 2)
    with pytest.raises(TypeError, match="Ours has no four"):
        record.replace(four=4)
    with pytest.raises(TypeError, match="without a default"):

        class Wrong(Record):
            one: int = 1
            two: int
