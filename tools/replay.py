"""Compile many functions at two commits, and compare what came of them.

    python tools/replay.py COMMIT                compares a commit with this checkout
    python tools/replay.py record FILE           writes what becomes of the functions here
    python tools/replay.py compare FILE FILE     compares two such files

Of each function in `replay_corpus.py` it keeps the text of every LLVM module, how many calls of the
runtime's functions the text of the program has, the bits of the results for arguments in several
layouts (or the error), and times: of a compilation in an empty cache (`cold`) and with the code of
all modules in memory (`warm`), in CPU seconds, and of a call. A file ending in .gz is compressed.

A round is a process of its own, with one thread and a cache of its own; two commits take turns. A
time is the least of all rounds. `--only PATTERN` takes the functions whose names it is found in,
`--parts updates,loops` those parts of the corpus, `--text` prints how texts differ. Files named
behind a commit keep the two records. The exit status is 1 if a result differs.
"""

from __future__ import annotations

import argparse
import copy
import difflib
import gc
import gzip
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from build_tree import build_tree, import_from

ROOT = Path(__file__).resolve().parent.parent
TIMES = {"cold": "compile, cold", "warm": "compile, warm", "call": "call"}
# Differences of times below these seconds are noise.
LEAST = {"cold": 5e-4, "warm": 2e-4, "call": 1e-7}
# So is a smaller change than this.
NOISE = 0.1
Record = dict[str, Any]

# -- what is seen of the engine --------------------------------------------------------------------


def watch(seen: list[str]) -> None:
    """Have the text of each LLVM module added to `seen` whenever its code is asked for.

    This and `runtime_names` are all that is known here of the inside of the engine.
    """
    try:
        from theano._core.lower.llvm.target import machine

        place, name = machine, "load"
        original = machine.load
    except (ImportError, AttributeError):
        # Seen once each, when LLVM reads it: not where a function has the module of another one.
        import llvmlite.binding as llvm

        place, name = llvm, "parse_assembly"
        original = llvm.parse_assembly

    def noted(text: str, *rest: Any, **options: Any) -> Any:
        seen.append(text)
        return original(text, *rest, **options)

    setattr(place, name, noted)
    if hasattr(place, "load_kernel"):
        of_kernel = place.load_kernel

        def noted_kernel(kernel: Any, *rest: Any) -> Any:
            before = len(seen)
            code = of_kernel(kernel, *rest)
            if len(seen) == before:
                # The module of an equal kernel.
                seen.append(kernel.text)
            return code

        place.load_kernel = noted_kernel


def runtime_names() -> dict[int, str]:
    """Return the names of the runtime's functions, as far as they are known."""
    try:
        from theano._core.lower.program import RUNTIME
    except ImportError:
        pass
    else:
        return dict(enumerate(RUNTIME))
    try:
        # Where it was before programs were data.
        from theano._core.lower.llvm.entry import RUNTIME as NUMBERS
    except ImportError:
        return {}
    return {number: name for name, number in NUMBERS.items()}


def is_entry(text: str) -> bool:
    """Tell whether a module is that of a program, not of a kernel."""
    return "@entry(" in text


def runtime_calls(text: str, names: dict[int, str]) -> dict[str, int]:
    """Return how often the text of a program calls each of the runtime's functions.

    They are followed by what the binary interface says: the first word of a call is the address of
    the table. Registers that pieces of a program share have the same names in all of them.
    """
    tables = set(re.findall(r"(%[\w.]+) = load ptr, ptr %call\b", text))
    places, functions = dict.fromkeys(tables, 0), {}
    for name, base, number in re.findall(
        r"(%[\w.]+) = getelementptr ptr, ptr (%[\w.]+), i64 (\d+)", text
    ):
        if base in tables:
            places[name] = int(number)
    for name, place in re.findall(r"(%[\w.]+) = load ptr, ptr (%[\w.]+)", text):
        if place in places:
            functions[name] = names.get(places[place], f"function {places[place]}")
    # Failures are reported by functions of the text, which are given the runtime's.
    called = re.findall(r"\bcall \w+ (?:@fail\d+\(ptr %call, ptr )?(%[\w.]+)[(,]", text)
    return dict(sorted(Counter(functions[name] for name in called if name in functions).items()))


