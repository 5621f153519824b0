"""Bits do not depend on the number of threads; long factorisations can be interrupted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import thread_bits as B

from theano._core.runtime import native

HERE = Path(__file__).parent


def run(code, *arguments, threads=2):
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **{name: str(threads) for name in names}}
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, cwd=HERE, env=environment, timeout=600, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
def test_the_bits_do_not_depend_on_the_threads_of_the_process():
    """The threads of BLAS and LAPACK, which are set when they are loaded, and ours."""
    one, two, four = (
        run("import thread_bits; thread_bits.main()", threads=n).splitlines() for n in (1, 2, 4)
    )
    assert len(one) > 300
    assert [
        line for line, *others in zip(one, two, four, strict=True) if {line} != set(others)
    ] == []


def test_the_bits_do_not_depend_on_the_setting(capsys):
    before, found = native.get_threads(), []
    try:
        for threads in (1, 3):
            native.set_threads(threads)
            B.main()
            found.append(capsys.readouterr().out.splitlines())
    finally:
        native.set_threads(before)
    assert found[0] == found[1]


STOPPED = """
import os, signal, subprocess, sys
import numpy as np
import theano, theano.tensor as T
from theano.tensor import nlinalg as nl, slinalg as sl

name, n = sys.argv[1], int(sys.argv[2])
x = T.dmatrix()
build = {
    "svd": nl.svd, "eigh": nl.eigh, "eig": nl.eig, "expm": sl.expm, "pinv": nl.pinv,
    "inverse": nl.matrix_inverse, "slogdet": nl.slogdet, "cholesky": sl.cholesky,
    "stack": lambda x: nl.svd(T.zeros((60, 1, 1)) + x, 0, 0),
    "loop": lambda x: theano.scan(lambda h: nl.matrix_inverse(h) + h, None, [x], n_steps=9)[0][-1],
}[name]
total = theano.shared(0.0)
f = theano.function([x], build(x), updates=[(total, total + 1)])
a = np.random.RandomState(0).rand(n, n) / n
a += a.T + 2 * np.eye(n)
wanted = f(a[:5, :5])
for again in range(2):
    kill = "import os, signal, time; time.sleep(0.3); os.kill({}, signal.SIGINT)"
    subprocess.Popen([sys.executable, "-c", kill.format(os.getpid())])
    try:
        f(a)
        print("done")
    except KeyboardInterrupt:
        print("stopped")
assert total.get_value() == 1
for one, two in zip(f(a[:5, :5]), wanted):
    assert (one == two).all()
"""


@pytest.mark.parametrize(
    "name, n",
    [
        ("svd", 1500),
        pytest.param("eigh", 2500, marks=pytest.mark.slow),
        pytest.param("inverse", 4000, marks=pytest.mark.slow),
        pytest.param("slogdet", 6000, marks=pytest.mark.slow),
        ("stack", 500),
        ("loop", 2000),
    ],
)
def test_a_long_factorisation_stops_when_it_is_interrupted(name, n):
    """Memory that LAPACK still uses is not given to what runs next; the process ends well."""
    assert run(STOPPED, name, str(n)).split() == ["stopped", "stopped"]
