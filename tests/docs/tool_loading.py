"""The programs of `tools`, as modules."""

import importlib.util
import sys
from functools import lru_cache
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@lru_cache(None)
def load(name):
    """Return a tool as a module; it finds the others beside it."""
    found = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    before = list(sys.path)
    sys.path.insert(0, str(TOOLS))
    try:
        found.loader.exec_module(module)
    finally:
        sys.path[:] = before
    return module