# -- recording -------------------------------------------------------------------------------------


class Recorder:
    """Compiles and calls functions, and keeps what is to be compared.

    Parameters
    ----------
    pattern : str
        A regular expression that is found in the names of those that count.
    """

    def __init__(self, pattern: str = "") -> None:
        import theano

        self.pattern = re.compile(pattern)
        self.functions: dict[str, Record] = {}
        self.texts: dict[str, str] = {}
        self.missing: list[str] = []
        self.seen: list[str] = []
        self.names = runtime_names()
        # Benchmarks get another one.
        self.function = theano.function
        watch(self.seen)

    def add(self, name: str, make: Callable[[], Any]) -> None:
        """Compile and call what `make` returns."""
        if not self.pattern.search(name):
            return
        record = self.functions[name] = {}
        try:
            function = make()
            compiled = self.compile(record, function)
        except Exception as error:
            record["results"] = {"compilation": said(error)}
            return
        self.run(record, compiled, function)

    def compile(self, record: Record, function: Any) -> Any:
        """Compile a function, and then again with its code in memory; return it."""

        def compiled() -> Any:
            return self.function(function.inputs, function.outputs, **options)

        options = {"on_unused_input": "ignore", **function.options}
        del self.seen[:]
        record["cold"], result = cpu_seconds(compiled)
        record["eager"] = self.kept(text for text in self.seen if not is_entry(text))
        entries = [text for text in self.seen if is_entry(text)]
        record["entry"] = self.kept(entries)
        record["calls"] = runtime_calls("".join(entries), self.names)
        record["warm"] = min(cpu_seconds(compiled)[0] for _ in range(3))
        del self.seen[:]
        return result

    def kept(self, texts: Any) -> list[str]:
        """Keep texts; return their hashes, each once."""
        found = {hashlib.sha256(text.encode()).hexdigest()[:16]: text for text in texts}
        self.texts.update(found)
        return list(found)

    def run(self, record: Record, compiled: Any, function: Any) -> None:
        """Call a function in each layout of its arguments, always from the same state."""
        with kept_state(function) as (restore, state):
            record["results"] = results = {}
            for layout, arguments in layouts(function.arguments):
                restore()
                try:
                    returned = compiled(*arguments)
                    results[layout] = [*digests(returned), *digests(state())]
                except Exception as error:
                    results[layout] = [*said(error), *digests(state())]
            record["on demand"] = self.kept(text for text in self.seen if not is_entry(text))
            restore()
            # What raises is among the results.
            with suppress(Exception):
                record["call"] = call_seconds(compiled, function.arguments)


@contextmanager
def kept_state(function: Any) -> Iterator[tuple[Callable[[], None], Callable[[], list[Any]]]]:
    """Give what puts the shared variables of a function back, and what returns their values."""
    from theano.gof.graph import inputs

    outputs = function.outputs if isinstance(function.outputs, list) else [function.outputs]
    new = dict(function.options.get("updates") or {})
    leaves = [*inputs([v for v in (*outputs, *new.values()) if hasattr(v, "owner")]), *new]
    shared = list(dict.fromkeys(v for v in leaves if hasattr(v, "get_value")))
    kept = [copy.deepcopy(v.get_value()) for v in shared]

    def restore() -> None:
        for variable, value in zip(shared, kept, strict=True):
            variable.set_value(copy.deepcopy(value))

    yield restore, lambda: [v.get_value() for v in shared]
    restore()


