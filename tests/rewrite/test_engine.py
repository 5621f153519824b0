"""What one phase of rewriting leaves to the next."""

import numpy as np

import theano
import theano.tensor as T
from support.agreement import agree
from support.comparison import SUMS
from theano._core.ir.graph import toposort
from theano._core.ops.array.indexing import Subtensor
from theano._core.ops.array.shaping import Length
from theano._core.ops.control.scan import Loop
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pipeline import rules_of
from theano._core.rewrite.scan import simplify

m = T.dmatrix("m")
x = T.dvector("x")


def scanned():
    return theano.scan(
        lambda a, h: T.tanh(h * a[1:4].sum()), sequences=m, outputs_info=T.zeros(())
    )[0]


def test_a_loop_whose_body_stays_is_the_same_node():
    rewriter = Rewriter()
    once = rewriter.run([T.exp(scanned())], rules_of("canonical"))
    again = rewriter.run(once, rules_of("special"))
    assert again[0] is once[0]
    assert any(isinstance(node.op, Loop) for node in toposort(again))


def test_lengths_are_not_looked_for_again(monkeypatch):
    count = 0
    original = Subtensor.shape

    def shape(self, node, shapes):
        nonlocal count
        count += 1
        return original(self, node, shapes)

    monkeypatch.setattr(Subtensor, "shape", shape)
    rewriter = Rewriter()
    out = rewriter.run([m[1:] * T.exp(m[:-1])], rules_of("canonical"))[0]
    lengths, first = rewriter.shape(out), count
    assert rewriter.run([out], rules_of("special"))[0] is out
    again = rewriter.shape(out)
    assert first and count == first
    assert [n is l for n, l in zip(again, lengths, strict=True)] == [True, True]


def test_what_has_no_other_length_than_its_own():
    rewriter = Rewriter()
    out = rewriter.run([(x > 0).nonzero()[0] + 1], rules_of("canonical"))[0]
    before = rewriter.shape(out)[0]
    assert isinstance(before.owner.op, Length)
    rewriter.run([out], rules_of("stable"))
    assert rewriter.shape(out)[0] is before


def test_lengths_that_a_body_is_told_anew_count():
    """Two loops of one operation, over rows of other lengths."""
    node = next(n for n in toposort([scanned()]) if isinstance(n.op, Loop))
    inputs = [theano.clone(v, {m: m[:, :2]}) for v in node.inputs]
    both = [node.outputs[0].sum(), node.op.make_node(*inputs).outputs[0].sum()]
    agree([m], both, [np.random.RandomState(1).rand(4, 6)], tolerance=SUMS)


def test_loops_are_tried_again_only_where_something_changed(monkeypatch):
    tried = []
    original = simplify._change

    def change(node, *rest):
        tried.append(node)
        return original(node, *rest)

    monkeypatch.setattr(simplify, "_change", change)
    plain = theano.scan(lambda a, h: T.tanh(h * a), sequences=x, outputs_info=T.ones(()))[0]
    # Its last rows alone are used, and a fixed product moves out of it: two rounds.
    other = theano.scan(
        lambda a, h, u: h * a + T.exp(u).sum(),
        sequences=x,
        outputs_info=T.ones(()),
        non_sequences=m,
    )[0][-1]
    simplify.rewrite_loops([plain.sum(), other])
    assert len(tried) == len(set(tried)) > 2
