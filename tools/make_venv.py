"""Make the virtual environment of the Makefile, or say what the machine lacks.

    python3 tools/make_venv.py .venv

Debian and its kin split Python into packages, and leave out what a build needs.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path


def missing() -> dict[str, str]:
    """Return what is missing, with the Debian package that has it."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    lacks = {}
    if find_spec("ensurepip") is None or find_spec("venv") is None:
        lacks["the modules venv and ensurepip"] = f"{version}-venv"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        lacks["the header Python.h"] = f"{version}-dev"
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        lacks["a C++17 compiler"] = "g++"
    return lacks


def main(folder: str) -> int:
    """Make the environment in `folder`; return the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 -- any python3 may run this file
        print(f"Python 3.11 or later is needed; this is {sys.version.split()[0]}.")
        return 1
    lacks = missing()
    if lacks:
        print(f"{sys.executable} cannot build Theano: it lacks {', '.join(lacks)}.")
        print(f"On Debian and Ubuntu: sudo apt install {' '.join(lacks.values())}")
        print("Or name another Python: make PYTHON=/path/to/python3 …")
        return 1
    import venv

    venv.create(folder, with_pip=True, clear=True, symlinks=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
