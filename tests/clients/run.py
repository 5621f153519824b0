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
}
TENSORFLOW = "compares with TensorFlow, without asking whether it is there"
H5PY = "a name of h5py 2"
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
    "theanolm": {},
}


def source(client: Client) -> Path:
    """Return where the sources of a client lie."""
    return FOLDER / client.release.replace("==", "-")


def fetch() -> None:
    """Download the tools and the sources that are not there yet."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    tools = FOLDER / "tools"
    if not tools.exists():
        subprocess.run([*pip, "install", "--target", str(tools), *TOOLS], check=True)
        # This environment has its own.
        for name in ("numpy", "scipy"):
            shutil.rmtree(tools / name, ignore_errors=True)
    for client in CLIENTS.values():
        if not source(client).exists():
            options = ["--no-deps", "--no-binary", ":all:", "--dest", str(FOLDER)]
            subprocess.run([*pip, "download", *options, client.release], check=True)
            with tarfile.open(f"{source(client)}.tar.gz") as packed:
                packed.extractall(FOLDER, filter="data")


def run(name: str) -> dict[str, str]:
    """Run the tests of a client; return the outcome of each: passed, skipped or failed."""
    client = CLIENTS[name]
    report = FOLDER / f"{name}.xml"
    paths = [FOLDER / "tools", HERE, source(client)]
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
    with (FOLDER / f"{name}.log").open("w") as log:
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, *client.tests],
            cwd=source(client),
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return dict(map(_outcome, ElementTree.parse(report).iter("testcase")))


def _outcome(case: ElementTree.Element) -> tuple[str, str]:
    place = case.get("classname", "").rpartition(".")[2]
    kinds = {element.tag for element in case}
    bad, left_out = bool(kinds & {"failure", "error"}), "skipped" in kinds
    return f"{place}::{case.get('name')}", "failed" if bad else "skipped" if left_out else "passed"


def main() -> int:
    """Run the clients that are named, or all; return how many have unexpected outcomes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    fetch()
    surprised = 0
    for name in sys.argv[1:] or CLIENTS:
        outcomes = run(name)
        counts = Counter(outcomes.values())
        print(name, ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
        failed = {test for test, kind in outcomes.items() if kind == "failed"}
        for test in sorted(failed):
            print(f"  {test}: {KNOWN[name].get(test, 'not known')}")
        for test in sorted(KNOWN[name].keys() - failed):
            print(f"  {test} passes now: {KNOWN[name][test]}")
        surprised += failed != KNOWN[name].keys()
    return surprised


if __name__ == "__main__":
    sys.exit(main())
