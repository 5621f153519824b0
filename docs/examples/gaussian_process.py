"""Gaussian process regression: a curve with its uncertainty, and a likelihood that is maximised.

    python docs/examples/gaussian_process.py [--steps 100] [--picture gaussian_process.png]

Values at 120 places, with noise, are thought of as drawn from one normal distribution, whose
covariance falls with the distance of places. Its logarithm needs a Cholesky factor and a solution
of a triangular system; gradients go through both, and SciPy's optimiser asks for value and
gradient, one call each (Rasmussen & Williams, 2006).
"""

from __future__ import annotations

import common
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_diabetes

import theano
import theano.tensor as T
from theano.tensor.slinalg import cholesky, solve_lower_triangular


def build(places, values):
    """Return `objective(parameters)`: the negative log-likelihood with its gradient; `predict`."""
    parameters, new = T.dvector("parameters"), T.dvector("new")
    width, scale, noise = (T.exp(parameters[i]) for i in range(3))
    x, y = theano.shared(places), theano.shared(values)

    def covariance(a, b):
        distance = (a.dimshuffle(0, "x") - b.dimshuffle("x", 0)) / scale
        return width**2 * T.exp(-0.5 * distance**2)

    factor = cholesky(covariance(x, x) + noise**2 * T.eye(len(places)))
    white = solve_lower_triangular(factor, y)
    loss = 0.5 * (white**2).sum() + T.log(T.diag(factor)).sum()
    objective = theano.function([parameters], [loss, T.grad(loss, parameters)])
    seen = solve_lower_triangular(factor, covariance(x, new))
    mean = T.dot(seen.T, white)
    deviation = T.sqrt(width**2 - (seen**2).sum(axis=0))
    return objective, theano.function([parameters, new], [mean, deviation])


def main(steps: int = 100, picture: str | None = None) -> float:
    """Fit; return the root mean square error of held-out values, in deviations of these."""
    rng = np.random.default_rng(1)
    data = load_diabetes(scaled=False)
    places, values = data.data[:, 2], (data.target - data.target.mean()) / data.target.std()
    order = rng.permutation(len(values))
    train, held_out = order[:120], order[120:]
    objective, predict = build(places[train], values[train])
    calls = []

    def counted(parameters):
        value, gradient = objective(parameters)
        calls.append(float(value))
        return calls[-1], gradient

    options = {"maxiter": steps}
    best = minimize(counted, np.log([1.0, 5.0, 0.5]), jac=True, method="L-BFGS-B", options=options)
    width, scale, noise = np.exp(best.x)
    print(f"negative log-likelihood {calls[0]:.1f} → {best.fun:.1f} in {len(calls)} calls")
    print(f"width {width:.2f}, scale {scale:.1f} kg/m², noise {noise:.2f}")
    mean, _ = predict(best.x, places[held_out])
    error = float(np.sqrt(np.mean((mean - values[held_out]) ** 2)))
    print(f"root mean square error of {len(held_out)} other patients: {error:.2f} deviations")
    if picture:
        grid = np.linspace(places.min(), places.max(), 200)
        mean, deviation = predict(best.x, grid)
        figure, axes = plt.subplots(figsize=(8, 4))
        axes.fill_between(grid, mean - 2 * deviation, mean + 2 * deviation, alpha=0.3)
        axes.plot(grid, mean)
        axes.plot(places[train], values[train], ".", color="0.4")
        axes.set(xlabel="body mass index (kg/m²)", ylabel="progression (deviations)")
        axes.set(title="Mean and two deviations of the curve")
        common.save(figure, picture)
    return error


if __name__ == "__main__":
    common.command_line(main, 100)
