"""Several kernels compiled as one module."""

from collections import OrderedDict

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano._core.compile import programs
from theano._core.lower.llvm.target import joint, machine
from theano._core.lower.llvm.target.codegen import compile_text
from theano._core.runtime import native
from theano._core.runtime.cache import CompileCache

LOAD = "declare i64 @llvm.smin.i64(i64, i64)"


def text(value, *others):
    body = f"define void @kernel(ptr %x) {{\nentry:\n  store i64 {value}, ptr %x\n  ret void\n}}\n"
    return body + "".join(f"{other}\n" for other in others)


def test_functions_are_told_apart_and_what_they_share_is_there_once():
    helper = "define internal void @helper() {\n  ret void\n}"
    constant = "@constant.8 = private unnamed_addr constant i64 1, align 32"
    whole = joint.joined([text(1, constant, LOAD), text(2, helper, constant, LOAD)])
    assert whole is not None
    assert whole.count("declare") == whole.count("@helper") == whole.count("@constant.8 =") == 1
    code = native.load_object(compile_text(whole, 256))
    assert code.address("kernel0") != code.address("kernel1")


HELPERS = [f"define internal i{n} @helper() {{\n  ret i{n} 1\n}}" for n in (32, 64)]
CONSTANTS = ["@constant.8 = private constant i64 1", "@constant.8 = constant i64 2"]
APART = {
    "a name that is two constants": [text(1, CONSTANTS[0]), text(2, CONSTANTS[1])],
    "a name that is two functions": [text(1, HELPERS[0]), text(2, HELPERS[1])],
    "metadata": [text(1), text(2, "!0 = !{}")],
    "another effort": [text(1), "; little effort\n" + text(2)],
    "another function": [text(1), "define i32 @f() {\n  ret i32 1\n}\n"],
}


@pytest.mark.parametrize("texts", APART.values(), ids=APART)
def test_what_is_not_known_to_fit_together_stays_apart(texts):
    assert joint.joined(texts) is None
    places = {}
    jobs = [(str(i), t) for i, t in enumerate(texts)]
    assert [*joint.in_groups(iter(jobs), 2, lambda t: "key", places)] == jobs
    assert not places


def test_each_of_several_threads_has_four_modules_or_more():
    assert [joint.size_of_groups(n, 2) for n in (1, 15, 16, 24, 100)] == [1, 1, 2, 3, 6]
    assert joint.size_of_groups(2, 1) == 6
    assert joint.size_of_groups(37, 2) == 4
    assert joint.size_of_groups(37, 64) == 1


def test_kernels_of_one_module_are_found_by_their_own_keys(monkeypatch, tmp_path):
    """Also by a later process, and compiled anew where the module is kept no more."""
    kept = CompileCache(str(tmp_path))
    monkeypatch.setattr(machine, "cache", lambda: kept)
    monkeypatch.setattr(native, "get_threads", lambda: 1)
    x = T.dmatrix("x")
    outs = [T.exp(x).sum(axis=0), T.sin(x).sum(axis=1), T.tanh(x).max(axis=0), x.sum(), x.min()]
    outs += [T.sort(x, axis=0)[0] * 2, T.log(x).T.cumsum(axis=0) + 1, (x * x).sum(axis=1)]
    outs += [T.cos(x).prod(axis=0), T.exp(-x).argmax(axis=1), (x > 0).any(axis=0), x[::-1] - 1]
    value = np.random.RandomState(1).rand(5, 4) + 0.1

    def results():
        monkeypatch.setattr(machine, "_modules", OrderedDict())
        monkeypatch.setattr(programs, "_programs", OrderedDict())
        return theano.function([x], outs, mode="FAST_RUN")(value)

    def parts():
        found = (kept.get(key) or b"" for _, _, key in kept.entries())
        return [data for data in found if data.startswith(machine.PART)]

    first = results()
    assert len(parts()) > 3
    assert any(module.suffix for module in machine._modules.values())
    compiled = machine.Statistics.compiled
    warm = results()
    assert machine.Statistics.compiled == compiled
    for whole in {data[len(machine.PART) :][:64].decode() for data in parts()}:
        (tmp_path / f"{whole}.code").unlink()
    again = results()
    assert machine.Statistics.compiled > compiled
    for values in zip(first, warm, again, strict=True):
        for one in values[1:]:
            np.testing.assert_array_equal(one, values[0])
