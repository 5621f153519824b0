"""Deep module paths of Theano 1.0.5: one table, served by one import finder.

Old programs reach engine objects through modules that are not part of the documented surface, such
as `theano.gof.graph` or `theano.tensor.var`. Such a module is made when it is first asked for; it
holds the objects that the table names and nothing else.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from theano._core.base.dtypes import all_dtypes
from theano._core.compile import checking_modes
from theano._core.legacy import no_gpu, patches
from theano._core.legacy.refused import REFUSED, refused
from theano._core.legacy.scalar.names import BASIC, SPECIAL

# Modules that are files.
REAL = {
    "theano.gradient",
    "theano.ifelse",
    "theano.sandbox.rng_mrg",
    "theano.sparse",
    "theano.tensor",
    "theano.tensor.fft",
    "theano.tensor.nnet",
    "theano.tensor.inplace",
    "theano.tensor.nlinalg",
    "theano.tensor.raw_random",
    "theano.tensor.sharedvar",
    "theano.tensor.slinalg",
    "theano.tensor.xlogx",
    *(f"theano.tensor.nnet.{name}" for name in ("abstract_conv", "blocksparse", "bn", "conv")),
    *(f"theano.tensor.nnet.{name}" for name in ("conv3d2d", "ctc", "neighbours")),
}
_OPTIMIZERS = {
    **{
        name: f"legacy.optimizers.local_optimizers:{name}"
        for name in (
            "FromFunctionLocalOptimizer",
            "LocalOptGroup",
            "LocalOptimizer",
            "OpRemove",
            "OpSub",
            "PatternSub",
            "local_optimizer",
        )
    },
    **{
        name: f"legacy.optimizers.global_optimizers:{name}"
        for name in (
            "CheckStackTraceOptimization",
            "EquilibriumOptimizer",
            "FromFunctionOptimizer",
            "NavigatorOptimizer",
            "OpKeyOptimizer",
            "Optimizer",
            "SeqOptimizer",
            "TopoOptimizer",
            "in2out",
            "check_stack_trace",
            "copy_stack_trace",
            "inplace_optimizer",
            "optimizer",
            "out2in",
            "pre_greedy_local_optimizer",
        )
    },
    **{
        name: f"legacy.optimizers.merging:{name}"
        for name in (
            "MergeFeature",
            "MergeOptimizer",
            "check_chain",
            "merge_dict",
            "pre_constant_merge",
        )
    },
}
_LINKERS = {
    name: f"legacy.linkers:{name}"
    for name in (
        "CLinker",
        "DualLinker",
        "Linker",
        "LocalLinker",
        "OpWiseCLinker",
        "PerformLinker",
        "VM_Linker",
        "WrapLinker",
        "WrapLinkerMany",
    )
}
_DATABASES = {
    name: f"legacy.optimizers.optdb:{name}"
    for name in ("DB", "EquilibriumDB", "LocalGroupDB", "ProxyDB", "Query", "SequenceDB", "TopoDB")
}
_REGISTERS = {
    name: f"legacy.optimizers.optdb:{name}"
    for name in (
        "register_canonicalize",
        "register_specialize",
        "register_specialize_device",
        "register_stabilize",
        "register_uncanonicalize",
        "register_useless",
    )
}
_TOOLBOX = {
    "AlreadyThere": "ir.function_graph:AlreadyThere",
    "BadOptimization": "compile.checking_modes:BadOptimization",
    "DestroyHandler": "legacy.optimizers.destroyhandler:DestroyHandler",
    **{
        name: f"legacy.optimizers.toolbox:{name}"
        for name in (
            "Bookkeeper",
            "Feature",
            "History",
            "NoOutputFromInplace",
            "NodeFinder",
            "PreserveNames",
            "PreserveVariableAttributes",
            "PrintListener",
            "ReplaceValidate",
            "ReplacementDidntRemovedError",
            "Validator",
        )
    },
}
_GRAPH = {
    "as_string": "ir.text:as_string",
    "op_as_string": "ir.text:op_as_string",
    "Apply": "ir.variable:Apply",
    "Constant": "ir.variable:Constant",
    "Variable": "ir.variable:Variable",
    "equal_computations": "ir.comparison:equal_computations",
    "io_connection_pattern": "ir.comparison:io_connection_pattern",
    "is_same_graph": "ir.comparison:is_same_graph",
    "is_same_graph_with_merge": "ir.comparison:is_same_graph",
    "deque": "legacy.graphs.walks:deque",
    **{
        name: f"legacy.graphs.walks:{name}"
        for name in (
            "ancestors",
            "clone",
            "clone_get_equiv",
            "general_toposort",
            "inputs",
            "io_toposort",
            "is_in_ancestors",
            "list_of_nodes",
            "nodes_constructed",
            "ops",
            "orphans",
            "stack_search",
            "variables",
            "variables_and_orphans",
            "view_roots",
        )
    },
}
_FUNCTION_GRAPH = {
    "CachedConstantError": "legacy.graphs.walks:CachedConstantError",
    "FunctionGraph": "ir.function_graph:FunctionGraph",
    "MissingInputError": "base.errors:MissingInputError",
    "InconsistencyError": "base.errors:InconsistencyError",
}
_TEST_VALUES = {
    name: f"compile.test_values:{name}"
    for name in (
        "debug_assert",
        "debug_error_message",
        "get_debug_values",
        "get_test_value",
        "missing_test_message",
    )
}
_OLD_FUNCTIONS = {
    name: f"legacy.compile_api:{name}"
    for name in ("Supervisor", "orig_function", "rebuild_collect_shared")
}
_FUNCTION = {
    **_OLD_FUNCTIONS,
    "AliasedMemoryError": "base.errors:AliasedMemoryError",
    "Function": "compile.function:Function",
    "FunctionMaker": "compile.maker:FunctionMaker",
    "UnusedInputError": "base.errors:UnusedInputError",
    "function_dump": "legacy.pickling:function_dump",
}
_SHARED = {
    "SharedVariable": "compile.shared:SharedVariable",
    "generic": "ir.types:generic",
    "shared": "compile.shared:shared",
    "shared_constructor": "compile.shared:shared_constructor",
}
_PROFILES = {
    "ProfileStats": "compile.profiling:ProfileStats",
    # The steps of loops belong to the functions around them.
    "ScanProfileStats": "compile.profiling:ProfileStats",
}
_DEBUG_MODE = {
    name: f"compile.checking_modes:{name}"
    for name in (
        "BadDestroyMap",
        "BadOptimization",
        "BadThunkOutput",
        "BadViewMap",
        "DebugMode",
        "DebugModeError",
        "InvalidValueError",
        "StochasticOrder",
    )
}
_MODES = {
    **{
        name: f"legacy.optimizers.global_optimizers:{name}"
        for name in ("AddDestroyHandler", "AddFeatureOptimizer", "PrintCurrentFunctionGraph")
    },
    **{
        f"OPT_{name}": f"legacy.optimizers.optdb:OPT_{name}"
        for name in ("FAST_COMPILE", "FAST_RUN", "FAST_RUN_STABLE", "MERGE", "NONE", "O2", "O3")
    },
    **{f"OPT_{name}": f"legacy.optimizers.optdb:OPT_{name}" for name in ("STABILIZE", "UNSAFE")},
    "predefined_linkers": "legacy.linkers:predefined_linkers",
    "predefined_optimizers": "compile.modes:OPTIMIZERS",
    "register_linker": "legacy.linkers:register_linker",
    "FAST_COMPILE": "compile.modes:FAST_COMPILE",
    "FAST_RUN": "compile.modes:FAST_RUN",
    "Mode": "compile.modes:Mode",
    "get_default_mode": "compile.modes:get_default_mode",
    "get_mode": "compile.modes:get_mode",
    "optdb": "legacy.optimizers.optdb:optdb",
    "predefined_modes": "compile.modes:predefined_modes",
    "register_mode": "compile.modes:register_mode",
    "register_optimizer": "compile.modes:register_optimizer",
}
_INPUTS = {
    "In": "compile.inputs:In",
    "Out": "compile.inputs:Out",
    "SymbolicInput": "compile.inputs:SymbolicInput",
    "SymbolicOutput": "compile.inputs:SymbolicOutput",
}
_VARIABLES = {
    "AsTensorError": "base.errors:AsTensorError",
    "TensorConstant": "api.variable.classes:TensorConstant",
    "TensorVariable": "api.variable.classes:TensorVariable",
    "_tensor_py_operators": "api.variable.methods:Methods",
}

_LINALG = {
    "alloc_diag": "api.array.linalg:alloc_diag",
    "cholesky": "ops.linalg.systems:cholesky",
    "det": "ops.linalg.systems:det",
    "diag": "api.array.linalg:diag",
    "eig": "ops.linalg.spectra:eig",
    "eigh": "api.array.linalg:eigh",
    "eigvalsh": "api.array.linalg:eigvalsh",
    "extract_diag": "api.array.linalg:extract_diag",
    "matrix_inverse": "ops.linalg.systems:matrix_inverse",
    "psd": "api.array.linalg:psd",
    "solve": "ops.linalg.systems:solve",
    "spectral_radius_bound": "api.array.linalg:spectral_radius_bound",
    "trace": "api.array.linalg:trace",
}
_TENSOR_ERRORS = {"NotScalarConstantError": "base.errors:NotScalarConstantError"}
_ELEMENTWISE = {
    "DimShuffle": "ops.core.dimshuffle:DimShuffle",
    "Elemwise": "legacy.ops.elemwise_classes:Elemwise",
}
_CONSTANTS = {"get_scalar_constant_value": "api.conversion:get_scalar_constant_value"}
_SUBTENSORS = {
    **{
        name: f"legacy.ops.op_classes:{name}"
        for name in (
            "AdvancedIncSubtensor",
            "AdvancedIncSubtensor1",
            "AdvancedSubtensor",
            "AdvancedSubtensor1",
            "IncSubtensor",
            "Subtensor",
            "advanced_inc_subtensor1",
            "advanced_set_subtensor1",
            "advanced_subtensor1",
        )
    },
    **{name: f"api.array.indexing:{name}" for name in ("inc_subtensor", "set_subtensor", "take")},
    **{
        name: f"legacy.ops.slices:{name}"
        for name in (
            "AdvancedBooleanIncSubtensor",
            "AdvancedBooleanSubtensor",
            "advanced_boolean_inc_subtensor",
            "advanced_boolean_set_subtensor",
            "advanced_boolean_subtensor",
            "advanced_inc_subtensor",
            "advanced_set_subtensor",
            "advanced_subtensor",
            "get_canonical_form_slice",
            "get_idx_list",
        )
    },
}
_PICKLING = {
    name: f"legacy.pickling:{name}"
    for name in (
        "CompatUnpickler",
        "PersistentNdarrayID",
        "PersistentNdarrayLoad",
        "PersistentSharedVariableID",
        "StripPickler",
        "dump",
        "load",
        "zipadd",
    )
}
_COMPAT = {
    name: f"legacy.compat:{name}"
    for name in (
        "BytesIO",
        "Callable",
        "DefaultOrderedDict",
        "DictMixin",
        "Iterable",
        "Mapping",
        "OrderedDict",
        "PY3",
        "ValuesView",
        "b",
        "cmp",
        "configparser",
        "decode",
        "decode_iter",
        "decode_with",
        "exc_message",
        "get_unbound_function",
        "ifilter",
        "imap",
        "izip",
        "next",
        "operator_div",
        "reload",
    )
}
_SLICES = {
    **{
        name: f"ops.array.slices:{name}"
        for name in (
            "MakeSlice",
            "SliceConstant",
            "SliceType",
            "as_int_none_variable",
            "make_slice",
            "slicetype",
        )
    },
    "NoneTypeT": "ir.types:NoneType",
}
_TYPED_LISTS = {
    name: f"legacy.user.typed_list:{name}"
    for name in (
        "Append",
        "Count",
        "Extend",
        "GetItem",
        "Index",
        "Insert",
        "Length",
        "MakeList",
        "Remove",
        "Reverse",
        "TypedListConstant",
        "TypedListType",
        "TypedListVariable",
        "append",
        "count",
        "extend",
        "getitem",
        "index_",
        "insert",
        "length",
        "make_list",
        "remove",
        "reverse",
    )
}
# Names of packages that are real files, or that few programs need.
LATE: dict[str, dict[str, str]] = {
    "theano.tests.unittest_tools": {"parameterized": "legacy.unittest_tools:parameterized"},
    "theano": {
        **_LINKERS,
        "Container": "legacy.linkers:Container",
        "FunctionMaker": "compile.maker:FunctionMaker",
        "CachedConstantError": "legacy.graphs.walks:CachedConstantError",
        "InconsistencyError": "base.errors:InconsistencyError",
        "ProfileStats": "compile.profiling:ProfileStats",
        "SymbolicInput": "compile.inputs:SymbolicInput",
        "SymbolicOutput": "compile.inputs:SymbolicOutput",
        "_asarray": "legacy.compile_api:_asarray",
        "function_dump": "legacy.pickling:function_dump",
        "logging_default_handler": "legacy.graphs.gof_utils:logging_default_handler",
        "theano_logger": "legacy.graphs.gof_utils:theano_logger",
        "get_scalar_constant_value": "api.conversion:get_scalar_constant_value",
        "object2": "legacy.user.properties:object2",
        "opt": "theano.gof.opt",
        "predefined_modes": "compile.modes:predefined_modes",
        "predefined_optimizers": "compile.modes:OPTIMIZERS",
        "test": "legacy.compile_api:run_tests",
        "toolbox": "theano.gof.toolbox",
        "utils": "theano.gof.utils",
    },
    "theano.tensor": {
        **{
            name: f"legacy.ops.slices:{name}"
            for name in (
                "AdvancedBooleanIncSubtensor",
                "AdvancedBooleanSubtensor",
                "advanced_boolean_inc_subtensor",
                "advanced_boolean_set_subtensor",
                "advanced_boolean_subtensor",
                "advanced_inc_subtensor",
                "advanced_set_subtensor",
                "advanced_subtensor",
                "get_canonical_form_slice",
                "get_idx_list",
            )
        },
        **{
            name: f"legacy.ops.array_ops:{name}"
            for name in (
                "Argmax",
                "DiffOp",
                "Eye",
                "Flatten",
                "Join",
                "MaxAndArgmax",
                "Mean",
                "PermuteRowElements",
                "Split",
                "Tile",
                "Tri",
            )
        },
        **{name: f"api.array.linalg:{name}" for name in ("AllocDiag", "ExtractDiag")},
        **{
            name: f"legacy.scalar.elementwise:{name}"
            for name in ("ScalarFromTensor", "TensorFromScalar")
        },
        "_shared": "api.variable.shared:tensor_constructor",
        "config": "base.settings:config",
        "hashtype": "legacy.user.properties:hashtype",
        **{name: f"legacy.compile_api:{name}" for name in ("register_transfer", "transfer")},
        "join_": "legacy.ops.op_classes:join_",
        "LoadFromDisk": "ops.array.disk:LoadFromDisk",
        **_SLICES,
        **{f"_convert_to_{d}": f"legacy.ops.array_ops:_convert_to_{d}" for d in all_dtypes},
        "_allclose": "legacy.ops.array_ops:numeric_allclose",
        "_dot": "ops.array.products:dot",
        "isinf_": "ops.elementwise.arithmetic:isinf",
        "isnan_": "ops.elementwise.arithmetic:isnan",
        **{name: f"api.array.io:{name}" for name in ("irecv", "isend", "load", "recv", "send")},
    },
    "theano.tensor.extra_ops": {
        name: f"legacy.ops.array_ops:{name}"
        for name in (
            "Bartlett",
            "CpuContiguous",
            "CumOp",
            "CumprodOp",
            "CumsumOp",
            "DiffOp",
            "FillDiagonal",
            "FillDiagonalOffset",
            "RavelMultiIndex",
            "RepeatOp",
            "SearchsortedOp",
            "UnravelIndex",
            "bartlett_",
            "cpu_contiguous",
            "fill_diagonal_",
            "fill_diagonal_offset_",
        )
    },
    "theano.tensor.nlinalg": {
        name: f"legacy.ops.array_ops:{name}" for name in ("QRFull", "QRIncomplete")
    },
    "theano.tensor.sort": {
        name: f"legacy.ops.array_ops:{name}" for name in ("ArgSortOp", "SortOp", "TopKOp")
    },
    "theano.tensor.nnet": {
        "ConvOp": "legacy.ops.convolution_ops:ConvOp",
        **{
            f"{name}_inplace": f"api.nn.nnet:{name}"
            for name in ("hard_sigmoid", "sigmoid", "softplus", "ultra_fast_sigmoid")
        },
    }
    | {
        name: f"legacy.ops.array_ops:{name}"
        for name in (
            "CrossentropyCategorical1Hot",
            "CrossentropyCategorical1HotGrad",
            "CrossentropySoftmax1HotWithBiasDx",
            "CrossentropySoftmaxArgmax1HotWithBias",
            "LogSoftmax",
            "Prepend_scalar_constant_to_each_row",
            "Prepend_scalar_to_each_row",
            "Softmax",
            "SoftmaxGrad",
            "SoftmaxWithBias",
            "logsoftmax_op",
            "softmax_op",
        )
    },
}

_USER_TYPES = {
    "CDataType": "legacy.user.type:CDataType",
    "CEnumType": "legacy.user.params:CEnumType",
    "EnumList": "legacy.user.params:EnumList",
    "EnumType": "legacy.user.params:EnumType",
    "Params": "legacy.user.params:Params",
    "ParamsType": "legacy.user.params:ParamsType",
    "SingletonType": "legacy.user.type:SingletonType",
}
_FUNCTION_OPS = {
    name: f"legacy.ops.function_op:{name}"
    for name in (
        "DeepCopyOp",
        "FromFunctionOp",
        "OutputGuard",
        "ViewOp",
        "as_op",
        "deep_copy_op",
        "load_back",
        "view_op",
    )
} | {
    f"register_{name}_c_code": "legacy.ops.function_op:register_c_code"
    for name in ("deep_copy_op", "rebroadcast", "shape", "shape_i", "specify_shape", "view_op")
}

_SCALAR_TYPES = (
    "NumpyAutocaster",
    "Scalar",
    "ScalarConstant",
    "ScalarVariable",
    "all_types",
    "as_common_dtype",
    "as_scalar",
    "autocast_float",
    "autocast_float_as",
    "autocast_int",
    "complex128",
    "complex64",
    "complex_types",
    "complexs",
    "complexs128",
    "complexs64",
    "constant",
    "continuous_types",
    "convert",
    "discrete_types",
    "float16",
    "float32",
    "float64",
    "float_out",
    "float_out_nocomplex",
    "float_types",
    "floats",
    "get_scalar_type",
    "int16",
    "int32",
    "int64",
    "int8",
    "int_out",
    "int_out_nocomplex",
    "int_types",
    "integer_types",
    "ints",
    "real_out",
    "same_out",
    "same_out_float_only",
    "same_out_min8",
    "same_out_nobool",
    "same_out_nocomplex",
    "specific_out",
    "transfer_type",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "uint_types",
    "unary_out_lookup",
    "upcast",
    "upcast_out",
    "upcast_out_min8",
    "upcast_out_no_complex",
    "upcast_out_nobool",
    "upgrade_to_float",
    "upgrade_to_float64",
    "upgrade_to_float_no_complex",
)
_SCALAR = {
    "ComplexError": "base.errors:ComplexError",
    "IntegerDivisionError": "base.errors:IntegerDivisionError",
    "bool": "legacy.scalar.type:boolean",
    **{name: f"legacy.scalar.type:{name}" for name in _SCALAR_TYPES},
    **{
        name: f"legacy.scalar.user_op:{name}"
        for name in ("BinaryScalarOp", "ScalarOp", "UnaryScalarOp")
    },
    **{
        name: f"legacy.scalar.ops:{name}"
        for name in (
            "Cast",
            "Composite",
            "InRange",
            "cast",
            "div_proxy",
            "floor_div",
            "inclosedrange",
            "inopenrange",
            *(f"convert_to_{dtype}" for dtype in all_dtypes),
            *BASIC,
            *BASIC.values(),
        )
    },
}
_SCALAR_OF_SPECIAL = {name: f"legacy.scalar.ops:{name}" for name in (*SPECIAL, *SPECIAL.values())}
# Module → its names → where the engine has them.
MODULES: dict[str, dict[str, str]] = {
    "theano.gof": {
        **_GRAPH,
        **_LINKERS,
        **_TEST_VALUES,
        **_FUNCTION_GRAPH,
        **_OPTIMIZERS,
        **_DATABASES,
        **_TOOLBOX,
        **_USER_TYPES,
        "COp": "legacy.user.op:COp",
        "Generic": "ir.types:Generic",
        "MethodNotDefined": "base.errors:MethodNotDefined",
        "Op": "legacy.user.op:Op",
        "OpenMPOp": "legacy.user.op:OpenMPOp",
        "object2": "legacy.user.properties:object2",
        "Type": "legacy.user.type:Type",
        "generic": "ir.types:generic",
    },
    "theano.compat": _COMPAT,
    "theano.d3viz": {},
    "theano.misc": {},
    "theano.misc.cpucount": {"cpuCount": "legacy.graphs.gof_utils:cpu_count"},
    "theano.misc.frozendict": {"frozendict": "legacy.collections:frozendict"},
    "theano.misc.ordered_set": {
        "Link": "legacy.pickling:OldObject",
        "OrderedSet": "legacy.collections:OrderedSet",
        "check_deterministic": "legacy.collections:check_deterministic",
    },
    "theano.misc.may_share_memory": {
        "may_share_memory": "legacy.compile_api:may_share_memory",
    },
    "theano.misc.pkl_utils": {
        **_PICKLING,
        "DEFAULT_PROTOCOL": "legacy.graphs.gof_utils:DEFAULT_PROTOCOL",
        "HIGHEST_PROTOCOL": "legacy.graphs.gof_utils:HIGHEST_PROTOCOL",
    },
    "theano.misc.safe_asarray": {"_asarray": "legacy.compile_api:_asarray"},
    "theano.tensor.fourier": {
        "Fourier": "legacy.ops.array_ops:Fourier",
        "fft": "api.array.fourier:fourier_fft",
    },
    "theano.tensor.io": {
        "LoadFromDisk": "ops.array.disk:LoadFromDisk",
        "_allclose": "legacy.ops.array_ops:numeric_allclose",
        "_dot": "ops.array.products:dot",
        "isinf_": "ops.elementwise.arithmetic:isinf",
        "isnan_": "ops.elementwise.arithmetic:isnan",
        **{name: f"api.array.io:{name}" for name in ("irecv", "isend", "load", "recv", "send")},
    },
    "theano.tensor.utils": {
        "hash_from_ndarray": "legacy.compile_api:hash_from_ndarray",
        "shape_of_variables": "legacy.graphs.shape_of_variables:shape_of_variables",
    },
    "theano.gof.graph": _GRAPH,
    "theano.gof.opt": {
        **_OPTIMIZERS,
        "ReplaceValidate": "legacy.optimizers.toolbox:ReplaceValidate",
        "config": "base.settings:config",
        "logging": "logging",
        "theano": "theano",
    },
    "theano.gof.optdb": {**_DATABASES, "opt": "theano.gof.opt"},
    "theano.gof.toolbox": _TOOLBOX,
    "theano.gof.fg": _FUNCTION_GRAPH,
    "theano.gof.null_type": {
        "NullType": "ops.array.gradient:NullType",
        "null_type": "ops.array.gradient:null_type",
    },
    "theano.gof.op": {
        "MethodNotDefined": "base.errors:MethodNotDefined",
        **_TEST_VALUES,
        "Op": "legacy.user.op:Op",
        "COp": "legacy.user.op:COp",
        "OpenMPOp": "legacy.user.op:OpenMPOp",
        "PureOp": "legacy.user.op:Op",
    },
    "theano.gof.params_type": {
        "Params": "legacy.user.params:Params",
        "ParamsType": "legacy.user.params:ParamsType",
    },
    "theano.gof.compilelock": {
        name: f"legacy.graphs.gof_utils:{name}" for name in ("get_lock", "release_lock")
    },
    "theano.gof.utils": {
        "MethodNotDefined": "base.errors:MethodNotDefined",
        **{
            name: f"legacy.graphs.gof_utils:{name}"
            for name in (
                "difference",
                "flatten",
                "from_return_values",
                "give_variables_names",
                "hist",
                "memoize",
                "remove",
                "to_return_values",
                "uniq",
                "unique",
            )
        },
        **{
            name: f"legacy.user.properties:{name}"
            for name in ("MetaObject", "hashtype", "object2", "scratchpad")
        },
    },
    "theano.gof.type": {
        **_USER_TYPES,
        "PureType": "legacy.user.type:Type",
        "Generic": "ir.types:Generic",
        "Type": "legacy.user.type:Type",
        "generic": "ir.types:generic",
    },
    "theano.compile": {
        **_FUNCTION,
        **_SHARED,
        **_MODES,
        **_PROFILES,
        **_INPUTS,
        "OpFromGraph": "api.graph.op_from_graph:OpFromGraph",
        **_FUNCTION_OPS,
        **_DEBUG_MODE,
        "MonitorMode": "compile.checking_modes:MonitorMode",
        "NanGuardMode": "compile.checking_modes:NanGuardMode",
        "NullType": "ops.array.gradient:NullType",
        "DisconnectedType": "ops.array.gradient:DisconnectedType",
        "Rebroadcast": "legacy.ops.op_classes:Rebroadcast",
        "Shape": "ops.array.shaping:ShapeOf",
        "Shape_i": "ops.array.shaping:Length",
        "SpecifyShape": "ops.array.shaping:SpecifyShape",
        "shape": "api.array.shaping:shape",
        "specify_shape": "ops.array.shaping:specify_shape",
        "function": "compile.function:function",
        "pfunc": "legacy.compile_api:pfunc",
    },
    "theano.compile.builders": {"OpFromGraph": "api.graph.op_from_graph:OpFromGraph"},
    "theano.compile.function": {"function": "compile.function:function"},
    "theano.compile.function_module": {
        **_FUNCTION,
        "_constructor_Function": "ir.variable:refuse_old_graph",
        "_constructor_FunctionMaker": "ir.variable:refuse_old_graph",
    },
    "theano.compile.io": _INPUTS,
    "theano.compile.debugmode": _DEBUG_MODE,
    "theano.compile.mode": _MODES,
    "theano.compile.monitormode": {
        "MonitorMode": "compile.checking_modes:MonitorMode",
        "detect_nan": "compile.checking_modes:detect_nan",
    },
    "theano.compile.nanguardmode": {
        name: f"compile.checking_modes:{name}"
        for name in ("NanGuardMode", "contains_inf", "contains_nan")
    },
    "theano.compile.profiling": {
        **_PROFILES,
        "config": "base.settings:config",
        "print_global_stats": "compile.profiling:print_global_stats",
    },
    "theano.compile.pfunc": {
        **_SHARED,
        "Param": "compile.inputs:Param",
        "pfunc": "legacy.compile_api:pfunc",
        "rebuild_collect_shared": "legacy.compile_api:rebuild_collect_shared",
    },
    "theano.compile.sharedvalue": _SHARED,
    "theano.gof.link": {"Container": "legacy.linkers:Container", **_LINKERS},
    "theano.gof.cc": {name: _LINKERS[name] for name in ("CLinker", "DualLinker", "OpWiseCLinker")},
    "theano.gof.vm": {"VM_Linker": _LINKERS["VM_Linker"]},
    "theano.gof.sched": {
        name: f"legacy.graphs.sched:{name}"
        for name in (
            "_toposort",
            "key_to_cmp",
            "make_depends",
            "make_dependence_cmp",
            "memodict",
            "posort",
            "reverse_dict",
            "sort_apply_nodes",
            "sort_schedule_fn",
        )
    },
    "theano.raise_op": {"Raise": "legacy.ops.function_op:Raise"},
    "theano.scan_module.scan": {"scan": "api.scan.scan:scan"},
    "theano.scan_module.scan_checkpoints": {"scan_checkpoints": "api.scan.scan:scan_checkpoints"},
    "theano.scan_module.scan_op": {"Scan": "ops.control.scan:Loop"},
    "theano.scan_module.scan_utils": {
        "clone": "api.graph.cloning:clone",
        "equal_computations": "ir.comparison:equal_computations",
        "expand_empty": "api.scan.scan_utilities:expand_empty",
        "get_updates_and_outputs": "api.scan.scan:read_step",
        "isNaN_or_Inf_or_None": "api.scan.scan_utilities:is_not_a_number",
        "map_variables": "api.graph.cloning:map_variables",
        "safe_new": "api.scan.scan_utilities:safe_new",
        "forced_replace": "legacy.ops.scan_arguments:forced_replace",
        "reconstruct_graph": "legacy.ops.scan_arguments:reconstruct_graph",
        "scan_args": "legacy.ops.scan_arguments:scan_args",
        "traverse": "legacy.graphs.gof_utils:traverse",
        "until": "api.scan.scan:until",
    },
    "theano.scan_module.scan_views": {
        name: f"api.scan.map_reduce:{name}" for name in ("foldl", "foldr", "map", "reduce")
    },
    "theano.tests": {},
    "theano.tests.breakpoint": {"PdbBreakpoint": "ops.array.print_breakpoint:PdbBreakpoint"},
    "theano.tests.disturb_mem": {"disturb_mem": "legacy.graphs.gof_utils:disturb_mem"},
    "theano.tests.unittest_tools": {
        name: f"legacy.unittest_tools:{name}"
        for name in (
            "AttemptManyTimes",
            "InferShapeTester",
            "MockRandomState",
            "SkipTest",
            "T_OpContractMixin",
            "TestOptimizationMixin",
            "WrongValue",
            "assertFailure_fast",
            "assert_allclose",
            "attr",
            "custom_name_func",
            "fetch_seed",
            "seed_rng",
            "verify_grad",
        )
    },
    "theano.configdefaults": {
        "config": "base.settings:config",
        "local_bitwidth": "legacy.compile_api:python_int_bitwidth",
        "python_int_bitwidth": "legacy.compile_api:python_int_bitwidth",
    },
    "theano.configparser": {
        **{
            name: f"legacy.config_params:{name}"
            for name in (
                "AddConfigVar",
                "BoolParam",
                "ConfigParam",
                "EnumStr",
                "FloatParam",
                "IntParam",
                "StrParam",
                "TypedParam",
                "_config_var_list",
            )
        },
        "THEANO_FLAGS_DICT": "legacy.config_params:THEANO_FLAGS_DICT",
        "TheanoConfigParser": "base.settings:Config",
        "TheanoConfigWarning": "base.errors:TheanoConfigWarning",
        "change_flags": "base.settings:change_flags",
        "config": "base.settings:config",
    },
    "theano.sandbox.linalg": _LINALG,
    "theano.sandbox.linalg.ops": {
        **_LINALG,
        "Cholesky": "ops.linalg.systems:Cholesky",
        "Solve": "ops.linalg.systems:Solve",
    },
    "theano.sandbox.multinomial": {
        "ChoiceFromUniform": "ops.random.mrg:ChoiceFromUniform",
        "MultinomialFromUniform": "ops.random.mrg:MultinomialFromUniform",
        "MultinomialWOReplacementFromUniform": "ops.random.mrg:MultinomialWOReplacementFromUniform",
    },
    "theano.compile.ops": {
        "Rebroadcast": "legacy.ops.op_classes:Rebroadcast",
        "Shape": "ops.array.shaping:ShapeOf",
        "Shape_i": "ops.array.shaping:Length",
        "SpecifyShape": "ops.array.shaping:SpecifyShape",
        **_FUNCTION_OPS,
        "expandable_types": "legacy.ops.op_classes:expandable_types",
        "shape": "api.array.shaping:shape",
        "shape_i": "legacy.ops.op_classes:shape_i",
        "specify_shape": "ops.array.shaping:specify_shape",
    },
    "theano.sandbox.neighbours": {
        name: f"api.nn.neighbours:{name}" for name in ("images2neibs", "neibs2images")
    },
    "theano.sandbox.softsign": {"softsign": "api.nn.nnet:softsign"},
    "theano.tensor.basic": {
        **{
            f"float{bits}_{kind}": f"legacy.graphs.gof_utils:float{bits}_{kind}"
            for bits in (16, 32, 64)
            for kind in ("rtol", "atol")
        },
        **_CONSTANTS,
        **_ELEMENTWISE,
        **_TENSOR_ERRORS,
        **_VARIABLES,
        "TensorType": "ir.types:TensorType",
        "_allclose": "legacy.graphs.gof_utils:allclose",
        "as_tensor_variable": "api.conversion:as_tensor_variable",
        "cast": "api.conversion:cast",
        "constant": "api.conversion:constant",
    },
    "theano.tensor.blas": {
        "InconsistencyError": "base.errors:InconsistencyError",
        "BatchedDot": "ops.array.products:BatchedDot",
        "Dot22": "ops.array.products:Dot",
        "Gemm": "ops.array.products:Gemm",
        "batched_dot": "api.array.products:batched_dot",
        "_dot22": "ops.array.products:dot",
        "gemm": "ops.array.products:gemm",
        "gemm_inplace": "legacy.ops.blas_ops:gemm_inplace",
        "gemm_no_inplace": "ops.array.products:gemm",
        **{
            name: f"legacy.ops.blas_ops:{name}"
            for name in (
                "Dot22Scalar",
                "Gemv",
                "Ger",
                "_dot22scalar",
                "gemv",
                "gemv_inplace",
                "gemv_no_inplace",
                "ger",
                "ger_destructive",
            )
        },
    },
    "theano.scalar": {**_SCALAR, **_SCALAR_OF_SPECIAL},
    "theano.scalar.basic": _SCALAR,
    "theano.scalar.basic_scipy": _SCALAR_OF_SPECIAL,
    "theano.scalar.sharedvar": {
        "ScalarSharedVariable": "legacy.scalar.shared:ScalarSharedVariable",
        "shared": "legacy.scalar.shared:shared",
    },
    "theano.tensor.elemwise": {
        **_ELEMENTWISE,
        "All": "legacy.ops.op_classes:All",
        "Any": "legacy.ops.op_classes:AnyHolds",
        "CAReduce": "legacy.ops.elemwise_classes:CAReduce",
        "CAReduceDtype": "legacy.ops.elemwise_classes:CAReduceDtype",
        "MulWithoutZeros": "legacy.scalar.ops:MulWithoutZeros",
        "Prod": "legacy.ops.op_classes:Prod",
        "ProdWithoutZeros": "legacy.ops.elemwise_classes:ProdWithoutZeros",
        "Sum": "legacy.ops.op_classes:Sum",
    },
    "theano.tensor.nnet.corr": {
        name: f"legacy.ops.convolution_ops:{name}"
        for name in ("BaseCorrMM", "CorrMM", "CorrMM_gradInputs", "CorrMM_gradWeights")
    },
    "theano.tensor.nnet.corr3d": {
        name: f"legacy.ops.convolution_ops:{name}"
        for name in ("BaseCorr3dMM", "Corr3dMM", "Corr3dMM_gradInputs", "Corr3dMM_gradWeights")
    },
    "theano.tensor.nnet.nnet": {
        name: f"api.nn.nnet:{name}"
        for name in (
            "binary_crossentropy",
            "categorical_crossentropy",
            "crossentropy_categorical_1hot_grad",
            "crossentropy_softmax_1hot_with_bias_dx",
            "elu",
            "logsoftmax",
            "relu",
            "selu",
            "softmax",
            "softmax_grad",
            "softmax_graph",
            "softplus",
            "softsign",
        )
    }
    | {"sparse_block_dot": "api.nn.blocksparse:sparse_block_dot"},
    "theano.tensor.nnet.sigm": {
        name: f"api.nn.nnet:{name}"
        for name in ("hard_sigmoid", "sigmoid", "softplus", "ultra_fast_sigmoid")
    },
    "theano.gof.destroyhandler": {
        "DestroyHandler": "legacy.optimizers.destroyhandler:DestroyHandler"
    },
    "theano.tensor.opt": {
        **_CONSTANTS,
        **{
            name: f"legacy.optimizers.global_optimizers:{name}"
            for name in (
                "FusionOptimizer",
                "copy_stack_trace",
                "in2out",
                "out2in",
                "pre_greedy_local_optimizer",
            )
        },
        "ShapeFeature": "legacy.optimizers.shape_feature:ShapeFeature",
        "gof": "theano.gof",
        **{
            name: f"legacy.optimizers.canonizer:{name}"
            for name in (
                "Canonizer",
                "add_calculate",
                "local_add_canonizer",
                "local_mul_canonizer",
                "mul_calculate",
            )
        },
        "constant_folding": "legacy.optimizers.local_optimizers:constant_folding",
        "local_optimizer": "legacy.optimizers.local_optimizers:local_optimizer",
        "optdb": "legacy.optimizers.optdb:optdb",
        "theano": "theano",
        **_REGISTERS,
        "MakeVector": "ops.array.shaping:MakeVector",
        "make_vector": "legacy.ops.op_classes:make_vector",
        "Shape_i": "ops.array.shaping:Length",
        "Assert": "ops.array.assertions:Assert",
        "assert_": "ops.array.assertions:assert_op",
        "assert_op": "ops.array.assertions:assert_op",
    },
    "theano.sparse.basic": {
        "_is_dense": "api.sparse:is_dense",
        "_is_dense_variable": "api.sparse:is_dense_variable",
        "_mtypes": "api.sparse:MATRIX_CLASSES",
        "_is_sparse": "ops.sparse.type:is_sparse",
        "_is_sparse_variable": "ops.sparse.type:is_sparse_variable",
        "_sparse_py_operators": "ops.sparse.functions:Operators",
        "_structured_dot": "api.sparse:structured_product",
    },
    # Operations that had C code are those that are written.
    "theano.sparse.opt": {
        "AddSD_ccode": "ops.sparse.arithmetic:AddSD",
        "CSMGradC": "ops.sparse.structure:CSMGrad",
        "MulSDCSC": "ops.sparse.arithmetic:MulSD",
        "MulSDCSR": "ops.sparse.arithmetic:MulSD",
        "MulSVCSR": "ops.sparse.arithmetic:MulSV",
        "SamplingDotCSR": "ops.sparse.products:SamplingDot",
        "StructuredAddSVCSR": "ops.sparse.arithmetic:StructuredAddSV",
        "StructuredDotCSC": "ops.sparse.products:StructuredDot",
        "StructuredDotCSR": "ops.sparse.products:StructuredDot",
        "UsmmCscDense": "ops.sparse.products:Usmm",
    },
    "theano.sparse.sandbox": {},
    "theano.sparse.sandbox.sp": {"sparse": "theano.sparse"},
    "theano.sparse.sandbox.sp2": {
        "Binomial": "ops.sparse.random:Binomial",
        "Multinomial": "ops.sparse.random:Multinomial",
        "Poisson": "ops.sparse.random:Poisson",
        "csc_dbinomial": "api.sparse:csc_dbinomial",
        "csc_fbinomial": "api.sparse:csc_fbinomial",
        "csr_dbinomial": "api.sparse:csr_dbinomial",
        "csr_fbinomial": "api.sparse:csr_fbinomial",
        "multinomial": "api.sparse:multinomial",
        "poisson": "api.sparse:poisson",
    },
    "theano.sparse.sandbox.truedot": {},
    "theano.sparse.sharedvar": {},
    "theano.sparse.type": {"_is_sparse": "ops.sparse.type:is_sparse"},
    "theano.sparse.utils": {"hash_from_sparse": "ops.sparse.type:hash_of"},
    "theano.tensor.sort": {},
    "theano.tensor.subtensor": _SUBTENSORS,
    "theano.tensor.type": {
        "TensorType": "ir.types:TensorType",
        "values_eq_approx": "legacy.graphs.gof_utils:allclose",
        **{
            f"values_eq_approx_{name}": f"legacy.graphs.gof_utils:values_eq_approx_{name}"
            for name in ("always_true", "remove_inf", "remove_inf_nan", "remove_nan")
        },
    },
    "theano.tensor.type_other": {
        **_SLICES,
        "NoneConst": "api.conversion:NoneConst",
        "none_type_t": "api.conversion:none_type_t",
    },
    "theano.tensor.var": _VARIABLES,
    "theano.typed_list": _TYPED_LISTS,
    "theano.typed_list.basic": _TYPED_LISTS,
    "theano.typed_list.type": {"TypedListType": "legacy.user.typed_list:TypedListType"},
}

# The GPU back ends: package → module → names.
_GPU = {
    "theano.gpuarray": {
        "": "ContextNotDefined GpuArrayConstant GpuArraySharedVariable GpuArrayType "
        "GpuArrayVariable as_gpuarray_variable get_context gpuarray_shared_constructor init_dev "
        "pygpu_activated reg_context use",
        "basic_ops": "CGpuKernelBase GpuAlloc GpuAllocEmpty GpuContiguous GpuFromHost "
        "GpuKernelBase GpuReshape HideC HostFromGpu Kernel as_gpuarray_variable gpu_alloc_empty "
        "gpu_contiguous gpu_from_host gpuarray_helper_inc_dir host_from_gpu infer_context_name",
        "blas": "GpuCorrMM GpuDot22 GpuGemm GpuGemv gpu_dot22 gpugemm_inplace gpugemm_no_inplace",
        "ctc": "gpu_ctc GpuConnectionistTemporalClassification",
        "dnn": "GpuDnnConv GpuDnnConvDesc GpuDnnPool GpuDnnSoftmax dnn_available "
        "dnn_batch_normalization_test dnn_batch_normalization_train dnn_conv dnn_conv3d "
        "dnn_gradinput dnn_gradweight dnn_pool dnn_present dnn_spatialtf version",
        "elemwise": "GpuCAReduceCPY GpuCAReduceCuda GpuDimShuffle GpuElemwise",
        "fft": "curfft cuirfft",
        "fp16_help": "load_w work_dtype write_w",
        "linalg": "GpuCholesky GpuCusolverSolve GpuMagmaEigh GpuMagmaMatrixInverse GpuMagmaQR "
        "GpuMagmaSVD gpu_cholesky gpu_matrix_inverse gpu_qr gpu_solve gpu_svd",
        "neighbours": "GpuImages2Neibs",
        "nnet": "GpuSoftmax GpuSoftmaxWithBias",
        "opt": "gpu_optimizer gpu_optimizer2 op_lifter register_opt register_opt2",
        "pool": "GpuPool",
        "rng_mrg": "GPUA_mrg_uniform",
        "subtensor": "GpuAdvancedIncSubtensor1 GpuAdvancedSubtensor1 GpuIncSubtensor GpuSubtensor",
        "type": "ContextNotDefined GpuArrayType get_context gpu_context_type "
        "gpuarray_shared_constructor list_contexts reg_context",
    },
    "theano.sandbox.cuda": {
        "": "CudaNdarray CudaNdarrayType CudaNdarrayVariable GpuOp cuda_available cuda_enabled "
        "cuda_ndarray float32_shared_constructor shared_constructor use",
        "basic_ops": "GpuContiguous GpuFromHost HostFromGpu as_cuda_ndarray_variable "
        "gpu_alloc_empty gpu_contiguous gpu_from_host host_from_gpu",
        "blas": "GpuCorr3dMM GpuCorrMM GpuCorrMM_gradInputs GpuCorrMM_gradWeights gpu_dot22",
        "dnn": "GpuDnnConv GpuDnnConvDesc GpuDnnPool GpuDnnPoolDesc GpuDnnPoolGrad GpuDnnSoftmax "
        "dnn_available dnn_conv dnn_conv3d dnn_pool version",
        "elemwise": "GpuElemwise",
        "nnet": "GpuSoftmax",
        "opt": "gpu_optimizer register_opt",
        "rng_curand": "CURAND_RandomStreams",
        "type": "CudaNdarrayType",
        "var": "CudaNdarrayConstant CudaNdarraySharedVariable CudaNdarrayVariable "
        "float32_shared_constructor",
    },
}
MODULES |= {
    f"{package}.{module}".rstrip("."): {n: f"legacy.no_gpu:{n}" for n in names.split()}
    for package, modules in _GPU.items()
    for module, names in modules.items()
}

# Theano-PyMC, which PyMC3 3.11 and its kin import, has renamed modules and a few objects.
MODULES |= {
    path.replace(".gof", ".graph"): names
    for path, names in MODULES.items()
    if path.startswith("theano.gof")
}
MODULES |= {
    "theano.graph.basic": {
        **_GRAPH,
        "applys_between": "legacy.graphs.walks:ops",
        "graph_inputs": "legacy.graphs.walks:inputs",
        "orphans_between": "legacy.graphs.walks:orphans",
        "vars_between": "legacy.graphs.walks:variables",
        "walk": "legacy.graphs.walks:walk",
    },
    "theano.graph.op": {**MODULES["theano.gof.op"], "ExternalCOp": "legacy.user.op:COp"},
    "theano.graph.utils": {
        **MODULES["theano.gof.utils"],
        "TestValueError": "legacy.graphs.gof_utils:TestValueError",
    },
    "theano.scan": MODULES["theano.scan_module.scan_utils"]
    | MODULES["theano.scan_module.scan_views"]
    | {"scan": "api.scan.scan:scan"},
    "theano.scan.utils": MODULES["theano.scan_module.scan_utils"],
}

# Modules that have nothing else.
MODULES |= {
    module: {}
    for modules in REFUSED.values()
    for module in modules
    if module not in MODULES and module not in REAL
}

# Modules whose names were those of their package, too: what the table does not name is there.
SHARED_WITH = {
    "theano.compile.mode": "theano.compile",
    "theano.scalar.basic": "theano.scalar",
    **{
        f"theano.sparse.{name}": "theano.sparse"
        for name in (
            "basic",
            "opt",
            "sandbox.sp",
            "sandbox.sp2",
            "sandbox.truedot",
            "sharedvar",
            "type",
        )
    },
    "theano.tensor.nnet.nnet": "theano.tensor.nnet",
    "theano.tensor.nnet.sigm": "theano.tensor.nnet",
    **{
        f"theano.tensor.{name}": "theano.tensor"
        for name in (
            "basic",
            "blas",
            "elemwise",
            "extra_ops",
            "nlinalg",
            "opt",
            "slinalg",
            "sort",
            "subtensor",
            "type",
            "var",
        )
    },
}


# What nearly every module imported, and programs reach through it: `theano.tensor.gof`.
IMPORTED = {
    **{name: f"theano.{name}" for name in ("compile", "gof", "printing", "scalar", "tensor")},
    "PY3": "legacy.compat:PY3",
    "config": "base.settings:config",
    **{
        f"imported_scipy{part}": "legacy.graphs.gof_utils:imported_scipy"
        for part in ("", "_signal", "_special")
    },
    "integer_types": "legacy.graphs.gof_utils:integer_types",
    "string_types": "legacy.graphs.gof_utils:string_types",
    "scal": "theano.scalar",
    "theano": "theano",
    "basic": "theano.tensor.basic",
    "np": "numpy",
    "utils": "theano.gof.utils",
}


class OldPaths(MetaPathFinder, Loader):
    """Finds the modules of the tables."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to make a module of the table; None for others."""
        if fullname not in MODULES:
            return None
        package = any(name.startswith(f"{fullname}.") for name in MODULES)
        return ModuleSpec(fullname, self, is_package=package)

    def exec_module(self, module: ModuleType) -> None:
        """Fill a module with the objects that the table names."""
        names = MODULES[module.__name__]
        for name in names:
            # Python puts a module into its package when it is first imported: before a function of
            # the same name, not after it.
            if f"{module.__name__}.{name}" in MODULES:
                importlib.import_module(f"{module.__name__}.{name}")
        for name, place in names.items():
            setattr(module, name, _object(place))
        module.__doc__ = f"Names of `{module.__name__}` in Theano 1.0.5."
        shared = SHARED_WITH.get(module.__name__)
        module.__dict__["__all__"] = sorted(
            {
                *names,
                *LATE.get(module.__name__, ()),
                *(importlib.import_module(shared).__all__ if shared else ()),
                *(p.rpartition(".")[2] for p in MODULES if p.rpartition(".")[0] == module.__name__),
            }
        )
        # Its modules are attributes of a package also before they are imported.
        module.__dict__["__getattr__"] = partial(attribute, module.__name__)


