"""Inputs and outputs of loops by what Theano calls them."""

from __future__ import annotations

from collections import OrderedDict
from copy import copy, deepcopy
from typing import Any

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gof.op import ops_with_inner_function
from theano.scan_module import scan_utils
from theano.scan_module.scan_op import Scan
from theano.scan_module.scan_utils import forced_replace, reconstruct_graph, safe_new, scan_args


def loop() -> Any:
    x, h, rows = T.dvector("x"), T.dscalar("h"), T.dvector("rows")
    w = theano.shared(2.0, name="w")

    def step(x: Any, two: Any, one: Any, h: Any, w: Any) -> Any:
        return one + two, h * w + x, x.sum()

    states = [{"initial": rows, "taps": [-2, -1]}, h, None]
    outs, _ = theano.scan(step, x, states, non_sequences=w)
    node = outs[2].owner
    while not isinstance(node.op, theano.scan_module.scan_op.Scan):
        node = node.inputs[0].owner
    return node


def test_by_role() -> None:
    node = loop()
    args = scan_args(node.inputs, node.outputs, node.op.inputs, node.op.outputs, node.op.info)
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


def test_what_belongs_to_each_other() -> None:
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


def test_graphs_over_other_inputs() -> None:
    x, y = T.dvectors("xy")
    out = T.exp(x) * (1 - T.exp(x))
    (fresh,), (again,) = reconstruct_graph([x], [out], "_new")
    assert fresh.name == "x_new" and fresh is not x
    np.testing.assert_allclose(again.eval({fresh: [1.0]}), np.e * (1 - np.e))
    assert theano.pp(forced_replace(out, T.exp(x), y)) == theano.pp(y * (1 - y))
    assert forced_replace(None, x, y) is None and forced_replace(out, T.sin(x), y) is out


def test_a_loop_has_a_function_of_one_step() -> None:
    x, y = T.dvector(), T.dscalar()
    rows, _ = theano.scan(lambda a, b: T.tanh(a + b * y), x, T.zeros(()))
    compiled = theano.function([x, y], rows)
    loops = [n.op for n in compiled.maker.fgraph.toposort() if type(n.op).__name__ == "Scan"]
    for op in (rows.owner.inputs[0].owner.op, *loops):
        assert T.tanh in [node.op for node in op.fn.maker.fgraph.toposort()]
    operands = [float(v.type.ndim == 0) for v in op.inputs]
    np.testing.assert_allclose(op.fn(*operands), np.tanh(2.0))


# -- loops that programs make of others -----------------------------------------------------------


def mixed() -> tuple[list[Any], Any, list[Any], list[Any]]:
    """Return inputs, the node and the outputs of a loop, and values; the states are in no order."""
    x, h, rows = T.dvector("x"), T.dscalar("h"), T.dvector("rows")
    w = theano.shared(2.0, name="w")

    def step(x: Any, h: Any, two: Any, one: Any) -> Any:
        return x * 3, h * w + x, one + two * x

    outs, _ = theano.scan(step, x, [None, h, {"initial": rows, "taps": [-2, -1]}])
    node = outs[0].owner
    while not isinstance(node.op, Scan):
        node = node.inputs[0].owner
    return [x, h, rows], node, outs, [np.arange(4.0), 1.0, np.array([1.0, 3.0])]


def test_states_are_in_the_order_of_theano() -> None:
    _, node, _, _ = mixed()
    assert [state.taps for state in node.op.states] == [(2, 1), (1,), ()]
    assert node.op.info["tap_array"] == [[-2, -1], [-1]]


def test_results_stay_in_the_order_of_the_step() -> None:
    inputs, _, outs, values = mixed()
    got = theano.function(inputs, outs)(*values)
    first, second, h, one, two = [], [], 1.0, 3.0, 1.0
    for x in values[0]:
        h = h * 2 + x
        two, one = one, one + two * x
        first.append(h)
        second.append(one)
    for a, b in zip(got, [values[0] * 3, first, second], strict=True):
        np.testing.assert_allclose(a, b)


def test_a_step_gets_one_more_output() -> None:
    inputs, node, _, values = mixed()
    op = node.op
    found = op.outputs[1] * 10
    info = deepcopy(op.info)
    info["n_nit_sot"] += 1
    place = len(op.outputs) - info["n_shared_outs"]
    outputs = [*op.outputs[:place], found, *op.outputs[place:]]
    offset = 1 + op.n_seqs + op.n_mit_mot + op.n_mit_sot + op.n_sit_sot + op.n_shared_outs
    outer = [*node.inputs[:offset], node.inputs[0], *node.inputs[offset:]]
    made = Scan(op.inputs, outputs, info)(*outer)
    old, new = theano.function(inputs, [made[1], made[place]])(*values)
    np.testing.assert_allclose(new, old[1:] * 10)


@pytest.mark.parametrize("plain", [False, True])
def test_a_loop_gets_one_more_sequence(plain: bool) -> None:
    inputs, node, _, values = mixed()
    info = OrderedDict(node.op.info) if plain else node.op.info
    args = scan_args(node.inputs, node.outputs, node.op.inputs, node.op.outputs, info)
    index = safe_new(T.arange(args.n_steps)[0])
    args.outer_in_seqs.append(T.arange(args.n_steps))
    args.inner_in_seqs.append(index)
    args.inner_out_nit_sot[0] = args.inner_out_nit_sot[0] + 100 * index
    assert args.info["n_seqs"] == 2
    made = Scan(args.inner_inputs, args.inner_outputs, args.info)(*args.outer_inputs)
    got = theano.function(inputs, made)(*values)
    was = theano.function(inputs, node.outputs)(*values)
    np.testing.assert_allclose(got[2], was[2] + 100 * np.arange(4))
    for a, b in zip(got[:2], was[:2], strict=True):
        np.testing.assert_array_equal(a, b)
    gradient = theano.function(inputs, T.grad(made[2].sum() + made[1].sum(), inputs[0]))(*values)
    wanted = T.grad(node.outputs[2].sum() + node.outputs[1].sum(), inputs[0])
    np.testing.assert_allclose(gradient, theano.function(inputs, wanted)(*values))


def test_loops_that_are_written_several_steps_back_are_refused() -> None:
    _, node, _, _ = mixed()
    info = OrderedDict(node.op.info, n_mit_mot=1)
    with pytest.raises(NotImplementedError, match="mit_mot"):
        Scan(node.op.inputs, node.op.outputs, info)
    with pytest.raises(TypeError, match="takes 4 values besides its steps, got 6"):
        node.op(*node.inputs, *node.inputs[:2])


def test_where_operations_keep_the_function_inside() -> None:
    _, node, _, _ = mixed()
    x = T.dvector()
    inner = theano.OpFromGraph([x], [x * 2])(x).owner.op
    for op, count in ((node.op, 3), (inner, 1)):
        function = getattr(op, ops_with_inner_function[type(op)])
        assert len(function.maker.fgraph.outputs) == count


def test_copies_of_programs_that_hand_on_the_default_of_an_option() -> None:
    x, y = T.dvectors("x", "y")
    out = theano.clone(x * 2, {x: y}, copy_inputs=scan_utils.DEPRECATED_ARG)
    assert out.owner.inputs[0] is y
