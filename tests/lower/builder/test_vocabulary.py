"""Words of the builder that are read when they are first said, and what classes derive from."""

import importlib
import pkgutil

import pytest

from support.processes import run_python
from theano._core import lower
from theano._core.lower.builder import vocabulary
from theano._core.lower.builder.vocabulary import Builder


@pytest.mark.parametrize(("word", "module"), vocabulary._MODULE_OF.items())
def test_each_word_is_in_the_module_that_the_table_names(word, module):
    held = importlib.import_module(f"theano._core.lower.builder.{module}")
    builder = Builder.__new__(Builder)
    assert getattr(builder, word).__func__ is getattr(held, word)


def test_no_word_is_said_in_two_ways():
    said = [word for words in vocabulary._SELDOM.values() for word in words.split()]
    assert len(said) == len(set(said))
    assert not set(said) & {name for base in Builder.__mro__[1:] for name in vars(base)}


def test_an_unknown_word_is_an_error_that_names_it():
    with pytest.raises(AttributeError, match="no word 'fly'"):
        Builder.__new__(Builder).fly  # noqa: B018


def test_a_small_program_reads_none_of_their_modules(tmp_path):
    program = f"""
        import sys, theano, theano.tensor as T
        x = T.dvector()
        theano.function([x], x * 2 + 1)
        seldom = {{"theano._core.lower.builder." + m for m in {[*vocabulary._SELDOM]}}}
        assert "theano._core.lower.builder.program" in sys.modules
        assert not sys.modules.keys() & seldom
    """
    run_python(program, flags=f"base_compiledir={tmp_path}")


def test_no_class_has_more_than_two_ancestors_here():
    modules = pkgutil.walk_packages(lower.__path__, f"{lower.__name__}.")
    names = [m.name for m in modules if ".jax" not in m.name]
    held = [c for name in names for c in vars(importlib.import_module(name)).values()]
    classes = {c for c in held if isinstance(c, type) and c.__module__ in names}
    assert len(classes) > 100
    for c in classes:
        above = [a.__name__ for a in c.__mro__[1:] if a.__module__.startswith(lower.__name__)]
        assert len(above) <= 2, (c.__name__, above)
