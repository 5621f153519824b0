"""Build the C++ runtime of a source tree, and put it where `theano` can be imported with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def build_tree(source: Path, folder: Path, options: Sequence[str] = ()) -> Path:
    """Return the folder to import `theano` from: a copy of its Python files, and what was built.

    `options` are Meson's. What `folder` has from a build before is used again.
    """
    build_folder, tree = folder / "build", folder / "tree"
    meson = [sys.executable, "-m", "mesonbuild.mesonmain"]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    environ = {**os.environ, "PATH": path}
    if not (build_folder / "build.ninja").exists():
        subprocess.run([*meson, "setup", *options, build_folder, source], check=True, env=environ)
    subprocess.run([*meson, "compile", "-C", build_folder], check=True, env=environ)
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(source / "src", tree, ignore=shutil.ignore_patterns("__pycache__"))
    for library in build_folder.glob("native.*.so"):
        shutil.copy(library, tree / "theano" / "_core" / "runtime")
    return tree


def import_from(tree: str) -> None:
    """Have `theano` imported from a tree; an editable install would give another one."""
    sys.meta_path = [f for f in sys.meta_path if "editable" not in type(f).__module__]
    sys.path.insert(0, tree)
