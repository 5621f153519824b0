"""The table of all settings: what each one is called, accepts, and does.

One row per setting, in alphabetical order within a group. `settings.config` serves the values.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from math import inf
from typing import Any

from theano._core.base.records import Record

__all__ = ["MOST_THREADS", "TABLE", "Setting"]

# The runtime's own limit (runtime/threads.cpp).
MOST_THREADS = 1024


class Setting(Record):
    """One row of the table.

    Parameters
    ----------
    name : str
        Dotted name.
    kind : str
        Which converter checks values: a key of `settings.CONVERTERS`.
    default : object
        Value when no source gives one; a function of `config` is called at first use.
    doc : str
        What it decides, in one line.
    choices : tuple
        The values allowed; empty for any value of the kind.
    fixed : bool
        Only read when Theano starts: assigning later raises `FixedSettingError`.
    works : bool
        Whether it changes anything here. Others are accepted so that old programs and settings
        files keep running.
    convert : callable, optional
        A converter of the setting's own, for settings that a program adds.
    least, most : float
        The smallest and the largest number allowed.
    """

    name: str
    kind: str
    default: Any
    doc: str
    choices: tuple[Any, ...] = ()
    fixed: bool = False
    works: bool = True
    convert: Callable[[Any], Any] | None = None
    least: float = -inf
    most: float = inf


def _bool(name: str, default: bool, doc: str, **facts: Any) -> Setting:
    return Setting(name, "bool", default, doc, **facts)


def _int(name: str, default: object, doc: str, **facts: Any) -> Setting:
    return Setting(name, "int", default, doc, **facts)


def _float(name: str, default: float, doc: str, **facts: Any) -> Setting:
    return Setting(name, "float", default, doc, **facts)


def _str(name: str, default: object, doc: str, **facts: Any) -> Setting:
    return Setting(name, "str", default, doc, **facts)


def _enum(name: str, choices: str, doc: str, **facts: Any) -> Setting:
    allowed = tuple(choices.split())
    return Setting(name, "enum", facts.pop("default", allowed[0]), doc, allowed, **facts)


def _kept(row: Setting) -> Setting:
    # Accepted for old programs: nothing here reads it.
    return row.replace(works=False)


def _cache_folder(config: object) -> str:
    from platformdirs import user_cache_dir

    return user_cache_dir("theano", appauthor=False)


def _compiler(config: object) -> str:
    from shutil import which

    return which("g++") or ""


def _cores(config: object) -> int:
    # Other programs read it too, each in its own way: whatever it holds, it does not stop ours.
    try:
        wanted = int(os.environ.get("OMP_NUM_THREADS", "").split(",")[0])
    except ValueError:
        wanted = 0
    if wanted < 1:
        own = hasattr(os, "sched_getaffinity")
        wanted = len(os.sched_getaffinity(0)) if own else os.cpu_count() or 1
    return min(wanted, MOST_THREADS)


class _Facts(dict[str, str]):
    """What the name of a folder may tell of this machine.

    What starts a process is found when it is asked for: the name by default does not.
    """

    def __missing__(self, name: str) -> str:
        import platform

        if name != "platform":
            raise KeyError(name)
        return platform.platform()


def _compiled_folder(config: Any) -> str:
    import platform
    import struct
    import sys

    bits = str(8 * struct.calcsize("P"))
    facts = {
        "short_platform": f"{platform.system()}-{platform.machine()}",
        "hostname": platform.node(),
        # Not platform.processor(), which starts a process.
        "processor": platform.machine(),
        "python_version": platform.python_version(),
        "python_bitwidth": bits,
        "python_int_bitwidth": bits,
        "numpy_version": getattr(sys.modules.get("numpy"), "__version__", ""),
        "theano_version": "2.0.0",
        "device": config.device,
        "gxx_version": "",
    }
    return os.path.join(config.base_compiledir, config.compiledir_format % _Facts(facts))


_ACTIONS = "off ignore warn raise pdb"
_NUMPY_ERRORS = "ignore warn raise call print log"
_AT_RUN_TIME = "guess_once guess_on_shape_change time_once time_on_shape_change"
_VERSIONS = "0.3 0.4 0.4.1 0.5 0.6 0.7 0.8 0.8.1 0.8.2 0.9 0.10 1.0 1.0.1 1.0.2 1.0.3 1.0.4 1.0.5"
_OLD_BUG = "Warn where Theano before {} could have given a wrong result: {}."


def _old_bug(name: str, version: str, what: str) -> Setting:
    return _kept(_bool(f"warn.{name}", False, _OLD_BUG.format(version, what)))


NUMBERS = (
    _enum("floatX", "float64 float32 float16", "Item type of floats that nobody chose."),
    _enum(
        "cast_policy",
        "custom numpy+floatX numpy2",
        "How Python numbers and mixed dtypes combine: the smallest type that holds the number; "
        "NumPy's types with floats in floatX; or NumPy 2, where Python numbers are weak.",
    ),
    _enum("int_division", "int raise floatX", "What `/` does with two integers."),
    _enum("warn_float64", "ignore warn raise pdb", "What to do when a float64 tensor is made."),
    _kept(_enum("deterministic", "default more", "Results never depend on the run here.")),
    _int(
        "threads",
        _cores,
        "Threads of one function. Results are the same for any number.",
        least=1,
        most=MOST_THREADS,
    ),
    Setting(
        "vector_width",
        "int",
        0,
        "Bits in a vector register that generated code uses; 0 asks the processor.",
        (0, 128, 256, 512),
    ),
    _bool(
        "conv.winograd",
        True,
        "Whether sums over 3 × 3 items of many channels are made by Winograd's minimal filtering: "
        "in 0.6 of the time, with errors relative to the largest of 4 × 4 items.",
    ),
    _kept(_bool("openmp", False, "As `threads` says, loops are always shared out.")),
    _kept(_int("openmp_elemwise_minsize", 200_000, "From how many items on: the runtime decides.")),
)

BUILDING = (
    _enum("compute_test_value", _ACTIONS, "Compute test values while the graph is being built."),
    _enum("compute_test_value_opt", _ACTIONS, "Compute test values while rewriting the graph."),
    _bool("print_test_value", False, "Show test values in debug prints."),
    _bool("pickle_test_value", True, "Keep test values when variables are pickled."),
    _enum("on_shape_error", "warn raise", "What to do when a shape cannot be inferred."),
    _enum("on_unused_input", "raise warn ignore", "What `function` does with an unused input."),
    _bool("conv.assert_shape", False, "Check convolution shapes that were declared by hand."),
    _kept(
        _int(
            "traceback.limit",
            8,
            "Frames kept of where a variable was made: the line of the user's program is.",
        )
    ),
    _kept(_int("traceback.compile_limit", 0, "The same for what rewriting makes.")),
    _enum("exception_verbosity", "low high", "How much of the graph a run-time error prints."),
    _str("unittests.rseed", "666", "Seed of random tests; 'random' draws one."),
)

COMPILING = (
    Setting(
        "mode",
        "mode",
        "Mode",
        "Default mode of `function`.",
        ("Mode", "DebugMode", "FAST_RUN", "NanGuardMode", "FAST_COMPILE", "DEBUG_MODE", "JAX"),
    ),
    _enum(
        "linker",
        "cvm c|py py c c|py_nogc vm vm_nogc cvm_nogc jax",
        "How a graph runs: 'py' is the NumPy reference, 'jax' XLA, all others machine code.",
    ),
    _enum(
        "optimizer",
        "o4 o3 o2 o1 unsafe fast_run fast_compile merge None",
        "Which rewrites apply.",
    ),
    _str("optimizer_excluding", "", "Rewrites left out, joined by ':'.", fixed=True),
    _str("optimizer_including", "", "Rewrites added, joined by ':'.", fixed=True),
    _str("optimizer_requiring", "", "Rewrites that must apply, joined by ':'.", fixed=True),
    _bool("optimizer_verbose", False, "Print each rewrite."),
    _bool("compile_progress", False, "Tell on stderr how far a compile is that takes over 2 s."),
    _enum("on_opt_error", "warn raise pdb ignore", "What to do when a rewrite fails."),
    _kept(
        _enum(
            "check_stack_trace",
            "off log warn raise",
            "Check that rewrites keep source lines: the engine does.",
        )
    ),
    _kept(_float("optdb.position_cutoff", float("inf"), "Position after which no rewrite runs.")),
    _kept(_float("optdb.max_use_ratio", 8.0, "How often one rewrite may fire, per node.")),
    _bool("tensor.local_elemwise_fusion", True, "Join chains of elementwise operations."),
    _bool("unpickle_function", True, "Whether a pickled function compiles when it is read."),
    _kept(
        _bool(
            "reoptimize_unpickled_function",
            False,
            "Rewrite an unpickled function again: always done.",
        )
    ),
    Setting("base_compiledir", "path", _cache_folder, "Root of the compile cache.", fixed=True),
    Setting("compiledir", "path", _compiled_folder, "The compile cache.", fixed=True),
    _str(
        "compiledir_format",
        "compiledir_%(short_platform)s-%(processor)s-%(python_version)s-%(python_bitwidth)s",
        "Name of the compile cache in its root.",
        fixed=True,
    ),
    _bool(
        "cache_programs",
        True,
        "Keep what rewriting and lowering make, for functions of equal graphs.",
    ),
    _int("cache_limit", 512 * 2**20, "Bytes that the compile cache may take on disk.", least=0),
    _bool("allow_gc", True, "Whether users' operations find their storage cells empty."),
    _kept(_bool("cache_optimizations", False, "Keep rewritten graphs: code is kept instead.")),
    _kept(_enum("cycle_detection", "regular fast", "How cycles are found when reusing memory.")),
    _kept(_bool("check_input", True, "Check types in generated code: the runtime always does.")),
    _kept(_bool("nocleanup", False, "Keep C code that did not compile: there is none.")),
    _kept(_str("cxx", _compiler, "The C++ compiler: none is needed.")),
    _kept(_int("compile.wait", 5, "Seconds between tries for the compile lock.", fixed=True)),
    _kept(
        _int(
            "compile.timeout",
            lambda config: 24 * config.compile.wait,
            "Seconds until the lock is stale.",
            fixed=True,
        )
    ),
    _kept(_int("tensor.insert_inplace_optimizer_validate_nb", -1, "Batch size of in-place tries.")),
    _kept(Setting("vm.lazy", "lazy", None, "Lazy evaluation: ifelse always runs one branch.")),
    _kept(_int("metaopt.verbose", 0, "Messages of rewrites chosen by timing.")),
    _kept(_str("metaopt.optimizer_excluding", "", "Rewrites by timing left out.")),
    _kept(_str("metaopt.optimizer_including", "", "Rewrites by timing added.")),
    _kept(_bool("experimental.local_alloc_elemwise", True, "Old rewrite, always on.")),
    _kept(_bool("experimental.local_alloc_elemwise_assert", True, "Its shape check.")),
    _kept(_bool("scan.debug", False, "Print what scan does.")),
    _kept(_bool("scan.allow_gc", False, "Free memory within scan: the memory plan decides.")),
    _kept(_bool("scan.allow_output_prealloc", True, "Reuse scan's outputs: always done.")),
)

WATCHING = (
    _bool("profile", False, "Count time in every function."),
    _kept(_bool("profile_memory", False, "Count memory in every function.")),
    _kept(_bool("profile_optimizer", False, "Count time in rewriting.")),
    _bool("print_global_stats", False, "Print the time spent in functions at exit."),
    _bool("profiling.time_thunks", True, "Time single nodes."),
    _int("profiling.n_apply", 20, "Nodes listed in a profile.", least=0),
    _int("profiling.n_ops", 20, "Operations listed in a profile.", least=0),
    _int("profiling.output_line_width", 512, "Characters in a line of a profile.", least=1),
    _kept(_int("profiling.min_memory_size", 1024, "Bytes from which a node is listed.")),
    _kept(_bool("profiling.min_peak_memory", False, "Compute the least peak memory of any order.")),
    _str("profiling.destination", "stderr", "Where profiles go: stderr, stdout or a file name."),
    _kept(_bool("profiling.debugprint", False, "Print the graph of profiled functions.")),
    _kept(_bool("profiling.ignore_first_call", False, "Leave the first call out of a profile.")),
    _kept(_int("DebugMode.patience", 10, "How often DebugMode compiles, to find unstable order.")),
    _kept(_bool("DebugMode.check_c", True, "Compare machine code.")),
    _kept(_bool("DebugMode.check_py", True, "Compare the NumPy reference.")),
    _kept(_bool("DebugMode.check_finite", True, "Complain about NaN and infinity.")),
    _kept(_int("DebugMode.check_strides", 0, "On different strides: 0 nothing, 1 warn, 2 raise.")),
    _kept(
        _bool("DebugMode.warn_input_not_reused", True, "Warn of in-place ops that did not reuse.")
    ),
    _kept(
        _str("DebugMode.check_preallocated_output", "", "Kinds of output memory to try, with ':'.")
    ),
    _kept(_int("DebugMode.check_preallocated_output_ndim", 4, "Axes whose strides are tried.")),
    _kept(_bool("NanGuardMode.nan_is_error", True, "NanGuardMode reports NaN.")),
    _kept(_bool("NanGuardMode.inf_is_error", True, "NanGuardMode reports infinity.")),
    _kept(_bool("NanGuardMode.big_is_error", True, "NanGuardMode reports values above 1e10.")),
    _kept(_enum("NanGuardMode.action", "raise warn pdb", "What NanGuardMode does.")),
    _kept(_int("tensor.cmp_sloppy", 0, "How loosely values compare: 0, 1 or 2.", fixed=True)),
)

NUMPY_ERRORS = (
    _kept(
        _enum(
            "numpy.seterr_all",
            f"{_NUMPY_ERRORS} None",
            "NumPy's error state: importing Theano leaves it alone.",
            fixed=True,
        )
    ),
    *(
        _kept(
            _enum(
                f"numpy.seterr_{kind}",
                f"None {_NUMPY_ERRORS}",
                f"The same for '{kind}' only.",
                fixed=True,
            )
        )
        for kind in ("divide", "over", "under", "invalid")
    ),
)

OLD_BUGS = (
    _kept(
        _enum(
            "warn.ignore_bug_before",
            f"0.9 None all {_VERSIONS}",
            "Release since which results are trusted; older bugs are warned of.",
            fixed=True,
        )
    ),
    _old_bug("argmax_pushdown_bug", "0.4", "argmax of an elementwise chain"),
    _old_bug("gpusum_01_011_0111_bug", "0.4", "GPU sums over some axes"),
    _old_bug("sum_sum_bug", "0.4", "a sum of a sum"),
    _old_bug("sum_div_dimshuffle_bug", "0.4", "a sum of a quotient with broadcasting"),
    _old_bug("subtensor_merge_bug", "0.5", "an index into an index"),
    _old_bug("gpu_set_subtensor1", "0.6", "set_subtensor with an index vector on a GPU"),
    _old_bug("vm_gc_bug", "0.5", "lazy evaluation that freed memory too early"),
    _old_bug("signal_conv2d_interface", "0.8", "the meaning of signal.conv2d's shapes"),
    _old_bug("reduce_join", "0.7", "a reduction of a join over the joined axis"),
    _old_bug("inc_set_subtensor1", "0.7", "a mix of set_subtensor and inc_subtensor"),
    _old_bug("identify_1pexp_bug", "0.4.1", "taking another expression for 1 + exp(x)"),
    _kept(_bool("warn.round", False, "Remind that round goes half to even.")),
    _kept(_bool("warn.inc_subtensor1_opt", True, _OLD_BUG.format("0.7", "a merge of increments"))),
)

DEVICES = (
    Setting("device", "device", "cpu", "Where graphs run.", ("cpu",), fixed=True),
    _kept(Setting("init_gpu_device", "device", "", "GPU to start at import.", ("",), fixed=True)),
    _kept(_bool("force_device", False, "Fail when the device cannot be used.", fixed=True)),
    _kept(Setting("contexts", "contexts", "", "Names of several GPUs.", fixed=True)),
    _kept(_bool("print_active_device", True, "Print the GPU at start.", fixed=True)),
    _kept(_enum("assert_no_cpu_op", "ignore warn raise pdb", "Check that a GPU runs all nodes.")),
    _kept(_bool("experimental.unpickle_gpu_on_cpu", False, "Read GPU variables as CPU ones.")),
    _kept(_bool("gpu.local_elemwise_fusion", True, "Join elementwise chains on a GPU.")),
    _kept(_bool("gpuelemwise.sync", True, "Wait for the GPU after each loop.")),
    _kept(Setting("gpuarray.sync", "removed", False, "Removed in Theano 1.0.", fixed=True)),
    _kept(_float("gpuarray.preallocate", 0.0, "Part of GPU memory to take at start.", fixed=True)),
    _kept(_enum("gpuarray.sched", "default multi single", "How the host waits for the GPU.")),
    _kept(_bool("gpuarray.single_stream", True, "Use one GPU queue.")),
    _kept(
        Setting(
            "gpuarray.cache_path",
            "path",
            lambda config: os.path.join(_compiled_folder(config), "gpuarray_kernels"),
            "Folder of GPU code.",
            fixed=True,
        )
    ),
    _kept(_str("cuda.root", lambda config: os.environ.get("CUDA_ROOT", ""), "Folder of CUDA.")),
    _kept(_str("cuda.include_path", "", "Folder of CUDA's headers.")),
    _kept(_enum("dnn.enabled", "auto True False no_check", "Use cuDNN.")),
    *(
        _kept(_str(f"dnn.{which}_path", "", f"Folder of cuDNN ({which})."))
        for which in ("base", "bin", "include", "library")
    ),
    *(
        _kept(Setting(f"dnn.conv.{name}", "removed", "", "Removed in Theano 1.0.", fixed=True))
        for name in ("workmem", "workmem_bwd", "algo_bwd")
    ),
    _kept(
        _enum(
            "dnn.conv.algo_fwd",
            f"small none large fft fft_tiling winograd winograd_non_fused {_AT_RUN_TIME}",
            "cuDNN's algorithm of a convolution.",
        )
    ),
    _kept(
        _enum(
            "dnn.conv.algo_bwd_data",
            "none deterministic fft fft_tiling winograd winograd_non_fused " + _AT_RUN_TIME,
            "cuDNN's algorithm of its gradient for the input.",
        )
    ),
    _kept(
        _enum(
            "dnn.conv.algo_bwd_filter",
            f"none deterministic fft small winograd_non_fused fft_tiling {_AT_RUN_TIME}",
            "cuDNN's algorithm of its gradient for the filter.",
        )
    ),
    _kept(
        _enum(
            "dnn.conv.precision",
            "as_input_f32 as_input float16 float32 float64",
            "Item type that cuDNN computes in.",
        )
    ),
    _kept(_bool("magma.enabled", False, "Use MAGMA for linear algebra on a GPU.")),
    _kept(_str("magma.include_path", "", "Folder of MAGMA's headers.")),
    _kept(_str("magma.library_path", "", "Folder of MAGMA.")),
    _kept(_str("ctc.root", "", "Folder of the CTC library.", fixed=True)),
)

C_CODE = (
    _kept(_str("gcc.cxxflags", "", "Options of the C++ compiler.")),
    _kept(_str("blas.ldflags", "-lblas", "How to link BLAS: NumPy's own library is used.")),
    _kept(_bool("blas.check_openmp", True, "Check for two OpenMP libraries.")),
    _kept(_bool("lib.amdlibm", False, "Use AMD's mathematics library.")),
    _kept(_bool("cmodule.warn_no_version", False, "Warn of C code that cannot be cached.")),
    _kept(_bool("cmodule.remove_gxx_opt", False, "Compile C code without optimisation.")),
    _kept(_bool("cmodule.compilation_warning", False, "Print the C compiler's warnings.")),
    _kept(_bool("cmodule.preload_cache", False, "Read the cache at import.", fixed=True)),
    _kept(_int("cmodule.age_thresh_use", 2_073_600, "Seconds that C code is used.", fixed=True)),
    _kept(_bool("cmodule.debug", False, "Compile C code with its checks.")),
)

TABLE: tuple[Setting, ...] = (
    *NUMBERS,
    *BUILDING,
    *COMPILING,
    *WATCHING,
    *NUMPY_ERRORS,
    *OLD_BUGS,
    *DEVICES,
    *C_CODE,
)
