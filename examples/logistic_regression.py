"""The tutorial's logistic regression on real data: which tumours are benign.

    python examples/logistic_regression.py [picture.png]

Trains on 80 % of scikit-learn's breast cancer data (569 tumours, 30 measures each), tests on the
rest, and draws the loss and the weights. Everything that uses Theano is as it was written for
Theano 1.0.5.
"""

from __future__ import annotations

import sys
import time

import matplotlib as mpl
import numpy
from sklearn.datasets import load_breast_cancer
from tqdm import tqdm

import theano
import theano.tensor as T

mpl.use("Agg")
import matplotlib.pyplot as plt

rng = numpy.random.RandomState(0)
training_steps = 10000


def load():
    """Return (training inputs, targets), (held-out inputs, targets), names of the features."""
    data = load_breast_cancer()
    order = rng.permutation(len(data.data))
    split = len(order) * 4 // 5
    inputs, targets = data.data[order], data.target[order]
    # Standardised by what the training half knows.
    inputs = (inputs - inputs[:split].mean(axis=0)) / inputs[:split].std(axis=0)
    train_set, held_out = (inputs[:split], targets[:split]), (inputs[split:], targets[split:])
    return train_set, held_out, data.feature_names


def build(feats):
    """Return the functions `train` and `predict`, the shared weights, and the seconds it took."""
    # Declare Theano symbolic variables
    x = T.dmatrix("x")
    y = T.dvector("y")
    # Initialize the weight vector w randomly, and the bias term
    w = theano.shared(rng.randn(feats), name="w")
    b = theano.shared(0.0, name="b")
    # Construct Theano expression graph
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))  # Probability that target = 1
    prediction = p_1 > 0.5  # The prediction thresholded
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)  # Cross-entropy loss function
    cost = xent.mean() + 0.01 * (w**2).sum()  # The cost to minimize
    gw, gb = T.grad(cost, [w, b])  # Gradient of the cost for weights and bias
    # Compile
    start = time.perf_counter()
    train = theano.function(
        inputs=[x, y],
        outputs=[prediction, xent],
        updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb)),
    )
    predict = theano.function(inputs=[x], outputs=prediction)
    return train, predict, w, time.perf_counter() - start


def draw(path, losses, weights, names):
    """Draw the loss over the steps and the weight of each measure."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 6))
    left.loglog(numpy.arange(1, len(losses) + 1), losses)
    left.set(title="Training", xlabel="step", ylabel="mean cross-entropy (nat)")
    left.grid(alpha=0.3, which="both")
    order = numpy.argsort(weights)
    right.barh(numpy.asarray(names)[order], weights[order])
    right.tick_params(axis="y", labelsize=7)
    right.set(title="Weights", xlabel="weight of the standardised measure (> 0: benign)")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(path):
    """Train, report, draw."""
    (inputs, targets), (test_inputs, test_targets), names = load()
    train, predict, w, compile_seconds = build(inputs.shape[1])
    print(f"theano.function, two of them: {1000 * compile_seconds:.1f} ms")

    losses = []
    start = time.perf_counter()
    for _ in tqdm(range(training_steps), unit="step", desc="training"):
        _, err = train(inputs, targets)
        losses.append(err.mean())
    seconds = time.perf_counter() - start
    print(f"{training_steps} steps in {seconds:.2f} s: {training_steps / seconds:,.0f} a second")

    print(f"cross-entropy: {losses[0]:.3f} at first, {losses[-1]:.4f} at the end")
    for name, data, truth in (
        ("training", inputs, targets),
        ("held-out", test_inputs, test_targets),
    ):
        right = numpy.mean(predict(data) == truth)
        print(f"accuracy on {name} data: {100 * right:.1f} % of {len(truth)}")
    draw(path, losses, w.get_value(), names)
    print(f"loss and weights drawn in {path}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "demo.png")
