"""Check the layers of `.importlinter` on the source tree.

    python tools/layers.py

`lint-imports` looks for packages on disk, where an editable install does not put them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from importlinter.cli import lint_imports

if __name__ == "__main__":
    sys.meta_path = [f for f in sys.meta_path if "editable" not in type(f).__module__]
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
    sys.exit(lint_imports(no_cache=True))
