"""The Python side of the C++ runtime.

`native` is the extension module: the loader of machine code, functions and their storage cells,
memory and threads. `cache` keeps machine code on disk. The binary interface of generated code is
`runtime/include/theano_runtime.h`.
"""

from theano._core.base.settings import config
from theano._core.runtime import native

config.watch("threads", native.set_threads)
