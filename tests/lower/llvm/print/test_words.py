"""Words that a program writes at level 0: by functions of the runtime, each to its place."""

import ctypes

import numpy as np
import pytest

from theano._core.lower.llvm.builder import Builder
from theano._core.lower.llvm.print import words
from theano._core.lower.llvm.target.codegen import LITTLE_EFFORT, compile_text
from theano._core.runtime import native

RANDOM = np.random.default_rng(5)


def written(places, types, briefly):
    """Return 200 words after those at some places are written, each its place plus 1000."""
    b = Builder(1)
    numbers = zip(places, types, strict=True)
    text = {"ptr": "inttoptr (i64 {} to ptr)", "i64": "{}"}
    words.write(b, "%at", [(n, t, text[t].format(1000 + n)) for n, t in numbers], briefly)
    lines = [LITTLE_EFFORT, "define void @f(ptr %at) {", *b.lines, "  ret void", "}"]
    code = native.load_object(compile_text("\n".join([*lines, *b.declarations, ""]), 256))
    memory = np.zeros(200, "int64")
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(code.address("f"))(memory.ctypes.data)
    return memory


@pytest.mark.parametrize("briefly", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 40, 63, 64, 65, 130, 200])
def test_each_word_is_at_its_place(count, briefly):
    for _ in range(5):
        places = sorted(RANDOM.permutation(200)[:count].tolist())
        for types in (["i64"] * count, RANDOM.choice(["i64", "ptr"], count).tolist()):
            wanted = np.zeros(200, "int64")
            wanted[places] = np.array(places, "int64") + 1000
            assert np.array_equal(written(places, types, briefly), wanted)


def test_the_last_of_the_places():
    places = [60, 61, 62, 63, 64, 127]
    assert np.flatnonzero(written(places, ["i64"] * 6, True)).tolist() == places
