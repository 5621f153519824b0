"""5. The pipeline: one list that says in which order rules run.

Rules work against each other if they run together: one form is best for finding what cancels,
another is the cheapest. So they stand in phases, and each phase says why it is where it is. All
passes over the graph are in this list, those that are no rules too.

The real one: `src/theano/_core/rewrite/pipeline.py`.
"""

import numpy as np
from gradient import grad
from graph import Constant, Variable, evaluate
from op import exp, log, total
from rule import RULES, Rewriter, X, Y


class Folding(Rewriter):
    """Computes what depends on no input."""

    def rewritten(self, variable):
        """Return a number for an operation on numbers."""
        if all(isinstance(v, Constant) for v in variable.owner.inputs):
            return self.leaf(Constant(evaluate([variable], {})[0]))
        return super().rewritten(variable)


def rewriting(kind, *rules):
    """Return a pass over a graph."""

    def run(outputs):
        rewriter = kind(rules)
        return [rewriter.finish(v) for v in outputs]

    return run


PIPELINE = [
    ("canonical", rewriting(Folding, *RULES), "One form for equal expressions: more rules match."),
    (
        "special",
        rewriting(Rewriter, (X / Y / Y, X / (Y * Y)), (X * exp(-Y), X / exp(Y))),
        "Cheaper forms of what is left. They would hide factors from the phase before.",
    ),
]


def rewrite(outputs):
    """Return `outputs` after all passes."""
    for _, run, _ in PIPELINE:
        outputs = run(outputs)
    return outputs


if __name__ == "__main__":
    x = Variable(1, name="x")
    two = Constant(4.0) / 2
    assert repr(rewrite([x * (two - 1) / x / x])[0]) == "div(x, mul(x, x))"
    cost = total(log(1 + exp(-x)))
    before = [cost, *grad(cost, [x])]
    after = rewrite(before)
    values = {x: np.linspace(-3, 3, 7)}
    for old, new in zip(evaluate(before, values), evaluate(after, values), strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-13)
    assert repr(after[0]) == "sum(log1p(exp(neg(x))))"
