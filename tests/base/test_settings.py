"""Settings: the table, its sources, assignment and temporary changes."""

import copy
import os
import pickle
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from theano._core.base import settings
from theano._core.base.errors import (
    FixedSettingError,
    InvalidSettingError,
    TheanoConfigWarning,
    TheanoError,
)
from theano._core.base.settings import Config, Setting, change_flags, config, parse_flags
from theano._core.base.settings_table import MOST_THREADS, TABLE


def made(flags="", **environ):
    fresh = Config(TABLE, {"THEANORC": "", "THEANO_FLAGS": flags, **environ})
    fresh.load()
    return fresh


def test_table_has_every_setting_of_theano_and_ours():
    names = [row.name for row in TABLE]
    assert len(names) == len(set(names))
    assert len(names) == 141 + 5
    assert {"threads", "vector_width", "cache_limit", "conv.winograd"} <= set(names)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_every_default_is_accepted_by_its_own_converter(row):
    fresh = made()
    value = fresh.get(row.name)
    assert settings._convert(row, value) == value
    assert row.doc.endswith(".")


def test_defaults():
    fresh = made()
    assert fresh.floatX == "float64"
    assert fresh.cast_policy == "custom"
    assert fresh.linker == "cvm"
    assert fresh.DebugMode.patience == 10
    assert fresh.vm.lazy is None
    assert fresh.compile.timeout == 120
    assert fresh.optdb.position_cutoff == float("inf")
    assert Path(fresh.compiledir).parent == Path(fresh.base_compiledir)


def test_flags_win_over_files_and_later_files_over_earlier(tmp_path):
    first, second = tmp_path / "one.rc", tmp_path / "two.rc"
    first.write_text(
        "[global]\nfloatX = float32\nallow_gc = False\ntraceback.limit = 3\n"
        "[dnn.conv]\nalgo_fwd = fft\n[DebugMode]\npatience = 2\n[other program]\nx = %(nothing)s\n"
    )
    second.write_text(
        "[global]\nfloatx = 16\non_unused_input = warn\nbase_compiledir = %(TMPDIR)s/cache\n"
        "[gcc]\ncxxflags = -O%d\n"
    )
    fresh = made(
        "on_unused_input=ignore",
        THEANORC=f"{first}:{tmp_path / 'missing.rc'}:{second}",
        TMPDIR=str(tmp_path),
    )
    assert fresh.floatX == "float16"
    assert fresh.allow_gc is False
    assert fresh.on_unused_input == "ignore"
    assert fresh.dnn.conv.algo_fwd == "fft"
    assert fresh.DebugMode.patience == 2
    assert fresh.base_compiledir == str(tmp_path / "cache")
    assert fresh.gcc.cxxflags == "-O%d"
    assert fresh.traceback.limit == 8, "a dotted name is a section, not an option of [global]"


def test_default_settings_file_is_in_the_home_folder(tmp_path, monkeypatch):
    (tmp_path / ".theanorc").write_text("[global]\nfloatX=float32\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    fresh = Config(TABLE, {})
    fresh.load()
    assert fresh.floatX == "float32"


def test_parse_flags():
    text = 'a=1, b.c = "x,y" ,a=2,,d=p=q'
    assert parse_flags(text) == {"a": "2", "b.c ": " x,y", "d": "p=q"}
    assert parse_flags("") == {}
    with pytest.warns(TheanoConfigWarning, match="Config key 'novalue' has no value"):
        assert parse_flags("novalue,x=1") == {"x": "1"}


def test_unknown_flags_warn():
    with pytest.warns(UserWarning, match="does not recognise this flag: bogus"):
        assert made("bogus=3,floatX=32").floatX == "float32"


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("floatX=float128", r'Invalid value \("float128"\).*"floatX".*float64.*float32'),
        ("openmp=maybe", r'"openmp".*True.*False'),
        ("DebugMode.patience=many", r'"DebugMode.patience".*one int'),
        ("gpuarray.preallocate=some", "one float"),
        ("device=gpu0", "write cuda"),
        ("device=tpu", "cpu.*cuda.*opencl"),
        ("contexts=dev0", "name->device"),
        ("mode=FASTER", "FAST_RUN.*instances of Mode"),
        ("vm.lazy=soon", "None, True and False"),
        ("vector_width=64", r"\(0, 128, 256, 512\)"),
        (f"base_compiledir={__file__}", "this is a file"),
        ("cache_limit=-1", r'"-1".*"cache_limit".*at least 0'),
        ("threads=0", r'"threads".*at least 1 and at most 1024'),
        ("threads=1025", "at least 1 and at most 1024"),
        ("threads=1e3", "one int"),
        ("profiling.n_ops=-1", "at least 0"),
    ],
)
def test_bad_flags_are_reported_at_start(flag, message):
    with pytest.raises(ValueError, match=message) as caught:
        made(flag)
    assert isinstance(caught.value, InvalidSettingError)


