"""Theano: array expressions, symbolic gradients, and one native function.

`theano.tensor` has the symbolic arrays, `theano.function` compiles expressions of them,
`theano.grad` differentiates, and `theano.shared` makes variables that keep a value between calls.
"""

import sys

from theano._core.base.gc_pause import paused_collector as _paused_collector

with _paused_collector(all_stays=True):
    from theano._core.api.variable import methods as _methods  # noqa: F401
    from theano._core.base.stubs import listed_in_stub as _listed_in_stub
    from theano._core.legacy import paths as _paths

    # What lower layers call of higher ones comes with these: see `ir/hooks.py`.
    _listed = _listed_in_stub(__name__, _paths.old_names, at_once=True)


def __getattr__(name: str) -> object:
    if name == "theano":
        # Old programs write `from theano import theano`.
        return sys.modules[__name__]
    return _listed(name)


_paths.install()
