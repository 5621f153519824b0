"""Products against NumPy, over types, strides, sizes, alpha and beta."""

import ctypes
import functools
import itertools
import mmap
import sys

import machine as M
import numpy as np
import pytest

import theano
from support.arrays import layouts, part_of_wider, strided
from support.processes import run_python
from theano._core.runtime import native

TYPES = ["?", *"bBhHiIlLqQ", "e", "f", "d", "g", "F", "D", "G"]


@functools.cache
def product(char, nd_a, nd_b, alpha, beta):
    """A function of a at 0, b at 8, alpha at 16, beta at 18, C at 20, which it overwrites."""
    text = f"""
 %a = call ptr @slot(ptr %call, i64 0)
 %b = call ptr @slot(ptr %call, i64 8)
 %c = call ptr @slot(ptr %call, i64 20)
 %alpha = call ptr @data(ptr %call, i64 16)
 %beta = call ptr @data(ptr %call, i64 18)
 %r = call i32 @rt_matmul(ptr %call, i64 {np.dtype(char).num}, i64 {nd_a}, i64 {nd_b}, ptr %a,
                          ptr %b, ptr %c, ptr {"%alpha" if alpha else "null"},
                          ptr {"%beta" if beta else "null"})
 ret i32 %r
"""
    places = (nd_a, 0), (nd_b, 8), (0, 16), (0, 18), (max(nd_a + nd_b - 2, 0), 20)
    return M.function_of(text, inputs=tuple(M.array_input(char, *place) for place in places))


def multiply(a, b, c=None, alpha=None, beta=None):
    kind, shape = a.dtype, a.shape[:-1] + b.shape[1:]
    if c is None:
        # NaN, to see whether it is read.
        memory = bytearray(b"\xff" * (int(np.prod(shape)) * kind.itemsize + 1))
        c = np.ndarray(shape, kind, memory)
    f = product(kind.char, a.ndim, b.ndim, alpha is not None, beta is not None)
    f(a, b, *(np.asarray(1 if scale is None else scale, kind) for scale in (alpha, beta)), c)
    return c


def numbers(random, shape, char):
    kind = np.dtype(char)
    if kind.kind == "b":
        return np.asarray(random.random(shape) < 0.3)
    if kind.kind in "iu":
        info = np.iinfo(kind)
        return random.integers(info.min, info.max, shape, kind, endpoint=True)
    found = random.normal(size=shape)
    return np.asarray(found + 1j * random.normal(size=shape) if kind.kind == "c" else found, kind)


def expected(a, b, c=0, alpha=None, beta=None):
    kind, alpha, beta = a.dtype, 1 if alpha is None else alpha, 0 if beta is None else beta
    if kind.kind == "b":
        full = (a.astype(int) @ b.astype(int) > 0) & bool(alpha)
        return full | (np.asarray(c) & bool(beta))
    if kind.kind in "iu":
        with np.errstate(over="ignore"):
            one = np.asarray(alpha).astype(kind) * (a @ b)
            return (one + np.asarray(beta).astype(kind) * np.asarray(c, kind)).astype(kind)
    wide = "G" if kind.kind == "c" else "g"
    total = np.asarray(alpha, kind).astype(wide) * (a.astype(wide) @ b.astype(wide))
    return total + np.asarray(beta, kind).astype(wide) * np.asarray(c).astype(wide)


def check(result, wanted, size):
    if result.dtype.kind in "biu":
        np.testing.assert_array_equal(result, wanted)
        return
    # Sums of `size` products of numbers of order 1.
    bound = 8 * (size + 2) * float(np.finfo(result.dtype).eps)
    np.testing.assert_allclose(result.astype(wanted.dtype), wanted, rtol=bound, atol=bound)


def check_scaled(a, b, c, alpha, beta, size):
    wanted = expected(a, b, c.copy(), alpha, beta)
    check(multiply(a, b, c, alpha, beta), wanted, size + 4)


SHAPES = [
    *(((3,), (3,)), ((0,), (0,)), ((1,), (1,)), ((4, 3), (3,)), ((3,), (3, 5)), ((4, 3), (3, 5))),
    *(((1, 1), (1, 1)), ((1, 7), (7, 9)), ((9, 7), (7, 1)), ((5, 1), (1, 6)), ((0, 3), (3, 2))),
    *(((2, 0), (0, 3)), ((2, 0), (0,)), ((17, 33), (33, 19)), ((70, 9), (9, 40))),
    ((65, 0), (0, 33)),
]
SCALES = [(None, 1), (2, None), (3, 1), (0, 2), (1, 0), (2, 3)]


