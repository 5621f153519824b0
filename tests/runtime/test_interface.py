"""Generated code and the runtime mean the same by each number that they exchange.

The header says it, C++ and Python repeat it: an order that differs would call the wrong function.
"""

import re

import header
import numpy as np
import pytest
from header import Function, enumeration, members, source

import theano
import theano.sparse
import theano.tensor as T
from theano._core.compile.maker import HOOKS
from theano._core.lower.builder.convolution import AXES, GIVES, ConvolutionNumbers, ConvolvedAxis
from theano._core.lower.builder.extremes import ExtremesWork
from theano._core.lower.builder.fourier import KINDS as KINDS_OF_TRANSFORMS, TransformWork
from theano._core.lower.builder.gather_scatter import GatherWork, Positions
from theano._core.lower.builder.kernel_call import ReductionFacts
from theano._core.lower.builder.lapack import ALONG, FLAGS, NUMBERS
from theano._core.lower.builder.libraries import PANEL_NUMBERS, PanelWork
from theano._core.lower.builder.sparse import (
    GIVES as GIVES_OF_SPARSE,
    NUMBERS as NUMBERS_OF_SPARSE,
    SparseWork,
)
from theano._core.lower.llvm.target.assembler import Assembler
from theano._core.lower.program import RUNTIME
from theano._core.ops.sorting import KINDS
from theano._core.rewrite.rules.blas import MANY_COLUMNS
from theano._core.runtime import native
from theano.tensor.shared_randomstreams import RandomStreams

FUNCTIONS = members("th_runtime")
# The functions of the table whose names in C++ say more, and the routine that is no verb there.
NAMES = {"run_callback": "callback", "keep_factor": "factor"}


def short(name):
    """Return the name in the header of a function of C++."""
    name = name.strip().rpartition("::")[2].removeprefix("table_")
    return NAMES.get(name, name)


def initializer(file, name):
    """Return what an array or a struct of C++ is initialised with, in order."""
    found = re.search(rf"\b{name}(?:\[\w*\])? = \{{(.*?)\}};", source(file), re.DOTALL)
    assert found, name
    items = re.sub(r"<[^<>]*>", "", found[1]).split(",")
    return [item.strip() for item in items if item.strip()]


def test_the_functions_of_the_runtime():
    assert list(RUNTIME) == list(FUNCTIONS)
    assert [short(name) for name in initializer("table.cpp", "runtime_table")] == list(RUNTIME)
    # Their numbers in the comments of the header.
    text = (header.RUNTIME / header.INTERFACE).read_text().partition("struct th_runtime {")[2]
    numbers = [n for group in re.findall(r"/\* ([\d, ]+): ", text) for n in group.split(", ")]
    assert [int(n) for n in numbers] == list(range(len(FUNCTIONS)))


def test_a_call_begins_with_what_programs_read():
    assert list(members("th_call")) == ["rt", "kernels", "frame"]
    entry = texts_of([x], T.exp(x))[0]
    for place, name in enumerate(members("th_call")):
        at = "%call" if place == 0 else f"%{name}.at"
        assert f"%{name} = load ptr, ptr {at}," in entry
        assert place == 0 or f"%{name}.at = getelementptr ptr, ptr %call, i64 {place}\n" in entry


def test_routines_of_linear_algebra():
    wanted = {name.removeprefix("TH_").lower(): n for name, n in enumeration("TH_CHOLESKY").items()}
    assert wanted.pop("routines") == len(NUMBERS)
    assert wanted == NUMBERS
    assert [short(name) for name in initializer("lapack.cpp", "kRoutines")] == list(NUMBERS)


def test_from_when_a_symmetric_sum_pays():
    assert f"kMany = {MANY_COLUMNS}," in source("lapack_products.h")


def test_flags_of_linear_algebra():
    names = {name.removeprefix("TH_").lower(): bit for name, bit in enumeration("TH_LOWER").items()}
    assert names == FLAGS


