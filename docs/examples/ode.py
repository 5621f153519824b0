"""Parameters of a differential equation from measurements: hares and lynxes.

    python docs/examples/ode.py [--steps 200] [--picture ode.png]

Furs that the Hudson's Bay Company bought from 1900 to 1920 tell how many hares and lynxes there
were (Elton & Nicholson, 1942). Lotka and Volterra's equations say how both change. A solution is a
loop over Runge-Kutta steps by `theano.scan`; how it depends on rates and first numbers is its
gradient, by which SciPy's optimiser brings the curves near the data.
"""

from __future__ import annotations

import common
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import theano
import theano.tensor as T

YEARS = np.arange(1900, 1921)
# Thousands of furs.
HARES = """30 47.2 70.2 77.4 36.3 20.6 18.1 21.4 22 25.4 27.1
           40.3 57 76.6 52.3 19.5 11.2 7.6 14.6 16.2 24.7"""
LYNXES = """4 6.1 9.8 35.2 59.4 41.7 19 13 8.3 9.1 7.4
            8 12.3 19.5 45.7 51.1 29.7 15.8 9.7 10.1 8.6"""
STEPS_A_YEAR = 20


def build():
    """Return `objective(parameters)`, the error with its gradient, and `solve(parameters)`."""
    data = np.array([[float(n) for n in row.split()] for row in (HARES, LYNXES)]).T
    # Logarithms of two first numbers and of four rates, so that all are positive.
    parameters = T.dvector("parameters")
    first, rates = T.exp(parameters[:2]), T.exp(parameters[2:])

    def slope(state, birth, hunt, death, feed):
        hares, lynxes = state[0], state[1]
        return T.stack([hares * (birth - hunt * lynxes), lynxes * (feed * hares - death)])

    def runge_kutta(state, *rates):
        h = 1 / STEPS_A_YEAR
        a = slope(state, *rates)
        b = slope(state + h / 2 * a, *rates)
        c = slope(state + h / 2 * b, *rates)
        d = slope(state + h * c, *rates)
        return state + h / 6 * (a + 2 * b + 2 * c + d)

    states, _ = theano.scan(
        runge_kutta,
        outputs_info=first,
        non_sequences=[rates[i] for i in range(4)],
        n_steps=STEPS_A_YEAR * (len(YEARS) - 1),
    )
    curve = T.concatenate([first.dimshuffle("x", 0), states])
    loss = ((T.log(curve[::STEPS_A_YEAR]) - np.log(data)) ** 2).sum()
    objective = theano.function([parameters], [loss, T.grad(loss, parameters)])
    return objective, theano.function([parameters], curve), data


def main(steps: int = 200, picture: str | None = None) -> float:
    """Fit; return the root mean square error of the logarithms of all numbers."""
    objective, solve, data = build()
    guess = np.log([30, 4, 0.5, 0.03, 0.8, 0.03])
    best = minimize(objective, guess, jac=True, method="L-BFGS-B", options={"maxiter": steps})
    error = float(np.sqrt(best.fun / data.size))
    print(f"squared error {objective(guess)[0]:.2f} → {best.fun:.2f} in {best.nfev} calls")
    names = ("births of hares", "hunting", "deaths of lynxes", "lynxes for hares")
    for name, rate in zip(names, np.exp(best.x[2:]), strict=True):
        print(f"{name}: {rate:.4f} a year")
    if picture:
        curve = solve(best.x)
        time = 1900 + np.arange(len(curve)) / STEPS_A_YEAR
        figure, axes = plt.subplots(figsize=(8, 4))
        for i, name in enumerate(("hares", "lynxes")):
            axes.plot(time, curve[:, i], color=f"C{i}", label=name)
            axes.plot(YEARS, data[:, i], "o", color=f"C{i}")
        axes.set(xlabel="year", ylabel="thousands of furs", title="Measured, and the solution")
        axes.legend()
        common.save(figure, picture)
    return error


if __name__ == "__main__":
    common.command_line(main, 200)
