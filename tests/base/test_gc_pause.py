"""The garbage collector is paused, and as it was afterwards."""

import gc
import subprocess
import sys

import pytest

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


def test_what_stays_is_old_at_once():
    class Cycle:
        pass

    with paused_collector(all_stays=True):
        made = Cycle()
    assert not any(one is made for one in gc.get_objects(generation=0))
    assert any(one is made for one in gc.get_objects(generation=2))


def test_what_a_program_has_frozen_stays_frozen():
    program = """
import gc
import numpy
gc.freeze()
frozen = gc.get_freeze_count()
import theano
assert gc.get_freeze_count() >= frozen - 100 > 1000
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
