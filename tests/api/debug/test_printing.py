"""Graphs as text: the layout that Theano's documents show."""

import io

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.printing import PPrinter, debugprint, min_informative_str, pp, pprint

x, v, s, i = T.dmatrix("x"), T.dvector("v"), T.dscalar("s"), T.lscalar("i")
NAMES = {"T": T, "np": np, "x": x, "v": v, "s": s, "i": i}

LINES = [
    ("x + 1", "(x + TensorConstant{1})"),
    ("x - (v - 1)", "(x - (v - TensorConstant{1}))"),
    ("-(x + 1)", "(-(x + TensorConstant{1}))"),
    ("x / (v * 2)", "(x / (v * TensorConstant{2}))"),
    ("x // 2", "(x // TensorConstant{2})"),
    ("x % 2", "mod(x, TensorConstant{2})"),
    ("2 ** (-x)", "(TensorConstant{2} ** (-x))"),
    ("T.exp(-x)", "exp((-x))"),
    ("T.dot(x, v) + 1", "((x \\dot v) + TensorConstant{1})"),
    ("x.T + 1", "(x.T + TensorConstant{1})"),
    ("v.dimshuffle('x', 0)", "v"),
    ("v.dimshuffle(0, 'x')", "DimShuffle{0, x}(v)"),
    ("x.sum()", "Sum{acc_dtype=float64}(x)"),
    ("x.sum(axis=0)", "Sum{axis=[0], acc_dtype=float64}(x)"),
    ("x.prod()", "Prod{axis=None, dtype='float64', acc_dtype='float64'}(x)"),
    ("abs(x)", "|x|"),
    ("x > 1", "gt(x, TensorConstant{1})"),
    ("T.cast(x, 'int8')", "int8(x)"),
    ("T.zeros_like(x)", "fill(x, TensorConstant{0.0})"),
    ("T.alloc(1., 2, i)", "alloc(TensorConstant{1.0}, TensorConstant{2}, i)"),
    (
        "T.arange(3)",
        "ARange{dtype='int64'}(TensorConstant{0}, TensorConstant{3}, TensorConstant{1})",
    ),
    ("T.stack([s, s])", "[s, s]"),
    ("T.nnet.sigmoid(x)", "sigmoid(x)"),
    ("T.constant(np.ones(3))", "TensorConstant{(3,) of 1.0}"),
    ("T.constant(np.full(3, 0.1, 'f4'))", "TensorConstant{(3,) of 0.1}"),
    # The number, whatever its name is.
    ("x + T.constant(2, 'two')", "(x + TensorConstant{2})"),
    (
        "T.grad(s ** 2, s)",
        "((fill((s ** TensorConstant{2}), TensorConstant{1.0}) * TensorConstant{2.0})"
        " * (s ** (TensorConstant{2.0} - TensorConstant{1})))",
    ),
    ("s ** s ** s", "(s ** (s ** s))"),
    ("(-s) ** 2", "((-s) ** TensorConstant{2})"),
    ("x[1:, i]", "x[1:, i]"),
    ("x[:, 0]", "x[:, Constant{0}]"),
    ("T.concatenate([x, x], 1)", "join(TensorConstant{1}, x, x)"),
    ("x.copy()", "x"),
    ("T.dmatrix() + x", "(<TensorType(float64, matrix)> + x)"),
]


@pytest.mark.parametrize(("expression", "line"), LINES)
def test_pp(expression, line):
    assert pp(eval(expression, NAMES)) == line


TREE = """Elemwise{add,no_inplace} [id A] ''   
 |dot [id B] ''   
 | |x [id C]
 | |v [id D]
 |InplaceDimShuffle{x} [id E] ''   
   |TensorConstant{1} [id F]
"""  # noqa: W291  (the layout ends lines with spaces)


def text(obj, **options):
    return debugprint(obj, file="str", **options)


def test_debugprint():
    y = T.dot(x, v) + 1
    assert text(y) == TREE
    assert text(y.owner) == TREE
    lines = text(y, print_type=True).splitlines()
    assert lines[0] == "Elemwise{add,no_inplace} [id A] <TensorType(float64, vector)> ''   "
    assert lines[2] == " | |x [id C] <TensorType(float64, matrix)>"
    assert text(y, ids="int").splitlines()[5] == "   |TensorConstant{1} [id 5]"
    assert text(y, ids="").splitlines()[2] == " | |x "
    assert len(text(y, depth=2).splitlines()) == 3
    assert text([y, y * 2]).splitlines()[7] == " |Elemwise{add,no_inplace} [id A] ''   "


def test_debugprint_of_shared_parts_and_names():
    z = v.sum()
    z.name = "z"
    lines = text(z + z).splitlines()
    assert lines[1] == " |Sum{acc_dtype=float64} [id B] 'z'   "
    assert lines[2:] == [" | |v [id C]", lines[1]]
    assert text(z + z, stop_on_name=True).splitlines()[1:] == [lines[1], lines[1]]


def test_debugprint_of_a_function():
    shared = theano.shared(np.ones(2), "state")
    f = theano.function([v], v + shared)
    lines = text(f).splitlines()
    assert lines[0].endswith("''   0")
    assert text(f.maker.graph) == text(f)
    assert [line.rpartition(" [")[2] for line in text(f, print_storage=True).splitlines()] == [
        *("None]", "None]", "array([1., 1.])]")
    ]
    assert text(f.maker.graph, print_storage=True) == text(f)
    kept = theano.function([v], T.exp(v) * 3, mode="FAST_COMPILE")
    assert "[array(" in text(kept, print_storage=True)


