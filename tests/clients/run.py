"""Run the test suites of libraries that were written for Theano 1.0.5, against this one.

    make test-clients [ARGS="lasagne keras"]

The sources come from PyPI, once, into `.venv/clients`, as do the tools that their tests need, in
versions of their time; `shims.py` puts back what Python and NumPy removed since. Prints how many
tests passed; ends with 1 if one fails that `KNOWN` does not explain, or if one of these passes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / ".venv" / "clients"
TOOLS = (
    *("pytest<8", "mock<3", "flaky", "h5py", "keras_applications", "keras_preprocessing"),
    *("pandas", "pyyaml", "requests", "setuptools<81", "six", "mpmath", "scikit-learn"),
)


class Client(NamedTuple):
    """A library: its release on PyPI, the folders of its tests, and what they need besides."""

    release: str
    tests: tuple[str, ...]
    floats: str = "float32"
    options: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    # What it needs in releases that others do not.
    tools: tuple[str, ...] = ()
    # What errors say that are none of Theano's: why.
    explained: tuple[tuple[str, str], ...] = ()


PYMC3_TOOLS = (
    *("cachetools<5", "deprecat", "dill", "fastprogress==1.0.3", "h5py", "matplotlib<3.9"),
    *("pandas<3", "patsy", "pytest<8", "semver<3", "setuptools<81", "typing_extensions"),
    "xarray<2025",
)
PYMC3_EXPLAINED = (
    ("setting an array element with a sequence", "writes arrays of one item where numbers belong"),
    ("only 0-dimensional arrays can be converted", "takes arrays of one item for numbers"),
    ("only integers, slices", "takes a list for an index of several axes"),
    ("has no attribute 'MachAr'", "a name of former NumPy"),
    ("sum of the observed frequencies", "SciPy asks more of its test of frequencies today"),
)
CLIENTS = {
    "lasagne": Client("Lasagne==0.1", ("lasagne/tests",)),
    "keras": Client(
        "Keras==2.3.1",
        ("tests",),
        # What its threads draw, and so the accuracy that it asks for, differs from run to run.
        options=(
            "--deselect=tests/integration_tests/test_image_data_tasks.py"
            "::test_image_data_generator_training",
        ),
        left_out=(
            # They need TensorFlow, a network or packages that draw.
            "tests/integration_tests/applications_test.py",
            "tests/integration_tests/preprocessing",
            "tests/integration_tests/test_datasets.py",
            "tests/integration_tests/test_tensorflow_integration.py",
            "tests/keras/datasets",
            "tests/test_api.py",
            "tests/keras/metrics_confusion_matrix_test.py",
            "tests/keras/utils/multi_gpu_test.py",
            "tests/keras/utils/vis_utils_test.py",
            # Its own documents and files, and processes that start each other without end.
            "tests/docs",
            "tests/keras/utils/data_utils_test.py",
            "tests/keras/utils/io_utils_test.py",
            "tests/test_multiprocessing.py",
        ),
        environment=(("KERAS_BACKEND", "theano"), ("MPLBACKEND", "agg")),
    ),
    "sympy": Client("sympy==1.6.2", ("sympy/printing/tests/test_theanocode.py",), "float64"),
    # Its tests are in its repository alone: ours ask the same of it.
    "pymanopt": Client("pymanopt==0.2.4", (str(HERE / "pymanopt_tests.py"),), "float64"),
    "theanolm": Client(
        "TheanoLM==1.3.2",
        ("tests/theanolm",),
        "float64",
        options=("--import-mode=importlib",),
        # Files that they read are not in the release.
        left_out=(
            "tests/theanolm/iterators_test.py",
            "tests/theanolm/lattice_test.py",
            "tests/theanolm/latticedecoder_test.py",
            "tests/theanolm/statistics_test.py",
            "tests/theanolm/textsampler_test.py",
            "tests/theanolm/textscorer_test.py",
            "tests/theanolm/vocabulary_test.py",
        ),
    ),
    "pymc3-3.9": Client(
        "pymc3==3.9.3",
        ("pymc3/tests",),
        "float64",
        # It waits for processes that it ends.
        left_out=("pymc3/tests/test_parallel_sampling.py",),
        tools=("arviz==0.10.0", *PYMC3_TOOLS),
        explained=PYMC3_EXPLAINED,
    ),
    "pymc3-3.11": Client(
        "pymc3==3.11.5",
        ("pymc3/tests",),
        "float64",
        left_out=("pymc3/tests/test_parallel_sampling.py",),
        tools=("arviz==0.12.1", *PYMC3_TOOLS),
        explained=(
            *PYMC3_EXPLAINED,
            # Which of its points are tried is drawn.
            (
                "{'alpha': array(20.), 'beta': array(0.99), 'value': array(100.)}",
                "wants -1.2e40 to 6 decimals: the last bit differs",
            ),
        ),
    ),
}
TENSORFLOW = "compares with TensorFlow, without asking whether it is there"
H5PY = "a name of h5py 2"
FINITE = "wants minus infinity where SciPy's density underflows: its logarithm is finite"
PYMC3_KNOWN = {
    "TestMatchesScipy::test_rice": FINITE,
    "test_ode::test_gradients": "reshapes 2 items into (1, 3), which Theano 1.0.5 lets pass",
    "TestSamplePriorPredictive::test_layers": (
        "wants np.ones_like of a variable to be the number 1: it is a variable of ones"
    ),
}
# Failures that are none of Theano's, or meant: why.
KNOWN: dict[str, dict[str, str]] = {
    "lasagne": {},
    "keras": {
        "TestBackend::test_function": TENSORFLOW,
        "TestBackend::test_gradient": TENSORFLOW,
        "TestBackend::test_in_top_k": "asks NumPy for its former order of equal items",
        "TestBackend::test_resize_images_bilinear[channels_first]": TENSORFLOW,
        "TestBackend::test_resize_images_bilinear[channels_last]": TENSORFLOW,
        "activations_test::test_selu": (
            "wants exp(x) - 1 of float32 to 1e-7: expm1 has the nearest number, and that is another"
        ),
        "generic_utils_test::test_func_dump_and_load_backwards_compat[argmax]": (
            "wants the code of np.argmax"
        ),
        "test_model_saving::test_model_save_load_binary_in_memory": H5PY,
        "test_model_saving::test_model_saving_to_binary_stream": H5PY,
    },
    "sympy": {},
    "pymanopt": {},
    "theanolm": {},
    "pymc3-3.9": PYMC3_KNOWN,
    "pymc3-3.11": {**PYMC3_KNOWN, "TestMatchesScipy::test_moyal": FINITE},
}


def source(client: Client) -> Path:
    """Return where the sources of a client lie."""
    return FOLDER / client.release.replace("==", "-")


def own_tools(client: Client) -> Path:
    """Return where the tools of a client alone lie."""
    return FOLDER / f"tools-{client.release.replace('==', '-')}"


def fetch() -> None:
    """Download the tools and the sources that are not there yet."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    own = {own_tools(client): client.tools for client in CLIENTS.values() if client.tools}
    for tools, packages in {FOLDER / "tools": TOOLS, **own}.items():
        if not tools.exists():
            subprocess.run([*pip, "install", "--target", str(tools), *packages], check=True)
            # This environment has its own.
            for name in ("numpy", "scipy"):
                shutil.rmtree(tools / name, ignore_errors=True)
    for client in CLIENTS.values():
        if not source(client).exists():
            options = ["--no-deps", "--no-binary", ":all:", "--dest", str(FOLDER)]
            subprocess.run([*pip, "download", *options, client.release], check=True)
            with tarfile.open(f"{source(client)}.tar.gz") as packed:
                packed.extractall(FOLDER, filter="data")


