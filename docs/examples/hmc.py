"""Hamiltonian Monte Carlo on a hierarchical regression: how diabetes progresses.

    python docs/examples/hmc.py [--steps 1000] [--picture hmc.png]

For 442 patients, ten measures explain how a disease went on a year later (Efron et al., 2004).
The coefficients come from a normal distribution whose width is itself unknown, as is the noise:
what the data say of few coefficients is then learnt from all. The posterior density has twelve
coordinates. A proposal follows the gradient of its logarithm for some leapfrog steps (Duane et
al., 1987), which are one `theano.scan`; so a sample is one call.
"""

from __future__ import annotations

import common
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

import theano
import theano.tensor as T

LEAPS = 20


def build(inputs, targets):
    """Return `propose(place, momentum, size)`: the end of a path, and the energies at both ends."""
    x, y = theano.shared(inputs), theano.shared(targets)

    def log_density(q):
        coefficients, log_width, log_noise = q[:-2], q[-2], q[-1]
        rest = y - T.dot(x, coefficients)
        return (
            -0.5 * (rest**2).sum() / T.exp(2 * log_noise)
            - len(targets) * log_noise
            - 0.5 * (coefficients**2).sum() / T.exp(2 * log_width)
            - inputs.shape[1] * log_width
            # Half-normal priors of both widths, in their logarithms.
            - 0.5 * (T.exp(2 * log_width) + T.exp(2 * log_noise))
            + log_width
            + log_noise
        )

    def slope(q):
        return T.grad(log_density(q), q)

    start, momentum, size = T.dvector("start"), T.dvector("momentum"), T.dscalar("size")

    def leap(q, p):
        p = p + 0.5 * size * slope(q)
        q = q + size * p
        return q, p + 0.5 * size * slope(q)

    (path, momenta), _ = theano.scan(leap, outputs_info=[start, momentum], n_steps=LEAPS)
    energy = [
        0.5 * (p**2).sum() - log_density(q) for q, p in ((start, momentum), (path[-1], momenta[-1]))
    ]
    return theano.function([start, momentum, size], [path[-1], *energy])


def main(steps: int = 1000, picture: str | None = None) -> float:
    """Sample; return the share of proposals that were accepted after the first half."""
    rng = np.random.default_rng(1)
    data = load_diabetes(scaled=True)
    inputs = data.data / data.data.std(axis=0)
    targets = (data.target - data.target.mean()) / data.target.std()
    propose = build(inputs, targets)
    state = {"q": np.zeros(inputs.shape[1] + 2), "size": 0.02, "accepted": []}
    samples = []

    def one():
        q, energy, new_energy = propose(state["q"], rng.normal(size=state["q"].size), state["size"])
        accept = np.log(rng.random()) < energy - new_energy
        if accept:
            state["q"] = q
        if len(samples) < steps // 2:
            # Paths as long as four of five proposals allow; the samples until then do not count.
            state["size"] *= 1.02 if accept else 0.93
        samples.append(state["q"])
        state["accepted"].append(bool(accept))
        return new_energy

    common.train(steps, one)
    kept = np.array(samples[steps // 2 :])
    accepted = float(np.mean(state["accepted"][steps // 2 :]))
    print(f"{100 * accepted:.0f} % of proposals accepted")
    for name, column in zip(data.feature_names, kept.T, strict=False):
        low, high = np.percentile(column, [5, 95])
        print(f"{name:>4}: {column.mean():6.2f}   90 % within {low:6.2f} … {high:6.2f}")
    if picture:
        figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
        left.boxplot(kept[:, :-2], tick_labels=data.feature_names, showfliers=False)
        left.axhline(0, color="0.8")
        left.set(title="Coefficients of standardised measures", ylabel="deviations of the target")
        right.hist(np.exp(kept[:, -2:]), bins=40, label=["width of coefficients", "noise"])
        right.set(title="Widths", xlabel="deviations of the target", ylabel="samples")
        right.legend()
        common.save(figure, picture)
    return accepted


if __name__ == "__main__":
    common.command_line(main, 1000)