@pytest.mark.parametrize("char", TYPES)
@pytest.mark.parametrize("alpha, beta", [(None, None), *SCALES])
def test_shapes_alpha_and_beta(char, alpha, beta):
    random = np.random.default_rng(4)
    for shape_a, shape_b in SHAPES:
        a, b = numbers(random, shape_a, char), numbers(random, shape_b, char)
        check(multiply(a, b), expected(a, b), shape_a[-1])
        c = numbers(random, shape_a[:-1] + shape_b[1:], char)
        check_scaled(a, b, c, alpha, beta, shape_a[-1])


@pytest.mark.parametrize("char", ["e", "f", "d", "g", "F", "D"])
@pytest.mark.parametrize("beta", [None, 0])
def test_memory_of_the_result_is_not_read(char, beta):
    for shape_a, shape_b in (*SHAPES, ((300, 200), (200, 100)), ((3000, 300), (300,))):
        a, b = np.ones(shape_a, char), np.ones(shape_b, char)
        c = np.full(shape_a[:-1] + shape_b[1:], np.nan, char)
        result = multiply(a, b, c, None, beta)
        np.testing.assert_array_equal(result, np.full(c.shape, shape_a[-1], char))


def laid_out(a):
    """One matrix with each kind of strides."""
    yield from layouts(a)
    yield part_of_wider(a.T).T
    yield strided(a.T).T
    yield a[::-1].copy()[::-1]
    yield a[:, ::-1].copy()[:, ::-1]
    yield a.T[::-1, ::-1].copy()[::-1, ::-1].T
    # Strides that are no multiple of the element.
    record = {"names": ["element"], "formats": [a.dtype], "itemsize": 48}
    packed = np.zeros(a.shape, np.dtype(record))
    packed["element"] = a
    yield packed["element"]


def repeated(a):
    """Matrices of strides of zero."""
    return [np.broadcast_to(part, a.shape) for part in (a[:, :1], a[:1], a[0, 0])]


def check_layouts(a, b):
    size, wanted = a.shape[1], expected(a, b)
    for one, other in itertools.product(laid_out(a), laid_out(b)):
        check(multiply(one, other), wanted, size)
    for one, other in itertools.product([a, a.T.copy().T, *repeated(a)], repeated(b)):
        check(multiply(one, other), expected(one, other), size)
    for one, other in itertools.product(repeated(a), laid_out(b)):
        check(multiply(one, other), expected(one, b), size)


@pytest.mark.parametrize("char", ["?", "b", "i", "l", "Q", "e", "f", "d", "g", "F", "D"])
@pytest.mark.parametrize(
    "shape",
    [(4, 3, 5), (1, 3, 5), (4, 1, 5), (4, 3, 1), (1, 3, 1), (1, 1, 4), (13, 8, 9), (67, 5, 35)],
)
def test_strides(char, shape):
    random = np.random.default_rng(5)
    m, k, n = shape
    a, b = numbers(random, (m, k), char), numbers(random, (k, n), char)
    check_layouts(a, b)
    vectors = [v[:, 0] for v in (*laid_out(b), *repeated(b))]
    for one, vector in itertools.product([*laid_out(a), *repeated(a)], vectors):
        check(multiply(one, vector), expected(one, vector), k)
        check(multiply(vector, one.T), expected(one, vector), k)
        check(multiply(one[0], vector), expected(one[0], vector), k)


@pytest.mark.parametrize("char", ["f", "d"])
@pytest.mark.parametrize(
    "shape",
    [
        *((19, 530, 50), (16, 257, 8), (40, 600, 17), (21, 530, 300), (520, 130, 3)),
        *((1300, 120, 7), (290, 700, 5), (7, 700, 215), (3, 1100, 310)),
    ],
)
def test_long_sums_in_any_layout(char, shape):
    random = np.random.default_rng(5)
    m, k, n = shape
    check_layouts(numbers(random, (m, k), char), numbers(random, (k, n), char))
    for alpha, beta in ((None, 1), (2, None), (0.5, 3), (1, 0), (0, 2)):
        a, b = numbers(random, (k, m), char).T, numbers(random, (k, n), char)
        check_scaled(a, b, numbers(random, (m, n), char), alpha, beta, k)


