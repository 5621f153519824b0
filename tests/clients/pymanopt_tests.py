"""Pymanopt 0.2.4 with costs that are Theano graphs: the release has no tests of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pymanopt import Problem
from pymanopt.manifolds import Euclidean, Grassmann, Product, PSDFixedRank, Sphere, Stiefel
from pymanopt.solvers import ConjugateGradient, SteepestDescent, TrustRegions
from pymanopt.tools.autodiff import TheanoBackend

import theano.tensor as T

SOLVERS = (TrustRegions, ConjugateGradient, SteepestDescent)
RANDOM = np.random.RandomState(0)
SYMMETRIC = RANDOM.randn(6, 6)
SYMMETRIC += SYMMETRIC.T
EIGENVALUES = np.linalg.eigvalsh(SYMMETRIC)


def solved(solver: Any, manifold: Any, cost: Any, arg: Any) -> float:
    np.random.seed(0)
    problem = Problem(manifold=manifold, cost=cost, arg=arg, verbosity=0)
    options = {} if solver is TrustRegions else {"maxiter": 10000}
    return float(problem.cost(solver(**options).solve(problem)))


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4)])
def test_derivatives(shape: tuple[int, ...]) -> None:
    x = T.TensorType("float64", (False,) * len(shape))()
    cost = T.exp(T.sum(x**2))
    point, direction = RANDOM.randn(2, *shape) / 3
    value = np.exp((point**2).sum())
    backend = TheanoBackend()
    np.testing.assert_allclose(backend.compile_function(cost, x)(point), value)
    np.testing.assert_allclose(backend.compute_gradient(cost, x)(point), 2 * point * value)
    along = value * (4 * point * (point * direction).sum() + 2 * direction)
    np.testing.assert_allclose(backend.compute_hessian(cost, x)(point, direction), along)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("manifold", [Stiefel(6, 2), Grassmann(6, 2)])
def test_subspaces(solver: Any, manifold: Any) -> None:
    x = T.matrix()
    found = solved(solver, manifold, -T.sum(x * T.dot(SYMMETRIC, x)), x)
    assert found == pytest.approx(-EIGENVALUES[-2:].sum(), abs=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
def test_directions(solver: Any) -> None:
    x = T.vector()
    found = solved(solver, Sphere(6), T.dot(x, T.dot(SYMMETRIC, x)), x)
    assert found == pytest.approx(EIGENVALUES[0], abs=1e-4)


def test_matrices_of_low_rank() -> None:
    x, factor = T.matrix(), RANDOM.randn(6, 2)
    cost = T.sum((T.dot(x, x.T) - factor @ factor.T) ** 2)
    assert solved(TrustRegions, PSDFixedRank(6, 2), cost, x) == pytest.approx(0, abs=1e-8)


def test_several_arguments() -> None:
    weights, bias = T.matrix(), T.matrix()
    rows = RANDOM.randn(20, 3)
    wanted = rows @ [1, 2, 3] + 0.5
    cost = T.sum((wanted - T.dot(rows, weights)[:, 0] - bias[0, 0]) ** 2)
    manifold = Product([Euclidean(3, 1), Euclidean(1, 1)])
    assert solved(TrustRegions, manifold, cost, [weights, bias]) == pytest.approx(0, abs=1e-8)