def _object(place: str) -> Any:
    module, _, name = place.partition(":")
    if not name:
        return importlib.import_module(place)
    return getattr(importlib.import_module(f"theano._core.{module}"), name)


def attribute(package: str, name: str) -> Any:
    """Return `package.name` if one of the tables leads to it, or raise AttributeError."""
    if name in LATE.get(package, ()):
        return _object(LATE[package][name])
    path = f"{package}.{name}"
    if path in MODULES:
        return importlib.import_module(path)
    if package in SHARED_WITH and not name.startswith("__"):
        with suppress(AttributeError):
            return getattr(importlib.import_module(SHARED_WITH[package]), name)
    if name in IMPORTED:
        return _object(IMPORTED[name])
    stands_in = refused(path)
    if stands_in is not None:
        return stands_in
    raise AttributeError(f"module {package!r} has no attribute {name!r}")


def install() -> None:
    """Have `import` look into the table, after everything else."""
    if not any(isinstance(finder, OldPaths) for finder in sys.meta_path):
        sys.meta_path.append(OldPaths())
    patches.install()
    checking_modes.register()
    no_gpu.warn_of_device()
    for package in (LATE.keys() - MODULES.keys()) | (REAL & sys.modules.keys()):
        # `from theano.tensor import *` gave these, `theano` itself, and its `compile`.
        surface = vars(sys.modules[package])
        names = {name for name in LATE.get(package, ()) if not name.startswith("_")} | {*IMPORTED}
        surface["__all__"] = [*surface["__all__"], *sorted(names - {*surface["__all__"]})]
    for path in MODULES:
        # Python puts a module into its package when it is first imported. It must not hide a
        # function of the same name, such as `theano.tensor.var`.
        package, _, name = path.rpartition(".")
        held = vars(sys.modules[package]).get(name) if package in sys.modules else None
        if held is not None and not isinstance(held, ModuleType):
            importlib.import_module(path)
            setattr(sys.modules[package], name, held)