# Elsewhere these are products of BLAS.
narrow = native.panel_width(8, 512) == native.panel_width(8, 256)
own_products = pytest.mark.skipif(narrow, reason="needs AVX-512")


@own_products
@pytest.mark.parametrize("char", ["f", "d"])
@pytest.mark.parametrize(
    "shape", [(70, 1300, 330), (23, 40, 17), (9, 7, 5), (300, 20, None), (29, 90, 70), (270, 8, 16)]
)
def test_bits_do_not_depend_on_the_place_of_a_row(char, shape):
    random = np.random.default_rng(9)
    m, k, n = shape
    # So many that a row fills a vector: of other tall products with short sums, BLAS decides.
    n = n or 64 // np.dtype(char).itemsize
    a, b = numbers(random, (m, k), char), numbers(random, (k, n), char)
    np.testing.assert_array_equal(multiply(a[::-1], b)[::-1], multiply(a, b))
    np.testing.assert_array_equal(multiply(a[1:], b), multiply(a, b)[1:])


@own_products
def test_few_columns_and_few_rows_are_added_from_the_first_term_on():
    random = np.random.default_rng(9)
    for char, m, k, n in (("f", 1200, 130, 7), ("d", 700, 600, 3), ("f", 9, 600, 300)):
        a, b = numbers(random, (m, k), char), numbers(random, (k, n), char)
        several = multiply(a, np.asfortranarray(b))
        np.testing.assert_array_equal(several, multiply(a, b))
        np.testing.assert_array_equal(multiply(a[1:], b), several[1:])
        one = multiply(np.repeat(a[:1], 40, axis=0), np.repeat(b, 20, axis=1))
        np.testing.assert_array_equal(one[0, ::20], several[0])


def before_protected_memory(array):
    """Return a copy of an array, behind the last element of which no memory may be read."""
    page = mmap.PAGESIZE
    whole = -(-array.nbytes // page) * page
    memory = mmap.mmap(-1, whole + page)
    start = np.frombuffer(memory, np.uint8).ctypes.data
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + whole), page, 0) == 0
    copy = np.ndarray(array.shape, array.dtype, memory, whole - array.nbytes)
    copy[...] = array
    return copy


@own_products
@pytest.mark.skipif(sys.platform != "linux", reason="protects memory by Linux's means")
@pytest.mark.parametrize("char", ["f", "d"])
@pytest.mark.parametrize(
    "n", [233, 272, *(pytest.param(n, marks=pytest.mark.slow) for n in (205, 224, 273))]
)
def test_few_rows_times_a_matrix_that_is_read_where_it_lies(char, n):
    random, k = np.random.default_rng(11), 700
    b, wide = numbers(random, (k, n), char), numbers(random, (k, n + 40), char)
    a, start = numbers(random, (50, k), char), numbers(random, (50, n), char)
    for name, one in {
        "last": before_protected_memory(b),
        "wide": wide[:, 3 : n + 3],
        "reversed": wide[::-1, :n],
        "repeated": np.broadcast_to(b[5], (k, n)),
    }.items():
        # By columns, it is packed.
        packed, wanted = multiply(a, np.asfortranarray(one)), expected(a, one)
        check(packed, wanted, k)
        for m in (7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 22, 47, 48, 49):
            by_columns = multiply(a[:m], np.asfortranarray(one))
            np.testing.assert_array_equal(by_columns, packed[:m])
            for result in (multiply(a[:m], one), multiply(a.T.copy().T[:m], one)):
                check(result, wanted[:m], k)
                # BLAS multiplies by few rows what is not read where it lies.
                if m >= 16 or name != "repeated":
                    np.testing.assert_array_equal(result, packed[:m])
            added = multiply(a[:m], one, start[:m].copy(), None, 3)
            check(added, wanted[:m] + 3 * start[:m].astype("g"), k + 4)


@pytest.mark.parametrize("char", ["f", "d"])
@pytest.mark.parametrize("added", [False, True])
def test_nothing_behind_a_result_is_written(char, added):
    random = np.random.default_rng(9)
    cases = [(m, 20, n) for m in (17, 20, 30) for n in (*range(8, 36), 60)]
    for m, k, n in (*cases, (9000, 20, 7), (9000, 20, 5), (3000, 120, 3), (9, 600, 205)):
        a, b = numbers(random, (m, k), char), numbers(random, (k, n), char)
        c = np.full((m + 2, n), 7, char)
        multiply(a, b, c[:m], beta=1 if added else None)
        assert (c[m:] == 7).all()
        check(c[:m] - (7 if added else 0), expected(a, b), k + 100)