def layouts(arguments: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Give arguments as they are, with gaps between items, and with axes the other way round."""
    yield "given", list(arguments)
    if any(np.ndim(a) for a in arguments):
        yield "strided", [strided(a) if np.ndim(a) else a for a in arguments]
    if any(np.ndim(a) > 1 for a in arguments):
        yield "turned", [np.asfortranarray(a) if np.ndim(a) > 1 else a for a in arguments]


def strided(array: np.ndarray) -> np.ndarray:
    """Return a copy whose items do not lie side by side."""
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def digests(value: Any) -> list[str]:
    """Return what tells results apart: dtype, shape and bits."""
    if isinstance(value, (list, tuple)):
        return [text for one in value for text in digests(one)]
    if isinstance(value, np.random.RandomState):
        return digests([np.asarray(part) for part in value.get_state()])
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        bits = hashlib.sha256(array.tobytes()).hexdigest()[:16]
        return [f"{array.dtype} {array.shape} {bits}"]
    return [plain(repr(value))]


def said(error: BaseException) -> list[str]:
    """Return the type and the text of an error."""
    return [f"{type(error).__name__}: {plain(str(error))}"]


def plain(text: str) -> str:
    """Return a text without addresses and places, which differ from process to process."""
    import theano

    text = text.replace(str(ROOT), "").replace(str(Path(theano.__file__).parents[1]), "")
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def cpu_seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU seconds of a call of any number of threads, and its result."""
    gc.disable()
    try:
        start = time.process_time()
        result = call()
        return time.process_time() - start, result
    finally:
        gc.enable()


def call_seconds(call: Callable[..., Any], arguments: Sequence[Any]) -> float:
    """Return the least seconds of one call."""
    count, best = 1, math.inf
    for _ in range(24):
        steps = range(count)
        start = time.perf_counter()
        for _ in steps:
            call(*arguments)
        spent = time.perf_counter() - start
        best = min(best, spent / count)
        if spent > 0.01:
            break
        if spent < 2e-4:
            count *= 2
    return best


def record_here(pattern: str, parts: Sequence[str] = ()) -> Record:
    """Compile and call functions of some parts (default: all) here; return the record."""
    import theano
    import theano.tensor as T

    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    if "cache_programs" in theano.config.settings():
        # Each function is to be made, and not to be found.
        theano.config.cache_programs = False
    # What a process does once is not the first function's.
    x = T.dvector()
    theano.function([x], T.exp(x))([1.0])
    import replay_corpus as corpus

    recorder = Recorder(pattern)
    # The tables are many objects, which the collector need not walk through again and again.
    gc.freeze()
    known = {part.__name__: record_part(recorder, part) for part in corpus.PARTS}
    known["benchmarks"] = lambda: record_benchmarks(recorder)
    for name in parts or known:
        if name not in known:
            raise SystemExit(f"no part is named {name!r}; there are {', '.join(known)}")
        known[name]()
    if not recorder.functions:
        raise SystemExit(f"no function was found that is named like {pattern!r}")
    return {
        "theano": str(Path(theano.__file__).parent),
        "numpy": np.__version__,
        "python": sys.version.split()[0],
        "missing": recorder.missing,
        "functions": recorder.functions,
        "texts": recorder.texts,
    }


def record_part(recorder: Recorder, part: Callable[[], Any]) -> Callable[[], None]:
    """Return what records the functions of a part."""

    def record() -> None:
        try:
            for name, make in part():
                recorder.add(f"{part.__name__}: {name}", make)
        except Exception as error:
            recorder.missing.append(f"{part.__name__} ({type(error).__name__}: {error})")

    return record


def record_benchmarks(recorder: Recorder) -> None:
    """Record the functions of the benchmarks."""
    import replay_corpus as corpus

    for name in corpus.BENCHMARKS:
        if recorder.pattern.search(f"benchmarks: {name}"):
            try:
                corpus.run_benchmark(name, partial(benchmark, recorder))
            except Exception as error:
                recorder.missing.append(f"benchmark {name} ({type(error).__name__}: {error})")


def benchmark(recorder: Recorder, name: str, inputs: Any, outputs: Any, options: Any) -> Any:
    """Return a function of a benchmark, which is recorded now and when it is first called."""
    from replay_corpus import Function

    function = Function(inputs, outputs, (), options)
    record = recorder.functions[f"benchmarks: {name}"] = {}
    compiled = recorder.compile(record, function)

    def call(*arguments: Any) -> Any:
        if "results" not in record:
            del recorder.seen[:]
            recorder.run(record, compiled, function._replace(arguments=arguments))
        return compiled(*arguments)

    return call


# -- rounds ----------------------------------------------------------------------------------------


def one_round(tree: str, which: Sequence[str]) -> Record:
    """Return the record of a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "record.json"
        flags = [os.environ.get("THEANO_FLAGS", ""), f"base_compiledir={folder}/cache"]
        environ = {
            **os.environ,
            "THEANO_FLAGS": ",".join(filter(None, flags)),
            "PYTHONHASHSEED": "0",
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
        }
        command = [sys.executable, __file__, "once", str(out), "--tree", tree, *which]
        # What it prints says why.
        if status := subprocess.run(command, env=environ, check=False).returncode:
            raise SystemExit(status)
        return read(out)


def merged(rounds: Sequence[Record]) -> Record:
    """Return the record of several rounds: all times, and what else differs between them."""
    result = copy.deepcopy(rounds[0])
    for one in rounds[1:]:
        result["texts"].update(one["texts"])
    for name, record in result["functions"].items():
        records = [one["functions"].get(name, {}) for one in rounds]
        for key in TIMES:
            if key in record:
                record[key] = [one[key] for one in records if key in one]
        facts = [{k: v for k, v in one.items() if k not in TIMES} for one in records]
        keys = {key for one in facts for key in one}
        record["unstable"] = sorted(
            key for key in keys if any(one.get(key) != facts[0].get(key) for one in facts)
        )
    return result


def record_all(trees: Sequence[str], which: Sequence[str], rounds: int) -> list[Record]:
    """Return the record of each tree; they take turns."""
    found: list[list[Record]] = [[] for _ in trees]
    for number in range(rounds):
        for records, tree in zip(found, trees, strict=True):
            print(f"round {number + 1} of {rounds}: {tree or 'as installed'}", file=sys.stderr)
            records.append(one_round(tree, which))
    return [merged(records) for records in found]


def read(path: Path) -> Record:
    """Return what a file records."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as file:
        return json.load(file)


def write(path: Path, record: Record) -> None:
    """Write a record to a file."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt") as file:
        json.dump(record, file)


# -- comparing -------------------------------------------------------------------------------------


def lines_of(record: Record, hashes: Sequence[str]) -> list[str]:
    """Return the lines of texts."""
    return "".join(record["texts"][one] for one in hashes).splitlines()


def facts_that_differ(name: str, one: Record, two: Record, with_text: bool) -> Iterator[str]:
    """Give a line for each fact of a function that differs."""
    old, new = one["functions"][name], two["functions"][name]
    for key in ("entry", "eager", "on demand"):
        before, after = old.get(key, []), new.get(key, [])
        if before == after:
            continue
        gone, come = len(set(before) - set(after)), len(set(after) - set(before))
        texts = lines_of(one, before), lines_of(two, after)
        kind = "program" if key == "entry" else f"kernels ({key})"
        what = f"{gone} of {len(before)} gone, {come} of {len(after)} new, "
        what = "" if key == "entry" else what if gone or come else "in another order, "
        yield f"{kind}: {what}{len(texts[0])} lines → {len(texts[1])}"
        if with_text:
            yield from difflib.unified_diff(*texts, lineterm="", n=2)
    before, after = old.get("calls", {}), new.get("calls", {})
    for called in sorted({*before, *after}):
        if before.get(called, 0) != after.get(called, 0):
            yield f"calls of {called}: {before.get(called, 0)} → {after.get(called, 0)}"


def results_that_differ(old: Record, new: Record) -> Iterator[str]:
    """Give a line for each result of a function that differs."""
    before, after = old.get("results", {}), new.get("results", {})
    for layout in sorted({*before, *after}):
        if before.get(layout) != after.get(layout):
            one, two = before.get(layout, ["none"]), after.get(layout, ["none"])
            pairs = [(a, b) for a, b in zip(one, two, strict=False) if a != b]
            a, b = pairs[0] if pairs else (f"{len(one)} results", f"{len(two)} results")
            yield f"RESULTS DIFFER, {layout}: {a} → {b}"


def times_that_differ(old: Record, new: Record) -> Iterator[str]:
    """Give a line for each time that differs by more than noise: no round is as the others were."""
    for key, name in TIMES.items():
        a, b = old.get(key), new.get(key)
        # One round does not tell what is noise.
        if not a or not b or min(len(a), len(b)) < 2 or abs(min(a) - min(b)) < LEAST[key]:
            continue
        ratio = min(b) / min(a)
        apart = max(a) < min(b) or max(b) < min(a)
        if apart and not 1 - NOISE < ratio < 1 + NOISE:
            yield f"{name}: {1e3 * min(a):.4g} ms → {1e3 * min(b):.4g} ms ({ratio:.2f})"


def compare(one: Record, two: Record, with_text: bool = False) -> int:
    """Print how two records differ; return how many functions have other results."""
    counts: Counter[str] = Counter()
    names = [name for name in one["functions"] if name in two["functions"]]
    for name in names:
        old, new = one["functions"][name], two["functions"][name]
        kinds = {
            "text": list(facts_that_differ(name, one, two, with_text)),
            "results": list(results_that_differ(old, new)),
            "times": list(times_that_differ(old, new)),
            "unstable": [
                f"{key} differs from round to round, {where}"
                for where, record in (("before", old), ("after", new))
                for key in record.get("unstable", ())
            ],
        }
        counts.update(kind for kind, lines in kinds.items() if lines)
        lines = [line for each in kinds.values() for line in each]
        print("\n    ".join([name, *lines]) + "\n" if lines else "", end="")
    text = ", ".join(f"{counts[kind]} with other {kind}" for kind in ("text", "results", "times"))
    print(f"\n{len(names)} functions: {text}, {counts['unstable']} unstable.")
    for where, a, b in (("before", one, two), ("after", two, one)):
        alone = [name for name in a["functions"] if name not in b["functions"]]
        if alone:
            print(f"Only {where}: {len(alone)}, such as {', '.join(alone[:3])}.")
        for part in a.get("missing", ()):
            print(f"Left out {where}: {part}.")
    for key, label in TIMES.items():
        pairs = [[each["functions"][n].get(key) for each in (one, two)] for n in names]
        print_times(label, pairs)
    return counts["results"]


def print_times(label: str, pairs: Sequence[Sequence[Any]]) -> None:
    """Print the sum of the least times, and the mean of their ratios."""
    known = [(min(a), min(b)) for a, b in pairs if a and b]
    if known:
        before, after = (sum(each) for each in zip(*known, strict=True))
        ratio = math.exp(sum(math.log(b / a) for a, b in known) / len(known))
        print(f"{label}: {before:.4g} s → {after:.4g} s in all, mean ratio {ratio:.3f}.")


# -- commands --------------------------------------------------------------------------------------


def against(commit: str, which: Sequence[str], rounds: int) -> list[Record]:
    """Return the records of a commit and of this checkout."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", source, commit], check=True)
        try:
            trees = [
                build_tree(source, Path(folder)),
                build_tree(ROOT, Path(sys.prefix) / "replay"),
            ]
            return record_all([str(tree) for tree in trees], which, rounds)
        finally:
            subprocess.run([*git, "remove", "--force", source], check=True)


def main(arguments: Sequence[str]) -> int:
    """Run a command; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", help="a commit, or record, or compare")
    parser.add_argument("files", nargs="*", type=Path, help="where records are, or go")
    parser.add_argument("--only", default="", metavar="PATTERN", help="of names of functions")
    parser.add_argument("--parts", default="", metavar="NAMES", help="of the corpus, with commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--text", action="store_true", help="print how texts differ")
    parser.add_argument("--tree", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    wanted = {"record": 1, "once": 1, "compare": 2}.get(asked.command)
    if wanted not in (None, len(asked.files)):
        parser.error(f"{asked.command} takes {wanted} file(s)")
    if asked.command == "once":
        if asked.tree:
            import_from(asked.tree)
        write(asked.files[0], record_here(asked.only, [*filter(None, asked.parts.split(","))]))
        return 0
    which = ["--only", asked.only, "--parts", asked.parts]
    if asked.command == "record":
        write(asked.files[0], record_all([asked.tree], which, asked.rounds)[0])
        return 0
    if asked.command == "compare":
        records = [read(path) for path in asked.files]
    else:
        records = against(asked.command, which, asked.rounds)
        for path, record in zip(asked.files, records, strict=False):
            write(path, record)
    return 1 if compare(*records, asked.text) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
