"""The functions that `replay.py` compiles: tables of tests, benchmarks, and some of its own.

Everything is made from fixed seeds. The tables are those of this checkout, whatever `theano` is
imported; what an older one does not have is left out, and said.
"""

from __future__ import annotations

import importlib
import itertools
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import theano
import theano.tensor as T
from theano.ifelse import ifelse

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("exact", "fuzz", "linalg", "ops", "rewrite")
sys.path[:0] = [str(ROOT / "tests" / name) for name in FOLDERS] + [str(ROOT / "benchmarks")]


class Function(NamedTuple):
    """What to compile, and what to call it with."""

    inputs: Sequence[Any]
    outputs: Any
    arguments: Sequence[Any]
    options: dict[str, Any]


Named = Iterator[tuple[str, Callable[[], Function]]]


def seeded(*parts: object) -> np.random.RandomState:
    """Return a generator that draws the same numbers for the same parts."""
    return np.random.RandomState(zlib.crc32(repr(parts).encode()))


def symbols(arrays: Sequence[Any]) -> list[Any]:
    """Return an input for each array."""
    return [
        T.TensorType(str(a.dtype), (False,) * a.ndim)(f"x{i}")
        for i, a in enumerate(map(np.asarray, arrays))
    ]


def of(build: Callable[..., Any], *arguments: Any, **options: Any) -> Function:
    """Return the function of what `build` makes of inputs like the arguments.

    What is given as `updates` makes them of the inputs as well.
    """
    inputs = symbols(arguments)
    outputs = build(*inputs)
    outputs = list(outputs) if isinstance(outputs, tuple) else outputs
    if updates := options.get("updates"):
        options["updates"] = updates(*inputs)
    return Function(inputs, outputs, arguments, options)


# -- tables of the tests ---------------------------------------------------------------------------

KINDS = ("float64", "float32", "int32", "complex64", "bool", "float16", "uint8")


def operations() -> Named:
    """Every elementwise operation: of one dtype in packed vectors, of another in broadcast rows."""
    from registry import OPS

    for name, op in OPS.items():
        kinds = [kind for kind in KINDS if _accepts(op, kind)]
        for kind, shapes in zip(kinds, ([(37,)] * op.nin, [(5, 7), (7,), (5, 7)]), strict=False):
            rng = seeded(name, kind)
            arrays = [_draw(rng, w, kind, s) for w, s in zip(op.samples, shapes, strict=False)]
            yield f"{name} of {kind}", lambda op=op, arrays=arrays: of(op, *arrays)


def _accepts(op: Any, kind: str) -> bool:
    try:
        op.dtype(*[kind] * op.nin)
    except (TypeError, NotImplementedError):
        return False
    return True