def test_operations_along_an_axis():
    wanted = {name.removeprefix("TH_").lower(): n for name, n in enumeration("TH_SORT").items()}
    assert wanted.pop("along_operations") == max(ALONG.values()) + 1
    assert wanted == ALONG
    # The kinds of sorting have numbers of their own.
    assert set(KINDS.values()) <= {0, 1, 2}
    assert wanted["argsort"] - wanted["sort"] == wanted["cumsum"] - wanted["argsort"] == 3


def test_bits_of_descriptors():
    bits = enumeration("TH_CONTIGUOUS")
    assert bits == {"TH_CONTIGUOUS": native.CONTIGUOUS, "TH_OVERWRITABLE": native.OVERWRITABLE}


def test_what_a_reduction_is_told():
    fields = list(members("th_reduction"))
    assert fields[-1] == "itemsizes"
    assert list(ReductionFacts.fields) == fields[:-1]


def test_what_searches_are_told():
    work = members("Work", "extremes.h")
    assert list(work) == [*ExtremesWork.fields, "source", "places", "items"]
    assert list(work.values()) == ["i64"] * len(ExtremesWork.fields) + ["ptr"] * 3


def test_what_panels_are_told():
    work = members("Work", "panels.h")
    assert list(PanelWork.fields) == list(work)
    kinds = list(work.values())
    assert kinds == ["i64"] * PANEL_NUMBERS + ["ptr"] * (len(kinds) - PANEL_NUMBERS)


def test_what_convolutions_are_told():
    file = "convolution.h"
    addresses = ["image", "kernel", "result"]
    assert list(members("Work", file)) == [*ConvolutionNumbers.fields, "kAxes", *addresses]
    assert list(members("Axis", file)) == list(ConvolvedAxis.fields)
    assert re.search(rf"kAxes = {AXES};", source(file))
    given = re.findall(r"k(\w+) = (\d)", source(file).partition("enum Gives")[2].partition("}")[0])
    assert {name.lower(): int(n) for name, n in given} == {n: i for i, n in enumerate(GIVES)}


def test_what_loops_over_items_are_told():
    work = members("Work", "sparse.h")
    assert list(SparseWork.fields) == list(work)
    kinds = list(work.values())
    assert kinds == ["i64"] * NUMBERS_OF_SPARSE + ["ptr"] * (len(kinds) - NUMBERS_OF_SPARSE)
    given = source("sparse.h").partition("enum Gives {")[2].partition("}")[0].split(",")
    names = [re.sub(r"(?<!^)(?=[A-Z])", "_", g.strip().removeprefix("k")).lower() for g in given]
    assert names == list(GIVES_OF_SPARSE)


def test_what_transforms_are_told():
    assert list(members("Work", "fourier.h")) == [*TransformWork.fields, "source", "out"]
    given = source("fourier.h").partition("enum Kind")[2].partition("{")[2].partition("}")[0]
    names = [re.sub(r"(?<!^)(?=[A-Z])", "_", g.strip()[1:]).lower() for g in given.split(",")[:-1]]
    assert names == list(KINDS_OF_TRANSFORMS)


def test_what_copies_of_rows_are_told():
    assert list(members("Work", "gather.h")) == list(GatherWork.fields)
    assert list(members("Positions", "gather.h")) == list(Positions.fields)
    assert list(members("Axis", "gather.h")) == ["length", "stride"]


def test_hooks():
    found = re.search(r"enum Hook \{(.*?), kHooks \}", source("program.h"))
    assert found
    enumerated = [name.strip().removeprefix("k") for name in found[1].split(",")]
    names = [name.strip('"') for name in initializer("function.cpp", "kHookNames")]
    assert names == list(HOOKS)
    assert enumerated == [name.title().replace("_", "") for name in names]


stored = theano.sparse.csr_matrix("stored", "float64")
x, m, s, t = T.dvector("x"), T.dmatrix("m"), T.dscalar("s"), T.dtensor4("t")


