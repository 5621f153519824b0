"""Modules of Theano 1.0.5 that are not documented surface, but that old programs import."""

from __future__ import annotations

import importlib

import pytest

import theano
from theano._core.legacy.paths import MODULES


@pytest.mark.parametrize("path", list(MODULES))
def test_module(path: str) -> None:
    module = importlib.import_module(path)
    assert all(hasattr(module, name) for name in MODULES[path])


def test_objects_are_those_of_the_engine() -> None:
    from theano.compile import SharedVariable
    from theano.gof.graph import Variable

    assert Variable is theano.Variable
    assert isinstance(theano.shared(1.0), SharedVariable)
    assert theano.gof.Apply is theano.Apply
    assert theano.compile.sharedvalue.shared is theano.shared


def test_what_is_not_there() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = theano.nonsense
    with pytest.raises(ImportError):
        importlib.import_module("theano.gof.nonsense")


def test_modules_within_packages_need_no_import() -> None:
    assert theano.compile.mode.get_mode is theano.compile.get_mode
    with pytest.raises(AttributeError, match="nonsense"):
        _ = theano.compile.nonsense


def test_functions_stay_what_they_are() -> None:
    from theano.scan_module.scan import scan
    from theano.tensor.var import TensorVariable

    assert isinstance(theano.tensor.var(theano.tensor.dvector()), TensorVariable)
    assert theano.scan_module.scan is scan is theano.scan