def test_removed_settings_say_so():
    with pytest.raises(RuntimeError, match=r"gpuarray\.sync was removed"):
        made("gpuarray.sync=True")


def test_assignment_converts_and_checks():
    fresh = made()
    fresh.floatX = "32"
    fresh.allow_gc = "0"
    fresh.openmp_elemwise_minsize = "12"
    fresh.NanGuardMode.action = "warn"
    fresh.vector_width = 256
    assert (fresh.floatX, fresh.allow_gc, fresh.openmp_elemwise_minsize) == ("float32", False, 12)
    assert (fresh.NanGuardMode.action, fresh.vector_width) == ("warn", 256)
    with pytest.raises(ValueError, match="Valid options are"):
        fresh.compute_test_value = True
    with pytest.raises(ValueError, match="float64"):
        fresh.floatX = "double"
    with pytest.raises(ValueError, match="True"):
        fresh.openmp = [1]
    assert fresh.floatX == "float32"


def test_unknown_attributes():
    fresh = made()
    with pytest.raises(AttributeError, match="'Config' object has no attribute 'nope'"):
        _ = fresh.nope
    with pytest.raises(AttributeError, match="Did you mean 'floatX'"):
        _ = fresh.floatx
    with pytest.raises(AttributeError):
        _ = fresh.DebugMode.nope
    fresh.nope = 3
    fresh.DebugMode.nope = 4
    assert (fresh.nope, fresh.DebugMode.nope) == (3, 4)
    del fresh.nope
    with pytest.raises(AttributeError):
        del fresh.nope
    with pytest.raises(AttributeError, match="cannot be deleted"):
        del fresh.floatX
    assert hasattr(fresh, "floatX")
    assert not hasattr(fresh, "__array__")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("floatx", "floatX"),
        ("flotX", "floatX"),
        ("FLOATX", "floatX"),
        ("compute_test_values", "compute_test_value"),
        ("cachelimit", "cache_limit"),
        ("num_threads", "threads"),
        ("cxxflags", "gcc.cxxflags"),
        ("patience", "DebugMode.patience"),
        ("scan__allow_cg", "scan.allow_gc"),
    ],
)
def test_names_that_are_no_settings_cannot_be_assigned(name, meant):
    fresh = made()
    before = dict(vars(fresh))
    with pytest.raises(AttributeError, match=f"no attribute '{name}'. Did you mean '{meant}'"):
        setattr(fresh, name, 1)
    with pytest.raises(AttributeError, match=f"Did you mean '{meant}'"):
        getattr(fresh, name)
    with pytest.raises(AssertionError, match="there is no setting"):
        change_flags({name: 1})
    with pytest.warns(UserWarning, match=f"this flag: {name}. Did you mean '{meant}'"):
        made(f"{name}=1")
    assert vars(fresh).keys() <= before.keys() | {meant}


def test_names_near_to_nothing_and_groups():
    fresh = made()
    with pytest.raises(AttributeError, match="Did you mean 'patience'"):
        fresh.DebugMode.patiense = 1
    with pytest.raises(AttributeError, match="'scan' is a group of settings"):
        fresh.scan = 1
    fresh.add(Setting("flotX", "int", 3, "A program's own."))
    fresh.flotX = 4
    assert fresh.flotX == 4


def test_fixed_settings_cannot_be_assigned():
    fresh = made("device=cuda0")
    assert fresh.device == "cuda0"
    with pytest.raises(FixedSettingError, match="put device=cpu into THEANO_FLAGS"):
        fresh.device = "cpu"


def test_a_computed_folder_may_be_chosen_until_it_is_read(tmp_path):
    fresh = made()
    fresh.base_compiledir = str(tmp_path)
    assert fresh.compiledir.startswith(str(tmp_path))
    with pytest.raises(Exception, match="Can't change the value"):
        fresh.base_compiledir = "elsewhere"


def test_the_name_of_the_compiled_folder_starts_no_process_that_it_does_not_need(monkeypatch):
    asked = []
    monkeypatch.setattr(platform, "platform", lambda: asked.append("") or "a platform")
    assert made().compiledir
    assert not asked
    assert Path(made("compiledir_format=on_%(platform)s").compiledir).name == "on_a platform"
    with pytest.raises(KeyError, match="nothing"):
        made("compiledir_format=on_%(nothing)s").compiledir  # noqa: B018


