"""Functions of scalars that have C code: what is read of it, and what happens otherwise."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.arrays import variables
from support.compiling import evaluate
from theano import scalar
from theano.gof.utils import MethodNotDefined

SAME = scalar.basic.same_out


class Written(scalar.ScalarOp):
    """A function of scalars, of C code with `%(x)s`, `%(y)s` for inputs and `%(z)s`, `%(w)s`."""

    def __init__(self, code, nin=1, nout=1, types=None):
        self.code, self.nin, self.nout = code, nin, nout
        super().__init__(types or (lambda *given: (scalar.upgrade_to_float(*given)[0],) * nout))

    def c_code(self, node, name, inputs, outputs, sub):
        names = dict(zip("xy", inputs, strict=False)) | dict(zip("zw", outputs, strict=False))
        return self.code % names

    def __eq__(self, other):
        return isinstance(other, Written) and self.code == other.code

    def __hash__(self):
        return hash(self.code)


class WithImpl(Written):
    def impl(self, x):
        return x + 100


def called(code, *arrays, types=None, linker="cvm"):
    inputs = variables(*arrays)
    out = T.Elemwise(Written(code, len(inputs), types=types))(*inputs)
    return evaluate(out, dict(zip(inputs, arrays, strict=True)), theano.Mode(linker))


def test_rounding_with_a_gradient_that_passes_through():
    class Round3(scalar.UnaryScalarOp):
        def c_code(self, node, name, inputs, outputs, sub):
            return f"{outputs[0]} = round({inputs[0]});"

        def grad(self, inputs, gout):
            return (gout[0],)

    round3 = T.Elemwise(Round3(scalar.basic.same_out_nocomplex, name="round3"))
    x, y = T.fvectors("xy")
    binary = 2.0 * round3(T.clip((x + 1.0) / 2.0, 0, 1)) - 1.0
    given = {x: np.float32([-2, -0.3, 0.3, 2]), y: np.float32([1, 2, 3, 4])}
    value, gradient = evaluate([binary, T.grad((binary * y).sum(), x)], given)
    assert value.dtype == "float32" and value.tolist() == [-1, -1, 1, 1]
    assert gradient.tolist() == [0, 2, 3, 0]


X = np.array([-3.0, -2.5, -0.5, 0.0, 0.3, 0.5, 2.5])
CODES = {
    "%(z)s = round(%(x)s);": lambda x: np.sign(x) * np.floor(abs(x) + 0.5),
    "%(z)s = %(x)s > 0 ? %(x)s : exp(%(x)s) - 1;": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "if (%(x)s > .5f) { %(z)s = 1.0; } else if (%(x)s < -0.5) %(z)s = -1; else %(z)s = 2*%(x)s;": (
        lambda x: np.where(x > 0.5, 1, np.where(x < -0.5, -1, 2 * x))
    ),
    "double t = fabs(%(x)s); t += 1e-3; t *= t; /* so */ %(z)s = t / (1 + t); // and so": (
        lambda x: (abs(x) + 1e-3) ** 2 / (1 + (abs(x) + 1e-3) ** 2)
    ),
    "const npy_float64 a = 1.5, b = .5; %(z)s = a*%(x)s + b - -std::floor(%(x)s);": (
        lambda x: 1.5 * x + 0.5 + np.floor(x)
    ),
    "%(z)s = (%(x)s >= 0 && %(x)s < 1) || !(%(x)s != -3);": (
        lambda x: (x >= 0) & (x < 1) | (x == -3)
    ),
    "%(z)s = %(x)s < 0 < 1;": lambda x: x >= 0,
    "%(z)s = (int)%(x)s + M_PI;": lambda x: np.trunc(x) + np.pi,
    "{ int n = %(x)s*2; ; if (n == 0) { n -= 7; } %(z)s = n; }": (
        lambda x: np.where(np.trunc(2 * x) == 0, -7, np.trunc(2 * x))
    ),
    "%(z)s = isnan(%(x)s) ? 0 : pow(%(x)s, 2);": lambda x: x**2,
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "int32"])
@pytest.mark.parametrize("code", CODES)
def test_code_that_is_read(code, dtype):
    x = X.astype(dtype)
    found = called(code, x)
    with np.errstate(all="ignore"):
        wanted = np.asarray(CODES[code](x.astype("float64")))
    assert found.dtype == ("float64" if dtype in ("float64", "int32") else "float32")
    np.testing.assert_allclose(found, wanted, rtol=1e-6 if found.dtype == "float32" else 1e-15)
    np.testing.assert_allclose(called(code, x, linker="py"), found, rtol=1e-6)


def test_types_are_those_of_c():
    # Operands are int, and so is their product; a constant is double unless it says f.
    assert called("%(z)s = %(x)s * %(x)s;", np.int8([100, -100])).tolist() == [10000, 10000]
    x = np.float32([1 / 3])
    assert called("%(z)s = %(x)s * 1.1;", x, types=SAME) == np.float32(x.astype("float64") * 1.1)
    assert called("%(z)s = %(x)s * 1.1f;", x, types=SAME) == x * np.float32(1.1)
    assert called("%(z)s = %(x)s - 3;", np.uint32([1, 5])).tolist() == [2.0**32 - 2, 2.0]


def test_several_results_and_layouts():
    x, y = T.dmatrix("x"), T.drow("y")
    both = T.Elemwise(Written("%(z)s = %(x)s + 10*%(y)s; %(w)s = %(z)s * %(x)s;", 2, 2))
    f = theano.function([x, y], both(x, y))
    row = np.array([[1.0, 2.0]])
    for a in (np.arange(6.0).reshape(3, 2)[::-1], np.ones((2, 3)).T[:, ::-1], np.ones((0, 2))):
        first, second = f(a, row)
        np.testing.assert_array_equal(first, a + 10 * row)
        np.testing.assert_array_equal(second, first * a)
    with pytest.raises(ValueError, match="hape"):
        f(np.ones((2, 3)), row)
    steps, _ = theano.scan(lambda a: both(a, a)[1], sequences=x)
    np.testing.assert_array_equal(evaluate(steps, {x: [[2.0]]}), [[44.0]])


def test_results_that_do_not_use_an_operand():
    x, y = T.fmatrix("x"), T.frow("y")
    both = T.Elemwise(Written("%(z)s = 1.0f / %(x)s; %(w)s = %(y)s;", 2, 2))
    first, second = evaluate(both(x, y), {x: np.float32([[0, 2], [4, 8]]), y: [[1, 2]]})
    np.testing.assert_array_equal(first, np.float32([[np.inf, 0.5], [0.25, 0.125]]))
    np.testing.assert_array_equal(second, np.float32([[1, 2], [1, 2]]))
    assert called("%(z)s = 1;", np.array([[np.nan], [0.0]])).tolist() == [[1], [1]]


@pytest.mark.parametrize(
    "code",
    [
        "%(z)s = helper(%(x)s);",
        "%(z)s = %(x)s %% 2;",
        "for (int i = 0; i < 3; i++) %(z)s = %(x)s;",
        "if (%(x)s > 0) %(z)s = %(x)s;",
        "%(x)s = 2; %(z)s = %(x)s;",
        "double t; %(z)s = t + %(x)s;",
        "%(z)s = 010 + %(x)s;",
        '%(z)s = "a" + %(x)s;',
        "%(z)s = %(x)s",
        "",
        "%(z)s = (npy_int64)%(x)s / 2;",
        "%(z)s = max(%(x)s, 1);",
    ],
)
def test_code_that_is_not_read(code):
    with pytest.raises(MethodNotDefined, match=r"Write impl\."):
        called(code, X)
    x = T.dvector("x")
    assert evaluate(T.Elemwise(WithImpl(code))(x), {x: [1.0]}) == 101


@pytest.mark.parametrize("dtype", ["float16", "complex64"])
def test_elements_that_are_no_numbers_of_c(dtype):
    with pytest.raises(MethodNotDefined):
        called("%(z)s = %(x)s + 1;", X.astype(dtype), types=SAME)


def test_code_is_taken_where_there_is_an_impl_too():
    class Some(WithImpl):
        def c_code(self, node, name, inputs, outputs, sub):
            if node.inputs[0].type not in scalar.basic.float_types:
                raise NotImplementedError("type not supported", node.inputs[0].type)
            return super().c_code(node, name, inputs, outputs, sub)

    x, n = T.dvector("x"), T.lvector("n")
    for kind in (WithImpl, Some):
        op = T.Elemwise(kind("%(z)s = %(x)s + 1;"))
        # As in Theano with a compiler; NumPy's linker calls Python.
        assert evaluate(op(x), {x: [1.0]}) == 2
        assert evaluate(op(x), {x: [1.0]}, theano.Mode("py")) == 101
    # An operation may refuse to write code for a type.
    assert evaluate(op(n), {n: [1]}) == 101