@own_products
@pytest.mark.parametrize("char", ["f", "d"])
def test_long_sums_need_no_memory(char):
    random = np.random.default_rng(8)
    a, b = numbers(random, (70, 1300), char), numbers(random, (1300, 330), char)
    wanted, without = multiply(a, b), 0
    for number in itertools.count():
        native.fail_allocations(number, 1)
        try:
            result = multiply(a, b)
        except MemoryError:
            result = None
        if native.fail_allocations(0, 0):
            break
        without += result is not None
        assert result is None or result.tobytes() == wanted.tobytes()
    assert without > 0


@pytest.mark.parametrize("char", ["f", "d", "F"])
def test_few_columns_of_any_layout_are_the_same_product(char):
    random = np.random.default_rng(6)
    for m, k, n in ((600, 40, 5), (511, 40, 5), (513, 256, 7), (513, 257, 7), (600, 2, 15)):
        a, b = numbers(random, (m, k), char), numbers(random, (n, k), char)
        check(multiply(a, b.T), expected(a, b.T), k)
        # It is copied by rows, or they take long.
        if n * b.itemsize < 64 and m >= 512 and k <= 256:
            by_rows = multiply(a, np.ascontiguousarray(b.T))
            assert multiply(a, b.T).tobytes() == by_rows.tobytes()


LARGE = [(300, 200, 250), (1000, 70, 33), (3, 5000, 300), (257, 513, 129), (600, 64, 96)]


@pytest.mark.parametrize("char", ["f", "d", "D"])
def test_large(char):
    random = np.random.default_rng(6)
    for m, k, n in LARGE:
        a, b = numbers(random, (m, k), char), numbers(random, (n, k), char).T
        wanted = a.astype("D") @ b.astype("D")
        check(multiply(a, b), wanted if char == "D" else wanted.real, k)


@pytest.mark.parametrize("char", "bBhHiIlL")
@pytest.mark.parametrize(
    "shape",
    [
        *(*LARGE, (1, 300, 40), (5, 129, 33), (70, 257, 97), (600, 3, 45), (9, 300, 3)),
        *((600, 3, 3), (1, 1, 1), (2, 3, 5), (130, 16, 1), (67, 48, 3), (67, 200, 8), (65, 96, 7)),
    ],
)
def test_integers_wrap(char, shape):
    m, k, n = shape
    words = np.random.default_rng(8).integers(0, 1 << 62, (2, 2 * max(m, n), k)).astype(char)
    a, b = words[0, :m] * 3, words[1, :n].T * 5
    for one, two in ((a, b), (a, b.copy()), (words[0, : 2 * m : 2, ::-1], b.copy())):
        np.testing.assert_array_equal(multiply(one, two), one @ two, strict=True)
        more = np.full((m + 9, n), 7, char)
        multiply(one, two, more[:m])
        np.testing.assert_array_equal(more[:m], one @ two)
        assert (more[m:] == 7).all()


@pytest.mark.parametrize("along", [False, True])
def test_every_half(along):
    """As they are, in vectors and what these leave; -0 is a sum, and thus 0."""
    halves, one = np.arange(1 << 16, dtype="uint16").view("float16"), np.ones((1, 1), "float16")
    for x in (halves, halves[3:], halves[:13]):
        got = (multiply(one, x[None]) if along else multiply(x[:, None], one)).ravel()
        np.testing.assert_array_equal(got, x)
        assert (np.signbit(got) == np.signbit(x) & (x != 0))[~np.isnan(x)].all()


@pytest.mark.parametrize("char", ["i", "f", "d", "D"])
def test_the_bits_do_not_depend_on_the_number_of_threads(char):
    random = np.random.default_rng(7)
    for shape_a, shape_b in [
        *(((600, 300), (300, 520)), ((2100, 64), (64, 64)), ((300, 1700), (1700, 90))),
        *(((70, 256), (256, 32)), ((70, 1300), (1300, 330)), ((4000, 300), (300,))),
        *(((300,), (300, 4000)), ((9, 7), (7, 5)), ((9000, 100), (100, 3)), ((9, 600), (600, 300))),
        *(((9000, 100), (100, 7)), ((130_000, 3), (3, 3))),
    ]:
        a, b = numbers(random, shape_a, char), numbers(random, shape_b, char)
        turned_a, turned_b = np.asfortranarray(a), np.asfortranarray(b)
        results = set()
        for threads in (1, 2, 3, 8):
            with theano.change_flags(threads=threads):
                made = multiply(turned_a, b), multiply(a, b), multiply(a, turned_b)
            results.add(b"".join(one.tobytes() for one in made))
        assert len(results) == 1


