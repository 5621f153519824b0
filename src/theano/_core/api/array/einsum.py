"""Sums of products by Einstein's notation, as products of stacks of matrices."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING, Any

from theano._core.api.array.products import contracted, diagonal
from theano._core.api.conversion import as_tensor_variable
from theano._core.base import dtypes
from theano._core.base.near_misses import explain_functions
from theano._core.base.records import Record
from theano._core.ir.variable import Variable
from theano._core.ops.array import shaping
from theano._core.ops.array.assertions import Require
from theano._core.ops.array.reductions import reduce
from theano._core.ops.core.dimshuffle import dimshuffle
from theano._core.ops.elementwise.arithmetic import eq, mul
from theano._core.ops.elementwise.elementwise import cast

if TYPE_CHECKING:
    from theano._core.ir.annotations import TensorLike
    from theano._core.ir.tensor import TensorVariable

# Stands for a length that is not known before a function runs, where orders are compared.
USUAL_LENGTH = 64


class Term(Record):
    """An array and the labels of its axes: letters, and numbers for the axes of an ellipsis."""

    value: Any
    labels: list[Hashable]


def einsum(subscripts: str, *operands: TensorLike, optimize: object = False) -> TensorVariable:
    """Return the sum of products that labels of the axes say, as `numpy.einsum`.

    Parameters
    ----------
    subscripts : str
        Labels of the axes of each operand, as in ``"ij,jk->ik"``: axes of one label are multiplied
        item by item, and summed over unless the result has the label. Without ``->`` it has those
        that occur once, in alphabetical order. ``...`` stands for all other axes, which are
        broadcast from the right. In place of the text, each operand may be followed by a list of
        numbers, and all by one for the result.
    *operands : tensor
    optimize : bool, str or list
        False multiplies from left to right, a path of `numpy.einsum_path` in its order, anything
        else first the pair whose product takes fewest multiplications.

    Returns
    -------
    TensorVariable
        Of the common dtype, in which sums are added up.

    Raises
    ------
    ValueError
        The labels do not fit the operands, or each other.

    Examples
    --------
    >>> a, b = T.dmatrices("a", "b")
    >>> T.einsum("ij,jk->ik", a, b).eval({a: np.ones((2, 3)), b: np.ones((3, 4))}).shape
    (2, 4)
    """
    if not isinstance(subscripts, str):
        subscripts, operands = _as_text(subscripts, *operands)
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    texts = inputs.split(",")
    values = [as_tensor_variable(x) for x in operands]
    if len(texts) != len(values):
        raise ValueError(f"einsum: {subscripts!r} has {len(texts)} operands, got {len(values)}")
    dtype = dtypes.upcast(*(x.type.dtype for x in values))
    pairs = zip(texts, values, strict=True)
    terms = [Term(cast(x, dtype), _labels(text, x)) for text, x in pairs]
    wanted = _output_labels(output, terms) if arrow else _usual_output(terms)
    terms = _broadcast([_without_repeats(term) for term in terms])
    sizes = {
        label: size or USUAL_LENGTH
        for value, labels in terms
        for label, size in zip(labels, value.type.shape, strict=True)
    }
    if not optimize:
        terms = [_product(terms, set(wanted))]
    path = list(optimize) if isinstance(optimize, (list, tuple)) else []
    steps: list[tuple[int, ...]] = path[1:] if path[:1] == ["einsum_path"] else []
    while len(terms) > 1:
        places = steps.pop(0) if steps else _next_pair(terms, wanted, sizes)
        chosen = [terms[place] for place in places]
        terms = [term for place, term in enumerate(terms) if place not in places]
        terms.append(_product(chosen, {*wanted, *(c for t in terms for c in t.labels)}))
    value, labels = _summed(terms[0], set(wanted))
    return dimshuffle(value, [labels.index(label) for label in wanted])


def _as_text(*parts: Any) -> tuple[str, tuple[Any, ...]]:
    """Return the text and the operands of what has a list of numbers after each operand."""
    last = [] if len(parts) % 2 == 0 else [parts[-1]]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    lists = [*parts[1::2][: len(parts) // 2], *last]
    texts = ["".join("..." if n is Ellipsis else letters[n] for n in each) for each in lists]
    inputs = ",".join(texts[: len(parts) // 2])
    return inputs + "".join(f"->{text}" for text in texts[len(parts) // 2 :]), parts[:-1:2]


def _split(text: str) -> tuple[list[str], list[str] | None]:
    """Return the labels before an ellipsis and after it; None if there is none."""
    before, dots, after = text.partition("...")
    for letter in before + after:
        if not (letter.isascii() and letter.isalpha()):
            raise ValueError(f"einsum: labels are letters and at most one '...', got {text!r}")
    return list(before), list(after) if dots else None


def _labels(text: str, x: Variable) -> list[Hashable]:
    before, after = _split(text)
    more = x.type.ndim - len(before) - len(after or [])
    if more < 0 or (more and after is None):
        raise ValueError(f"einsum: {text!r} does not name the axes of an operand of {x.type}")
    return [*before, *range(-more, 0), *(after or [])]


def _ellipsis(terms: Sequence[Term]) -> list[Hashable]:
    most = max((sum(isinstance(c, int) for c in term.labels) for term in terms), default=0)
    return list(range(-most, 0))


def _output_labels(text: str, terms: Sequence[Term]) -> list[Hashable]:
    before, after = _split(text)
    more = _ellipsis(terms)
    if after is None and more:
        raise ValueError(f"einsum: operands have axes for '...' that the result {text!r} has not")
    for label in (letters := before + (after or [])):
        if letters.count(label) > 1:
            raise ValueError(f"einsum: the result has {label!r} multiple times")
        if all(label not in term.labels for term in terms):
            raise ValueError(f"einsum: the result has {label!r}, which no operand has")
    return [*before, *(more if after is not None else []), *(after or [])]


def _usual_output(terms: Sequence[Term]) -> list[Hashable]:
    every = [label for term in terms for label in term.labels if isinstance(label, str)]
    return [*_ellipsis(terms), *sorted(label for label in every if every.count(label) == 1)]


def _without_repeats(term: Term) -> Term:
    """Return the diagonals of axes that have the same label."""
    value, labels = term.value, list(term.labels)
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            one = labels.index(label)
            two = labels.index(label, one + 1)
            sizes = [shaping.length(value, axis) for axis in (one, two)]
            text = f"einsum: axes of the same label {label!r} have {{}} and {{}} items"
            value = diagonal(Require(text, 2)(value, *sizes, eq(*sizes)), 0, one, two)
            del labels[two], labels[one]
            labels.append(label)
    return Term(value, labels)


def _broadcast(terms: Sequence[Term]) -> list[Term]:
    """Return the terms without axes of length 1 that are longer in another one."""
    pairs = [
        (c, one) for t in terms for c, one in zip(t.labels, t.value.broadcastable, strict=True)
    ]
    longer = {label for label, one in pairs if not one}
    result = []
    for value, labels in terms:
        ones = value.type.broadcastable
        kept = [i for i, label in enumerate(labels) if not (ones[i] and label in longer)]
        result.append(Term(dimshuffle(value, kept), [labels[i] for i in kept]))
    return result


def _summed(term: Term, needed: set[Hashable]) -> Term:
    """Return a term summed over the labels that are not needed."""
    axes = tuple(i for i, label in enumerate(term.labels) if label not in needed)
    if not axes:
        return term
    dtype = term.value.type.dtype
    value = (
        reduce("any", term.value, axes)
        if dtype == "bool"
        else reduce("sum", term.value, axes, dtype)
    )
    return Term(value, [label for label in term.labels if label in needed])


def _product(terms: Sequence[Term], needed: set[Hashable]) -> Term:
    """Return the product of terms, the first with the next and so on."""
    if len(terms) == 1:
        return terms[0]
    *first, last = terms
    x = first[0] if len(first) == 1 else _product(first, needed | set(last.labels))
    x, y = (_summed(x, needed | set(last.labels)), _summed(last, needed | set(x.labels)))
    common = [label for label in x.labels if label in y.labels]
    pairs = [label for label in common if label in needed]
    sums = [label for label in common if label not in needed]
    rows = [label for label in x.labels if label not in common]
    columns = [label for label in y.labels if label not in common]
    if sums and (rows or columns or not pairs):
        axes = ([t.labels.index(c) for c in which] for which in (sums, pairs) for t in (x, y))
        return Term(contracted(x.value, y.value, *axes), [*pairs, *rows, *columns])
    # In the order of the first, as it mostly lies in memory.
    labels = [*x.labels, *columns]
    values = (
        dimshuffle(t.value, [t.labels.index(c) if c in t.labels else "x" for c in labels])
        for t in (x, y)
    )
    return _summed(Term(mul(*values), labels), needed)


def _next_pair(
    terms: Sequence[Term], wanted: Sequence[Hashable], sizes: dict[Hashable, int]
) -> tuple[int, ...]:
    """Return the places of the two terms whose product is the least work; of equal ones, small."""

    def cost(pair: tuple[int, ...]) -> tuple[int, int]:
        both = {label for place in pair for label in terms[place].labels}
        rest = (t.labels for place, t in enumerate(terms) if place not in pair)
        kept = both & {*wanted, *(label for labels in rest for label in labels)}
        return prod(sizes[label] for label in both), prod(sizes[label] for label in kept)

    return min(combinations(range(len(terms)), 2), key=cost)


explain_functions(globals())
