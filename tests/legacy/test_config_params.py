"""Settings that programs add as they did with Theano."""

import pytest

import theano
from support.processes import run_python
from theano import theano as inner
from theano.configparser import (
    THEANO_FLAGS_DICT,
    AddConfigVar,
    BoolParam,
    ConfigParam,
    EnumStr,
    FloatParam,
    IntParam,
    StrParam,
    _config_var_list,
)

config = theano.config


def test_kinds():
    AddConfigVar("ours.name", "A string.", StrParam("one"))
    AddConfigVar("ours.count", "A number.", IntParam(3, lambda n: n > 0))
    AddConfigVar("ours.rate", "A number.", FloatParam("0.5"))
    AddConfigVar("ours.verbose", "A choice.", BoolParam(False))
    AddConfigVar("ours.kind", "A word.", EnumStr("a", "b"))
    AddConfigVar("ours.late", "Computed.", ConfigParam(lambda: [1]), in_c_key=False)
    AddConfigVar("ours.fixed", "A constant.", StrParam("x", allow_override=False))
    ours = config.ours
    assert (ours.name, ours.count, ours.rate, ours.kind, ours.late) == ("one", 3, 0.5, "a", [1])
    ours.verbose = "True"
    assert ours.verbose is True
    with theano.change_flags({"ours.kind": "b"}):
        assert ours.kind == "b"
    for name, wrong in (("count", 0), ("verbose", "maybe"), ("kind", "c")):
        with pytest.raises(ValueError):
            setattr(ours, name, wrong)
    with pytest.raises(Exception, match="Can't change"):
        ours.fixed = "y"
    with pytest.raises(AttributeError):
        AddConfigVar("ours.name", "Again.", StrParam("two"))
    with pytest.raises(ValueError):
        EnumStr("a", 3)


def test_list_of_settings():
    known = {param.fullname: param for param in _config_var_list}
    assert len(known) >= 140 and inner is theano
    before = known["floatX"].__get__(True, None)
    assert before == config.floatX
    known["floatX"].__set__(None, "float32")
    assert config.floatX == "float32"
    known["floatX"].__set__(None, before)


def test_flags_give_values():
    program = """
        import theano
        from theano.configparser import *
        AddConfigVar('ours.count', 'A number.', IntParam(3))
        print(theano.config.ours.count)
    """
    assert run_python(program, flags="ours.count=7") == "7"
    THEANO_FLAGS_DICT["ours.flagged"] = "ok"
    AddConfigVar("ours.flagged", "A string.", StrParam("one"))
    assert config.ours.flagged == "ok" and "ours.flagged" not in THEANO_FLAGS_DICT


def test_a_default_that_the_setting_does_not_accept():
    def accept(value):
        if value == "invalid":
            raise ValueError(value)
        return value

    with pytest.raises(ValueError, match="invalid"):
        AddConfigVar("test_invalid_default", "A test.", ConfigParam("invalid", filter=accept))
    # Such a setting is not there, and its name is free.
    assert "test_invalid_default" not in config.settings()
    AddConfigVar("test_invalid_default", "A test.", ConfigParam("valid", filter=accept))
    assert config.test_invalid_default == "valid"


def test_a_default_that_is_computed_is_so_when_it_is_read():
    read = []
    AddConfigVar("ours.computed", "A test.", IntParam(lambda: read.append(1) or 3))
    assert read == [] and config.ours.computed == 3 and read
