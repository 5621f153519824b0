"""The garbage collector is paused, and as it was afterwards."""

import gc

import pytest

from support.processes import run_python
from theano._core.base import gc_pause
from theano._core.base.gc_pause import paused_collector


@pytest.mark.parametrize("all_stays", [False, True])
def test_the_collector_is_as_it_was(all_stays):
    assert gc.isenabled()
    with paused_collector(all_stays):
        assert not gc.isenabled()
        with paused_collector(all_stays):
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), paused_collector(all_stays):
        raise ZeroDivisionError
    assert gc.isenabled()
    assert not gc.get_freeze_count()


def is_of_generation(made, generation):
    return any(one is made for one in gc.get_objects(generation=generation))


def test_what_stays_is_old_at_once():
    with paused_collector(all_stays=True):
        made = [[]]
    assert not is_of_generation(made, 0) and is_of_generation(made, 2)


def test_so_many_objects_are_old_at_once_and_no_more(monkeypatch):
    def is_old():
        with paused_collector():
            made = [[] for _ in range(1000)]
        return all(is_of_generation(one, 2) for one in made[:3])

    gc.collect()
    monkeypatch.setattr(gc_pause, "_made_old", 0)
    monkeypatch.setattr(gc_pause, "MOST_OLD", 1900)
    assert is_old()
    assert not is_old()


def test_what_a_program_has_frozen_stays_frozen():
    run_python("""
        import gc
        import numpy
        gc.freeze()
        frozen = gc.get_freeze_count()
        import theano
        assert gc.get_freeze_count() >= frozen - 100 > 1000
    """)
