"""Connectionist temporal classification: the probability of a row of labels, at any pace.

Labels have a blank before, between and after them, and every time step stands at one of these
places. From one step to the next a place is kept, or left for the next one, or for the one after
that: over a blank between labels that differ. The sum over all ways is made by a loop over time,
in logarithms, so that it neither overflows nor underflows.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from theano._core.api.array.creation import alloc, arange
from theano._core.api.array.indexing import set_subtensor
from theano._core.api.array.sorting import argsort
from theano._core.api.conversion import as_tensor_variable, cast
from theano._core.api.scan.scan import scan
from theano._core.base import dtypes
from theano._core.ir.variable import Variable
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.gradient import DisconnectedGrad
from theano._core.ops.elementwise.arithmetic import and_, eq, ge, le, lt, maximum, neq, switch
from theano._core.ops.elementwise.transcendental import exp, log

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable

BLANK = 0
# Stands for the logarithm of 0: unlike infinities such numbers have differences.
NEVER = -1e30
ONE_EACH = Require("ctc: activations of {0} examples, labels of {1}, input lengths of {2}", 3)
IN_TIME = Require("ctc: an input length is negative or more than the {0} time steps there are", 1)
A_SYMBOL = Require("ctc: a label is not one of the {0} symbols of the activations", 1)


def ctc(activations: TensorLike, labels: TensorLike, input_lengths: TensorLike) -> TensorVariable:
    """Return the negative logarithm of the probability of each example's labels.

    Parameters
    ----------
    activations : tensor, float32 or float64, shape (time steps, examples, symbols)
        The softmax of the last axis has the probabilities of the symbols. Symbol 0 is the blank.
    labels : int matrix, shape (examples, labels)
        The labels of each example. Negative numbers are none: they fill up shorter rows.
    input_lengths : int vector, shape (examples,)
        The time steps of each example.

    Returns
    -------
    TensorVariable, vector of the dtype of `activations`
        It is 0, and so is its gradient, for an example with too few time steps for its labels and
        a blank between each two that are equal.

    Raises
    ------
    TypeError
        A dtype is none of these.
    ValueError
        A rank is none of these; when the function is called: lengths differ, a label is no symbol,
        or an input length is not among those of the activations.

    Examples
    --------
    >>> from theano.tensor.nnet.ctc import ctc
    >>> scores, labels, lengths = T.dtensor3("scores"), T.imatrix("labels"), T.ivector("lengths")
    >>> f = theano.function([scores, labels, lengths], ctc(scores, labels, lengths))
    >>> f(np.zeros((2, 1, 2)), [[1]], [2]).round(4)  # three of the four equally likely paths
    array([0.2877])
    """
    x, label_rows, steps = _checked(activations, labels, input_lengths)
    packed, count = _packed(label_rows)
    in_label = lt(arange(1, packed.shape[1]).dimshuffle("x", 0), count.dimshuffle(0, "x"))
    repeats = and_(eq(packed[:, 1:], packed[:, :-1]), in_label)
    possible = le(count + repeats.sum(axis=1), steps)
    total = _total(x, packed, count, steps)
    return switch(possible, -total, np.asarray(0, x.type.dtype))


def _checked(
    activations: TensorLike, labels: TensorLike, input_lengths: TensorLike
) -> tuple[Any, Any, Any]:
    """Return the arguments of `ctc`, after checking them."""
    x, labels, steps = map(as_tensor_variable, (activations, labels, input_lengths))
    if x.type.dtype not in ("float32", "float64"):
        raise TypeError(f"ctc: activations must be float32 or float64, got {x.type}")
    for name, value in (("labels", labels), ("input_lengths", steps)):
        if not dtypes.is_integer(value.type.dtype):
            raise TypeError(f"ctc: {name} must be integers, got {value.type}")
    for name, value, rank in (
        ("activations", x, 3),
        ("labels", labels, 2),
        ("input_lengths", steps, 1),
    ):
        if value.type.ndim != rank:
            raise ValueError(f"ctc: {name} must have {rank} axes, got {value.type}")
    labels, steps = cast(labels, "int64"), cast(steps, "int64")
    counts = x.shape[1], labels.shape[0], steps.shape[0]
    x = ONE_EACH(x, *counts, eq(counts[0], counts[1]), eq(counts[0], counts[2]))
    in_time = and_(ge(steps, 0), le(steps, x.shape[0]))
    steps = IN_TIME(steps, x.shape[0], in_time.all())
    labels = A_SYMBOL(labels, x.shape[2], lt(labels, x.shape[2]).all())
    return x, labels, steps


def _packed(labels: Variable) -> tuple[Any, Any]:
    """Return labels with those that are none last, as blanks, and how many there are of others."""
    none = lt(labels, 0)
    order = argsort(cast(none, "int8"), axis=1, kind="stable")
    rows = arange(labels.shape[0]).dimshuffle(0, "x")
    count = labels.shape[1] - none.sum(axis=1)
    return switch(none, BLANK, labels)[rows, order], count


def _total(x: Any, labels: Variable, count: Variable, steps: Variable) -> Any:
    """Return the logarithm of the probability of each example's labels.

    The state of the loop has a row for every example: the logarithm of the probability of the steps
    so far that end at a place. In front stand two places that are never reached, so that all have
    two before them. Before the first step the first place counts as reached: from there that step
    goes to it again or to the first label.
    """
    time, examples, width = x.shape[0], labels.shape[0], 2 * labels.shape[1] + 1
    rows = arange(examples)
    places = set_subtensor(alloc(np.int64(BLANK), examples, width)[:, 1::2], labels)
    never = np.asarray(NEVER, x.type.dtype)
    differ = and_(neq(labels[:, 1:], BLANK), neq(labels[:, 1:], labels[:, :-1]))
    over = set_subtensor(alloc(never, examples, width)[:, 3::2], switch(differ, 0, never))
    begin = set_subtensor(alloc(never, examples, width + 2)[:, 2], 0)
    # What comes after an example's time must not matter, not even if it is no number.
    runs = lt(arange(time).dimshuffle(0, "x"), steps.dimshuffle("x", 0))
    scores = _log_probabilities(switch(runs.dimshuffle(0, 1, "x"), x, 0))
    scores = maximum(scores[:, rows.dimshuffle(0, "x"), places], never)

    def step(score: Any, runs: Any, before: Variable, over: TensorLike) -> Any:
        ways = _log_sum(before[:, 2:], before[:, 1:-1], before[:, :-2] + over)
        return switch(runs.dimshuffle(0, "x"), set_subtensor(before[:, 2:], ways + score), before)

    reached, _ = scan(step, [scores, runs], begin, [over], name="ctc")
    last = 2 * count + 2
    return _log_sum(reached[-1][rows, last], reached[-1][rows, last - 1])


def _log_probabilities(x: Any) -> Any:
    """Return the logarithm of the softmax along the last axis."""
    shifted = x - DisconnectedGrad()(x.max(axis=-1, keepdims=True))
    return shifted - log(exp(shifted).sum(axis=-1, keepdims=True))


def _log_sum(*logarithms: TensorLike) -> Any:
    """Return the logarithm of a sum, of the logarithms of its terms."""
    # The shift cancels in value and gradient: it only keeps the exponentials from overflowing.
    largest = DisconnectedGrad()(reduce(maximum, logarithms))
    return largest + log(sum(exp(term - largest) for term in logarithms))
