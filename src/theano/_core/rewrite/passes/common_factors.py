"""Sums of products with a large array in common become one product with it.

`x a - x b / c`, for a matrix `x` of which each row is multiplied by rows of numbers, is
`x (a - b / c)`: the sum is as long as a row. Second derivatives are such sums. In the gradient of
each function on the way `x` is a factor, the rest is the same for all directions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from theano._core.base.records import Record
from theano._core.ir.graph import copied, toposort
from theano._core.ir.variable import Apply, Variable
from theano._core.ops.elementwise.arithmetic import add, mul, neg, reciprocal, sub, true_div
from theano._core.ops.elementwise.elementwise import cast
from theano._core.rewrite.engine import Rewriter

# Item types of the array, with those of what may be multiplied first.
DTYPES = {
    "float32": ("float32",),
    "float64": ("float64",),
    "complex64": ("float32", "complex64"),
    "complex128": ("float64", "complex128"),
}
LINEAR = frozenset((add, sub, mul, true_div, neg))
# So many operations less on the large array are worth those on the small ones.
FEWEST_LESS = 2
# More operations that multiply one array are left as they are.
MOST_WITHIN = 64

# Along which axes something has one item.
Pattern = tuple[bool, ...]


class Product(Record):
    """What a value is, if it is the product of an array and of something smaller.

    Attributes
    ----------
    factor : Variable
        The array.
    pattern : tuple of bool
        Along which axes what it is multiplied by has one item; all of them, if it is a number.
    """

    factor: Any
    pattern: Pattern


def taken_out(rewriter: Rewriter, outputs: list[Variable], selection: object) -> list[Any]:
    """Return `outputs` with sums of products with a factor in common as products with it."""
    nodes = rewriter.nodes(outputs)
    products = _products(nodes)
    if not products:
        return outputs
    readers: dict[Any, list[Any]] = {}
    for node in nodes:
        for value in node.inputs:
            readers.setdefault(value, []).append(node)
    kept = set(outputs)
    new: dict[Any, Any] = {}
    for node in nodes:
        (out, *_) = node.outputs
        if out in products and not all(
            _continues(products, reader, out) for reader in readers.get(out, [None])
        ):
            within = _within(node, products)
            some = FEWEST_LESS < len(within) <= MOST_WITHIN
            if some and _less(within, readers, kept) >= FEWEST_LESS:
                new[out] = _written(within, products[out].factor, new)
    return copied(outputs, new)


def _products(nodes: Sequence[Apply]) -> dict[Any, Product]:
    """Return those values that are sums of products with one factor, in terms of which."""
    products: dict[Any, Product] = {}
    for node in nodes:
        if node.op in LINEAR and node.outputs[0].type.dtype in DTYPES:
            product = _of_product(node, products)
            if product is not None:
                products[node.outputs[0]] = product
    return products


def _of_product(node: Apply, products: dict[Any, Product]) -> Product | None:
    """Return what the result of a node is a product of."""
    factors = [products[v].factor if v in products else v for v in node.inputs]
    is_sum = node.op is add or node.op is sub
    # Most sums are of two arrays that have no factor in common.
    if is_sum and factors[0] is not factors[1]:
        return None
    out, large = node.outputs[0].type, _parts(node)
    if len(large) != (len(node.inputs) if is_sum else 1):
        return None
    if node.op is true_div and large[0] is not node.inputs[0]:
        return None
    factor = factors[node.inputs.index(large[0])]
    small = [v for v in node.inputs if v not in large]
    if any(v.type.dtype != out.dtype for v in large):
        return None
    if any(v.type.dtype not in DTYPES[out.dtype] for v in small):
        return None
    patterns = [products[v].pattern for v in large if v in products]
    patterns += [(True,) * out.ndim, *(v.type.broadcastable for v in small)]
    pattern = tuple(map(all, zip(*patterns, strict=True)))
    # It must have one item along an axis where there are more.
    smaller = any(a and not b for a, b in zip(pattern, out.broadcastable, strict=True))
    return Product(factor, pattern) if smaller else None


def _parts(node: Apply) -> list[Any]:
    """Return the operands that are the factor itself, or products with it as well."""
    pattern = node.outputs[0].type.broadcastable
    return [v for v in node.inputs if v.type.broadcastable == pattern]


def _continues(products: dict[Any, Product], reader: Any, value: Variable) -> bool:
    """Tell whether what reads a value is a product with the same factor."""
    of = None if reader is None else products.get(reader.outputs[0])
    return of is not None and of.factor is products[value].factor


def _within(node: Apply, products: dict[Any, Product]) -> dict[Apply, None]:
    """Return the nodes by which a product with a factor is computed, the last one first."""
    within, waiting = {node: None}, [node]
    while waiting and len(within) <= MOST_WITHIN:
        for value in _parts(waiting.pop()):
            if value in products and value.owner not in within:
                within[value.owner] = None
                waiting.append(value.owner)
    return within


def _less(within: dict[Apply, None], readers: dict[Any, list[Any]], kept: set[Any]) -> int:
    """Return how many operations on the large array are not needed, once there is one product."""
    gone: set[Apply] = set()
    for node in _readers_first(within):
        out = node.outputs[0]
        if not gone or (out not in kept and gone.issuperset(readers[out])):
            gone.add(node)
    return len(gone) - 1


def _readers_first(within: dict[Apply, None]) -> Iterator[Apply]:
    (first, *_) = within
    order = toposort(first.outputs, {v for n in within for v in n.inputs if v.owner not in within})
    return reversed([node for node in order if node in within])


def _written(within: dict[Apply, None], factor: Variable, new: dict[Any, Any]) -> Any:
    """Return what nodes compute as one product with their factor."""
    rest: dict[Any, Any] = {}
    (root, *_) = within
    for node in [*_readers_first(within)][::-1]:
        large = _parts(node)
        small = copied([v for v in node.inputs if v not in large], new)
        rest[node.outputs[0]] = _rest(node, [rest.get(v) for v in large], small)
    result = mul(*copied([factor], new), rest[root.outputs[0]])
    result.owner.source = result.source = root.source
    return result


def _rest(node: Apply, large: list[Any], small: list[Any]) -> Any:
    """Return by what the factor is multiplied in a node; None is where it is alone so far."""
    if node.op is mul:
        values = [v for v in (*large, *small) if v is not None]
        return mul(*values) if len(values) > 1 else values[0]
    if node.op is true_div:
        return reciprocal(*small) if large[0] is None else true_div(*large, *small)
    result = node.op(*(1 if v is None else v for v in large))
    return cast(result, node.outputs[0].type.dtype)
