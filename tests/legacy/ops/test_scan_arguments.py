"""Inputs and outputs of loops by what Theano calls them, and loops that programs make of others."""

from collections import OrderedDict
from copy import copy, deepcopy

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import ops
from theano.gof.op import ops_with_inner_function
from theano.scan_module.scan_op import Scan
from theano.scan_module.scan_utils import (
    DEPRECATED_ARG,
    forced_replace,
    reconstruct_graph,
    safe_new,
    scan_args,
)

x, h, rows = T.dvector("x"), T.dscalar("h"), T.dvector("rows")
TAPS = {"initial": rows, "taps": [-2, -1]}
VALUES = [np.arange(4.0), 1.0, np.array([1.0, 3.0])]
close = np.testing.assert_allclose


def scanned(step, states, *options):
    outs, _ = theano.scan(step, x, states, *options)
    node = outs[2].owner
    while not isinstance(node.op, Scan):
        node = node.inputs[0].owner
    return outs, node


def loop():
    step = lambda x, two, one, h, w: (one + two, h * w + x, x.sum())
    return scanned(step, [TAPS, h, None], theano.shared(2.0, name="w"))[1]


def mixed():
    """Return the outputs and the node of a loop whose states are in no order."""
    w = theano.shared(2.0, name="w")
    step = lambda x, h, two, one: (x * 3, h * w + x, one + two * x)
    return scanned(step, [None, h, TAPS])


def arguments(node, info=None):
    return scan_args(
        node.inputs, node.outputs, node.op.inputs, node.op.outputs, info or node.op.info
    )


def test_by_role():
    node = loop()
    args = arguments(node)
    assert args.n_steps is node.inputs[0]
    assert args.outer_in_seqs == [node.inputs[1]] and len(args.inner_in_seqs) == 1
    assert [len(taps) for taps in args.inner_in_mit_sot] == [2]
    assert args.mit_sot_in_slices == [[-2, -1]]
    counts = [len(getattr(args, f"inner_out_{k}")) for k in ("mit_sot", "sit_sot", "nit_sot")]
    assert counts == [1, 1, 1]
    assert args.inner_in_non_seqs[0].name == "w_copy" and args.cond == []
    # Theano had a number of steps for what is not carried on, before what does not change.
    counted = [*node.inputs[:-1], node.inputs[0], node.inputs[-1]]
    assert list(map(id, args.outer_inputs)) == list(map(id, counted))
    assert sorted(map(id, args.outer_outputs)) == sorted(map(id, node.outputs))
    assert len(args.inner_inputs) == len(node.op.inputs) and len(args.inner_outputs) == 3
    both = copy(args).merge(args)
    assert len(both.inner_in_seqs) == 2 and len(args.inner_in_seqs) == 1


def test_what_belongs_to_each_other():
    node = loop()
    found = node.op.var_mappings
    of_output = found["outer_inp_from_outer_out"]
    starts = [node.inputs[i].type.ndim for i in of_output.values() if i >= 0]
    assert list(of_output) == [0, 1, 2] and starts == [1, 1] and of_output[2] == -1
    assert found["inner_inp_from_outer_out"] == {0: [1, 2], 1: [3], 2: []}
    assert found["outer_inp_from_inner_inp"] == {0: 1, 1: 2, 2: 2, 3: 3, 4: 4}
    assert found["outer_out_from_outer_inp"] == {0: -1, 1: -1, 2: 0, 3: 1, 4: -1}
    assert found["inner_out_from_inner_inp"] == {0: [], 1: [0], 2: [0], 3: [1], 4: []}
    assert found["outer_out_from_inner_out"] == {0: 0, 1: 1, 2: 2}


