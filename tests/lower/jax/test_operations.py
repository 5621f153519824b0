"""Every operation: what XLA compiles against the definition, by NumPy."""

import warnings

import fuzz_programs
import numpy as np
import pytest
from registry import OPS
from test_structured import CASES

import theano
import theano.tensor as T
from theano._core.api.debug.checks import accepts, assert_close, draw, seeded, tensor
from theano._core.base import dtypes
from theano._core.ir.graph import toposort
from theano._core.lower.jax.compiled import CompiledByXLA
from theano._core.lower.jax.trace import Trace
from theano._core.lower.reference import evaluate
from theano.tensor import nlinalg, slinalg

LENGTHS_FROM_FLOATS = {"arange float"}
# What `jax.scipy` has no function for.
ON_HOST = {"chdtrc", "erfcinv", "iv", "j0", "j1", "jv", "normal_distribution"}


@pytest.fixture
def hosted(monkeypatch):
    """Names of the operations that were called on the host."""
    names = set()
    original = Trace.on_host

    def noted(trace, node, values, effect=False):
        results = original(trace, node, values, effect)
        names.add(getattr(node.op, "name", type(node.op).__name__))
        return results

    monkeypatch.setattr(Trace, "on_host", noted)
    return names


# A function of every operation takes JAX four seconds: of each kind of dtype, one or two.
COMMON = ("bool", "int64", "float64", "complex128")


@pytest.mark.parametrize(
    "kind",
    [k if k in COMMON else pytest.param(k, marks=pytest.mark.slow) for k in dtypes.all_dtypes],
)
def test_elementwise(kind, hosted):
    rng = seeded(kind)
    inputs, outputs, arrays, bounds = [], [], [], []
    for name, op in OPS.items():
        if not accepts(op, [kind] * op.nin):
            continue
        own = [tensor(kind, (3, 4), f"x{i}") for i in range(op.nin)]
        inputs += own
        arrays += [draw(rng, where, kind, (3, 4)) for where in op.samples]
        outputs.append(op(*own))
        bounds.append((name, max(64, op.ulp)))
    run = CompiledByXLA(inputs, outputs)
    found = run(*arrays)
    wanted = evaluate(outputs, dict(zip(inputs, arrays, strict=True)))
    assert run.reason is None
    assert hosted <= ON_HOST
    for (name, ulp), got, value in zip(bounds, found, wanted, strict=True):
        assert got.dtype == value.dtype, name
        try:
            assert_close(got, value, ulp)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


@pytest.mark.parametrize("name", list(CASES))
def test_structured(name, hosted):
    build, numpy_form, arrays = CASES[name]
    inputs = [T.TensorType(str(x.dtype), (False,) * x.ndim)(f"x{k}") for k, x in enumerate(arrays)]
    f = theano.function(inputs, build(*inputs), mode="JAX")
    if name in LENGTHS_FROM_FLOATS:
        with pytest.warns(UserWarning, match="XLA cannot"):
            got = f(*arrays)
    else:
        got = f(*arrays)
    wanted = numpy_form(*arrays)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-13)
    assert not hosted


m = T.dmatrix("m")
SPD = T.dot(m.T, m) + T.eye(3)
FACTORIZATIONS = {
    "cholesky": lambda: slinalg.cholesky(SPD),
    "upper cholesky": lambda: slinalg.Cholesky(lower=False)(SPD),
    "cholesky of one triangle": lambda: slinalg.cholesky(T.tril(SPD) + 5 * T.triu(m[:3], 1)),
    "solve": lambda: slinalg.solve(SPD, m.T),
    "triangular solve": lambda: slinalg.solve_lower_triangular(slinalg.cholesky(SPD), m.T),
    "inverse": lambda: nlinalg.matrix_inverse(SPD),
    "det": lambda: nlinalg.det(SPD),
    "eigvalsh": lambda: slinalg.eigvalsh(SPD, T.eye(3)),
    "eigh of one triangle": lambda: nlinalg.eigh(SPD + T.triu(m[:3], 1), "L")[0],
    "det and solve": lambda: nlinalg.det(SPD) * slinalg.solve(SPD, m.T),
    "log det and inverse": lambda: T.log(nlinalg.det(SPD)) + nlinalg.matrix_inverse(SPD),
    "singular values": lambda: nlinalg.svd(m, 0, 0),
    "pinv": lambda: nlinalg.pinv(m),
    "qr": lambda: abs(nlinalg.qr(m)[1]),
    "expm": lambda: slinalg.expm(SPD / 10),
}


@pytest.mark.parametrize("name", list(FACTORIZATIONS))
def test_linear_algebra(name, hosted):
    value = np.array([[1.0, 2, 0.5], [0.25, -1, 3], [2, 0.5, 1], [1, 1, -1]])
    out = FACTORIZATIONS[name]()
    outputs = [out, T.grad(out.sum(), m)]
    found = theano.function([m], outputs, mode="JAX")(value)
    for got, wanted in zip(found, evaluate(outputs, {m: value}), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-10)
    assert not hosted


@pytest.mark.parametrize("start", range(0, 20, 10))
def test_random_programs(start):
    tried = 0
    for seed in range(start, start + 10):
        program = fuzz_programs.make(seed)
        _, outputs = program.build()
        if any(type(node.op).__name__ == "Nonzero" for node in toposort(outputs)):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = fuzz_programs.values_of(program, None)
            got = fuzz_programs.values_of(program, "JAX")
        if isinstance(wanted, str):
            assert isinstance(got, str), program
            continue
        tolerance = max(fuzz_programs.precision(outputs), 1e-9)
        for one, two in zip(got, wanted, strict=True):
            assert not fuzz_programs.mismatch(one, two, tolerance), program
        tried += 1
    assert tried > 3