def texts_of(inputs, outputs, **options):
    """Return the text of the entry function of a program."""
    seen = []
    original = Assembler.assemble

    def noted(self, program):
        seen.append(program.text)
        return original(self, program)

    with pytest.MonkeyPatch.context() as patch, theano.change_flags(cache_programs=False):
        patch.setattr(Assembler, "assemble", noted)
        theano.function(inputs, outputs, **options)
    return seen


def drawing():
    streams = RandomStreams(1)
    return theano.scan(lambda: streams.uniform((2,)), n_steps=3)[0]


w = theano.shared(np.zeros(3))


def looped(matrix):
    """Return products by a matrix again and again."""
    return theano.scan(
        lambda h: T.tanh(T.dot(h, matrix)), outputs_info=T.ones_like(matrix), n_steps=4
    )[0]


PROGRAMS = {
    "fail alloc free reduce": lambda: texts_of([x], T.exp(T.outer(x, x)[::-1]).sum()),
    "commit": lambda: texts_of([x], [], updates=[(w, w + x)]),
    "matmul release": lambda: texts_of([m], T.dot(m, m.T)),
    "launch": lambda: texts_of([x], T.exp(x)),
    "copy": lambda: texts_of([m], T.exp(m.flatten())),
    "lapack": lambda: texts_of([m], T.nlinalg.matrix_inverse(m)),
    "along": lambda: texts_of([m], T.sort(m, axis=0)),
    "select": lambda: texts_of([m], T.argtopk(m, 2)),
    "search": lambda: texts_of([x], T.extra_ops.searchsorted(x, x)),
    "poll kept forget callback": lambda: texts_of([], drawing()),
    "callback": lambda: texts_of([x], T.exp(x), mode=theano.Mode(linker="py")),
    "tick": lambda: texts_of([x], T.exp(x), profile=True),
    "lap": lambda: texts_of([m], looped(m), profile=True),
    "convolve": lambda: texts_of([t], T.nnet.conv2d(t, t)),
    "transform": lambda: texts_of([m], T.fft.rfft(m)),
    "extremes": lambda: texts_of([m], T.argmax(m, axis=0)),
    "sparse": lambda: texts_of([stored, m], theano.sparse.dot(stored, m)),
    "multiply_pairs": lambda: texts_of([t], T.batched_dot(t.sum(0), t.sum(0))),
    "matrix_pass": lambda: texts_of([m], T.dot(m.T, T.dot(m, m[0]))),
    "take parallel": lambda: texts_of([m], m[np.arange(99)]),
    "take_columns": lambda: texts_of([m], m[:, np.arange(99)]),
    "put": lambda: texts_of([m], T.inc_subtensor(m[np.arange(9)], 1)),
    "join_rows": lambda: texts_of([m], T.concatenate([m, m], axis=1)),
    "pack multiply_packed": lambda: texts_of([m], looped(m)),
}
KERNELS = ("copy", "join_rows", "pack", "put", "take", "take_columns")
CALL = re.compile(r"call (\w+) %(?:rt\.)?(\w+)\((ptr %call[^\n]*)\)")


@pytest.mark.parametrize("names", list(PROGRAMS))
def test_programs_call_what_the_header_declares(names):
    called = set()
    for text in PROGRAMS[names]():
        assert set(re.findall(r"%rt\.(\w+)\.at", text)) <= set(FUNCTIONS)
        for result, name, arguments in CALL.findall(text):
            declared = FUNCTIONS.get(name)
            if isinstance(declared, Function):
                called.add(name)
                types = tuple(one.split()[0] for one in arguments.split(", "))
                assert (result, types) == declared, name
        called |= {name for name in KERNELS if f"%rt.{name}," in text}
    assert called >= set(names.split())


def test_every_function_is_called_by_a_program():
    assert set(" ".join(PROGRAMS).split()) == set(FUNCTIONS)