def test_change_flags_as_context_and_decorator():
    before = config.floatX, config.NanGuardMode.action

    @change_flags([("NanGuardMode.action", "warn")], floatX="float32")
    def inside(x):
        """Keep my name."""
        return x, config.floatX, config.NanGuardMode.action

    assert inside(1) == (1, "float32", "warn")
    assert inside.__name__ == "inside"
    assert inside.__doc__ == "Keep my name."
    with config.change_flags(floatX="float16"):
        with config.change_flags({"floatX": "float32"}):
            assert config.floatX == "float32"
        assert config.floatX == "float16"
    assert (config.floatX, config.NanGuardMode.action) == before


def test_change_flags_is_reentrant_and_undoes_half_changes():
    change = change_flags(allow_gc=False)
    with change, change:
        assert config.allow_gc is False
    assert config.allow_gc is True
    with pytest.raises(ValueError, match="openmp"):
        change_flags({"allow_gc": False, "openmp": "maybe"}).__enter__()
    assert config.allow_gc is True
    with pytest.raises(ZeroDivisionError), change:
        _ = 1 / 0
    assert config.allow_gc is True


def test_change_flags_may_be_left_more_often_than_entered():
    change = change_flags(allow_gc=False)
    with change:
        change.__exit__(None, None, None)
        config.allow_gc = False
    assert config.allow_gc is True


def test_two_underscores_are_a_dot():
    fresh = made("scan__allow_gc=True,gcc__cxxflags=-O1")
    assert (fresh.scan.allow_gc, fresh.scan__allow_gc, fresh.gcc__cxxflags) == (True, True, "-O1")
    fresh.gcc__cxxflags += " -g"
    assert fresh.gcc.cxxflags == "-O1 -g"
    with change_flags(NanGuardMode__action="warn"):
        assert config.NanGuardMode.action == config.NanGuardMode__action == "warn"
    with pytest.raises(AttributeError, match="has no attribute 'scan__nonsense'"):
        _ = config.scan__nonsense


def test_change_flags_refuses_unknown_and_fixed_settings():
    with pytest.raises(AssertionError, match="nope"):
        change_flags(nope=1)
    with pytest.raises(FixedSettingError):
        change_flags(device="cpu").__enter__()


def test_modes_are_accepted_once_their_class_is_known(monkeypatch):
    class Mode:
        pass

    monkeypatch.setattr(settings, "_mode_classes", ())
    fresh, mode = made(), Mode()
    with pytest.raises(ValueError, match="Mode"):
        fresh.mode = mode
    settings.accept_mode_class(Mode)
    fresh.mode = mode
    assert fresh.mode is mode
    fresh.mode = "FAST_COMPILE"


def test_programs_add_settings_of_their_own():
    with pytest.warns(UserWarning, match="lib.mine"):
        fresh = made("lib.mine=5")
    fresh.add(Setting("lib.mine", "int", 3, "A program's own."))
    fresh.add(Setting("deep.down.here", "", lambda _: "7", "Another.", convert=int))
    assert fresh.lib.mine == 5
    assert fresh.deep.down.here == 7
    assert "deep.down.here" in fresh.settings()
    with pytest.raises(AttributeError, match="already taken: floatX"):
        fresh.add(Setting("floatX", "int", 3, "Taken."))


def test_printed_settings_have_name_doc_and_value():
    text = str(made("floatX=float32"))
    assert "floatX (('float64', 'float32', 'float16'))\n" in text
    assert "    Value:  float32\n" in text
    assert text.count("    Doc:  ") == len(TABLE)
    assert "floatX" in dir(config)


def test_errors_are_ours():
    for kind in (FixedSettingError, InvalidSettingError):
        assert issubclass(kind, TheanoError)
        assert str(pickle.loads(pickle.dumps(kind("what")))) == "what"


def test_reading_is_an_attribute_look_up():
    assert config.floatX == "float64"
    assert "floatX" in vars(config), "a value that was read once must not run Python code again"


def test_settings_start_quickly():
    command = [sys.executable, "-X", "importtime", "-c", "import theano._core.base.settings"]
    spent = []
    for _ in range(4):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows = [line.removeprefix("import time:").split("|") for line in done.stderr.splitlines()]
        ours = ("theano._core.base.settings", "theano._core.base.settings_table")
        spent.append(sum(int(row[0]) for row in rows if row[-1].strip() in ours))
    # Microseconds. Some 2,000 on a quiet machine; 15,000 where no bytecode may be written.
    assert min(spent) > 0
    assert min(spent) < 50_000