@pytest.mark.parametrize("char", "fdFD")
@pytest.mark.parametrize(
    "shape", [(2, 3), (7, 300), (50, 1000), (300, 20), (700, 260), (530, 1), (131, 600)]
)
def test_a_matrix_and_its_transpose(char, shape):
    a = numbers(np.random.default_rng(4), shape, char)
    wide = np.zeros((2 * shape[0], 3 * shape[1]), a.dtype)
    wide[::2, ::3] = a
    for given in (a, np.asfortranarray(a), wide[::2, ::3], a[::-1, ::-1]):
        wanted, results = given @ given.T, []
        allowed = (8 + shape[1] ** 0.5) * np.finfo(a.dtype).eps * (abs(given) @ abs(given).T)
        for threads in (1, 3):
            with theano.change_flags(threads=threads):
                results.append(multiply(given, given.T))
        np.testing.assert_array_equal(results[1], results[0])
        np.testing.assert_array_equal(results[1], results[1].T)
        assert (abs(results[1] - wanted) <= allowed).all()
        scaled = multiply(given, given.T, alpha=2)
        assert (abs(scaled - 2 * wanted) <= 2 * allowed).all()


def test_nan_and_infinity_pass():
    for char in "efdgFD":
        a, b = np.ones((20, 20), char), np.ones((20, 20), char)
        a[3, 4], b[5, 6] = np.nan, np.inf
        with np.errstate(invalid="ignore"):
            result, wanted = multiply(a, b), a @ b
        np.testing.assert_array_equal(np.isnan(result.real), np.isnan(wanted.real))
        np.testing.assert_array_equal(np.isinf(result.real), np.isinf(wanted.real))


def test_halves_are_rounded_as_numpy_rounds():
    # Sums of two halves: exact in single precision, so NumPy's rounding is the one true answer.
    random = np.random.default_rng(8)
    x = (random.normal(size=(5000, 2)) * 10.0 ** random.integers(-7, 4, (5000, 2))).astype("e")
    with np.errstate(over="ignore"):
        wanted = x.astype("f").sum(1).astype("e")
    np.testing.assert_array_equal(multiply(x, np.ones(2, "e")), wanted)


def test_unknown_type():
    text = """
 %s = call ptr @slot(ptr %call, i64 0)
 %r = call i32 @rt_matmul(ptr %call, i64 17, i64 1, i64 1, ptr %s, ptr %s, ptr %s,
                          ptr null, ptr null)
 ret i32 %r
"""
    with pytest.raises(SystemError, match="17"):
        M.function_of(text)()


def test_what_was_found():
    information = native.blas_info()
    assert information["found"] and information["integer_bits"] in (32, 64)
    assert native.numpy_symbol("no_such_symbol") == 0
    with pytest.raises(TypeError):
        native.numpy_symbol(3)


@functools.cache
def copier(char, ndim):
    inputs = (M.array_input(char, ndim, 0),)
    outputs = (("copy", np.dtype(char).num, ndim, 0, -1),)
    return M.function_of(M.NOTHING, inputs=inputs, outputs=outputs, result="single")


@pytest.mark.parametrize("char", TYPES)
def test_copies(char):
    base = numbers(np.random.default_rng(9), (70, 45, 6), char)
    for view in (
        *(base, base.T, base[::-1], base[:, ::2], base[:0], base[:1, :1, :1], base[:, :, 0]),
        *(base.transpose(1, 0, 2), base.transpose(2, 0, 1)[::-1, 3:], base[:, 0], base[0].T),
        *(base[0, 0], base[::7, 3, 2], base[..., 0].T, np.broadcast_to(base[0], (4, 45, 6))),
        *(base[1, 2, 3:4].reshape(()), base[:, None, ::-1, None]),
    ):
        result = copier(char, view.ndim)(view)
        np.testing.assert_array_equal(result, view)
        assert result.flags.c_contiguous and not np.shares_memory(result, view)


