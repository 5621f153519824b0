"""The exception tree: bases, messages, pickles."""

import copy
import pickle

import pytest

import theano
from theano._core.base import errors
from theano._core.base.errors import GradientError, MissingInputError, TheanoError
from theano.compile import debugmode

CLASSES = [getattr(errors, name) for name in errors.__all__]
EXCEPTIONS = [kind for kind in CLASSES if not issubclass(kind, Warning)]
# Measured: the built-in exceptions that Theano 1.0.5's classes derive from; then ours.
BUILT_IN = {
    "AdvancedBooleanIndexingError": TypeError,
    "AdvancedIndexingError": TypeError,
    "AsTensorError": TypeError,
    "BadReplacement": TypeError,
    "ComplexError": NotImplementedError,
    "DisconnectedInputError": ValueError,
    "NullTypeGradError": TypeError,
    "InternalError": RuntimeError,
    "InvalidSettingError": ValueError,
    "UnknownModeError": ValueError,
    "WindowError": ValueError,
}


def made(kind):
    if kind is GradientError:
        return GradientError(0, 3, (2, 2), 1.0, 2.0, 1.0, 0.5, 1e-3, 1e-4)
    return kind("message")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_classes_are_drawn_documented_and_found_where_tracebacks_say(kind):
    assert f"─ {kind.__name__} " in errors.__doc__
    assert kind.__doc__
    assert kind.__module__ == "theano.errors"
    assert getattr(theano.errors, kind.__name__) is kind
    assert kind.__name__ in theano.errors.__all__
    assert pickle.loads(pickle.dumps(kind)) is kind


@pytest.mark.parametrize("kind", EXCEPTIONS, ids=lambda kind: kind.__name__)
def test_bases_are_those_of_theano_and_errors_survive_pickling(kind):
    assert issubclass(kind, TheanoError)
    builtin = next(b for b in kind.__mro__ if b.__module__ == "builtins" and b is not object)
    assert builtin is BUILT_IN.get(kind.__name__, Exception)
    error = made(kind)
    error.args += ("more",)
    error.node = "x + y"
    error.add_note("where: line 3")
    twins = [pickle.loads(pickle.dumps(error, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)]
    for twin in (*twins, copy.copy(error)):
        assert type(twin) is kind
        assert (twin.args, str(twin)) == (error.args, str(error))
        assert (twin.node, twin.__notes__) == ("x + y", ["where: line 3"])


def test_families():
    assert issubclass(errors.EmptyConstantError, errors.NotScalarConstantError)
    for name in ("BadThunkOutput", "BadOptimization", "BadDestroyMap", "BadViewMap"):
        assert issubclass(getattr(errors, name), errors.DebugModeError)
        # DebugMode raises these.
        assert issubclass(getattr(debugmode, name), getattr(errors, name))


class Special(errors.ShapeError):
    def __init__(self, size, *, unit):
        super().__init__(f"{size} {unit}")
        self.size = size


def test_subclasses_with_other_arguments_survive_pickling():
    twin = pickle.loads(pickle.dumps(Special(3, unit="m")))
    assert (type(twin), twin.size, str(twin)) == (Special, 3, "3 m")


def test_missing_input_joins_its_parts_and_pickles_without_the_graph():
    error = MissingInputError("Input x is needed.", "Made in line 3.", variable=lambda: None)
    twin = pickle.loads(pickle.dumps(error))
    assert str(twin) == str(error) == "Input x is needed.\nMade in line 3."
    assert twin.variable is None


def test_gradient_error_says_where_and_how_much():
    error = made(GradientError)
    for fact in ("argument 0", "(2, 2)", "position 3", "symbolic 1.0", "numeric 2.0", "0.0001"):
        assert fact in str(error)
    error.args += ("with the inputs", [1, 2])
    assert str(error).endswith("\nwith the inputs\n[1, 2]")
    assert error.abs_err == 1.0


def test_config_warning_points_at_the_caller():
    with pytest.warns(errors.TheanoConfigWarning, match="odd") as caught:
        errors.TheanoConfigWarning.warn("odd")
    assert caught[0].filename == __file__
