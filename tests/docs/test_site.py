"""Pages and the links between them hold, also those to pages that `make site` generates."""

import pkgutil
import re
from pathlib import Path

import pytest
from tool_loading import load

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GENERATED = DOCS / "reference"
PAGES = [
    p
    for p in sorted(DOCS.rglob("*.md"))
    if not {GENERATED, DOCS / "_build"}.intersection(p.parents)
]
OUTSIDE = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
TREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def generated():
    functions, tables = load("reference_pages"), load("reference_tables")
    texts = {**functions.pages(), **tables.pages()}
    return {GENERATED / path: text for path, text in texts.items()}


def prose(text):
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text):
    """Return the anchors of headings, as repositories and the site make them."""
    heads = re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in heads}


def links(text):
    without_code = re.sub(r"`[^`\n]*`", "", prose(text))
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield path, anchor


def test_every_link_between_pages_holds(generated):
    written = {path: path.read_text() for path in [*PAGES, *OUTSIDE]}
    texts = {**generated, **written}
    wrong = []
    for page, text in written.items():
        for path, anchor in links(text):
            target = (page.parent / path).resolve() if path else page
            if not target.exists() and target not in texts:
                wrong.append(f"{page.relative_to(ROOT)}: {path}")
            elif anchor and target in texts and anchor not in anchors(texts[target]):
                wrong.append(f"{page.relative_to(ROOT)}: {path}#{anchor}")
    assert wrong == []


def test_every_page_is_in_the_table_of_contents(generated):
    texts = {**generated, **{path: path.read_text() for path in PAGES}}
    listed = {DOCS / "index.md"}
    for page, text in texts.items():
        for tree in TREE.findall(text):
            for line in filter(None, tree.splitlines()):
                if line.startswith(":"):
                    continue
                name = re.sub(r".*<(.*)>", r"\1", line)
                assert (page.parent / f"{name}.md").resolve() in texts, (page, line)
                listed.add((page.parent / f"{name}.md").resolve())
    assert set(texts) - listed == set()


def test_files_that_pages_link_to_are_shown(generated):
    assert "class Variable" not in generated[GENERATED / "files/src/theano/_core/ir/variable.py.md"]
    example = generated[GENERATED / "files/docs/examples/mlp.py.md"]
    assert "literalinclude" in example and "mlp.png" in example
    tables = load("reference_tables")
    led = tables.site_links(
        "[a](../CHANGELOG.md#x) ![](mlp.png) [b](compat.md)", DOCS / "compat.md"
    )
    assert led == "[a](/reference/changelog.md#x) ![](mlp.png) [b](compat.md)"


def test_settings_and_mistakes_have_their_place(generated):
    settings = generated[GENERATED / "settings.md"]
    assert "| `floatX` | `float64`, `float32`, `float16` | `float64` |" in settings
    assert "`warn.subtensor_merge_bug`" in settings
    errors = generated[GENERATED / "errors.md"]
    assert "### Products of matrix and vector" in errors and "\n## Loops\n" in errors
    assert "axis 1 of M has 3 items" in errors


def names_in(text):
    """Return the dotted names of ours that stand as code in the prose of a page."""
    spans = " ".join(re.findall(r"`([^`\n]+)`", prose(text)))
    found = re.findall(r"(?<![\w.])((?:theano|T|nlinalg|slinalg)(?:\.[A-Za-z_]\w*)+)", spans)
    short = {"T": "theano.tensor", "nlinalg": "theano.tensor.nlinalg"}
    short["slinalg"] = "theano.tensor.slinalg"
    parts = (name.partition(".") for name in found)
    return {f"{short.get(first, first)}.{rest}" for first, _, rest in parts}


@pytest.mark.parametrize(
    "page", [p for p in [*PAGES, OUTSIDE[0]] if p.name != "compat.md"], ids=lambda p: p.stem
)
def test_names_in_pages_exist(page):
    missing = []
    for name in names_in(page.read_text()):
        try:
            pkgutil.resolve_name(name)
        except (AttributeError, ImportError):
            missing.append(name)
    assert missing == []


def test_the_speeds_of_readme_are_those_of_the_tables():
    """If this fails, run `tools/speed_summary.py`."""
    tool = load("speed_summary")
    assert tool.README.read_text() == tool.readme()
    assert tool.figure("5.46e+03 ns (19.92×)") == "5.46 µs" and tool.figure("") == ""
