"""Inputs and outputs of loops by what Theano calls them."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

import theano
import theano.tensor as T
from theano.scan_module.scan_utils import forced_replace, reconstruct_graph, scan_args


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
    assert sorted(map(id, args.outer_inputs)) == sorted(map(id, node.inputs))
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
