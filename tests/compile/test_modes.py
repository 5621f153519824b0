"""Modes: how functions are rewritten and run, and the settings that choose it."""

import os

import numpy as np
import pytest

import theano
import theano.tensor as T
from support.compiling import evaluate
from support.processes import run_python
from theano import function
from theano.compile import get_default_mode
from theano.configparser import change_flags

x, v = T.dscalar("x"), T.dvector("v")


@pytest.mark.parametrize(
    "mode",
    [
        *(None, "FAST_RUN", "FAST_COMPILE", "Mode", theano.Mode("py"), theano.Mode("cvm", None)),
        theano.Mode(linker="py", optimizer="fast_compile"),
        theano.Mode("c|py", "fast_run").excluding("fusion"),
        theano.Mode("vm", "o1").including("fusion"),
    ],
    ids=str,
)
def test_modes_agree(mode):
    f = function([v], T.log(1 + T.exp(v)).sum() / v[0], mode=mode)
    np.testing.assert_allclose(f([2.0, -1.0]), np.log1p(np.exp([2, -1])).sum() / 2, rtol=1e-14)
    assert isinstance(f.maker.mode, theano.Mode)


@pytest.mark.parametrize(
    "build",
    [
        lambda: function([x], x, mode="bogus"),
        lambda: function([x], x, mode=3),
        lambda: theano.Mode("bogus"),
        lambda: theano.Mode(optimizer="bogus"),
    ],
)
def test_unknown_modes(build):
    with pytest.raises(ValueError, match=r"^(unknown |No predefined mode).*known: ") as caught:
        build()
    # Theano 1.0.5 looked linkers and optimizers up in dictionaries.
    assert isinstance(caught.value, KeyError)


def test_modes_without_fusion_go_over_arrays_more_often():
    def loops(mode=None):
        f = function([v], T.exp(T.sin(v) * v), mode=mode)
        return len({kernel.loop for kernel in f.maker.kernels})

    assert (loops(), loops(get_default_mode().excluding("fusion"))) == (1, 3)
    with change_flags({"tensor.local_elemwise_fusion": False}):
        assert loops() == 3


@pytest.mark.parametrize("inplace", [True, False])
def test_modes_without_updates_in_place(inplace):
    q = theano.shared(np.ones(3))
    mode = get_default_mode() if inplace else get_default_mode().excluding("inplace")
    before = q.get_value(borrow=True)
    function([], updates=[(q, q + 1)], mode=mode)()
    assert (before is q.get_value(borrow=True)) == inplace


@pytest.mark.parametrize("kinds", [("rounding",), ("nan",), ("rounding", "nan")])
def test_modes_without_kinds_of_rules(kinds):
    mode = get_default_mode().excluding(*kinds)
    plain, quotient = evaluate([T.log(1 + v), v * 2 / v], {v: [1e-20, 0.0]}, mode)
    assert (plain[0] == 0.0) == ("rounding" in kinds)
    assert np.isnan(quotient[1]) == ("nan" in kinds)


PROGRAM = """
import theano, theano.tensor as T
s = T.scalar()
f = theano.function([s, T.vector('q')], T.log(1 + s))
print(f(1e-20, [1]).dtype, theano.shared(1.0).dtype, f.maker.mode.backend, f(1e-20, [1]) == 0)
"""


def test_flags_win_over_settings_files_and_later_files_over_earlier(tmp_path):
    one, two = tmp_path / ".theanorc", tmp_path / "other.rc"
    one.write_text("[global]\nfloatX = float32\non_unused_input = ignore\nlinker = py\n")
    two.write_text("[global]\non_unused_input = ignore\nmode = FAST_COMPILE\n")
    both = f"{one}{os.pathsep}{two}"
    excluding = "optimizer_excluding=stabilize:rounding,on_unused_input=ignore"
    for environment, flags, wanted in (
        ({}, "", "float32 float64 reference False"),
        ({}, "floatX=float64,linker=cvm", "float64 float64 llvm False"),
        ({"THEANORC": str(two)}, "", "float64 float64 llvm True"),
        ({"THEANORC": both}, "", "float32 float64 llvm True"),
        ({"THEANORC": ""}, excluding, "float64 float64 llvm True"),
    ):
        environment = {"HOME": str(tmp_path), **environment}
        assert run_python(PROGRAM, flags=flags, environment=environment) == wanted


def test_warn_float64():
    with change_flags(warn_float64="warn"), pytest.warns(UserWarning, match="variable is made at"):
        one = T.dvector()
    other = T.fvector()
    with change_flags(warn_float64="raise"):
        function([one, other], [one, other * 2.0])
        with pytest.raises(Exception, match="A float64 variable is made"):
            other + one


def test_warn_float64_while_the_package_is_imported():
    program = """
        import theano, theano.tensor as T, theano.sparse, theano.tensor.nnet, theano.tensor.slinalg
        x = T.fmatrix("x")
        f = theano.function([x], T.nnet.softmax(x).sum())
        print(f([[1, 2]]))
        try:
            T.dvector()
        except Exception as error:
            print(error.args[0].split(",")[0])
    """
    # The line is the user's.
    made = 'A float64 variable is made at File "<string>"'
    assert run_python(program, flags="floatX=float32,warn_float64=raise") == f"1.0\n{made}"
