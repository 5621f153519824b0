"""Pages of the reference that are tables: settings, errors, changes, and files that pages link to.

`pages()` returns them by path, as `reference_pages.pages()` does; `make site` writes both.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from reference_pages import MODULES, ROOT, all_names, folder_of, sources

from theano._core.base import settings_table
from theano._core.base.settings_table import Setting

DOCS = ROOT / "docs"
MISTAKES = ROOT / "tests" / "errors" / "mistakes.txt"
GROUPS = {
    "NUMBERS": "Numbers and threads",
    "BUILDING": "While a graph is built",
    "COMPILING": "When a function is compiled",
    "WATCHING": "Looking at functions",
    "NUMPY_ERRORS": "NumPy's error state",
    "OLD_BUGS": "Bugs of old versions",
    "DEVICES": "Devices",
    "C_CODE": "The C compiler",
}
# The site's page of a file outside docs, by its path in the repository.
PAGES_OF_FILES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "readme.md",
}
LANGUAGES = {".py": "python", ".cpp": "cpp", ".h": "cpp", ".txt": "text"}
LINK = re.compile(r"(?<!!)\[([^\[\]]*)\]\(([^)\s]+)\)")


_MESSAGE = ["```{code-block} text", ":class: message", ""]


class Mistake(NamedTuple):
    """A program that fails, what it says, and what to write instead."""

    heading: str
    title: str
    program: str
    message: str
    remedy: str


def mistakes() -> list[Mistake]:
    """Return what `mistakes.txt` holds: messages after `|`, remedies after `+`."""
    found, heading = [], ""
    for part in re.split("^(?:## (.*)\n)?=== ", MISTAKES.read_text(), flags=re.M)[1:]:
        if part is None or "\n" not in part:
            heading = part or heading
            continue
        title, _, rest = part.partition("\n")
        kinds: dict[str, list[str]] = {"": [], "|": [], "+": []}
        for line in rest.splitlines():
            mark = line[:1] if line[:2] in ("| ", "|", "+ ") else ""
            kinds[mark].append(line[2:] if mark else line)
        found.append(Mistake(heading, title, *("\n".join(lines) for lines in kinds.values())))
    return found


def _value(setting: Setting) -> str:
    if callable(setting.default):
        return "found when it is first read"
    return f"`{setting.default!s}`" if str(setting.default) else "empty"


def _row(setting: Setting) -> str:
    values = ", ".join(f"`{choice!s}`" for choice in setting.choices) or setting.kind
    doc = setting.doc.replace("|", "\\|") + (" Only read when Theano starts." * setting.fixed)
    return f"| `{setting.name}` | {values} | {_value(setting)} | {doc} |".replace(
        "`c|py`", "`c\\|py`"
    )


def settings_page() -> str:
    """Return the tables of all settings: those that work, then those accepted for old programs."""
    head = """# Settings

