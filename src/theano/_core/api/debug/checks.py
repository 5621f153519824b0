"""The generic tests of an operation: our own tests run them on every one, users on theirs.

Each raises AssertionError that says what failed.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

from theano._core.api.array.reductions import sum as tensor_sum
from theano._core.autodiff.reverse import grad
from theano._core.base import dtypes
from theano._core.compile.function import function
from theano._core.ir.graph import copy_graph, inputs as leaves_of
from theano._core.ir.types import TensorType
from theano._core.ir.variable import Apply, Constant, Variable
from theano._core.lower.reference import evaluate
from theano._core.ops.core.op import Op, constant
from theano._core.ops.core.samples import Range
from theano._core.ops.elementwise.arithmetic import add, mul
from theano._core.ops.elementwise.elementwise import Elementwise
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import PATTERNS, instantiate
from theano._core.rewrite.rule import Rule, RuleSet

# Shapes for which elementwise operations are checked, by rank.
SHAPES = (
    [
        (),
    ],
    [(0,), (1,), (5,), (37,)],
    [(3, 4)],
    [(2, 0, 3)],
)
BROADCAST = (
    ((3, 1), (1, 4)),
    ((1, 1), (3, 4)),
    ((3, 4), (1, 4)),
    ((2, 1, 5), (2, 7, 1)),
    ((1, 0), (3, 1)),
)
# How far central differences move, relative to directions of length about 1.
STEP = 1e-5


def check(
    op: Op, *examples: Sequence[object], order: int = 2, tolerance: float = 2e-6, ulp: float = 64
) -> None:
    """Run the generic tests of an operation.

    An elementwise operation is compared, native code with `compute`, over all dtypes that it takes,
    layouts of memory, broadcasting and arrays without items. Other operations are compared on the
    arrays of `examples`. The gradient is compared with central differences, up to `order`. If JAX
    is installed, what XLA compiles is compared with `compute` as well.

    Parameters
    ----------
    op : Op
        From `theano.extend.elementwise`, of a class derived from `theano.extend.Structured`, or of
        one derived from `theano.Op`.
    *examples : sequence of array_like
        Inputs of an operation that is not elementwise. Gradients are taken by those of dtype
        float64.
    order : int
        How many times the operation has derivatives; 0: it has none.
    tolerance : float
        Largest difference of gradients, relative to their size.
    ulp : float
        Largest difference of values, units in the last place; an elementwise operation has its own.

    Returns
    -------
    None

    Raises
    ------
    AssertionError
        Something differs; the text says what.

    Examples
    --------
    >>> theano.extend.check(T.expm1)
    """
    if isinstance(op, Elementwise):
        for dtype in item_types_of(op):
            check_values(op, dtype)
        if op.nin == 2:
            check_mixed_dtypes(op)
        check_broadcasting(op)
        check_jax(op)
        if is_smooth(op):
            check_gradient(op, [_sample(op, i) for i in range(op.nin)], order, tolerance)
        return
    if not examples:
        raise AssertionError(f"{op} is not elementwise: give arrays to run it on")
    for example in examples:
        arrays = [np.asarray(value) for value in example]
        check_example(op, arrays, ulp)
        if order:
            check_gradient_of_example(op, arrays, order, tolerance)


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Put `what` in front of assertion errors, and turn other errors into such."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{what}: {error}") from error
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error


# -- elementwise operations ------------------------------------------------------------------------


def accepts(op: Elementwise, item_types: Sequence[str]) -> bool:
    """Tell whether an operation is defined for these dtypes."""
    try:
        op.dtype(*item_types)
    except (TypeError, NotImplementedError):
        return False
    return True


def item_types_of(op: Elementwise) -> list[str]:
    """Return the dtypes that all inputs of an operation may have."""
    return [dtype for dtype in dtypes.all_dtypes if accepts(op, [dtype] * op.nin)]


def is_smooth(op: Elementwise) -> bool:
    """Tell whether an operation has a gradient that central differences can find."""
    if op.gradient is None or not accepts(op, ["float64"] * op.nin):
        return False
    return dtypes.is_float(op.dtype(*["float64"] * op.nin)[1])


def seeded(*parts: object) -> np.random.Generator:
    """Return a generator that draws the same numbers for the same parts."""
    return np.random.default_rng(zlib.crc32(repr(parts).encode()))


def draw(rng: np.random.Generator, where: Range, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of samples."""
    if where.integer or dtypes.is_discrete(dtype):
        low, high = int(np.ceil(where.low)), int(np.floor(where.high))
        if dtypes.is_uint(dtype) or dtype == "bool":
            low = max(low, 0)
        values = rng.integers(low, max(high, low + 1), size=shape, endpoint=False).astype("float64")
        if where.nonzero:
            values = np.where(values == 0, max(1, high - 1), values)
    else:
        values = rng.uniform(where.low, where.high, size=shape)
        if where.nonzero:
            values = np.where(abs(values) < 0.05, 0.5, values)
    if dtypes.is_complex(dtype):
        return (values + 1j * rng.uniform(-1, 1, size=shape)).astype(dtype)
    return np.asarray(values.astype(dtype))


