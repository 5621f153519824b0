"""What modules call of those that they cannot import is one table, and all of it is filled."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import theano._core
from theano._core.ir import hooks
from theano._core.ir.hooks import EXTENDING, Hook

CORE = Path(theano._core.__file__).parent
HOOKS = {name: value for name, value in vars(hooks).items() if isinstance(value, Hook)}
MODULES = sorted(
    ".".join(path.relative_to(CORE).with_suffix("").parts)
    for path in CORE.rglob("*.py")
    if path.name != "__init__.py"
)


def _text(module):
    return (CORE / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_called_and_filled_where_its_row_says(name):
    hook = HOOKS[name]
    filling = {m for m in MODULES if f"hooks.{name}.fill" in _text(m)}
    naming = {m for m in MODULES if f"hooks.{name}" in _text(m)}
    assert filling == set(hook.filled_by.split())
    assert naming - filling == set(hook.called_by.split())
    for module in filling:
        importlib.import_module(f"theano._core.{module}")
    assert hook.value is not None
    assert hook.why.endswith(".")


def test_all_that_tensors_call_is_there_and_nothing_else():
    called = re.findall(r'(?:above\.|_\w+\(\s*")(\w+)\.(\w+)', _text("ir.tensor"))
    assert {module for module, _ in called} == set(vars(hooks.above.value))
    for module, function in called:
        assert callable(getattr(getattr(hooks.above.value, module), function)), function


def test_only_named_modules_extend_classes_of_others():
    found = {m for m in MODULES if "extend(" in _text(m) and "import extend" in _text(m)}
    assert found == set(EXTENDING)


def _assigned(tree):
    """Find what attributes are given to, with their names."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                    if isinstance(part, ast.Attribute):
                        yield part.value, part.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "setattr":
            yield node.args[0], ast.unparse(node.args[1])


def _named(module, expression):
    """Return what a name, or an attribute of one, stands for in a module."""
    if isinstance(expression, ast.Name):
        return getattr(module, expression.id, None)
    if isinstance(expression, ast.Attribute):
        return getattr(_named(module, expression.value), expression.attr, None)
    return None


@pytest.mark.parametrize("name", MODULES)
def test_no_module_gives_attributes_to_a_class_of_another(name):
    full = f"theano._core.{name}"
    found = list(_assigned(ast.parse(_text(name))))
    module = importlib.import_module(full) if found else None
    for expression, attribute in found:
        target = _named(module, expression)
        assert not isinstance(target, type) or hooks.place_of(target)[0] == full, attribute