def run(name: str) -> dict[str, tuple[str, str]]:
    """Run the tests of a client; return what came of each and the text of its error.

    What comes of it is 'passed', 'skipped', 'explained' or 'failed'.
    """
    client = CLIENTS[name]
    report = FOLDER / f"{name}.xml"
    tools = own_tools(client) if client.tools else FOLDER / "tools"
    paths = [tools, HERE, source(client)]
    environment = {
        **os.environ,
        **dict(client.environment),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "THEANO_FLAGS": f"floatX={client.floats}",
    }
    options = ["-c", str(HERE / "pytest.ini"), "--rootdir", ".", "-p", "shims", "-q"]
    options += [
        "--junitxml",
        str(report),
        *client.options,
        *(f"--ignore={path}" for path in client.left_out),
    ]
    report.unlink(missing_ok=True)
    with (FOLDER / f"{name}.log").open("w") as log:
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, *client.tests],
            cwd=source(client),
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if not report.exists():
        raise SystemExit(f"the tests of {name} did not run: see {FOLDER}/{name}.log")
    cases = ElementTree.parse(report).iter("testcase")
    return dict(_outcome(client, case) for case in cases)


def _outcome(client: Client, case: ElementTree.Element) -> tuple[str, tuple[str, str]]:
    name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
    texts = {e.tag: f"{e.get('message')} {e.text}" for e in case}
    error = texts.get("failure", texts.get("error"))
    if error is None:
        return name, ("skipped" if "skipped" in texts else "passed", "")
    why = next((why for part, why in client.explained if part in error), None)
    return name, ("failed", error) if why is None else ("explained", why)


def main() -> int:
    """Run the clients that are named, or all; return how many have unexpected outcomes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    fetch()
    surprised = 0
    for name in sys.argv[1:] or CLIENTS:
        outcomes = run(name)
        counts = Counter(kind for kind, _ in outcomes.values())
        print(name, ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
        reasons = Counter(why for kind, why in outcomes.values() if kind == "explained")
        for why, count in reasons.most_common():
            print(f"  {count} explained: {why}")
        failed = {test for test, (kind, _) in outcomes.items() if kind == "failed"}
        for test in sorted(failed):
            print(f"  {test}: {KNOWN[name].get(test, 'not known')}")
        for test in sorted(KNOWN[name].keys() - failed):
            print(f"  {test} passes now: {KNOWN[name][test]}")
        surprised += failed != KNOWN[name].keys()
    return surprised


if __name__ == "__main__":
    sys.exit(main())
