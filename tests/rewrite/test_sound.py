"""Every rule alone keeps values, dtype and pattern, for operands of many dtypes and shapes.

The operands are those of the rule's own pattern and of its example: their leaves are replaced by
variables of each dtype and broadcast pattern that the operations on them take.
"""

import itertools

import numpy as np
import pytest
from rule_examples import EXAMPLES

import theano
import theano.tensor as T
from theano._core.ir.graph import copy_graph, toposort
from theano._core.ir.variable import Constant
from theano._core.lower.reference import evaluate
from theano._core.rewrite.engine import Rewriter
from theano._core.rewrite.pattern import PATTERNS
from theano._core.rewrite.pipeline import all_rules, rewrite
from theano._core.rewrite.rule import RuleSet

DTYPES = (
    *("float64", "float32", "float16", "complex128", "complex64"),
    *("int8", "int16", "int32", "int64", "uint8", "bool"),
)
# Of two operands, also these pairs of dtypes.
MIXED = (
    *(("float32", "int8"), ("float64", "float32"), ("int16", "float32"), ("int64", "uint8")),
    *(("complex64", "float64"), ("bool", "float32"), ("int8", "bool"), ("float16", "int16")),
)
# Shape and broadcast pattern.
SHAPES = {
    "scalar": ((), ()),
    "vector": ((3,), (False,)),
    "length 1": ((1,), (False,)),
    "broadcast": ((1,), (True,)),
    "empty": ((0,), (False,)),
    "matrix": ((2, 3), (False, False)),
    "row": ((1, 3), (True, False)),
    "column": ((2, 1), (False, True)),
    "no rows": ((0, 3), (False, False)),
    "no columns": ((2, 0), (False, False)),
    "six": ((3, 2), (False, False)),
}
# Rules that make expressions finite; some also where little else is rewritten, as canonical ones.
FINITE = {
    "reshape(x / reshape(y)) → reshape(x) / y, (x / y.T).T → x.T / y",
    "exp(x) / (1 + exp(x)) → sigmoid(x)",
    "y x^(y - 1) / x^y → y / x",
    "inc(zeros, x / y[i], i) → inc(zeros, x, i) / y",
}
# Relative to the largest number on the way, for rules that round differently.
ROUNDING = {"float16": 1e-2, "float32": 1e-5, "float64": 1e-13}


def tolerance(dtypes):
    """Return what results may differ by, from the coarsest float dtype on the way to them."""
    widths = [np.finfo(d).dtype.name for d in dtypes if np.dtype(d).kind in "fc"]
    return max((ROUNDING[w] for w in widths), default=0.0)


def leaves_of(out):
    found = {}
    for node in toposort([out]):
        for value in node.inputs:
            if value.owner is None and not isinstance(value, Constant):
                found.setdefault(value)
    return list(found)


def expressions(rule):
    """Return expressions that the rule is about."""
    pattern = PATTERNS.get(rule.name)
    return [EXAMPLES[rule.name], *([pattern[0]] if pattern else [])]


def operand_types(count):
    """Yield a (dtype, name of a shape) for each of `count` operands."""
    for shapes in itertools.product(SHAPES, repeat=count):
        for dtype in DTYPES if len(set(shapes)) == 1 else DTYPES[:6:2] + DTYPES[5::3]:
            yield tuple((dtype, shape) for shape in shapes)
    if count == 2:
        for pair, shape in itertools.product(MIXED, SHAPES):
            yield ((pair[0], shape), (pair[1], shape))
            yield ((pair[0], "scalar"), (pair[1], shape))


def draw(rng, dtype, shape):
    """Return numbers of both signs, none of them 0, so that quotients exist."""
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(dtype)
    if np.dtype(dtype).kind in "iu":
        low = 1 if dtype.startswith("u") else np.iinfo(dtype).min
        values = rng.choice([low, 1, 2, 3, 5, np.iinfo(dtype).max], shape).astype(dtype)
        return np.asarray(values)
    values = rng.uniform(0.2, 2, shape) * rng.choice([-1, 1], shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.uniform(0.2, 2, shape)
    return np.asarray(values).astype(dtype)


def built(out, leaves, types):
    """Return the expression over other operands and their values; None where it takes none such."""
    rng = np.random.default_rng(7)
    new = [T.TensorType(d, SHAPES[s][1])() for d, s in types]
    try:
        with np.errstate(all="ignore"):
            before = copy_graph([out], dict(zip(leaves, new, strict=True)))[0]
        values = {v: draw(rng, d, SHAPES[s][0]) for v, (d, s) in zip(new, types, strict=True)}
        evaluate([before], values)
    except (TypeError, ValueError, IndexError, NotImplementedError):
        return None
    return before, values


def difference(before, after, values, stable):
    """Return what is wrong with the rewritten expression, or ''."""
    if before.type.dtype != after.type.dtype:
        return f"dtype {before.type.dtype} became {after.type.dtype}"
    wanted = evaluate([before], values)[0]
    try:
        got = evaluate([after], values)[0]
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if wanted.shape != got.shape:
        return f"shape {wanted.shape} became {got.shape}"
    nodes = [v for node in toposort([before]) for v in node.outputs]
    near = tolerance([v.type.dtype for v in nodes])
    sizes = (
        [abs(v[np.isfinite(v)]).max(initial=1) for v in evaluate(nodes, values)] if near else [0]
    )
    # NumPy 1 multiplies complex infinities in there.
    with np.errstate(invalid="ignore"):
        close = np.isclose(got, wanted, rtol=near, atol=near * float(max(sizes)), equal_nan=True)
    if stable:
        # There to be finite where the expression as written is not.
        close |= ~np.isfinite(wanted)
    return "" if close.all() else f"{wanted.tolist()} became {got.tolist()}"


# 7 divides neither the number of dtypes nor that of shapes: each of them comes up.
@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.name)
def test_sound(rule, every):
    fired, wrong = 0, []
    finite = rule.phase == "stable" or rule.name in FINITE
    for out in expressions(rule):
        leaves = leaves_of(out)
        for number, types in enumerate(operand_types(len(leaves))):
            if fired and number % every:
                continue
            found = built(out, leaves, types)
            if found is None:
                continue
            before, values = found
            one, all_of_them = Rewriter(keep_log=True), Rewriter(keep_log=True)
            results = {
                "the rule": one.run([before], RuleSet([rule]))[0],
                "the pipeline": rewrite([before], rewriter=all_of_them)[0],
            }
            fired += any(entry.rule is rule for entry in (*one.log, *all_of_them.log))
            for name, after in results.items():
                problem = difference(before, after, values, finite)
                if problem:
                    wrong.append(f"{name}, {types}: {problem}")
    assert fired
    assert not wrong, f"{len(wrong)} of the cases, such as\n" + "\n".join(wrong[:8])


