"""Word embeddings: words that stand among the same words get vectors that point the same way.

    python docs/examples/embeddings.py [--steps 20000] [--picture embeddings.png]

Skip-gram with negative samples (Mikolov et al., 2013): the vector of a word shall have a large
product with those of its neighbours in the text, and a small one with those of words drawn at
random. A step reads some hundred rows of a table of thousands, and changes only these: the update
is `T.inc_subtensor(table[rows], …)`, and where a row comes twice both changes are added.
"""

from __future__ import annotations

import re
from collections import Counter

import common
import matplotlib.pyplot as plt
import numpy as np

import theano
import theano.tensor as T

WIDTH, WINDOW, NEGATIVE, BATCH, RATE = 48, 4, 5, 256, 0.2


def build(rng, words):
    """Return `step(centre, context, others)` and the table of vectors."""
    centre, context, others = T.ivector("centre"), T.ivector("context"), T.imatrix("others")
    table = common.weights(rng, words, WIDTH, scale=0.5 / WIDTH)
    outer = common.zeros(words, WIDTH)
    v, near, far = table[centre], outer[context], outer[others]
    agree = T.nnet.softplus(-(v * near).sum(axis=1))
    differ = T.nnet.softplus((v.dimshuffle(0, "x", 1) * far).sum(axis=2)).sum(axis=1)
    loss = (agree + differ).sum()
    to_v, to_near, to_far = T.grad(loss, [v, near, far])
    rate = np.float32(RATE)
    changed = T.inc_subtensor(outer[context], -rate * to_near)
    updates = [
        (table, T.inc_subtensor(table[centre], -rate * to_v)),
        (outer, T.inc_subtensor(changed[others], -rate * to_far)),
    ]
    return theano.function([centre, context, others], loss / BATCH, updates=updates), table


def main(steps: int = 20000, picture: str | None = None) -> float:
    """Train; return the loss of the last steps."""
    rng = np.random.default_rng(1)
    text = re.findall(r"[a-z_]+", common.manual().lower())
    counts = Counter(text)
    words = [word for word, count in counts.most_common() if count >= 10]
    number = {word: i for i, word in enumerate(words)}
    codes = np.array([number[word] for word in text if word in number], "int32")
    # Frequent words are left out often, and drawn less often than they occur.
    share = np.bincount(codes) / len(codes)
    codes = codes[rng.random(len(codes)) < np.sqrt(1e-3 / share[codes])]
    chances = share**0.75 / np.sum(share**0.75)
    bag = rng.choice(len(words), 1_000_000, p=chances).astype("int32")
    step, table = build(rng, len(words))

    def one():
        at = rng.integers(WINDOW, len(codes) - WINDOW, BATCH)
        offset = rng.integers(1, WINDOW + 1, BATCH) * rng.choice([-1, 1], BATCH)
        others = bag[rng.integers(0, len(bag), (BATCH, NEGATIVE))]
        return step(codes[at], codes[at + offset], others)

    losses = common.train(steps, one)
    vectors = table.get_value()
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for word in ("class", "integer", "raised", "module"):
        nearest = np.argsort(-vectors @ vectors[number[word]])[1:7]
        print(f"{word}: {', '.join(words[i] for i in nearest)}")
    if picture:
        shown = vectors[20:160] - vectors[20:160].mean(axis=0)
        _, _, axes = np.linalg.svd(shown, full_matrices=False)
        figure, plot = plt.subplots(figsize=(10, 8))
        for word, (x, y) in zip(words[20:160], shown @ axes[:2].T, strict=True):
            plot.text(x, y, word, fontsize=8)
            plot.plot(x, y, ".", color="0.8")
        plot.set(title="Words 20 to 160, along the two main axes", xticks=[], yticks=[])
        common.save(figure, picture)
    return float(np.mean(losses[-200:]))


if __name__ == "__main__":
    common.command_line(main, 20000)
