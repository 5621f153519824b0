"""What the headers of the runtime declare, read from their text."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import NamedTuple

RUNTIME = Path(__file__).resolve().parents[2] / "runtime"
INTERFACE = "include/theano_runtime.h"


class Function(NamedTuple):
    """A member that points to a function: what it returns and takes, as types of LLVM."""

    result: str
    parameters: tuple[str, ...]


@functools.cache
def source(name):
    """Return the text of a file of the runtime without comments."""
    text = (RUNTIME / name).read_text()
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)


def between(file, start, end="}"):
    """Return what stands between two texts in a file of the runtime, parted by commas."""
    parts = source(file).partition(start)[2].partition(end)[0].split(",")
    return [part.strip() for part in parts if part.strip()]


def enumeration(member):
    """Return the members of the enumeration of the interface that has this one."""
    for body in re.findall(r"enum\b[^{;]*\{(.*?)\}", source(INTERFACE), re.DOTALL):
        members = {}
        for item in filter(None, map(str.strip, body.split(","))):
            name, _, value = (part.strip() for part in item.partition("="))
            members[name] = int(value) if value else max(members.values(), default=-1) + 1
        if member in members:
            return members
    raise AssertionError(f"no enumeration has {member}")


def members(struct, file=INTERFACE):
    """Return the members of a struct in order: types of LLVM, or functions that they point to."""
    found = re.search(rf"struct {struct} \{{(.*?)\}}", source(file), re.DOTALL)
    assert found, struct
    result = {}
    for declaration in filter(None, map(str.strip, found[1].split(";"))):
        if function := re.fullmatch(r"(.*?)\(\*(\w+)\)\((.*)\)", declaration, re.DOTALL):
            returned, name, parameters = function.groups()
            types = tuple(llvm_type(p) for p in parameters.split(","))
            result[name] = Function(llvm_type(returned), types)
            continue
        for one in declaration.split(","):
            result[re.findall(r"\w+", one)[-1]] = llvm_type(declaration.split(",")[0])
    return result


def llvm_type(declaration):
    """Return the type of LLVM of a parameter, a member or a result."""
    if "*" in declaration or "[" in declaration:
        return "ptr"
    for name, kind in (("int64_t", "i64"), ("int32_t", "i32"), ("void", "void")):
        if re.search(rf"\b{name}\b", declaration):
            return kind
    raise AssertionError(f"no type of LLVM is known for {declaration!r}")
