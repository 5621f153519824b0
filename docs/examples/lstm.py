"""A character model: an LSTM that has read Python's manual writes some more of it.

    python docs/examples/lstm.py [--steps 3000] [--picture lstm.png]

`theano.scan` runs a step over time with the two states of an LSTM (Hochreiter & Schmidhuber, 1997):
what it says, and what it remembers. Its gradient is another loop, which runs backwards. The product
of all inputs with their weights does not depend on the states and is computed before the loop, for
all times at once; here a row of the weights is the product of a one-hot vector with them.
"""

from __future__ import annotations

import common
import matplotlib.pyplot as plt
import numpy as np

import theano
import theano.tensor as T

HIDDEN, LENGTH, BATCH = 192, 50, 32


def build(rng, symbols):
    """Return `step(text)` on columns of symbols, and `write(symbol, hidden, cell)`."""
    text = T.imatrix("text")
    from_symbol = common.weights(rng, symbols, 4 * HIDDEN, scale=0.1)
    from_hidden = common.weights(rng, HIDDEN, 4 * HIDDEN)
    # Gates start open: the third of four parts says what is kept.
    bias = theano.shared(np.repeat([0, 0, 1, 0], HIDDEN).astype("float32"))
    output, output_bias = common.weights(rng, HIDDEN, symbols), common.zeros(symbols)

    def lstm(inputs, hidden, cell):
        parts = inputs + T.dot(hidden, from_hidden)
        new, write, keep, show = (parts[:, i * HIDDEN : (i + 1) * HIDDEN] for i in range(4))
        cell = T.nnet.sigmoid(keep) * cell + T.nnet.sigmoid(write) * T.tanh(new)
        return T.nnet.sigmoid(show) * T.tanh(cell), cell

    start = T.zeros((text.shape[1], HIDDEN), "float32")
    (hidden, _), _ = theano.scan(lstm, from_symbol[text[:-1]] + bias, [start, start])
    logits = (T.dot(hidden, output) + output_bias).reshape((-1, symbols))
    loss = T.nnet.categorical_crossentropy(T.nnet.softmax(logits), text[1:].flatten()).mean()
    parameters = [from_symbol, from_hidden, bias, output, output_bias]
    step = theano.function([text], loss, updates=common.adam(loss, parameters, 2e-3))

    symbol, h, c = T.ivector("symbol"), T.fmatrix("h"), T.fmatrix("c")
    new_h, new_c = lstm(from_symbol[symbol] + bias, h, c)
    write = theano.function(
        [symbol, h, c], [T.nnet.softmax(T.dot(new_h, output) + output_bias), new_h, new_c]
    )
    return step, write


def written(rng, write, alphabet, beginning: str, count: int) -> str:
    """Return what the model writes after a beginning, one character drawn after the other."""
    h = c = np.zeros((1, HIDDEN), "float32")
    text = beginning
    for i in range(len(beginning) + count):
        last = alphabet.index(text[i])
        chances, h, c = write(np.array([last], "int32"), h, c)
        if i + 1 >= len(beginning):
            chances = chances[0].astype("float64")
            text += alphabet[rng.choice(len(alphabet), p=chances / chances.sum())]
    return text


def main(steps: int = 3000, picture: str | None = None) -> float:
    """Train; return the loss of the last steps in bits a character."""
    rng = np.random.default_rng(1)
    codes, alphabet = common.codes()
    step, write = build(rng, len(alphabet))

    def one():
        starts = rng.integers(0, len(codes) - LENGTH - 1, BATCH)
        return step(codes[starts + np.arange(LENGTH + 1)[:, None]])

    losses = np.array(common.train(steps, one)) / np.log(2)
    bits = float(np.mean(losses[-50:]))
    print(f"{losses[0]:.2f} bits a character at first, {bits:.2f} at the end; it writes:\n")
    print(written(rng, write, alphabet, "The ", 300))
    if picture:
        figure, axes = plt.subplots(figsize=(8, 4))
        axes.plot(losses)
        axes.set(title="Training", xlabel="step", ylabel="bits a character")
        common.save(figure, picture)
    return bits


if __name__ == "__main__":
    common.command_line(main, 3000)
