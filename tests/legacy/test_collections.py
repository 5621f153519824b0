"""Containers, and names for two versions of Python."""

import collections
import pickle

import pytest

from theano import compat
from theano.compat import python2x, six
from theano.compat.six import iteritems, reraise
from theano.compat.six.moves import StringIO, reduce, xrange
from theano.gof import python25
from theano.misc.frozendict import frozendict
from theano.misc.ordered_set import OrderedSet


def test_ordered_sets():
    members = OrderedSet([3, 1, 2, 1])
    members.add(0)
    members.discard(1)
    assert list(members) == [3, 2, 0] and list(reversed(members)) == [0, 2, 3]
    assert members == OrderedSet([3, 2, 0]) != OrderedSet([2, 3, 0])
    assert list(members.union([7])) == [3, 2, 0, 7]
    members.update([9])
    members.difference_update([3])
    members.intersection_update([9, 2])
    assert repr(members) == "OrderedSet([2, 9])"
    assert members.pop() == 9 and members.copy().pop(last=False) == 2
    for wrong, error, text in (
        (lambda: OrderedSet({1, 2}), TypeError, "deterministic"),
        (lambda: members == {2}, TypeError, "not comparable"),
        (lambda: OrderedSet().pop(), KeyError, None),
    ):
        with pytest.raises(error, match=text):
            wrong()


def test_frozen_dicts():
    one = frozendict({"a": 1}, b=2)
    assert one == {"a": 1, "b": 2} and "a" in one
    assert hash(one) == hash(frozendict(b=2, a=1))
    assert one.copy(a=3) == {"a": 3, "b": 2}
    with pytest.raises(TypeError):
        one["a"] = 2


def test_compat():
    assert compat.PY3 and list(compat.izip([1], [2])) == [(1, 2)]
    assert (compat.cmp(1, 2), compat.operator_div(1, 2), compat.b("\xe9")) == (-1, 0.5, b"\xe9")
    assert list(compat.decode_iter([b"a"])) == ["a"]
    assert compat.decode_with(b"\xe9", "latin-1") == "\xe9"
    assert compat.exc_message(ValueError(KeyError("inner"))) == "inner"
    assert compat.get_unbound_function(OrderedSet([1]).pop) is OrderedSet.pop
    table = compat.DefaultOrderedDict(list)
    table["a"].append(1)
    assert pickle.loads(pickle.dumps(table)).copy() == {"a": [1]}


def test_names_for_two_pythons():
    assert six.PY3 and list(iteritems({1: 2})) == [(1, 2)] and six.moves.xrange is xrange is range
    assert reduce(lambda a, b: a + b, xrange(4)) == 6 and StringIO("a").read() == "a"
    with pytest.raises(ValueError, match="again"):
        reraise(ValueError, ValueError("again"))
    assert type(six.with_metaclass(type, object)) is type
    made = type("Made", (), {})
    assert six.add_metaclass(type)(made).__name__ == "Made"


def test_names_of_python_25():
    assert python2x.OrderedDict is collections.OrderedDict
    assert python2x.any([0, 1]) and not python25.all([0, 1])
    assert python25.DefaultOrderedDict(int)["x"] == python2x.defaultdict(int)["x"] == 0
    assert python2x.Counter("a")["x"] == 0 and python25.maxsize > 2**31
    pairs = python25.product([0, 2], [3])
    assert [python25.partial(max, 1)(*pair) for pair in pairs] == [3, 3]