@pytest.mark.parametrize(
    "kind, rows",
    [
        ("float64", 8000),
        pytest.param("complex128", 4000, marks=pytest.mark.slow),
        pytest.param("int64", 4000, marks=pytest.mark.slow),
    ],
)
def test_a_long_product_stops_when_it_is_interrupted(kind, rows):
    """Each of them would take more than the time that is allowed for both."""
    program = """
        import os, signal, subprocess, sys, time
        import numpy as np
        import theano
        import theano.tensor as T

        kind, rows = sys.argv[1], int(sys.argv[2])
        x, y = (T.TensorType(kind, (False, False))() for _ in range(2))
        total = theano.shared(np.zeros((2, 2)))
        f = theano.function([x, y], T.dot(x, y), updates=[(total, total + 1)])
        g = theano.function([x], T.dot(x, x.T))
        f(np.ones((2, 2), kind), np.ones((2, 2), kind))
        a, b = np.ones((rows, 4000), kind), np.ones((4000, rows), kind)
        kill = "import os, signal, time; time.sleep(0.4); os.kill(int({}), signal.SIGINT)"
        for call in (lambda: f(a, b), lambda: g(a)):
            subprocess.Popen([sys.executable, "-c", kill.format(os.getpid())])
            try:
                call()
                print("done")
            except KeyboardInterrupt:
                print("stopped")
        assert (total.get_value() == 1).all()
        assert (f(np.ones((2, 2), kind), np.ones((2, 2), kind)) == 2).all()
    """
    printed = run_python(program, kind, str(rows), environment={"OMP_NUM_THREADS": "1"})
    assert printed.split() == ["stopped", "stopped"]


@pytest.mark.parametrize("char", "fd")
@pytest.mark.parametrize("terms", [1, 3, 7, 8, 9, 15, 16, 17, 33, 100])
def test_matrices_and_vectors_whose_lengths_fill_no_vector(char, terms):
    random = np.random.default_rng(terms)
    for lines in (1, 2, 7, 8, 9, 16, 31, 33, 2049):
        wide = numbers(random, (2 * lines, 2 * terms + 1), char)
        x = numbers(random, (3 * terms,), char)
        for a in (
            wide[:lines, 1 : terms + 1],
            np.asfortranarray(wide[lines:, :terms]),
            wide[::2, ::2][:, :terms],
            wide[lines - 1 :: -1, :terms],
        ):
            for vector in (x[:terms], x[::3], x[terms - 1 :: -1]):
                wanted = expected(a, vector)
                check(multiply(a, vector), wanted, terms)
                check(multiply(vector, a.T), wanted, terms)
                memory = np.full(lines + 2, np.nan, char)
                memory[1:-1] = start = numbers(random, (lines,), char)
                multiply(a, vector, memory[1:-1], 0.5, -2)
                check(memory[1:-1], expected(a, vector, start, 0.5, -2), terms)
                assert np.isnan(memory[[0, -1]]).all()


@pytest.mark.parametrize("char", "fd")
def test_an_element_of_a_vector_does_not_depend_on_the_others(char):
    random = np.random.default_rng(0)
    for shape in [(300, 70), (70, 300), (3000, 40)]:
        for a in (numbers(random, shape, char), numbers(random, shape[::-1], char).T):
            x, start = numbers(random, shape[1:], char), numbers(random, shape[:1], char)
            wholes = multiply(a, x), multiply(a, x, start.copy(), 0.3, 0.7)
            for some in (slice(0, 41), slice(17, 60), slice(8, 32)):
                parts = multiply(a[some], x), multiply(a[some], x, start[some].copy(), 0.3, 0.7)
                for whole, part in zip(wholes, parts, strict=True):
                    np.testing.assert_array_equal(whole[some], part)


@pytest.mark.parametrize("char", "fd")
def test_the_bits_of_a_vector_do_not_depend_on_where_the_matrix_lies(char):
    random = np.random.default_rng(0)
    for rows, columns in [(40, 784), (9, 96), (33, 1000)]:
        a, x = numbers(random, (rows, columns), char), numbers(random, (rows,), char)
        w = numbers(random, (columns,), char)
        wanted = multiply(a, w), multiply(x, a)
        for shift in range(a.itemsize, 64 + a.itemsize, a.itemsize):
            moved = np.empty(a.nbytes + shift, "u1")[shift:].view(char).reshape(a.shape)
            moved[...] = a
            for got, want in zip((multiply(moved, w), multiply(x, moved)), wanted, strict=True):
                np.testing.assert_array_equal(got, want)
