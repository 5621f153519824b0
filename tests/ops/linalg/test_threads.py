"""Bits do not depend on the number of threads; long factorisations can be interrupted."""

import pytest
import thread_bits as B

from support.processes import run_python
from theano._core.runtime import native


def environment(threads):
    return dict.fromkeys(
        ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], str(threads)
    )


@pytest.mark.slow
def test_the_bits_do_not_depend_on_the_threads_of_the_process():
    """The threads of BLAS and LAPACK, which are set when they are loaded, and ours."""
    one, two, four = (run_python([B.__file__], environment=environment(n)) for n in (1, 2, 4))
    assert len(one.splitlines()) > 300
    assert one == two == four


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

    def again(h):
        return nl.matrix_inverse(h) + h

    BUILD = {
        "svd": nl.svd, "eigh": nl.eigh, "inverse": nl.matrix_inverse, "slogdet": nl.slogdet,
        "stack": lambda x: nl.svd(T.zeros((60, 1, 1)) + x, 0, 0),
        "loop": lambda x: theano.scan(again, None, [x], n_steps=9)[0][-1],
    }
    name, n = sys.argv[1], int(sys.argv[2])
    x, total = T.dmatrix(), theano.shared(0.0)
    f = theano.function([x], BUILD[name](x), updates=[(total, total + 1)])
    a = np.random.RandomState(0).rand(n, n) / n
    a += a.T + 2 * np.eye(n)
    wanted = f(a[:5, :5])
    kill = f"import os, signal, time; time.sleep(0.3); os.kill({os.getpid()}, signal.SIGINT)"
    for _ in range(2):
        subprocess.Popen([sys.executable, "-c", kill])
        try:
            f(a)
            print("done")
        except KeyboardInterrupt:
            print("stopped")
    assert total.get_value() == 1
    for one, two in zip(f(a[:5, :5]), wanted):
        assert (one == two).all()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, n", [("svd", 1500), ("eigh", 2500), ("inverse", 4000), ("slogdet", 6000), ("loop", 2000)]
)
def test_a_long_factorisation_stops_when_it_is_interrupted(name, n):
    """Memory that LAPACK still uses is not given to what runs next; the process ends well."""
    stops(name, n)


def test_a_long_stack_of_factorisations_stops_when_it_is_interrupted():
    stops("stack", 500)


def stops(name, n):
    printed = run_python(STOPPED, name, str(n), environment=environment(2), timeout=600)
    assert printed.split() == ["stopped", "stopped"]
