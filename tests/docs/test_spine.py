"""The map of the source shows what is there, and what to read first is read in a day."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "how-it-works" / "README.md").read_text()
ENGINE = ROOT / "src" / "theano" / "_core"


def test_the_spine_has_at_most_6000_lines():
    files = re.findall(r"\]\(\.\./\.\./([^)]+)\)", TEXT)
    assert len(files) > 15
    assert sum(len((ROOT / name).read_text().splitlines()) for name in files) <= 6000


def test_every_folder_is_on_the_map():
    tree = TEXT.split("```")[1]
    folders = {p.parent.name for p in ENGINE.rglob("__init__.py")} - {"_core"}
    assert {name for name in folders if f"{name}/" not in tree} == set()


def test_rooms_are_where_the_map_says():
    rooms = TEXT.split("## A room by its name")[1].split("```")[0]
    for name in re.findall(r"`([\w/]+\.(?:py|txt|cpp))`", rooms):
        assert (ENGINE / name).exists() or (ROOT / name).exists(), name
