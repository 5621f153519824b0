"""Loops that draw random numbers under a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theano._core.ir.variable import Apply
from theano._core.lower.arrays import Array, Size
from theano._core.lower.builder import copies, kernel_call, views
from theano._core.lower.builder.core import Core
from theano._core.lower.kernel.expression import Emitted
from theano._core.lower.llvm.kernels.lane_math import LaneMath, Lanes
from theano._core.lower.llvm.kernels.stream_kernel import WEIGHT, StreamKernel
from theano._core.lower.llvm.print.calls import Call
from theano._core.lower.llvm.text.emitter import Value
from theano._core.ops.random.philox import ATTEMPTS, WORDS


def key_words(p: Core, node: Apply, key: Array) -> list[Size]:
    """Return the two words of a key, as int64."""
    p.check_equal(node, key.shape[0], 2, "random_key", (key.shape[0],))
    return views.integers(p, key, 2)


def result_array(p: Core, node: Apply) -> Array:
    """Return memory for the result of a node, after checking its lengths."""
    variable = node.outputs[0]
    shape = [p.size(n) for n in p.rewriter.shape(variable)]
    views.check_shape(p, node, shape)
    return p.new_array(variable.type.dtype, shape)


def draw_stream(p: Core, node: Apply, key: Array, transform: Callable[..., Value]) -> Array:
    """Return an array filled from the stream of a key."""
    words = key_words(p, node, key)
    out = result_array(p, node)
    kernel: Any = StreamKernel(key.dtype, out.dtype, transform, p.vector_bits)
    total = p.product(out.shape)
    count = p.parts(total, kernel.items)
    number = kernel_call.register_kernel(p, kernel)
    call = Call(kernel, number, [], [total, *words], count, total, False)
    kernel_call.call_kernel(p, call, [], [out], [], [])
    return out


def derive_keys(p: Core, node: Apply, key: Array, data: Array, domain: int) -> Array:
    """Return new keys, one for each item of `data`, along a new last axis."""
    words = [p.scalar(word) for word in key_words(p, node, key)]
    out, dtype = result_array(p, node), key.dtype
    everywhere = frozenset(range(out.ndim))
    broadcast_axes = data.broadcast_axes | {out.ndim - 1}
    wide = views.permute(p, data, [*range(data.ndim), "x"])

    def derived(b: Any, index: Callable[..., object], item: Value, *key: Value) -> Value:
        pair = tuple(b.cast(word, "uint64") for word in key)
        words = b.random_words(dtype, pair, item, b.const(0, "uint64", 1), domain)
        second = words[1] if dtype == "uint64" else b.shift_right(words[0], 32)
        return b.cast(b.select(b.eq(index(out.ndim - 1), 0), words[0], second), dtype)

    derive = Emitted("derive", (dtype, domain, out.ndim), derived, WEIGHT)
    operands = [(wide, broadcast_axes), *((word, everywhere) for word in words)]
    body = derive.body(dtype)
    copies.simple_loop(p, out, out.shape, operands, body, indexed=True, lanes=1)
    return out


def draw_by_rejection(
    p: Core, node: Apply, key: Array, parameters: Sequence[Array], draw: Callable[..., Any]
) -> Array:
    """Return an array drawn by a sampler of `ops/random/rejection.py`."""
    words = [p.scalar(word) for word in key_words(p, node, key)]
    out, dtype = result_array(p, node), key.dtype
    # One axis, so that vectors are full however short the last axis is.
    total = p.product(out.shape)
    flat = Array(out.dtype, (total,), p.pointer(out), buffer=out.buffer)
    everywhere, moving = frozenset({0}), []
    for array, broadcast_axes in _broadcasting(p, node, parameters, out.shape):
        if len(broadcast_axes) == out.ndim:
            moving.append((Array(array.dtype, (), p.pointer(array)), everywhere))
        else:
            whole = _broadcast_copy(p, array, broadcast_axes, out.shape)
            moving.append((Array(array.dtype, (total,), p.pointer(whole)), frozenset()))

    def drawn(b: Any, index: Any, *values: Value) -> Value:
        m = LaneMath(b)
        attempts = _attempts(m, dtype, index(0), values[:2])
        return b.cast(draw(m, attempts, *map(m.of, values[2:])).value, out.dtype)

    sample = Emitted("draw", (dtype, draw, out.dtype), drawn, 4 * WEIGHT)
    operands = [*((word, everywhere) for word in words), *moving]
    copies.simple_loop(p, flat, (total,), operands, sample.body(out.dtype), indexed=True)
    return out


def _broadcast_copy(
    p: Core, array: Array, broadcast_axes: frozenset[int], shape: Sequence[Size]
) -> Array:
    """Return an array in C order with the given lengths: itself, or a copy."""
    if not broadcast_axes:
        return copies.contiguous(p, array)
    whole = p.new_array(array.dtype, shape)
    copies.simple_loop(p, whole, shape, [(array, broadcast_axes)], lambda w, x: x)
    return whole


def map_lanes(
    p: Core, node: Apply, operands: Sequence[Array], function: Callable[..., Any]
) -> Array:
    """Return `function(m, *operands)` at each position; see `lane_math.py` for `m`."""
    out = result_array(p, node)

    def mapped(b: Any, index: Callable[..., object], *values: Value) -> Value:
        m = LaneMath(b)
        return function(m, *map(m.of, values)).value

    body = Emitted("map", (function,), mapped).body(out.dtype)
    copies.simple_loop(p, out, out.shape, _broadcasting(p, node, operands, out.shape), body)
    return out


def _broadcasting(
    p: Core, node: Apply, parameters: Sequence[Array], shape: Sequence[Size]
) -> list[tuple[Array, frozenset[int]]]:
    """Return the last operands of a node with their broadcast axes, after checking others."""
    result = []
    variables = node.inputs[len(node.inputs) - len(parameters) :]
    for index, (array, variable) in enumerate(zip(parameters, variables, strict=True)):
        pattern = variable.type.broadcastable
        for axis, (have, want) in enumerate(zip(array.shape, shape, strict=True)):
            if not pattern[axis]:
                facts = (index, axis, have, want)
                p.check_equal(node, have, want, "parameter_length", facts)
        single = {axis for axis, one in enumerate(pattern) if one}
        result.append((array, array.broadcast_axes | single))
    return result


def permutation_of_words(p: Core, node: Apply, words: Array) -> Array:
    """Return the permutation that random words stand for; see `ops/random/permutation.py`."""
    out = p.new_array("int64", words.shape)

    def exchanged(b: Any, index: Any, word: Value, address: Value) -> None:
        start = b.emit(f"inttoptr i64 {address.text} to ptr")
        item = index(0)
        place = b.multiply_high(word, b.add(b.cast(item, "uint64"), 1))
        old, new = (
            b.emit(f"getelementptr i64, ptr {start}, i64 {at.text}") for at in (place, item)
        )
        b.store(b.load(old, "int64", 1), new)
        b.store(item, old)

    body = Emitted("exchange", (), exchanged).body()
    operands = [(words, words.broadcast_axes), (_address(p, out), frozenset({0}))]
    copies.simple_loop(p, None, out.shape, operands, body, True, sequential=True, lanes=1)
    return out


def _address(p: Core, array: Array) -> Array:
    """Return the address of an array as an int64 scalar."""
    return p.scalar(p.let("number", p.pointer(array), type="ptr"))


def draw_multinomial(
    p: Core, node: Apply, key: Array, n: Array, chance: Array, binomial: Callable[..., Any]
) -> Array:
    """Return multinomial counts, each by the sampler `binomial`: `ops/random/permutation.py`."""
    words = [p.scalar(word) for word in key_words(p, node, key)]
    (rows, outcomes), key_dtype = chance.shape, key.dtype
    facts = (0, 0, n.shape[0], rows)
    p.check_equal(node, n.shape[0], rows, "parameter_length", facts)
    out = p.new_array("int64", chance.shape)
    chance = copies.contiguous(p, chance)
    scalars = [*words, p.scalar(outcomes), _address(p, chance), _address(p, out)]

    def counted(b: Any, index: Any, trials: Value, *parts: Value) -> None:
        *pair, outcomes, source, target = parts
        start = b.mul(index(0), outcomes)
        chances, counts = (
            b.emit(f"inttoptr i64 {address.text} to ptr") for address in (source, target)
        )
        m = LaneMath(b)

        def step(number: Lanes, left: Lanes, rest: Lanes) -> Any:
            outcome = b.cast(number.value, "int64")
            at = b.add(start, outcome)
            place = b.emit(f"getelementptr double, ptr {chances}, i64 {at.text}")
            chance = m.of(b.load(place, "float64", 1))
            more = m.of(b.lt(b.add(outcome, 1), outcomes))
            within = (chance < rest) & more
            share = m.where(within, chance / m.where(within, rest, 1.0), 1.0)
            count = binomial(m, _attempts(m, key_dtype, at, pair), left, share)
            place = b.emit(f"getelementptr i64, ptr {counts}, i64 {at.text}")
            b.store(b.cast(count.value, "int64"), place)
            return (left - count, rest - chance), more

        m.repeat((m.of(trials), m.of(b.const(1, "float64"))), step, 1 << 62)

    operands = [(n, n.broadcast_axes), *((scalar, frozenset({0})) for scalar in scalars)]
    # A row has a first outcome in any case, so none may run if there are none.
    some = p.unless_zero(outcomes, rows)
    count = Emitted("count outcomes", (key_dtype, binomial), counted, 4 * WEIGHT)
    copies.simple_loop(p, None, (some,), operands, count.body(), True, lanes=1)
    return out


def _attempts(m: LaneMath, dtype: str, position: Value, key: Sequence[Value]) -> Callable[..., Any]:
    """Return the function that gives the four words of an attempt at the positions of a vector."""
    b = m.b
    pair = tuple(b.cast(word, "uint64") for word in key)
    place, each = b.cast(position, "uint64"), 4 // WORDS[dtype]

    def words(number: Lanes) -> tuple[Any, ...]:
        attempt = b.const(number, "uint64", 1) if isinstance(number, int) else number.value
        result: list[Any] = []
        for i in range(each):
            block = b.add(b.mul(attempt, each), i)
            result += b.random_words(dtype, pair, block, place, ATTEMPTS)
        return tuple(map(m.of, result))

    return words