def test_debugprint_writes_to_files(capsys):
    out = io.StringIO()
    assert debugprint(x, file=out) is out
    assert debugprint(x) is None
    assert out.getvalue() == capsys.readouterr().out == "x [id A]\n"
    with pytest.raises(TypeError, match="cannot print"):
        debugprint(3)
    with pytest.raises(ValueError, match="ids"):
        debugprint(x, ids="roman")


def test_deep_graphs():
    deep = s
    for _ in range(3000):
        deep = T.exp(deep)
    assert len(text(deep).splitlines()) == 3001
    assert pp(deep).startswith("exp(exp(")
    assert len(min_informative_str(deep).splitlines()) == 3001


def chain(steps, step):
    y = x
    for _ in range(steps):
        y = step(y)
    return y


def test_text_grows_with_the_graph_and_not_with_its_paths():
    """Steps that use the one before twice: all printers, and any of a user."""
    short, long = (chain(n, lambda y: T.tanh(T.dot(y, y) + y * y)) for n in (20, 200))
    mine = pprint.clone_assign(
        T.tanh, lambda variable, state: f"th<{state.process(variable.owner.inputs[0])}>"
    )
    for write in (pp, mine, repr, lambda y: str(y.owner)):
        assert len(write(long)) < 20 * len(write(short)) < 100_000
    # Steps that use two results of the one before, each once.
    both = (chain(n, lambda y: sum(T.nlinalg.qr(y))) for n in (20, 200))
    assert len(pp(next(both))) * 20 > len(pp(next(both)))
    # Trees indent each line.
    for tree in (text, min_informative_str):
        assert len(tree(long).split("\n")) < 20 * len(tree(short).split("\n")) < 10_000
    f = theano.function([x], long)
    assert len(pp(f)) < 30_000
    assert len(text(f).split("\n")) < 2000
    # Many results that share what they are computed from.
    sums = [T.exp(y).sum() for y in (chain(n, lambda y: T.tanh(y * y + y)) for n in (3, 4))]
    assert pp(sums).count("v1 = ") == 1


def test_what_is_used_again_is_named_if_it_is_long():
    y = T.exp(T.dot(x, v) + T.tanh(s))
    assert pp(y / (1 + y)) == (
        "(exp(((x \\dot v) + tanh(s))) / (TensorConstant{1} + exp(((x \\dot v) + tanh(s)))))"
    )
    long = T.exp(T.dot(x, v) + T.tanh(s) * T.tanh(s - 1))
    line = "exp(((x \\dot v) + (tanh(s) * tanh((s - TensorConstant{1})))))"
    assert pp(long / (1 + long)) == f"v1 = {line}\n(v1 / (TensorConstant{{1}} + v1))"
    assert pp(long) == line
    hidden = long.copy("hidden")
    assert pp(hidden * hidden) == f"hidden = {line}\n(hidden * hidden)"
    other = T.dscalar("hidden")
    assert pp(hidden * hidden * other).startswith("v1 = ")
    first = T.dscalar("v1")
    assert pp(long * long + first).startswith("v2 = ")
    two = T.exp(long) * T.exp(long)
    assert pp([two, long]).splitlines()[-1] == "v1"


def test_a_printer_of_a_user_sees_its_state():
    class Printer:
        def process(self, variable, pstate):
            operand = variable.owner.inputs[0]
            assert pstate.pprinter.process(operand, pstate) == pstate.process(operand)
            return f"[{pstate.process(operand)}]"

    assert (
        pprint.clone_assign(T.exp, Printer())(T.exp(T.exp(s) + 1)) == "[([s] + TensorConstant{1})]"
    )


def test_letters_after_the_alphabet():
    many = T.dscalars(30)
    lines = text(T.add(*many), depth=-1)
    assert "[id Z]" in lines
    assert "[id BA]" in lines


def test_min_informative_str():
    y = T.dot(x, v) + 1
    assert min_informative_str(y * 2 + y).splitlines() == [
        "A. Elemwise{add,no_inplace}",
        " B. Elemwise{mul,no_inplace}",
        "  C. Elemwise{add,no_inplace}",
        "   D. dot",
        "    E. x",
        "    F. v",
        "   G. InplaceDimShuffle{x}",
        "    H. TensorConstant{1}",
        "  I. InplaceDimShuffle{x}",
        "   J. TensorConstant{2}",
        " <C>",
    ]


def test_printers_of_users():
    mine = pprint.clone_assign(T.exp, lambda variable, state: f"e^{variable.owner.inputs[0]}")
    assert isinstance(mine, PPrinter)
    assert mine(T.exp(s) * 2) == "(e^s * TensorConstant{2})"
    assert pprint(T.exp(s)) == "exp(s)"
    with pytest.raises(TypeError):
        pprint(1, 2, 3)


def test_text_of_a_function():
    f = theano.function([s], s * 2)
    assert "s" in pp(f)


def test_equal_small_numbers_have_one_label():
    """As in Theano 1.0.5, where they are one variable."""
    x = T.dmatrix("x")
    text = theano.printing.debugprint(x * 2 + 2, file="str")
    assert text.count("TensorConstant{2} [id E]") == 2
    labels = {}
    theano.printing.debugprint(x * 2, file="str", used_ids=labels)
    assert "[id D]" in theano.printing.debugprint(x + 2, file="str", used_ids=labels)
    text = theano.printing.debugprint(x * 11 + 11, file="str")
    assert "TensorConstant{11} [id E]" in text and "TensorConstant{11} [id G]" in text