def test_graphs_over_other_inputs():
    x, y = T.dvectors("xy")
    out = T.exp(x) * (1 - T.exp(x))
    (fresh,), (again,) = reconstruct_graph([x], [out], "_new")
    assert fresh.name == "x_new" and fresh is not x
    close(again.eval({fresh: [1.0]}), np.e * (1 - np.e))
    assert theano.pp(forced_replace(out, T.exp(x), y)) == theano.pp(y * (1 - y))
    assert forced_replace(None, x, y) is None and forced_replace(out, T.sin(x), y) is out
    # Programs hand on the default of an option.
    out = theano.clone(x * 2, {x: y}, copy_inputs=DEPRECATED_ARG)
    assert out.owner.inputs[0] is y


def test_a_loop_has_a_function_of_one_step():
    found, _ = theano.scan(lambda a, b: T.tanh(a + b * h), x, T.zeros(()))
    loops = ops(theano.function([x, h], found), Scan)
    for op in (found.owner.inputs[0].owner.op, *loops):
        assert ops(op.fn, type(T.tanh)).count(T.tanh) == 1
    operands = [float(v.type.ndim == 0) for v in op.inputs]
    close(op.fn(*operands), np.tanh(2.0))


def test_states_are_in_the_order_of_theano_and_results_in_that_of_the_step():
    outs, node = mixed()
    assert [state.taps for state in node.op.states] == [(2, 1), (1,), ()]
    assert node.op.info["tap_array"] == [[-2, -1], [-1]]
    got = theano.function([x, h, rows], outs)(*VALUES)
    first, second, carried, one, two = [], [], 1.0, 3.0, 1.0
    for value in VALUES[0]:
        carried = carried * 2 + value
        two, one = one, one + two * value
        first.append(carried)
        second.append(one)
    close(got, [VALUES[0] * 3, first, second])


def test_a_step_gets_one_more_output():
    _, node = mixed()
    op, info = node.op, deepcopy(node.op.info)
    info["n_nit_sot"] += 1
    place = len(op.outputs) - info["n_shared_outs"]
    outputs = [*op.outputs[:place], op.outputs[1] * 10, *op.outputs[place:]]
    offset = 1 + op.n_seqs + op.n_mit_mot + op.n_mit_sot + op.n_sit_sot + op.n_shared_outs
    outer = [*node.inputs[:offset], node.inputs[0], *node.inputs[offset:]]
    made = Scan(op.inputs, outputs, info)(*outer)
    old, new = theano.function([x, h, rows], [made[1], made[place]])(*VALUES)
    close(new, old[1:] * 10)


@pytest.mark.parametrize("plain", [False, True])
def test_a_loop_gets_one_more_sequence(plain):
    _, node = mixed()
    args = arguments(node, OrderedDict(node.op.info) if plain else None)
    index = safe_new(T.arange(args.n_steps)[0])
    args.outer_in_seqs.append(T.arange(args.n_steps))
    args.inner_in_seqs.append(index)
    args.inner_out_nit_sot[0] = args.inner_out_nit_sot[0] + 100 * index
    assert args.info["n_seqs"] == 2
    made = Scan(args.inner_inputs, args.inner_outputs, args.info)(*args.outer_inputs)
    outs = [[*of, T.grad(of[2].sum() + of[1].sum(), x)] for of in (list(made), list(node.outputs))]
    got, was = (theano.function([x, h, rows], each)(*VALUES) for each in outs)
    close(got[2], was[2] + 100 * np.arange(4))
    close(got[3], was[3])
    for a, b in zip(got[:2], was[:2], strict=True):
        np.testing.assert_array_equal(a, b)


def test_loops_that_are_written_several_steps_back_are_refused():
    _, node = mixed()
    info = OrderedDict(node.op.info, n_mit_mot=1)
    with pytest.raises(NotImplementedError, match="mit_mot"):
        Scan(node.op.inputs, node.op.outputs, info)
    with pytest.raises(TypeError, match="takes 4 values besides its steps, got 6"):
        node.op(*node.inputs, *node.inputs[:2])


def test_where_operations_keep_the_function_inside():
    inner = theano.OpFromGraph([x], [x * 2])(x).owner.op
    for op, count in ((mixed()[1].op, 3), (inner, 1)):
        function = getattr(op, ops_with_inner_function[type(op)])
        assert len(function.maker.fgraph.outputs) == count
