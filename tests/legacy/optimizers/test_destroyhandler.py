"""Graphs of operations that overwrite: `DestroyHandler` and `Supervisor`."""

import pytest

import theano
import theano.tensor as T
from theano.compile.function_module import Supervisor
from theano.compile.mode import AddDestroyHandler, AddFeatureOptimizer
from theano.gof import DestroyHandler, FunctionGraph, InconsistencyError
from theano.gof.toolbox import NoOutputFromInplace, ReplaceValidate


class Made(theano.Op):
    """An operation of vectors with maps."""

    def __init__(self, name, view=None, destroy=None, **tolerates):
        self.name = name
        self.view_map, self.destroy_map = view or {}, destroy or {}
        vars(self).update(tolerates)

    def make_node(self, *inputs):
        return theano.Apply(self, list(inputs), [T.dvector()])

    def __str__(self):
        return self.name


new, view = Made("new"), Made("view", view={0: [0]})
over = Made("over", destroy={0: [0]})


def checked(outputs):
    leaves = theano.gof.graph.inputs(outputs)
    inputs = [v for v in leaves if not isinstance(v, theano.Constant)]
    graph = FunctionGraph(inputs, outputs, clone=False)
    graph.attach_feature(DestroyHandler())
    graph.attach_feature(ReplaceValidate())
    return graph


@pytest.mark.parametrize(
    ("make", "fits"),
    [
        (lambda x, y: [over(x, y)], True),
        (lambda x, y: [over(x, x)], False),
        (lambda x, y: [over(x, view(x))], False),
        # The copy is read before.
        (lambda x, y: [new(over(x, y), new(x))], True),
        (lambda x, y: [new(over(x, y), x)], False),
        (lambda x, y: [new(over(x, y), view(x))], False),
        (lambda x, y: [over(x, y), over(y, x)], False),
        (lambda x, y: [new(over(x, y), over(view(x), y))], False),
        (lambda x, y: [over(over(x, y), y)], True),
        (lambda x, y: [over(T.constant([1.0]), y)], False),
    ],
)
def test_what_may_be_overwritten(make, fits):
    x, y = T.dvectors("xy")
    assert checked(make(x, y)).consistent() is fits


def test_what_an_operation_tolerates():
    x = T.dvector("x")
    same = Made("same", destroy={0: [0]}, destroyhandler_tolerate_same=[(0, 1)])
    aliased = Made("aliased", destroy={0: [0]}, destroyhandler_tolerate_aliased=[(0, 1)])
    assert checked([same(x, x)]).consistent() and not checked([same(x, view(x))]).consistent()
    assert checked([aliased(x, view(x))]).consistent()


def test_an_order_is_found_and_replacements_are_refused():
    x, y = T.dvectors("xy")
    first, second = over(x, y), new(x)
    graph = checked([first, second])
    assert graph.toposort() == [second.owner, first.owner]
    with pytest.raises(InconsistencyError):
        graph.replace_validate(second, over(x))
    assert graph.outputs == [first, second] and graph.destroyers(view(x)) == [first.owner]
    x.tag.indestructible = True
    with pytest.raises(InconsistencyError, match="indestructible"):
        graph.validate()


def test_what_is_protected():
    x, y = T.dvectors("xy")
    graph = FunctionGraph([x, y], [new(over(x, y))], clone=False)
    graph.attach_feature(ReplaceValidate())
    graph.attach_feature(Supervisor([x]))
    graph.validate()
    AddDestroyHandler().optimize(graph)
    with pytest.raises(InconsistencyError, match="protected"):
        graph.validate()
    other = FunctionGraph([x, y], [over(x, y)], clone=False)
    AddFeatureOptimizer(NoOutputFromInplace()).optimize(other)
    other.attach_feature(ReplaceValidate())
    with pytest.raises(InconsistencyError, match="protected output"):
        other.validate()
