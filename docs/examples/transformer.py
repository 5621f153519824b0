"""A small transformer: the character model of `lstm.py`, by attention instead of recurrence.

    python docs/examples/transformer.py [--steps 2000] [--picture transformer.png]

Every position of a text asks all positions before it at once (Vaswani et al., 2017). Its query is
compared with their keys; the softmax of that says how much of each value it takes. Products of
stacks of matrices are `T.batched_dot` or `@`, on any number of axes; the loss and its gradient are
one compiled function.
"""

from __future__ import annotations

import common
import matplotlib.pyplot as plt
import numpy as np

import theano
import theano.tensor as T

WIDTH, HEADS, BLOCKS, LENGTH, BATCH = 64, 4, 2, 64, 16


class Model:
    """The parameters of a transformer, and its expressions."""

    def __init__(self, rng, symbols):
        self.rng, self.parameters = rng, []
        self.symbols = self.matrix(symbols, WIDTH, scale=0.1)
        self.places = self.matrix(LENGTH, WIDTH, scale=0.1)
        self.blocks = [self.block() for _ in range(BLOCKS)]
        self.last, self.output = self.norm(), self.matrix(WIDTH, symbols)

    def matrix(self, *shape, scale=None):
        self.parameters.append(common.weights(self.rng, *shape, scale=scale))
        return self.parameters[-1]

    def norm(self):
        gain, bias = theano.shared(np.ones(WIDTH, "float32")), common.zeros(WIDTH)
        self.parameters += [gain, bias]

        def apply(x):
            centred = x - x.mean(axis=-1, keepdims=True)
            variance = (centred**2).mean(axis=-1, keepdims=True)
            return gain * centred / T.sqrt(variance + 1e-5) + bias

        return apply

    def block(self):
        first, second = self.norm(), self.norm()
        query, key, value, out = (self.matrix(WIDTH, WIDTH) for _ in range(4))
        wide, narrow = self.matrix(WIDTH, 4 * WIDTH), self.matrix(4 * WIDTH, WIDTH)

        def heads(x, w):
            """(batch, time, width) → (batch, head, time, part)."""
            parts = T.dot(x, w).reshape((x.shape[0], x.shape[1], HEADS, WIDTH // HEADS))
            return parts.dimshuffle(0, 2, 1, 3)

        def apply(x):
            seen = first(x)
            q, k, v = heads(seen, query), heads(seen, key), heads(seen, value)
            scores = q @ k.dimshuffle(0, 1, 3, 2) / np.float32((WIDTH // HEADS) ** 0.5)
            # Nobody looks ahead.
            future = T.triu(T.ones((x.shape[1], x.shape[1]), "float32"), 1)
            scores = scores - 1e9 * future
            weights = T.exp(scores - scores.max(axis=-1, keepdims=True))
            weights = weights / weights.sum(axis=-1, keepdims=True)
            taken = (weights @ v).dimshuffle(0, 2, 1, 3).reshape(x.shape)
            x = x + T.dot(taken, out)
            return x + T.dot(T.nnet.relu(T.dot(second(x), wide)), narrow)

        return apply

    def logits(self, text):
        """Return what comes next at each position of (batch, time)."""
        x = self.symbols[text] + self.places[: text.shape[1]]
        for block in self.blocks:
            x = block(x)
        return T.dot(self.last(x), self.output)


def main(steps: int = 2000, picture: str | None = None) -> float:
    """Train; return the loss of the last steps in bits a character."""
    rng = np.random.default_rng(1)
    codes, alphabet = common.codes()

    model = Model(rng, len(alphabet))
    batch = T.imatrix("batch")
    logits = model.logits(batch[:, :-1]).reshape((-1, len(alphabet)))
    loss = T.nnet.categorical_crossentropy(T.nnet.softmax(logits), batch[:, 1:].flatten()).mean()
    step = theano.function([batch], loss, updates=common.adam(loss, model.parameters, 2e-3))
    follow = theano.function([batch], T.nnet.softmax(model.logits(batch)[:, -1]))

    def one():
        starts = rng.integers(0, len(codes) - LENGTH - 1, (BATCH, 1))
        return step(codes[starts + np.arange(LENGTH + 1)])

    losses = np.array(common.train(steps, one)) / np.log(2)
    bits = float(np.mean(losses[-50:]))
    print(f"{losses[0]:.2f} bits a character at first, {bits:.2f} at the end; it writes:\n")
    written = [alphabet.index(character) for character in "The "]
    for _ in range(300):
        chances = follow(np.array([written[-LENGTH:]], "int32"))[0].astype("float64")
        written.append(int(rng.choice(len(alphabet), p=chances / chances.sum())))
    print("".join(alphabet[i] for i in written))
    if picture:
        figure, axes = plt.subplots(figsize=(8, 4))
        axes.plot(losses)
        axes.set(title="Training", xlabel="step", ylabel="bits a character")
        common.save(figure, picture)
    return bits


if __name__ == "__main__":
    common.command_line(main, 2000)
