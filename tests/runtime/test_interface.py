"""Generated code and the runtime mean the same by each number that they exchange.

The header says it, C++ and Python repeat it: an order that differs would call the wrong function.
"""

import re

import header
import numpy as np
import pytest
from header import Function, between, enumeration, members, source

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


def lowered(names):
    """Return names of C++ (kNames) as Python writes them."""
    return [re.sub(r"(?<!^)(?=[A-Z])", "_", name.removeprefix("k")).lower() for name in names]


def numbered(member):
    """Return the numbers of an enumeration of the interface by the names of Python."""
    return {name.removeprefix("TH_").lower(): n for name, n in enumeration(member).items()}


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


def test_routines_and_flags_of_linear_algebra():
    wanted = numbered("TH_CHOLESKY")
    assert wanted.pop("routines") == len(NUMBERS)
    assert wanted == NUMBERS
    assert [short(name) for name in initializer("lapack.cpp", "kRoutines")] == list(NUMBERS)
    assert numbered("TH_LOWER") == FLAGS
    # From when a symmetric sum pays.
    assert f"kMany = {MANY_COLUMNS}," in source("lapack_products.h")


def test_operations_along_an_axis():
    wanted = numbered("TH_SORT")
    assert wanted.pop("along_operations") == max(ALONG.values()) + 1
    assert wanted == ALONG
    # The kinds of sorting have numbers of their own.
    assert set(KINDS.values()) <= {0, 1, 2}
    assert wanted["argsort"] - wanted["sort"] == wanted["cumsum"] - wanted["argsort"] == 3


def test_bits_of_descriptors():
    bits = {"contiguous": native.CONTIGUOUS, "overwritable": native.OVERWRITABLE}
    assert numbered("TH_CONTIGUOUS") == bits


@pytest.mark.parametrize(
    ("struct", "file", "fields"),
    [
        ("th_reduction", header.INTERFACE, [*ReductionFacts.fields, "itemsizes"]),
        ("Work", "extremes.h", [*ExtremesWork.fields, "source", "places", "items"]),
        ("Work", "panels.h", PanelWork.fields),
        (
            "Work",
            "convolution.h",
            [*ConvolutionNumbers.fields, "kAxes", "image", "kernel", "result"],
        ),
        ("Axis", "convolution.h", ConvolvedAxis.fields),
        ("Work", "sparse.h", SparseWork.fields),
        ("Work", "fourier.h", [*TransformWork.fields, "source", "out"]),
        ("Work", "gather.h", GatherWork.fields),
        ("Positions", "gather.h", Positions.fields),
        ("Axis", "gather.h", ["length", "stride"]),
    ],
)
def test_what_routines_are_told(struct, file, fields):
    assert list(members(struct, file)) == list(fields)


@pytest.mark.parametrize(
    ("file", "numbers"),
    [
        ("extremes.h", len(ExtremesWork.fields)),
        ("panels.h", PANEL_NUMBERS),
        ("sparse.h", NUMBERS_OF_SPARSE),
    ],
)
def test_numbers_stand_before_addresses(file, numbers):
    kinds = list(members("Work", file).values())
    assert kinds == ["i64"] * numbers + ["ptr"] * (len(kinds) - numbers)


def test_enumerations_of_routines():
    assert re.search(rf"kAxes = {AXES};", source("convolution.h"))
    given = [item.partition(" = ") for item in between("convolution.h", "enum Gives", "}")]
    numbers = {lowered([name.split()[-1]])[0]: int(n) for name, _, n in given}
    assert numbers == {name: n for n, name in enumerate(GIVES)}
    assert lowered(between("sparse.h", "enum Gives {")) == list(GIVES_OF_SPARSE)
    kinds = source("fourier.h").partition("enum Kind")[2].partition("{")[2].partition("}")[0]
    names = [kind.strip() for kind in kinds.split(",")[:-1]]
    assert lowered(names) == list(KINDS_OF_TRANSFORMS)


def test_hooks():
    names = [name.strip('"') for name in initializer("function.cpp", "kHookNames")]
    assert names == list(HOOKS)
    assert lowered(between("program.h", "enum Hook {", ", kHooks")) == names


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
