"""`theano.gof.utils`: names, lists, and where variables were made."""

import copy
import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gof import utils


def test_names_of_variables_are_made_different():
    a, b = T.dscalars("a", "b")
    names = utils.give_variables_names([a, T.dscalar("a"), T.dscalar(), b])
    assert [v.name for v in names] == ["a_0", "a_1", "_2", "b"]
    with pytest.raises(ValueError, match="alike"):
        utils.give_variables_names([T.dscalar("a_0"), T.dscalar()[()], T.dscalar("_0")])


def test_lists():
    assert utils.flatten([1, (2, [3])]) == [1, 2, 3]
    assert utils.uniq([1, 2, 1]) == [1, 2]
    assert utils.remove(lambda n: n > 1, [1, 2, 0]) == [1, 0]


def test_traces_of_variables():
    x = T.dvector("x")
    ((line,),) = (x + 1).tag.trace
    assert line[0] == __file__
    assert line[2:] == ("test_traces_of_variables", "((line,),) = (x + 1).tag.trace")
    y = x * 2
    copies = [pickle.loads(pickle.dumps(y)), copy.deepcopy(y)]
    assert [v.tag.trace for v in copies] == [y.tag.trace] * 2
    assert vars(y.tag) == {}
    assert theano.function([x], y + 1).maker.fgraph.outputs[0].tag.trace
    text = utils.get_variable_trace_string(y)
    assert text.endswith(f"line {y.source.line}, in test_traces_of_variables\n    y = x * 2\n")


def test_programs_may_set_traces():
    x, y = T.dvectors("xy")
    x.tag.trace = y.tag.trace
    assert x.tag.trace == y.tag.trace
    assert utils.add_tag_trace(x) is x
    frames = utils.simple_extract_stack(skips=["pytest"])
    text = 'frames = utils.simple_extract_stack(skips=["pytest"])'
    assert frames[-1][2:] == ("test_programs_may_set_traces", text)


def test_tags_print_what_is_in_them():
    x = T.dmatrix()
    x.tag.role = "weight"
    assert str(x.tag) == repr(x.tag) == "scratchpad{'role': 'weight'}"


def test_values_that_are_nearly_equal():
    from theano.tensor.type import values_eq_approx

    one, two = np.array([1.0, np.inf, 2]), np.array([1.0, 5, 2 + 1e-7])
    assert not values_eq_approx(one, two)
    assert values_eq_approx(one, two, True)
    assert not values_eq_approx(one, two, True, False, 1e-12, 0)
    assert not values_eq_approx(one, one.astype("float32"))
    assert not values_eq_approx(one, one[:2])
    assert T.basic._allclose(np.float32(1), 1 + 2e-6) and not T.basic._allclose(1.0, 1.1)
