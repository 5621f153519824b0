"""Programs that ask whether there is a GPU are told that there is none."""

import importlib

import numpy as np
import pytest

import theano
import theano.gpuarray
import theano.sandbox.cuda
import theano.tensor as T
from support.errors import refused
from support.processes import run_python
from theano.gpuarray import dnn
from theano.gpuarray.basic_ops import GpuKernelBase
from theano.gpuarray.type import GpuArrayType
from theano.sandbox import cuda


def test_answers():
    assert theano.gpuarray.pygpu_activated is False and theano.gpuarray.pygpu is None
    assert cuda.cuda_available is cuda.cuda_enabled is False
    assert dnn.dnn_available() is cuda.dnn.dnn_available() is dnn.dnn_present() is False
    assert "mode='JAX'" in dnn.dnn_available.msg
    theano.gpuarray.use("cpu")
    with refused(EnvironmentError, "device 'cuda0': there is no GPU back end"):
        theano.gpuarray.use("cuda0")
    # What old programs import to leave the GPU.
    cuda.unuse()
    with refused(NotImplementedError, "filter: there is no GPU back end"):
        cuda.filter(np.ones(3), (False,), False, None)


def test_asking_for_a_device_warns():
    code = """
        import sys; sys.stderr = sys.stdout
        import theano, theano.tensor as T
        print(T.exp(0.).eval(), theano.config.device)
    """
    printed = run_python(code, flags="device=cuda", environment={"PATH": ""})
    assert printed.endswith("1.0 cuda") and printed.count("there is no GPU back end") == 1


@pytest.mark.parametrize(
    "path",
    [
        "theano.gpuarray.basic_ops.gpu_contiguous",
        "theano.gpuarray.blas.GpuCorr3dMM",
        "theano.gpuarray.dnn.RNNBlock",
        "theano.gpuarray.dnn.GpuDnnReduction",
        "theano.gpuarray.extra_ops.GpuCumOp",
        "theano.gpuarray.opt.GpuGemmBatch",
        "theano.gpuarray.sort.GpuTopKOp",
        "theano.gpuarray.type.GpuArraySharedVariable",
        "theano.sandbox.cuda.CudaNdarray",
        "theano.sandbox.cuda.CudaNdarraySharedVariable",
        "theano.sandbox.cuda.dnn.dnn_batch_normalization_train",
    ],
)
def test_names_of_a_gpu_explain_themselves(path):
    module, _, name = path.rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    if name[0].isupper():
        assert not isinstance(theano.shared(1.0), kind) and not isinstance(np.ones(3), kind)
    with refused(NotImplementedError, f"{name}: there is no GPU back end"):
        kind()
    with pytest.raises(AttributeError):
        importlib.import_module(module).gqu  # noqa: B018


def test_classes_of_a_gpu_can_be_derived_from_and_asked_for():
    assert not isinstance(T.vector().type, GpuArrayType)
    kernel = type("Kernel", (GpuKernelBase, theano.Op), {})
    with refused(NotImplementedError, "GpuKernelBase"):
        kernel()