def _sample(op: Elementwise, position: int) -> np.ndarray:
    return draw(seeded(op.name, position), op.samples[position], "float64", (2, 3))


def check_values(op: Elementwise, dtype: str) -> None:
    """Compare native code with the definition, for shapes and layouts of one dtype."""
    rng = seeded(op.name, dtype)
    for shapes in SHAPES:
        inputs = [tensor(dtype, shapes[0], f"x{i}") for i in range(op.nin)]
        with naming(f"{op}, inputs of dtype {dtype}"):
            out = op(*inputs)
            f = function(inputs, out)
        for shape in shapes:
            arrays = [draw(rng, where, dtype, shape) for where in op.samples]
            wanted = evaluate([out], dict(zip(inputs, arrays, strict=True)))[0]
            for layout in layouts(arrays[0]):
                operands = [layouts(a)[layout] for a in arrays]
                with naming(
                    f"{op}, inputs of dtype {dtype}, shape {shape}, {layout}: native code differs "
                    "from compute"
                ):
                    assert_close(f(*operands), wanted, op.ulp)


def check_mixed_dtypes(op: Elementwise, count: int = 12) -> None:
    """Compare native code with the definition, for operands of two dtypes."""
    rng = seeded(op.name)
    item_types = dtypes.all_dtypes
    pairs = [(a, b) for a in item_types for b in item_types if a != b and accepts(op, [a, b])]
    for a, b in [pairs[i] for i in rng.permutation(len(pairs))[:count]]:
        inputs = [tensor(a, (4,), "x"), tensor(b, (4,), "y")]
        out = op(*inputs)
        arrays = [draw(rng, w, dtype, (4,)) for w, dtype in zip(op.samples, (a, b), strict=True)]
        wanted = evaluate([out], dict(zip(inputs, arrays, strict=True)))[0]
        with naming(f"{op} of {a} and {b}: native code differs from compute"):
            assert_close(function(inputs, out)(*arrays), wanted, op.ulp)


def check_broadcasting(op: Elementwise) -> None:
    """Compare native code with the definition, for two operands that broadcast."""
    if op.nin != 2 or not accepts(op, ["float64"] * 2):
        return
    rng = seeded(op.name, "broadcast")
    for shapes in BROADCAST:
        inputs = [tensor("float64", s, f"x{i}", True) for i, s in enumerate(shapes)]
        out = op(*inputs)
        arrays = [draw(rng, w, "float64", s) for w, s in zip(op.samples, shapes, strict=True)]
        wanted = evaluate([out], dict(zip(inputs, arrays, strict=True)))[0]
        f = function(inputs, out)
        with naming(f"{op}, shapes {shapes}: native code differs from compute"):
            assert_close(f(*arrays), wanted, op.ulp)
            assert_close(f(*(layouts(a)["strided"] for a in arrays)), wanted, op.ulp)


def check_jax(op: Elementwise) -> None:
    """Compare what XLA compiles with the definition, for operands of one dtype."""
    rng = seeded(op.name, "jax")
    for dtype in item_types_of(op):
        inputs = [tensor(dtype, (3, 4), f"x{i}") for i in range(op.nin)]
        arrays = [draw(rng, where, dtype, (3, 4)) for where in op.samples]
        with naming(f"{op}, inputs of dtype {dtype}: XLA's code differs from compute"):
            _compare_with_xla(inputs, [op(*inputs)], arrays, max(op.ulp, 64))


def _compare_with_xla(
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    arrays: Sequence[np.ndarray],
    ulp: float,
) -> None:
    if find_spec("jax") is None:
        return
    f = function(inputs, outputs, mode="JAX", on_unused_input="ignore")
    wanted = evaluate(outputs, dict(zip(inputs, arrays, strict=True)))
    with warnings.catch_warnings():
        # What NumPy must compute is compared as well.
        warnings.simplefilter("ignore")
        results = f(*arrays)
    for got, value in zip(results, wanted, strict=True):
        assert_close(got, value, ulp)


# -- operations on examples ------------------------------------------------------------------------


