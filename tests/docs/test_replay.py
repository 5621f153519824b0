"""The tool that compares what becomes of functions at two commits sees what differs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "replay.py"
# Vectors and numbers, updates, a loop, and errors.
PATTERN = "float64 and int8|vector product|errors: (index|positions)|loops: two taps"
NAMES = {
    "errors: index",
    "errors: positions",
    "loops: two taps",
    "types: float64 and int8",
    "updates: vector product",
}


def replay(*arguments, **environ):
    command = [sys.executable, str(TOOL), *map(str, arguments)]
    done = subprocess.run(
        command, env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, done.stdout


def recorded(path, rounds, **environ):
    parts = ("--parts", "types,loops,updates,errors", "--only", PATTERN)
    replay("record", path, *parts, "--rounds", rounds, **environ)
    return path


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("replay") / "record.json", 2)


def test_what_is_recorded(record):
    content = json.loads(record.read_text())
    functions = content["functions"]
    assert set(functions) == NAMES
    assert content["missing"] == []
    for name, one in functions.items():
        assert one["unstable"] == []
        assert len(one["entry"]) == 1 and all(
            text in content["texts"] for text in (*one["entry"], *one["eager"], *one["on demand"])
        )
        # Two rounds, of which none takes no time.
        for key in ("cold", "warm", *(() if name.startswith("errors") else ("call",))):
            assert len(one[key]) == 2 and min(one[key]) > 0
    index, vector = functions["errors: index"], functions["updates: vector product"]
    assert "IndexError: index 20 is out of bounds" in index["results"]["given"][0]
    # Both products in one pass, whose sums are added to what is in the shared variable.
    calls = vector["calls"]
    assert calls["matrix_pass"] == calls["matmul"] == calls["commit"] == 1
    assert [text.split(") ")[0] for text in vector["results"]["given"]][-1] == "float64 (9,"
    sums = functions["types: float64 and int8"]
    assert set(sums["results"]) == {"given", "strided"}
    assert sums["eager"] and sums["on demand"]
    assert sums["results"]["given"] == sums["results"]["strided"]


def test_equal_records(record):
    status, text = replay("compare", record, record)
    assert status == 0
    assert "5 functions: 0 with other text, 0 with other results, 0 with other times" in text


def changed(path, change):
    content = json.loads(path.read_text())
    change(content["functions"], content["texts"])
    other = path.with_name("changed.json")
    other.write_text(json.dumps(content))
    return other


def test_a_result_that_differs(record):
    def change(functions, texts):
        results = functions["loops: two taps"]["results"]["turned"]
        results[0] = results[0][:-1] + ("1" if results[0][-1] == "0" else "0")

    status, text = replay("compare", record, changed(record, change))
    assert status == 1
    assert "loops: two taps\n    RESULTS DIFFER, turned: float64 " in text
    assert "0 with other text, 1 with other results" in text


def test_texts_calls_and_times_that_differ(record):
    def change(functions, texts):
        one = functions["updates: vector product"]
        text = texts[one["entry"][0]]
        texts["other"] = text + "; one line more\n"
        one["entry"] = ["other"]
        one["calls"]["alloc"] = one["calls"].get("alloc", 0) + 2
        functions["types: float64 and int8"]["cold"] = [9.0, 9.5]

    status, text = replay("compare", record, changed(record, change), "--text")
    assert status == 0
    assert "\n    +; one line more\n" in text
    assert "calls of alloc: " in text
    assert "types: float64 and int8\n    compile, cold: " in text
    assert "1 with other text, 0 with other results, 1 with other times" in text


def test_code_that_is_another(record, tmp_path):
    # Narrow vectors: the same bits by other kernels.
    flags = ",".join(filter(None, (os.environ.get("THEANO_FLAGS", ""), "vector_width=128")))
    other = recorded(tmp_path / "narrow.json.gz", 1, THEANO_FLAGS=flags)
    status, text = replay("compare", record, other)
    assert status == 0
    assert "types: float64 and int8\n    kernels (eager): 1 of 1 gone, 1 of 1 new" in text


def test_nothing_to_record(tmp_path):
    for arguments in (("--parts", "nope"), ("--parts", "errors", "--only", "nope")):
        command = [sys.executable, str(TOOL), "record", str(tmp_path / "x"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "no part is named 'nope'" in done.stderr or "named like 'nope'" in done.stderr
        assert "Traceback" not in done.stderr
