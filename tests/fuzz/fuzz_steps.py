"""The steps that random programs are made of: texts of Python that any reader can run.

A step names its operands `v0`, `v1`, …. Where a result changes by jumps (comparisons, positions,
rounding) its operands are taken among those that every backend computes to the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from registry import OPS

from theano._core.base import dtypes


class Step(NamedTuple):
    """An expression, and whether its result has the same bits in every backend."""

    text: str
    exact: bool = False


class Misfit(Exception):
    """No operand fits what a step asks for."""


class Drawer:
    """Draws operands among what a program has so far.

    Parameters
    ----------
    rng : Generator
    values : list of array
        The value of each variable.
    exact : list of bool
        Whether every backend gives these bits.
    """

    def __init__(
        self, rng: np.random.Generator, values: list[np.ndarray], exact: list[bool]
    ) -> None:
        self.rng = rng
        self.values = values
        self.exact = exact

    def below(self, n: int) -> int:
        """Return a number from 0 to n - 1."""
        return int(self.rng.integers(n))

    def one_of(self, items: Any) -> Any:
        return items[self.below(len(items))]

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def operand(
        self, fits: Callable[[np.ndarray], bool] = lambda a: True, same: bool = False
    ) -> int:
        """Return a variable whose value `fits`; of the same bits everywhere if `same`."""
        found = [k for k, a in enumerate(self.values) if fits(a) and (self.exact[k] or not same)]
        if not found:
            raise Misfit
        # Recent results more often than old ones.
        return found[max(self.below(len(found)), self.below(len(found)))]

    def number(self, rank: int | None = None, kinds: str = "iufc", filled: bool = False) -> int:
        """Return a variable of some rank and kinds; with an item if `filled`."""
        return self.operand(
            lambda a: (
                (rank is None or a.ndim == rank)
                and a.dtype.kind in kinds
                and (a.size > 0 or not filled)
            )
        )

    def tensor(self, kinds: str = "biufc", filled: bool = False, same: bool = False) -> int:
        """Return a variable with axes."""
        return self.operand(
            lambda a: a.ndim > 0 and a.dtype.kind in kinds and (a.size > 0 or not filled), same
        )

    def axis(self, k: int) -> int:
        """Return an axis of a variable, counted from either end."""
        rank = self.values[k].ndim
        return self.below(2 * rank) - rank

    def partner(self, k: int, kinds: str = "biufc", same: bool = False) -> int:
        """Return a variable that has, where it has an axis, the length of `k` there."""
        shape = self.values[k].shape

        def fits(a: np.ndarray) -> bool:
            return a.dtype.kind in kinds and a.shape == shape[len(shape) - a.ndim :]

        return self.operand(fits, same)


# -- elementwise -----------------------------------------------------------------------------------

# Their results jump.
JUMPS = {"int_div", "mod", "sgn", "eq", "neq", "lt", "le", "gt", "ge", "isnan", "isinf", "floor"}
JUMPS |= {"ceil", "trunc", "round_half_to_even", "round_half_away_from_zero", "angle"}
JUMPS |= {"and_", "or_", "xor", "invert", "multiply_high"}
# Exact of exact operands.
PRECISE = JUMPS - {"angle", "int_div", "mod"} | {"abs_", "neg", "maximum", "minimum", "clip"}
PRECISE |= {"switch", "identity", "conj", "real", "imag", "complex"}
COMMON = ["add", "mul", "sub", "true_div", "sqr", "neg", "maximum", "switch", "tanh", "exp", "log"]


def squeezed(d: Drawer, k: int, where: Any) -> str:
    """Return the text of operand `k`, brought into the range of a function."""
    kind = d.values[k].dtype.kind
    if kind in "biu":
        low, high = int(np.ceil(where.low)), int(np.floor(where.high))
        if kind != "i":
            low = max(low, 0)
        text = f"T.clip(v{k}, np.array({low}, v{k}.dtype), np.array({max(high, low)}, v{k}.dtype))"
        text = f"v{k}" if kind == "b" else text
        zero = 1 if max(high, low) >= 1 else low
        return (
            f"T.switch(T.eq({text}, 0), np.array({zero}, v{k}.dtype), {text})"
            if (where.nonzero)
            else text
        )
    middle, half = (where.low + where.high) / 2, 0.45 * (where.high - where.low)
    if where.nonzero and where.low < 0:
        middle, half = where.high / 2, 0.4 * where.high
    real = {"c": f"v{k}"}.get(kind, f"T.tanh(v{k})")
    if kind == "c":
        real = f"(v{k} / (1 + abs(v{k})))"
    narrow = "np.float32" if d.values[k].dtype in ("float16", "float32", "complex64") else ""
    return f"({narrow}({middle:g}) + {narrow}({half:g}) * {real})"


def elementwise(d: Drawer) -> Step:
    name = d.one_of(COMMON if d.chance(0.3) else list(OPS))
    op = OPS[name]
    jumps = name in JUMPS
    first = d.operand(lambda a: True, jumps)
    others = [d.partner(first, same=jumps) for _ in range(op.nin - 1)]
    operands = [first, *others]
    if name == "switch":
        operands[0] = d.partner(first, same=True)
    try:
        op.dtype(*(str(d.values[k].dtype) for k in operands))
    except (TypeError, NotImplementedError) as error:
        raise Misfit from error
    if jumps or name in PRECISE:
        texts = [f"v{k}" for k in operands]
        if name in ("int_div", "mod"):
            one = f"np.array(1, {texts[1]}.dtype)"
            texts[1] = f"T.switch(T.eq({texts[1]}, 0), {one}, {texts[1]})"
    else:
        texts = [squeezed(d, k, w) for k, w in zip(operands, op.samples, strict=True)]
    whole = all(dtypes.is_discrete(str(d.values[k].dtype)) for k in operands)
    same = all(d.exact[k] for k in operands)
    return Step(
        f"op({name!r})({', '.join(texts)})", same and (name in PRECISE or (jumps and whole))
    )


def arithmetic(d: Drawer) -> Step:
    x = d.number()
    y = d.partner(x, "iufc")
    whole = all(d.values[k].dtype.kind in "iu" and d.exact[k] for k in (x, y))
    return Step(d.one_of(["v{} + v{}", "v{} - v{}", "v{} * v{}"]).format(x, y), whole)


def with_constant(d: Drawer) -> Step:
    x = d.number()
    number = d.one_of(["0", "1", "2", "-1", "0.5", "np.int8(3)", "1.0"])
    return Step(d.one_of(["v{} + {}", "{1} - v{0}", "v{} * {}", "v{} ** 2 * {}"]).format(x, number))


def logic(d: Drawer) -> Step:
    x = d.operand(lambda a: a.dtype.kind in "biu", True)
    y = d.partner(x, d.values[x].dtype.kind, True)
    return Step(d.one_of(["v{} & v{}", "v{} | ~v{}", "v{} ^ v{}"]).format(x, y), True)


def cast(d: Drawer) -> Step:
    x = d.operand(lambda a: a.dtype.kind != "c")
    kind = d.values[x].dtype.kind
    if kind in "biu" and d.exact[x]:
        to = d.one_of(["int8", "uint8", "int16", "int64", "bool", "float32", "float64"])
        return Step(f"T.cast(v{x}, {to!r})", True)
    targets = ["float16", "float32", "float64", "complex64", "complex128"]
    return Step(f"T.cast(v{x}, {d.one_of(targets)!r})")


# -- reductions and positions ----------------------------------------------------------------------


def reduction(d: Drawer) -> Step:
    x = d.tensor()
    how = d.one_of(["sum", "sum", "mean", "max", "min", "var", "std", "prod", "ptp", "any", "all"])
    kind = d.values[x].dtype.kind
    axes = d.one_of([None, d.axis(x), d.axis(x), tuple(range(d.values[x].ndim))])
    if how in ("any", "all"):
        x = d.tensor("biu", same=True)
        return Step(f"T.{how}(v{x}, axis={d.one_of([None, d.axis(x)])})", True)
    if how == "ptp":
        return Step(f"T.ptp(v{x}, axis={d.one_of([None, d.axis(x)])})")
    inner = f"T.tanh(v{x})" if how == "prod" and kind == "f" else f"v{x}"
    # Of equal items it has no derivative: what is found then is up to roundings.
    if how == "std" and not (np.std(d.values[x], axis=axes) > 1e-6).all():
        how = "var"
    same = d.exact[x] and (how in ("max", "min") or (kind in "biu" and how in ("sum", "prod")))
    return Step(f"T.{how}({inner}, axis={axes!r}, keepdims={d.chance(0.4)})", same)


def position(d: Drawer) -> Step:
    x = d.tensor("biuf", True, True)
    how = d.one_of(["argmax", "argmin"])
    return Step(
        f"T.{how}(v{x}, axis={d.one_of([None, d.axis(x)])}, keepdims={d.chance(0.3)})", True
    )


def cumulative(d: Drawer) -> Step:
    x = d.tensor("iuf")
    axis = d.one_of([None, d.axis(x)])
    whole = d.values[x].dtype.kind in "iu" and d.exact[x]
    return d.one_of(
        [
            Step(f"T.cumsum(v{x}, axis={axis})", whole),
            Step(f"T.cumprod(T.tanh(v{x}), axis={axis})"),
            Step(f"T.diff(v{x}, axis={d.axis(x)})", whole),
        ]
    )


def order(d: Drawer) -> Step:
    x = d.tensor("iuf", True)
    axis = d.axis(x)
    length = d.values[x].shape[axis]
    k = d.one_of([1, -1, max(1, length // 2), -length])
    y = d.tensor("iuf", True, True)
    choices = [
        Step(f"T.sort(v{x}, axis={axis})", d.exact[x]),
        Step(f"T.sort(T.topk(v{x}, {k}, axis={axis}), axis={axis})", d.exact[x]),
        Step(f"T.argsort(v{y}, axis={d.axis(y)}, kind='stable')", True),
    ]
    if d.values[x].ndim == 1:
        table = d.operand(lambda a: a.ndim == 1 and a.dtype.kind in "iuf" and a.size > 0, True)
        v = d.operand(lambda a: a.dtype.kind in "iuf" and a.ndim > 0, True)
        choices.append(Step(f"T.extra_ops.searchsorted(T.sort(v{table}), v{v})", True))
    return d.one_of(choices)


def counting(d: Drawer) -> Step:
    x = d.operand(lambda a: a.ndim == 1 and a.dtype.kind in "iu" and a.dtype.itemsize < 8, True)
    small = f"T.mod(abs(v{x}), np.array(5, v{x}.dtype))"
    return d.one_of(
        [
            Step(f"T.bincount(T.cast({small}, 'int32'), minlength=5)", True),
            Step(f"T.extra_ops.Unique()(v{x})", True),
            Step(f"T.extra_ops.to_one_hot(T.cast({small}, 'int64'), 5)", True),
            Step(f"T.extra_ops.unravel_index(T.cast({small}, 'int64'), (2, 3))[1]", True),
            Step(f"T.extra_ops.ravel_multi_index([T.cast({small}, 'int64')] * 2, (5, 6))", True),
        ]
    )


# -- shapes ----------------------------------------------------------------------------------------


def shape(d: Drawer) -> Step:
    x = d.operand(lambda a: a.ndim > 0)
    a, same = d.values[x], d.exact[x]
    rank = a.ndim
    order = [int(n) for n in d.rng.permutation(rank)]
    with_new = list(order)
    with_new.insert(d.below(rank + 1), "x")  # type: ignore[arg-type]
    lead = int(a.shape[0])
    texts = [
        f"v{x}.T",
        f"v{x}.dimshuffle({order!r})",
        f"v{x}.dimshuffle({with_new!r})",
        f"v{x}.flatten()",
        f"v{x}.reshape((-1,))",
        f"v{x}.reshape(v{x}.shape[::-1])",
        f"v{x}.reshape(({lead}, -1))" if lead else f"v{x}.ravel()",
        f"T.shape_padleft(v{x})",
        f"T.shape_padright(v{x})",
        f"T.roll(v{x}, {d.below(5) - 2}, axis={d.axis(x)})",
        f"T.repeat(v{x}, {d.below(3)}, axis={d.axis(x)})",
        f"T.tile(v{x}, {tuple(int(n) for n in d.rng.integers(1, 3, rank))!r})",
        f"T.swapaxes(v{x}, {d.below(rank)}, {d.below(rank)})",
        f"T.unbroadcast(v{x}, {d.below(rank)})",
        f"T.specify_shape(v{x}, {a.shape!r})",
        f"v{x}.copy()",
        f"v{x}.shape",
        f"v{x}.shape[{d.below(rank)}] + v{x}.size",
    ]
    ones = [n for n in range(rank) if a.shape[n] == 1]
    if ones:
        texts += [f"T.addbroadcast(v{x}, {ones[0]})", f"T.addbroadcast(v{x}, {ones[0]}) + v{x}"]
    return Step(d.one_of(texts), same)


def triangle(d: Drawer) -> Step:
    x = d.operand(lambda a: a.ndim == 2)
    y = d.operand(lambda a: a.ndim == 1)
    offset = d.below(5) - 2
    n, m = d.below(5), d.below(5) + 1
    return d.one_of(
        [
            Step(f"T.tril(v{x}, {offset})", d.exact[x]),
            Step(f"T.triu(v{x}, {offset})", d.exact[x]),
            Step(f"T.diagonal(v{x})", d.exact[x]),
            Step(f"T.diag(v{y})", d.exact[y]),
            Step(f"T.extra_ops.fill_diagonal(v{x}, 1)", d.exact[x]),
            Step(f"T.eye({n}, {m}, {offset}, dtype='float32')", True),
            Step(f"T.trace(v{x})"),
        ]
    )


def creation(d: Drawer) -> Step:
    x = d.operand(lambda a: a.ndim > 0 and a.size < 2000)
    s = d.operand(lambda a: a.ndim == 0)
    return d.one_of(
        [
            Step(f"T.zeros_like(v{x})", True),
            Step(f"T.ones_like(v{x})", True),
            Step(f"T.alloc(v{s}, 2, 3)", d.exact[s]),
            Step(f"T.alloc(v{s}, *{d.values[x].shape!r})", d.exact[s]),
            Step(f"T.zeros({d.values[x].shape!r}, {str(d.values[x].dtype)!r})", True),
            Step(f"T.alloc(v{x}, 2, *[v{x}.shape[k] for k in range(v{x}.ndim)])", d.exact[x]),
            Step(f"T.fill(v{x}, v{s})", d.exact[s]),
            Step(f"T.arange(v{x}.shape[0])", True),
            Step(f"T.arange(v{x}.shape[0], -3, -2)", True),
            Step(f"T.stack([v{s}, v{s}, v{s}])", d.exact[s]),
        ]
    )


def joined(d: Drawer) -> Step:
    x = d.operand(lambda a: a.ndim > 0)
    axis = d.below(d.values[x].ndim)
    rest = [n for k, n in enumerate(d.values[x].shape) if k != axis]

    def fits(a: np.ndarray) -> bool:
        same_rank = a.ndim == d.values[x].ndim
        return same_rank and [n for k, n in enumerate(a.shape) if k != axis] == rest

    y = d.operand(fits)
    same = d.exact[x] and d.exact[y] and d.values[x].dtype == d.values[y].dtype
    z = d.partner(x)
    length = d.values[x].shape[axis]
    part = d.below(length + 1)
    sizes = [part, length - part]
    texts = [
        Step(
            f"T.concatenate([v{x}, v{y}, v{x}[:1]], axis={axis})"
            if axis == 0
            else f"T.join({axis}, v{x}, v{y})",
            same,
        ),
        Step(f"T.split(v{x}, {sizes}, 2, axis={axis})[{d.below(2)}]", d.exact[x]),
    ]
    if d.values[z].shape == d.values[x].shape:
        kept = d.exact[x] and d.exact[z] and d.values[x].dtype == d.values[z].dtype
        texts.append(Step(f"T.stack([v{x}, v{z}], axis={axis})", kept))
    return d.one_of(texts)


# -- indexing --------------------------------------------------------------------------------------


def bound(d: Drawer, length: int) -> str:
    return "" if d.chance(0.3) else str(d.below(2 * length + 3) - length - 1)


def slice_text(d: Drawer, length: int) -> str:
    step = d.one_of(["", "", ":1", ":2", ":-1", ":-2", ":3"])
    return f"{bound(d, length)}:{bound(d, length)}{step}"


def basic_key(d: Drawer, shape: tuple[int, ...]) -> str:
    """Return a basic index: integers, slices, an ellipsis, new axes."""
    count = d.below(len(shape)) + 1
    parts = []
    for length in shape[:count]:
        if length and d.chance(0.3):
            parts.append(str(d.below(2 * length) - length))
        else:
            parts.append(slice_text(d, length))
    if d.chance(0.2):
        parts.append("...")
    if d.chance(0.2):
        parts.insert(d.below(len(parts) + 1), "None")
    return ", ".join(parts)


def positions(d: Drawer, length: int, shape: tuple[int, ...]) -> str:
    found = d.rng.integers(-length, length, shape) if length else np.zeros((0,), "int64")
    return f"np.array({found.tolist()}, 'int64')"


def advanced_key(d: Drawer, x: int) -> str:
    """Return an index with arrays of positions, a mask, or positions that are computed."""
    shape = d.values[x].shape
    if not all(shape):
        raise Misfit
    size = d.one_of([(3,), (4,), (2, 2), (1,)])
    ways = [positions(d, shape[0], size)]
    mask = [
        k for k, a in enumerate(d.values) if a.dtype == bool and a.shape == shape and d.exact[k]
    ]
    row_mask = [
        k for k, a in enumerate(d.values) if a.dtype == bool and a.shape == shape[:1] and d.exact[k]
    ]
    ways += [f"v{k}" for k in mask + row_mask]
    whole = [
        k for k, a in enumerate(d.values) if a.dtype.kind == "i" and 0 < a.ndim < 3 and d.exact[k]
    ]
    ways += [f"T.mod(v{k}, v{x}.shape[0])" for k in whole[-2:]]
    if len(shape) > 1:
        ways += [
            f"{positions(d, shape[0], size)}, {positions(d, shape[1], size)}",
            f":, {positions(d, shape[1], size)}",
            f"{slice_text(d, shape[0])}, {positions(d, shape[1], size)}",
            f"{d.below(shape[0])}, {positions(d, shape[1], size)}",
            f"{positions(d, shape[0], size)}, ::-1",
        ]
    if len(shape) > 2:
        ways.append(f"{positions(d, shape[0], size)}, :, {positions(d, shape[2], size)}")
    return d.one_of(ways)


def index(d: Drawer) -> Step:
    x = d.operand(lambda a: a.ndim > 0)
    if d.chance(0.5):
        return Step(f"v{x}[{basic_key(d, d.values[x].shape)}]", d.exact[x])
    return Step(f"v{x}[{advanced_key(d, x)}]", d.exact[x])


def broadcast_value(d: Drawer, x: int, key: str) -> str:
    """Return what a part is set to, made of a variable that is broadcast to it."""
    shape = eval(f"a[{key}]", {"a": d.values[x], "np": np}).shape

    def fits(a: np.ndarray) -> bool:
        lengths = zip(a.shape[::-1], shape[::-1], strict=False)
        kinds = "iufc" if d.values[x].dtype.kind == "c" else "iuf"
        return (
            a.dtype.kind in kinds and a.ndim <= len(shape) and all(n in (1, m) for n, m in lengths)
        )

    y = d.operand(fits)
    # What is broadcast without being known to be has a gradient of the part's shape, as in 1.0.5.
    value = f"v{y}"
    if d.values[y].shape != shape[len(shape) - d.values[y].ndim :]:
        value = f"theano.gradient.disconnected_grad(v{y})"
    return d.one_of([value, f"{value} * {value}", f"T.maximum({value}, 1)"])


def write(d: Drawer) -> Step:
    x = d.operand(lambda a: a.ndim > 0 and a.dtype.kind in "iufc")
    key = basic_key(d, d.values[x].shape) if d.chance(0.6) else advanced_key(d, x)
    how = d.one_of(["set_subtensor", "inc_subtensor"])
    view = f"v{x}[{key}]"
    value = d.one_of(["2", f"{view} * 2", f"{view}[..., ::-1]", "-1", f"v{d.partner(x)}[{key}]"])
    if "v" not in key and d.chance(0.5):
        value = broadcast_value(d, x, key)
    if (how == "set_subtensor" and "np.array" in key) or "T.mod" in key:
        # Of repeated positions, which is written last is not said.
        value = "2"
    if d.values[x].dtype.kind == "u":
        value = value.replace("-1", "1", 1) if value == "-1" else value
    whole = d.values[x].dtype.kind in "iu" or (value == "2" and how == "set_subtensor")
    return Step(f"T.{how}({view}, {value})", d.exact[x] and whole)


def taken(d: Drawer) -> Step:
    x = d.tensor(filled=True)
    axis = d.one_of([None, d.axis(x)])
    length = d.values[x].size if axis is None else d.values[x].shape[axis]
    at = positions(d, length, (3,))
    mode = d.one_of(["raise", "wrap", "clip"])
    k = d.operand(lambda a: a.ndim == 1 and a.dtype.kind in "biuf", True)
    return d.one_of(
        [
            Step(f"T.take(v{x}, {at}, axis={axis}, mode={mode!r})", d.exact[x]),
            Step(f"T.nonzero(v{k})[0]", True),
            Step(f"T.nonzero_values(v{k})", True),
            Step(f"T.choose(T.cast(T.neq(v{k}, 0), 'int8'), [v{k} * 2, v{k}])"),
        ]
    )


def stencil(d: Drawer) -> Step:
    """Return neighbours along an axis, once or twice: slices of sums of slices."""
    x = d.tensor("iuf")
    axis = d.below(d.values[x].ndim)
    before = ":, " * axis
    text, whole = f"v{x}", d.exact[x] and d.values[x].dtype.kind in "iu"
    for _ in range(1 + d.below(3)):
        reach = 1 + d.below(2)
        parts = [slice(n, n - reach or None) for n in range(reach + 1)]
        keys = [f"{before}{p.start or ''}:{p.stop or ''}" for p in parts]
        way = d.one_of(["{0} - {1}", "T.maximum({0}, {1})", "{0} + 0.25 * {1}", "{1} * {0} - {1}"])
        whole = whole and "0.25" not in way
        first, last = (f"s[{key}]" for key in (keys[0], keys[-1]))
        text = f"(lambda s: {way.format(last, first)})({text})"
    tail = d.one_of(["", "[::-1]", ".sum(axis=0)", f" * v{x}.sum()"])
    return Step(text + tail, whole)


# -- products, linear algebra, Fourier transforms --------------------------------------------------


def product(d: Drawer) -> Step:
    x = d.tensor("iufc")
    a = d.values[x]

    def fits(b: np.ndarray) -> bool:
        long = b.shape[-2] if b.ndim > 1 else (b.shape or (-1,))[0]
        return b.dtype.kind in "iufc" and long == a.shape[-1]

    y = d.operand(fits)
    whole = all(d.values[k].dtype.kind in "iu" and d.exact[k] for k in (x, y))
    row = d.operand(lambda b: b.ndim == 1 and b.dtype.kind in "iuf")
    texts = [f"T.dot(v{x}, v{y})", f"T.dot(v{x}, v{y})", f"T.outer(v{row}, v{row})"]
    if a.ndim == 2:
        texts += [
            f"T.dot(v{x}.T, v{x})",
            f"v{x} + 0.5 * T.dot(v{x}, T.dot(v{x}.T, v{x}))",
            f"T.tensordot(v{x}, v{x}, axes=[[0], [0]])",
            *products_of_products(d, x),
        ]
    if a.ndim == 3:
        texts += [
            f"T.batched_dot(v{x}, v{x}.dimshuffle(0, 2, 1))",
            f"v{x} @ v{x}.dimshuffle(0, 2, 1)",
            f"v{x}.dimshuffle(0, 'x', 1, 2) @ v{x}.dimshuffle('x', 0, 2, 1)",
        ]
    return Step(d.one_of(texts), whole)


def products_of_products(d: Drawer, x: int) -> list[str]:
    """Return products in which rules find something: identities, diagonals, products, joins."""
    n, m = d.values[x].shape
    small = f"T.tanh(T.dot(v{x}, v{x}.T))"
    texts = [
        f"T.dot(T.eye({n}), v{x})",
        f"T.dot({small} - v{x}[:, :1], T.eye({n}))",
        f"T.dot(T.diag(v{x}.sum(axis=1)), v{x})",
        f"T.dot(v{x}.max(axis=1)[:, None] * {small}, v{x})" if m else f"T.dot({small}, v{x})",
        f"T.dot({small}, v{x}) + T.dot({small}.T, v{x})",
        f"v{x} - T.dot({small}, T.dot({small}, v{x}))",
        f"T.diagonal(T.dot({small}, T.tanh({small})))",
        f"T.dot(T.concatenate([v{x}, v{x}]), v{x}.T)",
        f"T.dot({small}, v{x})[::-1, :1]",
        f"T.dot({small} / (1 + {small}.sum(axis=1) ** 2)[:, None], v{x})",
        f"T.outer(v{x}.sum(axis=1), v{x}.sum(axis=0)) + v{x}",
    ]
    return [d.one_of(texts) for _ in range(3)]


def linear_algebra(d: Drawer) -> Step:
    x = d.operand(lambda a: a.ndim in (2, 3) and a.dtype in ("float32", "float64") and a.size > 0)
    axes = "0, 2, 1" if d.values[x].ndim == 3 else "1, 0"
    small = f"T.tanh(v{x})"
    n = d.values[x].shape[-2]
    positive = f"({small} @ {small}.dimshuffle({axes}) + {n + 1} * T.eye({n}, dtype=v{x}.dtype))"
    if d.values[x].ndim == 2:
        positive = positive.replace("@", ".dot(").replace(f"({axes})", f"({axes}))")
    # The larger of two items that are equal but for rounding is either: of what would be symmetric,
    # columns have factors.
    columns = f"T.arange(1, {n} + 1, dtype=v{x}.dtype)"
    texts = [
        "slinalg.cholesky({p})",
        "slinalg.solve({p}, {s})",
        "nlinalg.matrix_inverse({p}) * {c}",
        "nlinalg.det({p} / {m})",
        "T.log(nlinalg.det({p}))",
        "nlinalg.slogdet({p})[1]",
        "slinalg.eigvalsh({p}, None)",
        "nlinalg.eigh({p})[0]",
        # A singular value of 0 has no derivative, its square has.
        "nlinalg.svd({s}, full_matrices=False)[1] ** 2",
        "abs(nlinalg.qr({p})[1])",
        "nlinalg.pinv({p}) * {c}",
        "slinalg.expm({p} / {m}) * {c}",
        "nlinalg.matrix_power({p} / {m}, 3) * {c}",
        "slinalg.kron({s}, {s})",
        "nlinalg.norm({s}, 'fro')",
        "slinalg.solve_lower_triangular(slinalg.cholesky({p}), {s})",
        "nlinalg.lstsq()({p}, {s}, 1e-8)[0]",
        # Equal eigenvalues would have no derivatives.
        "T.sqrt(abs(nlinalg.eig({p} * {c})[0])).sum()",
    ]
    return Step(d.one_of(texts).format(p=positive, s=small, m=4 * n, c=columns))


def fourier(d: Drawer) -> Step:
    x = d.operand(lambda a: a.ndim == 2 and a.dtype in ("float32", "float64") and a.size > 0)
    return d.one_of([Step(f"fft.rfft(v{x})"), Step(f"fft.irfft(fft.rfft(v{x}))")])


# -- control ---------------------------------------------------------------------------------------


def control(d: Drawer) -> Step:
    x = d.operand(lambda a: a.ndim > 0 and a.dtype.kind == "f" and a.dtype != "float16")
    y = d.partner(x, "f")
    c = d.operand(lambda a: a.ndim == 0 and a.dtype.kind in "biu", True)
    kind = d.values[x].dtype
    start = f"T.zeros_like(v{x}[0])" if len(d.values[x]) else "None"
    scan = "theano.scan(lambda r, s: T.tanh(r + 0.5 * s), v{}, {}{})[0]"
    texts = [
        f"ifelse(T.neq(v{c}, 0), v{x}, T.sin(v{x}))",
        scan.format(x, start, ""),
        scan.format(x, start, ", go_backwards=True") + "[-1:]",
        f"theano.scan(lambda r, w: T.tanh(r).sum() + w.sum(), v{x}, non_sequences=[v{y}])[0]",
        f"theano.map(lambda r: T.exp(-T.sqr(r)), v{x})[0]",
        f"theano.scan(lambda s: T.cast(T.tanh(s * 2), '{kind}'), outputs_info=v{x}, n_steps=3)[0]",
        f"theano.foldl(lambda r, s: T.tanh(s + r), v{x}, {start})[0]",
        f"theano.scan(lambda r: (r, until(T.gt(r.sum(), 1e9))), v{x})[0]",
        f"theano.scan(lambda r, s: (s + r, until(T.gt(s.sum(), 2))), v{x}, {start})[0]",
        f"theano.scan(lambda a, b: a - b * 2, dict(input=v{x}, taps=[0, -1]))[0]",
    ]
    if len(d.values[x]):
        texts += loops_with_states(f"v{x}", start, d.values[x].ndim)
    return Step(d.one_of(texts))


def loops_with_states(x: str, start: str, rank: int) -> list[str]:
    """Return loops over `x`: of two states, of older values, one in another, written in part."""
    two = f"[{start}, {start} + 1]"
    older = f"dict(initial=T.stack({two}), taps=[-2, -1])"
    inner = f"theano.scan(lambda q, s: T.tanh(q + s), {x}, {start})[0][-1]"
    texts = [
        f"theano.scan(lambda r, s, t: [T.tanh(r + t), s * 0.5 + r], {x}, {two})[0][1]",
        f"theano.scan(lambda r, p, q: T.tanh(r + 0.3 * p - 0.2 * q), {x}, {older})[0]",
        f"theano.scan(lambda r: r + {inner}, {x}[:3])[0]",
        f"theano.scan(lambda r, s: T.tanh(s * r), {x}, {start} + 1, truncate_gradient=2)[0][-1]",
    ]
    if rank > 1:
        write = f"theano.scan(lambda r, s: T.{{}}, {x}, {start})[0]"
        texts += [
            write.format("set_subtensor(s[1:], T.tanh(s[:-1] + r[:-1]))"),
            write.format("inc_subtensor(s[::2], T.tanh(r[::2] - s[::2]))"),
            write.format("set_subtensor(T.tanh(s + r)[:1], r[-1:])"),
            write.format("inc_subtensor(T.inc_subtensor(s[:1], r[:1])[-1:], T.tanh(s[:1]))"),
        ]
    return texts


def nnet(d: Drawer) -> Step:
    x = d.operand(lambda a: a.ndim == 2 and a.dtype.kind == "f" and a.size > 0)
    texts = [
        f"T.nnet.softmax(v{x})",
        f"T.log(T.nnet.softmax(v{x}))",
        f"T.nnet.logsoftmax(v{x})",
        f"T.nnet.relu(v{x}, 0.1)",
        f"T.nnet.elu(v{x})",
        f"T.nnet.hard_sigmoid(v{x})",
        f"T.log(T.sum(T.exp(v{x}), axis=1))",
        f"T.nnet.categorical_crossentropy(T.nnet.softmax(v{x}), T.zeros_like(v{x}[:, 0], 'int64'))",
        f"(v{x} - v{x}.mean(axis=0)) / T.sqrt(v{x}.var(axis=0) + 1)",
    ]
    # As it is written, 1 - sigmoid(x) has no digits left for a large x; rewritten it has all.
    value = d.values[x]
    if np.abs(value).max() < -np.log(np.finfo(value.dtype).eps) / 3:
        target = f"T.ones_like(v{x}) * 0.3"
        texts.append(f"T.nnet.binary_crossentropy(T.nnet.sigmoid(v{x}), {target})")
    return Step(d.one_of(texts))


def windows(d: Drawer) -> Step:
    def fits(a: np.ndarray) -> bool:
        return a.ndim == 2 and a.dtype.kind == "f" and 0 < a.size < 200

    x = d.operand(fits)
    w = d.operand(lambda a: fits(a) and a.dtype == d.values[x].dtype)
    images, kernels = (f"v{k}.dimshuffle('x', 'x', 0, 1)" for k in (x, w))
    texts = [
        f"T.nnet.conv2d({images}, {kernels}, border_mode='full')[0, 0]",
        f"T.nnet.conv2d({images}, {kernels}[:, :, :1, :1], subsample=(2, 1))[0, 0]",
        f"T.nnet.conv2d({images}, {kernels}, border_mode='half', filter_flip=False).sum(axis=0)",
        f"pool.pool_2d(v{x}, (2, 3), ignore_border=False, stride=(1, 2), mode='sum')",
        f"pool.pool_2d(v{x}, (1, 2), ignore_border=False, mode='average_exc_pad')",
        f"pool.pool_2d(v{x}, (2, 1), ignore_border=False)",
    ]
    return Step(d.one_of(texts))


FAMILIES: list[Callable[[Drawer], Step]] = [
    *[elementwise] * 5,
    *[arithmetic] * 2,
    with_constant,
    logic,
    cast,
    *[reduction] * 2,
    position,
    cumulative,
    order,
    counting,
    *[shape] * 3,
    triangle,
    creation,
    joined,
    *[index] * 3,
    *[write] * 3,
    taken,
    stencil,
    product,
    linear_algebra,
    fourier,
    control,
    nnet,
    windows,
]


def next_step(d: Drawer) -> Step | None:
    """Return a step that some family can make of what is there."""
    try:
        return d.one_of(FAMILIES)(d)
    except Misfit:
        return None