def assert_kept(outputs, values):
    """Check that rewriting keeps dtypes and results, bit for bit."""
    with np.errstate(all="ignore"):
        pairs = zip(evaluate(rewrite(outputs), values), evaluate(outputs, values), strict=True)
        for got, wanted in pairs:
            assert got.dtype == wanted.dtype
            np.testing.assert_array_equal(got, wanted)


BESIDE = {
    "a number": lambda x: T.dscalar("beside"),
    "a number a row": lambda x: T.dvector("beside").dimshuffle(0, "x"),
    "infinity": lambda x: T.constant(np.inf),
    "NaN in the shape of x": lambda x: T.fill(x, np.nan),
    "of their number": lambda x: T.sqrt(x.shape[1]),
    "their sum": lambda x: T.exp(x).sum(axis=1, keepdims=True),
    "their mean": lambda x: x.mean(axis=1, keepdims=True),
}


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("operation", [T.mul, T.true_div, lambda x, y: T.exp(x) / y, T.sub])
def test_what_stands_beside_no_items(operation, axis, beside):
    """Infinity times nothing, and nothing divided by nothing, have the sum 0."""
    x = T.dmatrix("x")
    other = BESIDE[beside](x)
    terms = operation(x, other)
    outputs = [terms.sum(axis=axis), terms.mean(axis=axis).sum(), T.grad(terms.sum(), x)]
    arguments = [v for v in leaves_of(outputs[0]) if v is not x]
    for shape, hard in itertools.product([(0, 0), (3, 0), (0, 2)], [0, np.inf, np.nan]):
        beside_them = {v: np.full(shape[: v.ndim], hard) for v in arguments}
        assert_kept(outputs, {x: np.zeros(shape), **beside_them})


def test_lengths_found_to_be_1_below_a_permutation():
    # The constant of one item that the range becomes is broadcastable, unlike the range.
    x = T.dmatrix("x")
    rows = (x.sum(axis=1).dimshuffle(0, "x") + T.arange(T.constant(1)).dimshuffle("x", 0)) % 3
    out = rows.dimshuffle("x", 0, "x", 1)
    value = np.arange(6.0).reshape(2, 3)
    wanted = (value.sum(1)[:, None] % 3)[None, :, None]
    np.testing.assert_array_equal(theano.function([x], out)(value), wanted)


@pytest.mark.parametrize("operation", [T.maximum, T.minimum, T.lt, T.le, T.gt, T.ge, T.eq, T.neq])
def test_lengths_beside_constants_of_any_dtype(operation):
    x, b = T.dvector("x"), T.bscalar("b")
    values = {x: np.ones(3), b: np.int8(-2)}
    for number, dtype in itertools.product([-1, 0, 1], DTYPES):
        if dtype == "bool" or (operation not in (T.maximum, T.minimum) and "complex" in dtype):
            continue
        constant = T.constant(np.asarray(number).astype(dtype))
        for value in (x.shape[0], T.gt(b, 0), T.cast(x.shape[0], "int8")):
            assert_kept([operation(value, constant), operation(constant, value)], values)


def test_an_integer_too_large_for_float16_is_infinite_beside_no_items():
    x, n = T.TensorType("float16", (False,))("x"), T.lscalar("n")
    out = T.sum(x * T.cast(n, "float16"), dtype="float16", acc_dtype="float16")
    assert evaluate(rewrite([out]), {x: np.zeros(0, "float16"), n: np.int64(70000)})[0] == 0


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_a_complex_quotient_by_zero_is_no_product(dtype):
    x = T.TensorType(dtype, (False,))("x")
    values = {x: np.array([1 + 2j, -1, 3j, 0]).astype(dtype)}
    assert_kept([x / 0, (x * 2) / T.constant(0j), 3 / (1 / x) / 0], values)


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_divided_by_its_magnitude(dtype):
    x = T.TensorType(dtype, (False,))("x")
    values = {x: np.array([1, 3, 1]).astype(dtype)}
    assert_kept([x / abs(x), abs(x) * T.constant(2.0) / x], values)
