"""Programs that ask whether there is a GPU are told that there is none."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

import theano
import theano.tensor as T


def test_answers():
    import theano.gpuarray
    import theano.sandbox.cuda
    from theano.gpuarray import dnn
    from theano.sandbox.cuda.dnn import dnn_available

    assert theano.gpuarray.pygpu_activated is False
    assert theano.gpuarray.pygpu is None
    assert theano.sandbox.cuda.cuda_available is theano.sandbox.cuda.cuda_enabled is False
    assert dnn.dnn_available() is dnn_available() is dnn.dnn_present() is False
    assert "mode='JAX'" in dnn.dnn_available.msg
    theano.gpuarray.use("cpu")
    with pytest.raises(EnvironmentError, match="device 'cuda0': there is no GPU back end"):
        theano.gpuarray.use("cuda0")


def test_what_old_programs_import_to_leave_the_gpu():
    from theano.sandbox.cuda import CudaNdarray, filter as type_support_filter, unuse

    unuse()
    with pytest.raises(NotImplementedError, match="filter: there is no GPU back end"):
        type_support_filter(np.ones(3), (False,), False, None)
    assert not isinstance(np.ones(3), CudaNdarray)


def test_names_explain_themselves():
    from theano.gpuarray.basic_ops import GpuKernelBase, gpu_contiguous
    from theano.gpuarray.type import GpuArrayType

    x = T.vector()
    assert not isinstance(x.type, GpuArrayType)
    with pytest.raises(NotImplementedError, match="gpu_contiguous: there is no GPU back end"):
        gpu_contiguous(x)

    class Kernel(GpuKernelBase, theano.Op):
        pass

    with pytest.raises(NotImplementedError, match="GpuKernelBase"):
        Kernel()
    with pytest.raises(AttributeError):
        theano.gpuarray.no_such_name  # noqa: B018


def test_asking_for_a_device_warns():
    code = "import theano, theano.tensor as T; print(T.exp(0.).eval(), theano.config.device)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"THEANO_FLAGS": "device=cuda", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["1.0", "cuda"]
    assert run.stderr.count("there is no GPU back end") == 1


@pytest.mark.parametrize(
    "path",
    [
        "theano.gpuarray.blas.GpuCorr3dMM",
        "theano.gpuarray.dnn.RNNBlock",
        "theano.gpuarray.dnn.GpuDnnReduction",
        "theano.gpuarray.extra_ops.GpuCumOp",
        "theano.gpuarray.opt.GpuGemmBatch",
        "theano.gpuarray.sort.GpuTopKOp",
        "theano.gpuarray.type.GpuArraySharedVariable",
        "theano.sandbox.cuda.CudaNdarraySharedVariable",
        "theano.sandbox.cuda.dnn.dnn_batch_normalization_train",
    ],
)
def test_programs_ask_whether_something_is_of_a_gpu(path):
    module, _, name = path.rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    if name[0].isupper():
        assert not isinstance(theano.shared(1.0), kind)
    with pytest.raises(NotImplementedError, match=f"{name}: there is no GPU back end"):
        kind()
    with pytest.raises(AttributeError):
        importlib.import_module(module).gqu  # noqa: B018