def check_example(op: Op, arrays: Sequence[np.ndarray], ulp: float) -> None:
    """Compare native code with the definition on given arrays, and lengths with results."""
    inputs = [tensor(str(a.dtype), a.shape, f"x{i}") for i, a in enumerate(arrays)]
    shapes = [a.shape for a in arrays]
    with naming(f"{op} of shapes {shapes}"):
        outputs = op(*inputs, return_list=True)
        node = outputs[0].owner
    with naming(f"{op} of shapes {shapes}: compute"):
        operands = [a.copy() for a in arrays]
        wanted = _results(node, operands)
        _check_types(outputs, wanted)
        for position, (a, b) in enumerate(zip(operands, arrays, strict=True)):
            if not np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"):
                raise AssertionError(f"input {position} was changed")
    run = function(inputs, outputs, on_unused_input="ignore")
    for layout in ("contiguous", "strided", "reversed", "fortran"):
        operands = [layouts(a).get(layout, a) for a in arrays]
        with naming(f"{op} of shapes {shapes}, {layout}: native code differs from compute"):
            for got, value in zip(run(*operands), wanted, strict=True):
                assert_close(got, value, ulp)
    with naming(f"{op} of shapes {shapes}: XLA's code differs from compute"):
        _compare_with_xla(inputs, outputs, arrays, max(ulp, 64))
    shape = function(inputs, [out.shape for out in outputs], on_unused_input="ignore")
    with naming(f"{op} of shapes {shapes}: the shape alone differs from that of the result"):
        for got, value in zip(shape(*arrays), wanted, strict=True):
            assert_close(got, np.array(value.shape, dtype="int64"), 0)