def _draw(rng: Any, where: Any, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    values = rng.uniform(where.low, where.high, size=shape)
    if where.integer or kind in ("int32", "uint8", "bool"):
        values = np.trunc(values)
    if kind in ("uint8", "bool"):
        values = abs(values)
    if where.nonzero:
        values = np.where(abs(values) < 0.05, 1, values)
    return np.asarray(values + 0.5j if "complex" in kind else values).astype(kind)


def arrays() -> Named:
    """Operations on whole arrays, of two dtypes."""
    from test_arrays import CASES, INDEXED, POSITIVE, at

    for name, case in {**CASES, **INDEXED}.items():
        for kind in dict.fromkeys((case.kinds[-1], case.kinds[0])):
            rng, shape = seeded(name, kind), case.shapes[2 % len(case.shapes)]
            x = np.asarray(rng.randint(0, 9, size=shape) - 0.5).astype(kind)
            given = [x, at(x, 1)] if name in INDEXED else [x]
            build = lambda x, i=1, case=case: case.ours(x, i, 0)
            yield f"{name} of {kind}", lambda b=build, g=given: of(b, *g)
    for name, (ours, _) in POSITIVE.items():
        a = seeded(name).rand(5, 5)
        yield name, lambda f=ours, a=a: of(f, a @ a.T + np.diag(np.arange(1.0, 6)))


def structures() -> Named:
    """Shapes, indices, creation and products."""
    from test_structured import CASES

    for name, (build, _, given) in CASES.items():
        yield name, lambda build=build, given=given: of(build, *given)


def rules() -> Named:
    """An expression for each rewrite rule."""
    from rule_examples import EXAMPLES, VALUES

    for name, out in EXAMPLES.items():
        yield name, lambda out=out: _of_values(out, VALUES)


def _of_values(out: Any, values: dict[Any, Any]) -> Function:
    used = [v for v in theano.gof.graph.inputs([out]) if v in values]
    return Function(used, out, [values[v] for v in used], {})


def matrices() -> Named:
    """Linear algebra, and its gradients."""
    from linalg_programs import CASES

    for name, (build, given) in CASES.items():
        yield name, lambda build=build, given=given: of(build, *given)
        yield f"gradient of {name}", lambda build=build, given=given: of(_gradient(build), *given)


def _gradient(build: Callable[..., Any]) -> Callable[..., Any]:
    def gradient(*inputs: Any) -> Any:
        results = build(*inputs)
        results = results if isinstance(results, (list, tuple)) else [results]
        cost = sum(T.sqr(abs(out)).sum() for out in results)
        return tuple(T.grad(cost, list(inputs), disconnected_inputs="ignore"))

    return gradient


def random_programs() -> Named:
    """Programs of the fuzzer."""
    import fuzz_programs

    for seed in range(60):
        program = fuzz_programs.make(seed)
        # What is drawn depends on values: another program has another name.
        name = f"{seed}, {zlib.crc32(str(program).encode()):08x}"
        values = [one.value() for one in program.inputs]
        yield name, lambda p=program, values=values: Function(*p.build(), values, {})


# -- programs of our own ---------------------------------------------------------------------------


def reductions() -> Named:
    """Reductions over all axes and over one, of several dtypes and lengths."""
    reducers = {n: getattr(T, n) for n in ("sum", "prod", "max", "min", "mean", "var", "argmax")}
    reducers |= {
        "any": lambda x, axis: T.any(x > 1, axis),
        "norm": lambda x, axis: T.sqr(x).sum(axis),
    }
    shapes = [(7, 5), (40, 3, 6), (3000, 70)]
    for name, reducer in reducers.items():
        for axis in (None, 0, -1):
            for kind in ("float64", "float32", "int32"):
                x = seeded(name, axis).randint(-4, 5, size=shapes[len(name) % 3]).astype(kind)
                build = lambda x, reducer=reducer, axis=axis: reducer(x, axis=axis)
                yield f"{name} of {kind}, axis {axis}", lambda b=build, x=x: of(b, x)


def types() -> Named:
    """Arithmetic of two dtypes, and conversions."""
    kinds = ("int8", "uint64", "int64", "float16", "float32", "float64", "complex128")
    for one in kinds:
        for two in kinds:
            x, y = np.arange(9).astype(one), np.arange(1, 10).astype(two)
            yield f"{one} and {two}", lambda x=x, y=y: of(lambda x, y: (x + y, x * y - y), x, y)
            if "complex" not in one:
                build = lambda x, two=two: T.cast(x, two)
                yield f"{one} to {two}", lambda b=build, x=x: of(b, x)


X, V = seeded("X").randn(12, 9), seeded("V").randn(9)
Y = (V[:9] > 0).astype("float64")


def loops() -> Named:
    """Loops over steps: what they read and keep, their gradients, loops in loops."""
    scan = lambda *args, **options: theano.scan(*args, **options)[0]
    until = theano.scan_module.until
    found: dict[str, Callable[..., Any]] = {
        "map": lambda x, v: scan(lambda r: T.tanh(r) + v, sequences=x),
        "sum": lambda x, v: scan(lambda r, h: h + r, sequences=x, outputs_info=v)[-1],
        "all rows": lambda x, v: scan(lambda r, h: T.sin(h) * r, sequences=x, outputs_info=v),
        "backwards": lambda x, v: scan(
            lambda r, h: h - r * v, sequences=x, outputs_info=v, go_backwards=True
        ),
        "two taps": lambda x, v: scan(
            lambda a, b: a + 0.5 * b, outputs_info={"initial": x[:2], "taps": [-2, -1]}, n_steps=6
        ),
        "sequence with taps": lambda x, v: scan(
            lambda a, b: a * b, sequences={"input": x, "taps": [-1, 1]}
        ),
        "number": lambda x, v: scan(lambda h: 3.7 * h * (1 - h), outputs_info=v[0], n_steps=50),
        "until": lambda x, v: scan(
            lambda h: (h * 2, until(h.sum() > 90)), outputs_info=abs(v), n_steps=30
        ),
        "matrix": lambda x, v: scan(
            lambda r, h: T.tanh(T.dot(T.dot(x.T, x) / 9, h) + r), sequences=x, outputs_info=v
        ),
        "packed matrix": lambda x, v: scan(
            lambda h: T.tanh(T.dot(h, T.dot(x.T, x) / 9)), outputs_info=x, n_steps=4
        ),
        "nested": lambda x, v: scan(
            lambda r: scan(lambda h: h * 0.5 + r.sum(), outputs_info=v, n_steps=3)[-1], sequences=x
        ),
        "branch within": lambda x, v: scan(
            lambda r, h: ifelse(T.gt(r.sum(), 0), h + r, h * 2), sequences=x, outputs_info=v
        ),
        "two states": lambda x, v: scan(
            lambda r, h, c: [T.tanh(c), c * 0.9 + r], sequences=x, outputs_info=[v, v]
        )[0],
        "lookup": lambda x, v: scan(lambda k, h: h + x[k], sequences=T.arange(5), outputs_info=v),
        "inner product": lambda x, v: scan(
            lambda r, s: s + T.dot(r, v), sequences=x, outputs_info=v[0] * 0
        )[-1],
    }
    for name, build in found.items():
        yield name, lambda build=build: of(build, X, V)
        yield f"gradient of {name}", lambda build=build: of(_gradient(build), X, V)


def branches() -> Named:
    """Lazy branches and switches."""
    found: dict[str, Callable[..., Any]] = {
        "number": lambda x, s: ifelse(T.gt(s, 0), s * 2, s - 1),
        "arrays": lambda x, s: ifelse(T.gt(s, 0), T.exp(x), T.sin(x).T[::-1].T),
        "products": lambda x, s: ifelse(T.lt(s, 0), T.dot(x, x.T), T.dot(x, x.T + s)),
        "nested": lambda x, s: ifelse(T.gt(s, 0), ifelse(T.gt(s, 9), x, x + 1), x * 3),
        "switch": lambda x, s: T.switch(x > s, T.exp(x), T.log1p(x * x)),
        "loop": lambda x, s: ifelse(
            T.gt(s, 0), theano.scan(lambda r, h: h + r, x, x[0])[0][-1], x[1]
        ),
    }
    for name, build in found.items():
        for s in (0.5, -0.5):
            yield f"{name}, {s}", lambda b=build, s=s: of(b, X, np.asarray(s))
        both = _gradient(build)
        yield f"gradient of {name}", lambda both=both: of(both, X, np.asarray(0.5))


def updates() -> Named:
    """New values of shared variables, in place where that is allowed."""

    def step(rule: Callable[..., Any]) -> Function:
        w, b = theano.shared(X.copy(), "w"), theano.shared(V.copy(), "b")
        return of(lambda x, v: [], X, V, updates=lambda x, v: rule(w, b, x, v))

    found: dict[str, Callable[..., Any]] = {
        "sum": lambda w, b, x, v: [(b, b + v)],
        "two": lambda w, b, x, v: [(w, w - 0.1 * x), (b, b * 0.9)],
        "swap": lambda w, b, x, v: [(b, w[0]), (w, w + T.outer(w[:, 0], b))],
        "product": lambda w, b, x, v: [(w, w - 0.1 * T.dot(x, T.dot(x.T, x)))],
        "vector product": lambda w, b, x, v: [(b, b - 0.1 * T.dot(x.T, T.dot(x, v)))],
        "rows": lambda w, b, x, v: [(w, T.inc_subtensor(w[[3, 1, 3]], v))],
        "part": lambda w, b, x, v: [(w, T.set_subtensor(w[2:5], v)), (b, b + w.sum(0))],
        "strided": lambda w, b, x, v: [(w, T.inc_subtensor(w[::2, ::-1], x[::2]))],
        "outer": lambda w, b, x, v: [(w, w + T.outer(x[:, 0], v))],
        "other shape": lambda w, b, x, v: [(b, T.concatenate([b, v])), (w, w[::2])],
        "loop": lambda w, b, x, v: [(b, theano.scan(lambda r, h: h + r, x, b)[0][-1])],
        "branch": lambda w, b, x, v: [(b, ifelse(T.gt(v[0], 0), b + 1, v))],
        "moments": lambda w, b, x, v: [
            (w, 0.9 * w + 0.1 * x),
            (b, b - 0.01 * v / (T.sqrt((w * w).mean(0)) + 1e-8)),
        ],
        "guarded": lambda w, b, x, v: [(b, b + T.opt.Assert("no")(v, T.ge(v.shape[0], 1)))],
    }
    for name, rule in found.items():
        yield name, lambda rule=rule: step(rule)


def networks() -> Named:
    """Training steps."""
    rng = seeded("networks")
    x, labels = rng.randn(20, 12), rng.randint(0, 5, size=20)

    def trained(depth: int, kind: str, activation: Any, loss: str) -> Function:
        sizes = [12] + [16] * depth + [5]
        weights = [(rng.randn(a, b) / np.sqrt(a)).astype(kind) for a, b in pairwise(sizes)]
        shared = [theano.shared(w) for w in weights]
        h, y = T.TensorType(kind, (False, False))("x"), T.lvector("y")
        inputs = [h, y]
        for w in shared[:-1]:
            h = activation(T.dot(h, w) + w.mean())
        score = T.dot(h, shared[-1])
        if loss == "entropy":
            cost = T.nnet.categorical_crossentropy(T.nnet.softmax(score), y).mean()
        else:
            cost = T.sqr(score - y.dimshuffle(0, "x")).mean()
        rate = np.asarray(0.1, kind)
        new = [(w, w - rate * g) for w, g in zip(shared, T.grad(cost, shared), strict=True)]
        return Function(inputs, [cost], [x.astype(kind), labels], {"updates": new})

    for depth in (1, 3):
        for kind in ("float64", "float32"):
            for name, f in (("tanh", T.tanh), ("relu", T.nnet.relu), ("sigmoid", T.nnet.sigmoid)):
                for loss in ("entropy", "squares"):
                    arguments = (depth, kind, f, loss)
                    yield f"{depth} × {name}, {kind}, {loss}", lambda a=arguments: trained(*a)
    yield (
        "normalised",
        lambda: of(
            lambda x: _gradient(lambda x: (x - x.mean(0)) / T.sqrt(x.var(0) + 1e-5) * x.sum(1)[0])(
                x
            ),
            x,
        ),
    )
    yield (
        "attention",
        lambda: of(_gradient(lambda q, k: T.dot(T.nnet.softmax(T.dot(q, k.T) / 3), k)), X, X + 1),
    )
    yield "chain of 2,000 operations", lambda: of(_chain, V)
    yield "many results", lambda: of(lambda v: tuple(T.exp(v * i) for i in range(60)), V)


def _chain(v: Any) -> Any:
    for i in range(500):
        v = T.tanh(v * 0.9) + (v.sum() if i % 7 == 0 else i * 1e-3)
    return v


def draws() -> Named:
    """Random numbers, of all generators."""
    from theano.sandbox.rng_mrg import MRG_RandomStreams
    from theano.tensor import random
    from theano.tensor.shared_randomstreams import RandomStreams

    kinds: dict[str, Callable[[], Any]] = {
        "numpy": lambda: RandomStreams(5),
        "mrg": lambda: MRG_RandomStreams(6),
    }
    methods: dict[str, Callable[[Any], Any]] = {
        "uniform": lambda s: s.uniform((6, 5)),
        "normal": lambda s: s.normal((31,), avg=2.0),
        "binomial": lambda s: s.binomial((8,), p=0.3),
        "dropout": lambda s: T.constant(X) * s.binomial(X.shape, p=0.5, dtype="float64"),
        "loop": lambda s: theano.scan(lambda h: h + s.uniform((4,)), None, T.zeros(4), n_steps=5)[
            0
        ],
    }
    for kind, make in kinds.items():
        for name, method in methods.items():
            yield f"{kind} {name}", lambda m=make, f=method: of(lambda: f(m()))
    counted: dict[str, Callable[[Any], Any]] = {
        "uniform": lambda k: random.uniform(k, (40,)),
        "normal": lambda k: random.normal(k, (40,)),
        "gamma": lambda k: random.gamma(k, (9,), 2.0),
        "beta": lambda k: random.beta(k, (9,), 2, 3),
        "poisson": lambda k: random.poisson(k, (9,), 30.0),
        "integers": lambda k: random.integers(k, (9,), 0, 7),
        "permutation": lambda k: random.permutation(k, 11),
        "split": lambda k: random.split(k, 3),
    }
    for generator in ("philox4x64", "philox4x32"):
        for name, draw in counted.items():
            build = lambda generator=generator, draw=draw: draw(random.key(3, generator))
            yield f"{generator} {name}", lambda b=build: of(b)


def errors() -> Named:
    """Calls that raise."""
    found: dict[str, Function | Callable[[], Function]] = {
        "lengths": lambda: of(lambda x, y: x + y, V, V[:4]),
        "product": lambda: of(T.dot, X, X),
        "index": lambda: of(lambda x, i: x[i], V, np.asarray(20)),
        "positions": lambda: of(lambda x, i: x[i], V, np.array([0, 9])),
        "singular": lambda: of(T.nlinalg.matrix_inverse, np.zeros((3, 3))),
        "not positive": lambda: of(T.slinalg.cholesky, -np.eye(3)),
        "reshape": lambda: of(lambda x: x.reshape((4, 2)), V),
        "empty": lambda: of(lambda x: x.max(), V[:0]),
        "assert": lambda: of(lambda x: T.opt.Assert("negative")(x, T.all(x > 0)), V),
        "join": lambda: of(lambda x, y: T.concatenate([x, y], 1), X, X[:3]),
        "steps": lambda: of(
            lambda x, n: theano.scan(lambda r, h: h + r, x, x[0], n_steps=n)[0], X, np.asarray(20)
        ),
        "within a loop": lambda: of(
            lambda x, i: theano.scan(lambda r: r[i], x)[0], X, np.asarray(99)
        ),
        "negative length": lambda: of(lambda n: T.zeros((n,)) + 1.0, np.asarray(-2)),
    }
    yield from found.items()


PARTS: tuple[Callable[[], Named], ...] = (
    operations, arrays, structures, rules, matrices, random_programs, reductions, types, loops,
    branches, updates, networks, draws, errors,
)  # fmt: skip

# -- benchmarks ------------------------------------------------------------------------------------

BENCHMARKS = ("call", "step", "expression", "reductions", "loops", "networks", "random_numbers")


def run_benchmark(name: str, compiled: Callable[..., Any]) -> None:
    """Run a benchmark for its functions.

    `compiled(name, inputs, outputs, options)` gives what is called in the place of each.
    """
    module = importlib.import_module(name)
    module.best_time = lambda call, *_: (call(), 1.0)[1]
    original, count = theano.function, itertools.count()

    def function(inputs: Any, outputs: Any = None, **options: Any) -> Any:
        return compiled(f"{name} {next(count)}", inputs, outputs, options)

    theano.function = function
    try:
        module.theano_case()
    finally:
        theano.function = original
