"""`python -m theano doctor`: what a report of a bug needs, and whether this installation works."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from theano._core.api.array.products import dot
from theano._core.api.conversion import as_tensor_variable
from theano._core.api.scan.scan import scan
from theano._core.api.variable.constructors import dmatrix, dscalar, dvector
from theano._core.autodiff.reverse import grad
from theano._core.base.settings import config
from theano._core.command.cache import folder_facts
from theano._core.command.settings import changed
from theano._core.compile.function import function
from theano._core.ops.elementwise.transcendental import exp, tanh
from theano._core.runtime import native

PACKAGES = ("numpy", "scipy", "llvmlite", "platformdirs", "jax")


def facts() -> Iterator[tuple[str, str]]:
    """Yield what is to be known of this machine and installation, as (what, text)."""
    yield "theano", _version("theano")
    yield "python", f"{sys.version.split()[0]} ({platform.python_implementation()})"
    yield "system", platform.platform()
    yield "packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield "processor", f"{llvm.get_host_cpu_name()}, {cores} cores, vectors of {_bits()} bits"
    blas = native.blas_info()
    yield "BLAS", f"{blas.get('origin')}, {blas.get('dgemm')}" if blas.get("found") else "none"
    yield "threads", str(native.get_threads())
    yield "cache", folder_facts()
    settings = ", ".join(f"{name}={value}" for name, value in changed().items())
    yield "settings", settings or "as they are by default"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "is not installed"


def _bits() -> int:
    features = llvm.get_host_cpu_features()
    widest = 512 if features.get("avx512f") else 256 if features.get("avx") else 128
    return config.vector_width or widest


def _elementwise() -> tuple[Any, Any]:
    x, values = dvector("x"), np.linspace(-2, 2, 1001)
    return function([x], tanh(x) * exp(x))(values), np.tanh(values) * np.exp(values)


def _product() -> tuple[Any, Any]:
    a, b = dmatrix("a"), dmatrix("b")
    values = np.arange(12.0).reshape(3, 4)
    return function([a, b], dot(a, b))(values, values.T), values @ values.T


def _gradient() -> tuple[Any, Any]:
    x, values = dvector("x"), np.linspace(0, 1, 5)
    return function([x], grad((x**3).sum(), x))(values), 3 * values**2


def _loop() -> tuple[Any, Any]:
    n = dscalar("n")
    steps, _ = scan(lambda h: h * n, outputs_info=as_tensor_variable(np.float64(1)), n_steps=5)
    return function([n], steps)(2.0), 2.0 ** np.arange(1, 6)


def _cores() -> tuple[Any, Any]:
    x, values = dvector("x"), np.ones(2_000_000)
    return function([x], exp(x).sum())(values), np.e * len(values)


TESTS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "elementwise": _elementwise,
    "products": _product,
    "gradients": _gradient,
    "loops": _loop,
    "large arrays": _cores,
}


def examine() -> int:
    """Print the facts and the results of a few tests; return 0 if they are right."""
    for what, text in facts():
        print(f"{what:<11} {text}")
    wrong = 0
    for name, test in TESTS.items():
        start = time.perf_counter()
        try:
            result, expected = test()
            right = np.allclose(result, expected, rtol=1e-12)
            said = "right" if right else f"WRONG: {result} instead of {expected}"
        except Exception:
            right, said = False, f"FAILED\n{traceback.format_exc()}"
        wrong += not right
        print(f"{name:<14} {(time.perf_counter() - start) * 1e3:6.0f} ms  {said}")
    print("\nAll is well." if not wrong else f"\n{wrong} of {len(TESTS)} tests are wrong.")
    print("For a report of a bug: this text, the program, and the whole error.")
    return 1 if wrong else 0
