"""Orders of nodes: `theano.gof.sched`."""

from itertools import pairwise

import pytest

import theano.tensor as T
from theano.compat import cmp
from theano.gof import sched
from theano.gof.fg import FunctionGraph
from theano.gof.graph import general_toposort, io_toposort


def test_what_an_application_needs_comes_before_it():
    x = T.dmatrix("x")
    y = T.dot(x * 2, x + 1)
    compare = sched.make_dependence_cmp()
    nodes = io_toposort([x], [y])
    assert all(compare(a, b) <= 0 for a, b in pairwise(nodes))
    assert compare(y.owner, nodes[0]) == 1 and not sched.make_depends()((nodes[0], y.owner))
    by_name = sched.key_to_cmp(str)
    order = sched.sort_schedule_fn(by_name)(FunctionGraph([x], [y], clone=False))
    assert len(order) == len(nodes) and order[-1] is y.owner
    # Comparisons alone, as in Theano.
    alone = sched.sort_apply_nodes([x], [y], [by_name])
    assert alone == sorted(alone, key=str)


def test_orders_by_comparisons():
    assert sched.posort("asdfghjkl", cmp) == list("adfghjkls")
    tens = [sched.key_to_cmp(lambda n: n % 10), sched.key_to_cmp(lambda n: n // 10)]
    assert sched.posort(range(1, 20), *tens) == [
        10,
        *(n for k in range(1, 10) for n in (k, k + 10)),
    ]
    assert sched.reverse_dict({"a": (1, 2), "b": (2,), "c": ()}) == {1: ("a",), 2: ("a", "b")}
    with pytest.raises(ValueError, match="cycles"):
        sched._toposort({1: {2}, 2: {1}})


def test_the_order_of_general_toposort():
    needs = {"out": ["a", "b"], "a": ["c"], "b": [], "c": []}
    assert general_toposort(["out"], needs.get) == ["b", "c", "a", "out"]
    with pytest.raises(ValueError, match="cycles"):
        general_toposort([1], {1: [2], 2: [1]}.get)


def test_nodes_in_an_order_that_is_asked_for():
    x = T.dmatrix("x")
    left, right = T.exp(x), T.tanh(x)
    y = T.dot(left, right)
    plain = [v.owner for v in (right, left, y)]
    clients = {}
    assert io_toposort([x], [y], clients=clients) == plain
    assert clients[left.owner] == [left] and clients[left] == [y.owner]
    turned = io_toposort([x], [y], {right.owner: [left.owner]})
    assert turned == [v.owner for v in (left, right, y)]
    assert io_toposort([x], [y], orderings={left.owner: [right.owner]}) == plain
