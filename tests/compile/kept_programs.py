"""Compile and call many functions, and write what became of them.

    python kept_programs.py FILE PART...

The parts are those of `tools/replay_corpus.py`. Run twice with one compile cache, the second run
finds the programs of the first.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import replay
import replay_corpus as corpus

import theano


def outcome(function):
    """Return what a function returns or raises, and how it came about."""
    options = {"on_unused_input": "ignore", **function.options}
    try:
        compiled = theano.function(function.inputs, function.outputs, **options)
    except Exception as error:
        return {"compilation": replay.said(error)}
    maker = compiled.maker
    # Of a program that was found, nothing has been lowered.
    record = {"kept": maker._kept is not None, "found": "lowered" not in vars(maker)}
    with replay.kept_state(function) as (restore, state):
        for layout, arguments in replay.layouts(function.arguments):
            restore()
            try:
                became = replay.digests(compiled(*arguments))
            except Exception as error:
                became = replay.said(error)
            record[layout] = [*became, *replay.digests(state())]
    if maker._kept is not None:
        record["same"] = maker._kept.is_made_from(maker.program_text, maker.vector_bits)
        record["operations"] = [str(node.op) for node in maker.graph.toposort()]
    return record


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    out, *parts = sys.argv[1:]
    made = ((part, *each) for part in parts for each in getattr(corpus, part)())
    records = {f"{part}: {name}": outcome(make()) for part, name, make in made}
    Path(out).write_text(json.dumps(records))
