"""Indices as Theano 1.0.5 keeps them: canonical slices, lists of types, constants."""

import itertools

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from theano.tensor.subtensor import get_canonical_form_slice, get_idx_list, make_constant

x, i, j = T.dmatrix("x"), T.lscalar("i"), T.lscalar("j")
int64 = theano.scalar.int64
NAMES = T.lscalars("start", "stop", "step", "length")


@pytest.mark.parametrize("symbolic", ["nothing", "length", "bounds", "step"])
def test_canonical_slices(symbolic):
    chosen = {"nothing": (), "length": (3,), "bounds": (0, 1), "step": (2, 3)}[symbolic]
    array, functions = np.arange(5), {}
    ends = [None, -9, -5, -2, 0, 4, 9]
    for given in itertools.product(ends, ends, [None, 1, 2, -1, -3], [5]):
        used = [k for k in chosen if given[k] is not None]
        parts = tuple(NAMES[k] if k in used else v for k, v in enumerate(given))
        if parts not in functions:
            entry, direction = get_canonical_form_slice(slice(*parts[:3]), parts[3])
            outs = [entry.start, entry.stop, entry.step, direction]
            outs = [T.as_tensor_variable(v) for v in outs]
            inputs = [NAMES[k] for k in used]
            functions[parts] = theano.function(inputs, outs, mode="FAST_COMPILE")
        low, high, by, direction = map(int, functions[parts](*(given[k] for k in used)))
        assert 0 <= low <= high <= 5 and by > 0
        found = array[low:high:by][::direction]
        np.testing.assert_array_equal(found, array[slice(*given[:3])])


def test_canonical_integers():
    f = theano.function([i, j], get_canonical_form_slice(i, j)[0])
    assert (f(2, 5), f(-2, 5)) == (2, 3)


def test_index_lists():
    node = x[i:, 3:j].owner
    three = node.inputs[2]
    assert get_idx_list(node.inputs, node.op.index) == (slice(i, None), slice(three, j))
    kind = T.lscalar
    filled = get_idx_list([x, i, j], [slice(kind, None, None), kind])
    assert filled == (slice(i, None, None), j)
    assert get_idx_list([x, i, j], [slice(kind, None, None), 2], get_count=True) == 1
    assert get_idx_list([x], [slice(None), 1]) == (slice(None), 1)


def test_the_index_of_a_subtensor():
    part = x[i, 1:i]
    op, inputs = part.owner.op, part.owner.inputs
    assert op.idx_list == (int64, slice(int64, int64, None))
    found = get_idx_list(inputs, op.idx_list)
    assert found[0] is found[1].stop is i and found[1].start.data == 1
    again = T.Subtensor(op.idx_list)(*inputs)
    values = evaluate([again, x[found]], {x: np.arange(12.0).reshape(3, 4), i: 2})
    assert [v.tolist() for v in values] == [[9.0], [9.0]]
    assert op.get_constant_idx(inputs, allow_partial=True) == [i, slice(1, i, None)]
    node = x[0, ::2].owner
    assert node.op.get_constant_idx(node.inputs) == [0, slice(None, None, 2)]
    assert [str(v) for v in node.inputs] == ["x", "Constant{0}", "Constant{2}"]
    assert all(isinstance(v, theano.scalar.ScalarConstant) for v in node.inputs[1:])
    with pytest.raises(T.NotScalarConstantError):
        op.get_constant_idx(inputs)
    assert T.inc_subtensor(part, 1).owner.op.idx_list == op.idx_list
    written = T.set_subtensor(part, 1).owner.op
    assert written.set_instead_of_inc
    # As of every write to a part that no rewrite has put in place.
    assert list(written.destroyhandler_tolerate_aliased) == []


def test_numbers_of_indices_as_constants():
    number, part, array, symbol = make_constant([1, slice(0, i, None), np.array(3), i])
    assert isinstance(number, theano.scalar.ScalarConstant) and str(number) == "Constant{1}"
    assert number.type == part.start.type == int64
    assert part.start.data == 0 and part.stop is i and part.step is None
    assert array == 3 and symbol is i


def test_operations_over_masks():
    mask, value = T.TensorType("bool", (False, False))("mask"), np.arange(6.0).reshape(2, 3)
    out = [
        T.AdvancedBooleanSubtensor()(x, mask),
        T.AdvancedBooleanIncSubtensor()(x, 10, mask),
        T.AdvancedBooleanIncSubtensor(set_instead_of_inc=True)(x, 10, mask),
    ]
    read, added, written = evaluate(out, {x: value, mask: value > 3})
    assert read.tolist() == [4, 5]
    np.testing.assert_array_equal(added, value + 10 * (value > 3))
    np.testing.assert_array_equal(written, np.where(value > 3, 10, value))
    assert T.AdvancedBooleanSubtensor().make_node(x, mask).outputs[0].ndim == 1