SOURCE = Path(settings.__file__).parents[2]


def test_settings_that_work_are_read():
    text = "\n".join(
        path.read_text() for path in SOURCE.rglob("*.py") if path.name != "settings_table.py"
    )
    # The name of the compile cache's folder is made in the table itself.
    working = [row.name for row in TABLE if row.works and row.name != "compiledir_format"]
    assert len(working) > 30
    unread = [name for name in working if f"config.{name}" not in text and f'"{name}"' not in text]
    assert unread == []


def test_watching():
    fresh, seen = made("threads=3"), []

    def take(value):
        if value < 1:
            raise ValueError(value)
        seen.append(value)

    fresh.watch("threads", take)
    fresh.threads = 4
    with pytest.raises(ValueError):
        fresh.threads = 0
    assert (fresh.threads, seen) == (4, [3, 4])


@pytest.mark.parametrize("value", [2.5, float("nan"), float("inf"), 10**30, -1, "1_0 0", None])
def test_numbers_out_of_range_are_refused_and_change_nothing(value):
    fresh = made("threads=3")
    with pytest.raises(InvalidSettingError, match='"threads"'):
        fresh.threads = value
    assert fresh.threads == 3
    fresh.cache_limit = 1e9
    assert fresh.cache_limit == 10**9


@pytest.mark.parametrize(
    ("text", "count"),
    [("3", 3), (" 4,2", 4), ("1024", 1024), ("1025", 1024), ("9" * 5000, None), ("9" * 30, 1024)]
    + [(text, None) for text in ("", "0", "-3", "many", "2.5", "0x2", "²", ",", "4;2", "\t")],
)
def test_omp_num_threads_never_stops_a_program(text, count, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    processors = made().threads
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert made().threads == (processors if count is None else count)


def test_the_most_threads_are_the_runtimes():
    from theano._core.runtime import native

    before = native.get_threads()
    try:
        native.set_threads(MOST_THREADS)
        with pytest.raises(ValueError, match=str(MOST_THREADS)):
            native.set_threads(MOST_THREADS + 1)
    finally:
        native.set_threads(before)


PLANTED = """
import gc, os, pydoc, inspect, logging, sys
from io import StringIO
out = StringIO()
logging.basicConfig(stream=out, level=0)
import theano, theano.tensor
import theano.tensor.nnet, theano.tensor.nlinalg, theano.gradient, theano.printing, theano.extend
import theano.sandbox.rng_mrg, theano.tensor.shared_randomstreams, theano.ifelse
x = theano.tensor.dvector("x")
f = theano.function([x], x.sum(), profile=True)
try:
    theano.function([x], x[7])([1.0])
except IndexError as error:
    out.write(str(error))
theano.printing.debugprint(f, file=out)
out.write(str(theano.config) + repr(theano.config) + repr(vars(theano.config)))
for thing in [theano.config, theano, theano.tensor, theano.function, f, x, type(theano.config)]:
    out.write(pydoc.render_doc(thing))
for name, module in list(sys.modules.items()):
    if name.partition(".")[0] == "theano":
        out.write(repr({k: v for k, v in vars(module).items() if k != "__builtins__"}))
for thing in gc.get_objects():
    if inspect.isfunction(thing) and str(thing.__module__).partition(".")[0] == "theano":
        out.write(repr((thing.__defaults__, thing.__kwdefaults__)))
sys.stdout.write(out.getvalue())
"""


@pytest.mark.parametrize("files", [False, True])
def test_no_text_holds_the_environment(files, tmp_path):
    environ = {**os.environ, "A_SECRET": "planted-token", "TMP": "/planted-token"}
    if files:
        environ["THEANORC"] = str(tmp_path / "rc")
        (tmp_path / "rc").write_text("[global]\nfloatX = float32\n[scan]\ndebug = 0\n")
    done = subprocess.run(
        [sys.executable, "-c", PLANTED], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 100_000
    assert "planted-token" not in done.stdout + done.stderr


def test_threads():
    from theano._core.runtime import native

    before = native.get_threads()
    assert before == config.threads
    with change_flags(threads=before + 1):
        assert native.get_threads() == before + 1
    assert native.get_threads() == before
    with pytest.raises(ValueError, match="at least 1 and at most 1024"):
        config.threads = 0
    assert config.threads == before


def test_copies_are_the_same_settings():
    fresh = made()
    assert copy.copy(fresh) is fresh
    assert copy.deepcopy(fresh.scan) is fresh.scan
