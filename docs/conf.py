"""How Sphinx makes the site of these pages; `make site` calls it."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))

from reference_tables import site_links  # noqa: E402 -- lies in tools

import theano  # noqa: E402

project = "Theano"
author = "The Theano developers"
copyright = author
version = release = theano.__version__
extensions = ["myst_parser", "sphinx.ext.intersphinx"]
root_doc = "index"
exclude_patterns = ["_build", "**/.*"]
source_suffix = {".md": "markdown"}
# Anchors as on the pages of repositories: `#a-heading`.
myst_heading_anchors = 3
pygments_style = "default"

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_title = "Theano"
html_show_sourcelink = False
html_copy_source = False
html_theme_options: dict[str, Any] = {
    "header_links_before_dropdown": 8,
    "navbar_align": "left",
    "navigation_depth": 2,
    "show_nav_level": 1,
    "collapse_navigation": True,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "search_bar_text": "Search",
}
# One page of many hundreds needs no list of all others beside it.
html_sidebars = {"reference/**": [], "migration/*": [], "index": [], "install": [], "tour": []}

_INVENTORIES = {
    "numpy": "https://numpy.org/doc/stable/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "python": "https://docs.python.org/3/",
}


def _reachable(inventories: dict[str, str]) -> dict[str, tuple[str, None]]:
    """Return the inventories that can be read; links to others stay plain text."""
    found = {}
    for name, address in inventories.items():
        try:
            urllib.request.urlopen(f"{address}objects.inv", timeout=5).close()
        except (urllib.error.URLError, TimeoutError, OSError) as error:
            print(f"{name}: no inventory ({error}): what it has is named, not linked")
        else:
            found[name] = (address, None)
    return found


intersphinx_mapping = _reachable(_INVENTORIES)


def _lead_links(app: Any, docname: str, source: list[str]) -> None:
    if not docname.startswith("reference/"):
        source[0] = site_links(source[0], Path(app.env.doc2path(docname)))


def setup(app: Any) -> None:
    """Lead links to files of the repository to the pages that show these."""
    app.connect("source-read", _lead_links)
