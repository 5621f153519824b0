"""What old programs find where Theano had its GPU back ends: that there is none, and what to do.

`pygpu_activated` and their kind are False, so that programs take the way that they have for
processors. Every other name is a class or a function that explains itself when it is used.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

from theano._core.base.settings import config
from theano._core.legacy.refused import stand_in

ADVICE = (
    "there is no GPU back end of Theano's own. Functions of this program run natively on the "
    "processor; theano.function(..., mode='JAX') runs them on a GPU if JAX is installed for it"
)

# Beginnings of the names of what ran on GPUs: in modules for those, each of them is one.
KINDS = re.compile("(Base|C)?Gpu|GPUA|gpu|dnn_|Dnn|RNNBlock|CudaNdarray|cuda_ndarray")
pygpu_activated = cuda_available = cuda_enabled = False
# The module that it would be.
pygpu = None


def dnn_available(context_name: object = None) -> bool:
    """Return that there is no cuDNN here."""
    return False


def dnn_present() -> bool:
    """Return that there is no cuDNN here."""
    return False


dnn_available.msg = dnn_present.msg = dnn_present.avail = ADVICE  # type: ignore[attr-defined]
dnn_present.avail = False  # type: ignore[attr-defined]


def use(device: object, *args: object, **options: object) -> None:
    """Do nothing for a processor.

    Raises
    ------
    EnvironmentError
        `device` is something else.
    """
    if not str(device).startswith("cpu"):
        raise OSError(f"device {device!r}: {ADVICE}")


def unuse() -> None:
    """Do nothing: no device is in use."""


def warn_of_device() -> None:
    """Warn if the settings ask for a device that is no processor."""
    if config.device.startswith("cuda"):
        warnings.warn(f"device={config.device}: {ADVICE}", stacklevel=2)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return globals().setdefault(name, stand_in(name, ADVICE))
