"""Make the documentation site: generated pages, Sphinx, and a look at every link of the result.

    .venv/bin/python tools/make_site.py [--port 8000]

The site lies in docs/_build/html, needs no network, and can be opened from the disk. What Sphinx
warns of is an error, and so is a link, picture, script or style that is not there or not ours.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

DOCS = ROOT / "docs"
GENERATED = DOCS / "reference"
BUILT = DOCS / "_build" / "html"
# What a page loads by itself, by tag: the attribute that says from where.
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
# Relations of `link` that load nothing.
NAMED = {"canonical", "next", "prev", "search", "index", "genindex", "author", "copyright", "up"}


def write_pages() -> int:
    """Write the generated pages anew; return their number."""
    import reference_pages
    import reference_tables

    shutil.rmtree(GENERATED, ignore_errors=True)
    texts = {**reference_pages.pages(), **reference_tables.pages()}
    for path, text in texts.items():
        (GENERATED / path).parent.mkdir(parents=True, exist_ok=True)
        (GENERATED / path).write_text(text)
    return len(texts)


class Page(HTMLParser):
    """The anchors of a page, what it links to and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag says."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        loaded = given.get(LOADED.get(tag, ""))
        if loaded and not (tag == "link" and given.get("rel") in NAMED):
            self.loads.append(loaded)


def faults(folder: Path) -> list[str]:
    """Return what is wrong with the links of a built site."""
    # What lies among the styles is a template of the theme.
    texts = [p for p in sorted(folder.rglob("*.html")) if "_static" not in p.parts]
    pages = {path: Page(path.read_text()) for path in texts}
    found = []
    for path, page in pages.items():
        for address in page.loads:
            if urlsplit(address).scheme not in ("", "data") or address.startswith("//"):
                found.append(f"{path.relative_to(folder)} loads {address}")
        for address in [*page.links, *page.loads]:
            if problem := _fault(path, address, pages):
                found.append(f"{path.relative_to(folder)}: {address}: {problem}")
    return found


def _fault(path: Path, address: str, pages: dict[Path, Page]) -> str:
    parts = urlsplit(address)
    if parts.scheme or address.startswith("//"):
        return ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.exists():
        return "there is no such file"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return "there is no such place"
    return ""


def main() -> int:
    """Make the site; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, help="show it at this port of this machine")
    options = parser.parse_args()
    print(f"{write_pages()} generated pages", flush=True)
    # Nothing of an earlier site stays.
    shutil.rmtree(BUILT, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-j", "auto"]
    done = subprocess.run([*command, "-b", "html", str(DOCS), str(BUILT)], check=False)
    if done.returncode:
        return done.returncode
    wrong = faults(BUILT)
    print("\n".join(wrong) or f"every link holds; open {BUILT / 'index.html'}")
    if options.port and not wrong:
        server = [sys.executable, "-m", "http.server", str(options.port), "--bind", "127.0.0.1"]
        subprocess.run([*server, "--directory", str(BUILT)], check=False)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