def _results(node: Apply, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    results = node.rules.compute(np, node, *arrays)
    if not isinstance(results, (tuple, list)):
        raise AssertionError(
            f"it must return a tuple with an array for each output, got {results!r}"
        )
    return [np.asarray(v) for v in results]


def _check_types(outputs: Sequence[Variable], values: Sequence[np.ndarray]) -> None:
    if len(outputs) != len(values):
        raise AssertionError(f"{len(values)} results for {len(outputs)} outputs")
    for position, (out, value) in enumerate(zip(outputs, values, strict=True)):
        if not out.type.is_valid_value(value):
            raise AssertionError(
                f"result {position} has dtype {value.dtype} and shape {value.shape}, and the type "
                f"of the output is {out.type}"
            )


def check_gradient_of_example(
    op: Any, arrays: Sequence[np.ndarray], order: int, tolerance: float
) -> None:
    """Compare the gradient by the float64 inputs with central differences."""
    moving = [i for i, a in enumerate(arrays) if a.dtype == "float64"]

    def build(position: int) -> Callable[..., Any]:
        def of(*inputs: Any) -> Any:
            operands = [constant(a) for a in arrays]
            for i, v in zip(moving, inputs, strict=True):
                operands[i] = v
            return op(*operands, return_list=True)[position]

        return of

    example = op(*(constant(a) for a in arrays), return_list=True)
    for position, out in enumerate(example):
        if moving and isinstance(out.type, TensorType) and dtypes.is_float(out.type.dtype):
            chosen = [arrays[i] for i in moving]
            with naming(f"{op}, output {position}"):
                check_gradient(build(position), chosen, order, tolerance)


# -- gradients -------------------------------------------------------------------------------------


def check_gradient(
    build: Callable[..., object],
    arrays: Sequence[np.ndarray],
    order: int = 2,
    tolerance: float = 2e-6,
) -> None:
    """Compare the gradient of a random projection of `build(*inputs)` with differences; recurse.

    Parameters
    ----------
    build : callable
        Takes float64 variables, returns one variable.
    arrays : sequence of ndarray, float64
        Where to compare.
    order : int
        How many times to differentiate.
    tolerance : float
        Largest difference relative to the size of the derivative.
    """
    rng = seeded(*(a.shape for a in arrays))
    inputs = [tensor("float64", a.shape, f"x{i}") for i, a in enumerate(arrays)]
    out = build(*inputs)
    what = f"{build}: " if isinstance(build, Elementwise) else ""
    for level in range(1, order + 1):
        value = evaluate([out], dict(zip(inputs, arrays, strict=True)))[0]
        cost = tensor_sum(mul(out, constant(rng.normal(size=value.shape))))
        with naming(f"{what}gradient of order {level}"):
            gradients = grad(cost, inputs, disconnected_inputs="ignore")
            directions = [rng.normal(size=a.shape) for a in arrays]
            slope: Any = 0.0
            for g, d in zip(gradients, directions, strict=True):
                slope = add(slope, tensor_sum(mul(g, constant(d))))
            f = function(inputs, cost, on_unused_input="ignore")
            df = function(inputs, slope, on_unused_input="ignore")
            wanted, got = float(directional(f, arrays, directions)), float(df(*arrays))
            if not abs(got - wanted) <= tolerance * (1 + 2 * abs(wanted)):
                raise AssertionError(
                    f"{got} along a direction, and {wanted} by central differences, at {arrays}"
                )
        out = gradients[0]


def directional(
    f: Callable[..., object],
    arrays: Sequence[np.ndarray],
    directions: Sequence[np.ndarray],
    step: float = STEP,
) -> Any:
    """Return the derivative of `f` along a direction, by central differences."""
    up = f(*(a + step * d for a, d in zip(arrays, directions, strict=True)))
    down = f(*(a - step * d for a, d in zip(arrays, directions, strict=True)))
    return (np.asarray(up) - np.asarray(down)) / (2 * step)


# -- arrays ----------------------------------------------------------------------------------------


def layouts(array: np.ndarray) -> dict[str, np.ndarray]:
    """Return arrays with the values of `array`, laid out in memory in several ways."""
    result = {"contiguous": array}
    if array.ndim:
        spread = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
        spread[..., ::2] = array
        result["strided"] = spread[..., ::2]
        result["reversed"] = np.ascontiguousarray(array[..., ::-1])[..., ::-1]
    if array.ndim > 1:
        result["fortran"] = np.asfortranarray(array)
    return result


def tensor(dtype: str, shape: Sequence[int], name: str = "x", broadcast: bool = False) -> Any:
    """Return a variable for an array; lengths of 1 are broadcastable if `broadcast`."""
    return TensorType(dtype, [broadcast and n == 1 for n in shape])(name)


def assert_close(got: np.ndarray, wanted: np.ndarray, ulp: float) -> None:
    """Compare arrays up to some units in the last place."""
    if got.dtype != wanted.dtype or got.shape != wanted.shape:
        raise AssertionError(
            f"dtype {got.dtype} and shape {got.shape}, wanted {wanted.dtype} and {wanted.shape}"
        )
    if got.dtype.kind in "fc":
        info = np.finfo(got.dtype)
        rtol = 2 * (ulp + 1) * float(info.eps)
        atol = 4 * float(info.tiny) if got.dtype.kind == "f" else 8 * float(info.eps)
        with np.errstate(all="ignore"):
            close = np.isclose(got, wanted, rtol=rtol, atol=atol, equal_nan=True)
    else:
        close = got == wanted
    if not np.all(close):
        at = tuple(int(i) for i in np.argwhere(~np.asarray(close))[0])
        raise AssertionError(f"{got[at]!r} instead of {wanted[at]!r} at {at}, allowed {ulp} ulp")


# -- rewriting rules -------------------------------------------------------------------------------


def check_rule(rule: Rule, *arrays: Any, rtol: float = 1e-10) -> None:
    """Check that a rule written as a pattern fires, and that it does not change results.

    Parameters
    ----------
    rule : Rule
        What `theano.extend.rule` returned.
    *arrays : array_like
        A value for each wildcard, in the order in which they first occur in the pattern.
    rtol : float
        How much results may differ.

    Returns
    -------
    None

    Raises
    ------
    ValueError
        There are more or fewer arrays than wildcards.
    AssertionError
        The rule does not fire, or results differ.

    Examples
    --------
    >>> x = theano.extend.wild("x")
    >>> rule = theano.extend.rule(
    ...     "sgn(sgn(x)) → sgn(x)", T.sgn(T.sgn(x)), T.sgn(x), phase="canonical", why="one less"
    ... )
    >>> theano.extend.check_rule(rule, [-1.0, 0.0, 2.0])
    """
    before, after = PATTERNS[rule.name]
    wildcards = [v for v in leaves_of([before]) if not isinstance(v, Constant)]
    values = [np.asarray(a) for a in arrays]
    if len(values) != len(wildcards):
        raise ValueError(f"{rule.name}: {len(wildcards)} arrays are needed, got {len(values)}")
    inputs = [tensor(str(a.dtype), a.shape) for a in values]
    table: dict[Any, Any] = dict(zip(wildcards, inputs, strict=True))
    plain = copy_graph([before], table)[0]
    with naming(f"{rule.name}: does it fire"):
        rewriter = Rewriter(keep_log=True)
        rewriter.run([plain], RuleSet([rule]))
        assert any(entry.rule is rule for entry in rewriter.log or ()), "it does not fire"
    with naming(f"{rule.name}: results"):
        wanted = evaluate([plain], dict(zip(inputs, values, strict=True)))[0]
        got = evaluate([instantiate(after, table)], dict(zip(inputs, values, strict=True)))[0]
        np.testing.assert_allclose(got, wanted, rtol=rtol)