What each setting is called, accepts and decides. [Item types and settings](../item-types.md) says
how to set them; `python -m theano config` prints their values.
"""
    lines = [head]
    for group, title in GROUPS.items():
        rows = [_row(s) for s in getattr(settings_table, group) if s.works]
        if rows:
            table = [
                "| setting | values | default | what it decides |",
                "| --- | --- | --- | --- |",
            ]
            lines += [f"## {title}", "", *table, *rows, ""]
    kept = [s for s in settings_table.TABLE if not s.works]
    table = ["| setting | what it was for |", "| --- | --- |"]
    rows = [f"| `{s.name}` | {s.doc} |" for s in kept]
    lines += ["## Accepted, without effect", "", "So that old programs and files keep running.", ""]
    return "\n".join([*lines, *table, *rows]) + "\n"


def errors_page() -> str:
    """Return the typical mistakes, each with its message and what to write instead."""
    lines = [
        "# Errors",
        "",
        "Typical mistakes: a program, what it says, and what to write instead. Search for words of",
        "your message. Each runs in the tests, so that it says what the present version says.",
        "",
    ]
    heading = ""
    for mistake in mistakes():
        if mistake.heading != heading:
            heading = mistake.heading
            lines += [f"## {heading}", ""]
        lines += [f"### {mistake.title[0].upper()}{mistake.title[1:]}", ""]
        lines += ["```python", mistake.program, "```", "", *_MESSAGE, mistake.message, "```", ""]
        if mistake.remedy:
            lines += ["Instead:", "", "```python", mistake.remedy, "```", ""]
    return "\n".join(lines)


def outside(text: str, page: Path) -> list[str]:
    """Return the files that a page of docs links to which are no pages, by path in the tree."""
    found = []
    for target in (match[2].partition("#")[0] for match in LINK.finditer(text)):
        path = (page.parent / target).resolve()
        ours = path.is_file() and path.is_relative_to(ROOT)
        page_already = path.suffix == ".md" and path.is_relative_to(DOCS)
        if target and "://" not in target and ours and not page_already:
            found.append(str(path.relative_to(ROOT)))
    return found


def page_of(file: str) -> str:
    """Return the path, within the reference, of the page that shows a file of the repository."""
    return PAGES_OF_FILES.get(file, f"files/{file}.md")


def site_links(text: str, page: Path) -> str:
    """Return the text of a page with links to files that are no pages led to the pages of these."""

    def led(match: re.Match[str]) -> str:
        path, mark, anchor = match[2].partition("#")
        target = (page.parent / path).resolve()
        files = outside(match[0], page)
        if files:
            return f"[{match[1]}](/reference/{page_of(files[0])}{mark}{anchor})"
        if path and target.suffix == ".md" and not page.is_relative_to(DOCS):
            return f"[{match[1]}](/{target.relative_to(DOCS)}{mark}{anchor})"
        return match[0]

    # What stands in code is no link.
    parts = re.split(r"(^```.*?^```$)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(p if p.startswith("```") else LINK.sub(led, p) for p in parts)


def file_page(file: str) -> str:
    """Return the page of a file: its text and, of an example, its picture and what it says."""
    path = ROOT / file
    if path.suffix == ".md":
        return path.read_text()
    up = "../" * (page_of(file).count("/") + 2)
    lines = [f"# {path.name}", "", f"`{file}`", ""]
    if path.suffix == ".py":
        doc = ast.get_docstring(ast.parse(path.read_text())) or ""
        lines += [*doc.splitlines(), ""]
    if path.with_suffix(".png").exists():
        lines += [f"![]({up}{Path(file).with_suffix('.png')})", ""]
    language = LANGUAGES.get(path.suffix, "text")
    lines += [f"```{{literalinclude}} {up}{file}", f":language: {language}", ":linenos:", "```"]
    return "\n".join(lines) + "\n"


def file_pages() -> dict[str, str]:
    """Return the pages of all files that pages link to."""
    generated = {DOCS / "reference", DOCS / "_build"}
    written = [p for p in DOCS.rglob("*.md") if generated.isdisjoint(p.parents)]
    files = {file for page in written for file in outside(page.read_text(), page)} | sources()
    # Those in Markdown link to files, too.
    own = [file for file in PAGES_OF_FILES if file != "README.md" or file in files]
    files |= {found for file in own for found in outside((ROOT / file).read_text(), ROOT / file)}
    found = {page_of(file): file_page(file) for file in sorted(files | set(own))}
    for file in (file for file in files | set(own) if file.endswith(".md")):
        found[page_of(file)] = site_links(found[page_of(file)], ROOT / file)
    return found


def index_page(files: dict[str, str]) -> str:
    """Return the index of the reference."""
    lines = ["# Reference", "", "## Functions", ""]
    for module in all_names():
        lines.append(f"- [{module}]({folder_of(module)}/README.md): {MODULES[module]}")
    lines += ["", "## Tables", ""]
    lines += ["- [Settings](settings.md): what each is called, accepts and decides"]
    lines += ["- [Errors](errors.md): typical mistakes, their messages, and what to write instead"]
    lines += ["- [Name by name](../compat.md): how each name of Theano 1.0.5 is here"]
    lines += ["- [Changelog](changelog.md)", "- [Contributing](contributing.md)", ""]
    trees = [f"{folder_of(module)}/README" for module in all_names()]
    lines += ["```{toctree}", ":hidden:", "", *trees, "settings", "errors", "changelog"]
    lines += ["contributing", "```", "", "```{toctree}", ":hidden:", ""]
    # Examples and the small programs are in the tables of contents of their chapters.
    elsewhere = ("changelog", "contributing", "files/docs/")
    lines += [p.removesuffix(".md") for p in files if not p.startswith(elsewhere)]
    return "\n".join([*lines, "```"]) + "\n"


def pages() -> dict[str, str]:
    """Return the text of each page by its path."""
    files = file_pages()
    own = {"README.md": index_page(files), "settings.md": settings_page()}
    return {**own, "errors.md": errors_page(), **files}
