"""Names of Theano 1.0.5 that can be imported and not used, and what replaces them.

Programs import many names and use few of them. Such a class is one that nothing is an instance of;
whoever makes one, calls such a function or runs such a rewrite gets the advice. Rewrites whose work
rules of the engine do can be run: `optimizers/named_rules.py`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from theano._core.legacy.optimizers.named_rules import RULES, named_rule

C_CODE = (
    "C code is not compiled: an operation of one's own has `perform`, or is declared "
    "with theano.extend"
)
LINKING = "native code has no thunks: theano.compile.MonitorMode calls functions for each node"
DEBUG = "theano.compile.DebugMode(check_py_code=..., ...) is all of it that programs need"
PICTURES = "theano.printing.pydotprint draws graphs, theano.printing.debugprint writes them"
OTHER_OPS = "this is made of other operations here, which the public functions of its module return"
INNER = "this was a helper of Theano's own modules and has no counterpart here"

# Advice → module → names.
REFUSED: dict[str, dict[str, str]] = {
    C_CODE: {
        "theano.compile.ops": "shape_i_op",
        "theano.gof.callcache": "CallCache",
        "theano.gof.cc": (
            "CodeBlock HideC apply_policy code_gen failure_code failure_code_init get_c_cleanup "
            "get_c_declare get_c_extract get_c_extract_out get_c_init get_c_sync "
            "get_module_cache get_nothing get_persistent_module_cache struct_gen "
            "struct_variable_codeblocks"
        ),
        "theano.gof.cmodule": (
            "Compiler DynamicModule ExtFunction GCC_compiler KeyData MissingGXX ModuleCache "
            "debug_counter dlimport dlimport_workdir gcc_llvm gcc_version "
            "get_gcc_shared_library_arg get_lib_extension get_module_cache get_module_hash "
            "get_safe_part icc_module_compile_str is_same_entry last_access_time "
            "module_name_from_dir std_include_dirs std_lib_dirs std_lib_dirs_and_libs std_libs "
            "try_march_flag"
        ),
        "theano.gof.compiledir": (
            "basecompiledir_ls basecompiledir_purge cleanup compiledir_purge "
            "print_compiledir_content print_title"
        ),
        "theano.gof.compilelock": "Unlocker lock refresh_lock",
        "theano.gof.cutils": "compile_cutils",
        "theano.gof.lazylinker_c": "try_import try_reload",
        "theano.gof.op": "CLinkerObject CLinkerOp",
        "theano.gof.type": "CLinkerType",
        "theano.gof.utils": "hash_from_code hash_from_file",
        "theano.misc.strutil": "pretty_format render_string strip_leading_white_space",
        "theano.misc.windows": "call_subprocess_Popen output_subprocess_Popen subprocess_Popen",
        "theano.scalar.basic_sympy": "SymPyCCode include_line sympy_dtype theano_dtype",
        "theano.tensor.blas_c": (
            "BaseBLAS CGemv CGer cgemv_inplace cgemv_no_inplace cger_inplace cger_no_inplace "
            "check_force_gemv_init gemv_c_code ger_c_code"
        ),
        "theano.tensor.blas_headers": (
            "blas_header_text blas_header_version cblas_header_text detect_macos_sdot_bug "
            "mkl_threads_text openblas_threads_text"
        ),
        "theano.tensor.blas_scipy": "ScipyGer scipy_ger_inplace scipy_ger_no_inplace",
        "theano.tensor.elemwise_cgen": (
            "make_alloc make_checks make_declare make_loop make_loop_careduce make_reordered_loop"
        ),
        "theano.tensor.inc_code": "inc_code",
    },
    LINKING: {
        "theano.gof.link": (
            "add_clear_storage gc_helper log_thunk_trace map_storage raise_with_op streamline "
            "thunk_hook"
        ),
        "theano.gof.vm": "Loop LoopGC Stack VM calculate_reallocate_info",
    },
    DEBUG: {
        "theano.compile.debugmode": (
            "DataDestroyed NoDuplicateOptWarningFilter char_from_number check_eq debugprint"
        ),
    },
    RULES: {
        "theano.compile": "inline_ofg_expansion",
        "theano.compile.builders": "inline_ofg_expansion",
        "theano.gof.opt": (
            "ChangeTracker CheckStrackTraceFeature GraphToGPULocalOptGroup LocalMetaOptimizer "
            "LocalMetaOptimizerSkipAssertionError Updater inherit_stack_trace"
        ),
        "theano.gof.unify": (
            "BoundVariable FVar FreeVariable NV NotVariable OrV OrVariable Unification V Var "
            "Variable VariableInList unify unify_build var_lookup"
        ),
        "theano.ifelse": (
            "cond_make_inplace cond_merge_ifs_false cond_merge_ifs_true cond_merge_random_op "
            "cond_remove_identical ifelse_lift_single_if_through_acceptable_ops"
        ),
        "theano.sandbox.linalg.ops": (
            "inv_as_solve local_det_chol local_log_pow local_log_prod_sqr "
            "no_transpose_symmetric psd_solve_with_chol remove_hint_nodes tag_solve_triangular "
            "transinv_to_invtrans"
        ),
        "theano.sandbox.rng_mrg": "mrg_random_make_inplace",
        "theano.scan_module.scan_opt": (
            "PushOutDot1 PushOutNonSeqScan PushOutScanOutput PushOutSeqScan "
            "ScanInplaceOptimizer ScanMerge ScanSaveMem has_duplicates info make_equiv "
            "remove_constants_and_unused_inputs_scan scan_merge_inouts warning"
        ),
        "theano.sparse.opt": (
            "local_addsd_ccode local_csm_grad_c local_csm_properties_csm "
            "local_dense_from_sparse_sparse_from_dense local_inplace_addsd_ccode "
            "local_inplace_remove0 local_mul_s_d local_mul_s_v local_sampling_dot_csr "
            "local_structured_add_s_v local_structured_dot local_usmm "
            "local_usmm_csc_dense_inplace local_usmm_csx"
        ),
        "theano.sparse.sandbox.sp2": (
            "local_mul_s_d local_mul_s_v local_sampling_dot_csr local_structured_add_s_v"
        ),
        "theano.tensor.blas": (
            "GemmOptimizer _gemm_from_factored_list blas_opt_inplace local_dot22_to_ger_or_gemv "
            "local_dot_to_dot22 local_gemm_to_gemv local_inplace_gemm local_inplace_gemv "
            "local_inplace_ger local_print_as_we_go_along"
        ),
        "theano.tensor.blas_c": (
            "make_c_gemv_destructive make_c_ger_destructive use_c_gemv use_c_ger"
        ),
        "theano.tensor.blas_scipy": (
            "make_ger_destructive make_scipy_blas_destructive use_scipy_blas use_scipy_ger"
        ),
        "theano.tensor.nnet": (
            "crossentropy_to_crossentropy_with_softmax "
            "crossentropy_to_crossentropy_with_softmax_with_bias "
            "graph_merge_softmax_with_crossentropy_softmax"
        ),
        "theano.tensor.nnet.bn": (
            "local_abstract_batch_norm_inference local_abstract_batch_norm_train "
            "local_abstract_batch_norm_train_grad"
        ),
        "theano.tensor.nnet.conv3d2d": "local_inplace_DiagonalSubtensor",
        "theano.tensor.nnet.ctc": "local_ctc_no_grad",
        "theano.tensor.nnet.nnet": (
            "crossentropy_to_crossentropy_with_softmax "
            "crossentropy_to_crossentropy_with_softmax_with_bias "
            "graph_merge_softmax_with_crossentropy_softmax "
            "local_advanced_indexing_crossentropy_onehot "
            "local_advanced_indexing_crossentropy_onehot_grad local_argmax_pushdown "
            "local_logsoftmax local_logsoftmax_grad "
            "local_softmax_grad_to_crossentropy_with_softmax_grad local_softmax_with_bias "
            "local_useless_crossentropy_softmax_1hot_with_bias_dx_alloc"
        ),
        "theano.tensor.nnet.opt": (
            "local_abstractconv3d_gemm local_abstractconv3d_gradinputs_gemm "
            "local_abstractconv3d_gradweight_gemm local_abstractconv_check "
            "local_abstractconv_gemm local_abstractconv_gradinputs_gemm "
            "local_abstractconv_gradweight_gemm local_conv2d_cpu local_conv2d_gradinputs_cpu "
            "local_conv2d_gradweight_cpu local_inplace_sparse_block_gemv "
            "local_inplace_sparse_block_outer"
        ),
        "theano.tensor.nnet.sigm": (
            "local_1msigmoid local_exp_over_1_plus_exp local_inv_1_plus_exp "
            "local_sigm_times_exp log1msigm_to_softplus "
            "log1p_neg_sigmoid log1pexp_to_softplus logsigm_to_softplus replace_leaf"
        ),
        "theano.tensor.opt": (
            "InplaceElemwiseOptimizer MakeVectorPrinter ShapeOptimizer UnShapeOptimizer "
            "apply_local_dimshuffle_lift attempt_distribution check_for_x_over_absX "
            "distribute_greedy elemwise_max_input_fct inplace_elemwise_optimizer "
            "local_0_dot_x local_IncSubtensor_serialize local_abs_lift "
            "local_abs_merge local_add_mul_fusion local_add_specialize "
            "local_alloc_empty_to_zeros local_alloc_unary "
            "local_canonicalize_alloc local_cast_cast "
            "local_div_switch_sink local_div_to_inv local_elemwise_alloc "
            "local_elemwise_alloc_op local_elemwise_fusion local_elemwise_fusion_op "
            "local_elemwise_sub_zeros local_erf_minus_one local_erf_neg_minus_one "
            "local_erf_neg_minus_one2 local_expm1 local_fill_sink local_fill_to_alloc "
            "local_flatten_lift local_func_inv local_grad_log_erfc_neg local_greedy_distributor "
            "local_incsubtensor_of_zeros_to_setsubtensor "
            "local_inplace_incsubtensor1 local_inplace_setsubtensor local_intdiv_by_one "
            "local_inv_canon local_join_1 local_join_empty local_join_make_vector "
            "local_log1p local_log_add local_log_erfc "
            "local_log_sum_exp local_merge_alloc local_merge_switch_same_cond "
            "local_mul_specialize local_mul_switch_sink local_mul_to_sqr "
            "local_mul_zero local_neg_div_neg local_neg_neg local_neg_to_mul "
            "local_one_add_neg_erfc local_one_minus_erf local_one_minus_erf2 "
            "local_one_minus_erfc local_one_minus_erfc2 local_one_minus_erfc3 "
            "local_one_plus_erf local_one_plus_neg_erf local_op_of_op local_opt_alloc "
            "local_pow_canonicalize local_pow_specialize local_pow_specialize_device "
            "local_rebroadcast_lift local_reduce_broadcastable local_reduce_join "
            "local_remove_all_assert local_remove_useless_assert local_reshape_chain "
            "local_reshape_lift local_scalar_tensor_scalar "
            "local_set_to_inc_subtensor local_shape_to_shape_i "
            "local_subtensor_make_vector "
            "local_subtensor_of_alloc local_subtensor_of_dot "
            "local_subtensor_remove_broadcastable_index local_sum_prod_all_to_none "
            "local_sum_prod_div_dimshuffle local_sum_prod_mul_by_scalar local_sumsqr2dot "
            "local_tensor_scalar_tensor local_track_shape_i "
            "local_upcast_elemwise_constant_inputs local_useless_alloc local_useless_composite "
            "local_useless_elemwise "
            "local_useless_elemwise_comparison local_useless_fill "
            "local_useless_rebroadcast local_useless_reduce "
            "local_useless_slice local_useless_split "
            "local_useless_subtensor local_useless_switch local_useless_tile local_useless_topk "
            "local_view_op local_zero_div merge_two_slices "
            "topo_constant_folding"
        ),
        "theano.tensor.opt_uncanonicalize": (
            "local_alloc_dimshuffle local_max_and_argmax local_max_to_min"
        ),
        "theano.tensor.raw_random": "random_make_inplace",
        "theano.typed_list.opt": "typed_list_inplace_opt",
    },
    PICTURES: {
        "theano.d3viz.d3viz": "replace_patterns safe_json",
        "theano.d3viz.formatting": (
            "apply_label apply_profile broadcastable_to_str dict_to_pdnode "
            "dtype_to_char type_to_str var_label var_tag"
        ),
    },
    OTHER_OPS: {
        "theano.sandbox.fourier": "FFT GradTodo fft grad_todo half_fft half_ifft ifft",
        "theano.sandbox.linalg.ops": "Hint",
        "theano.sandbox.minimal": "Minimal minimal",
        "theano.sandbox.rng_mrg": "mrg_uniform_base",
        "theano.scalar.basic": "BinaryBitOp FixedLogicalComparison LogicalComparison UnaryBitOp",
        "theano.sparse.basic": (
            "equal_s_d equal_s_s greater_equal_s_d greater_equal_s_s greater_than_s_d "
            "greater_than_s_s less_equal_s_d less_equal_s_s less_than_s_d less_than_s_s "
            "not_equal_s_d not_equal_s_s"
        ),
        "theano.sparse.opt": (
            "csm_grad_c mul_s_d_csc mul_s_d_csr mul_s_v_csr sampling_dot_csr sd_csc sd_csr "
            "structured_add_s_v_csr usmm_csc_dense usmm_csc_dense_inplace"
        ),
        "theano.sparse.sandbox.sp": "ConvolutionIndices convolution_indices",
        "theano.tensor.basic": "Default",
        "theano.tensor.blas": "GemmRelated",
        "theano.tensor.elemwise": "mul_without_zeros",
        "theano.tensor.fft": "IRFFTOp RFFTOp irfft_op rfft_op",
        "theano.tensor.io": "MPIRecv MPIRecvWait MPISend MPISendWait",
        "theano.tensor.nlinalg": "EighGrad",
        "theano.tensor.nnet.bn": "BNComposite",
        "theano.tensor.nnet.conv3d2d": (
            "DiagonalSubtensor IncDiagonalSubtensor diagonal_subtensor inc_diagonal_subtensor"
        ),
        "theano.tensor.slinalg": "CholeskyGrad EigvalshGrad ExpmGrad",
    },
    INNER: {
        "theano.compat": "maybe_add_to_os_environ_pathlist",
        "theano.compile.function": "function_dump",
        "theano.compile.function_module": (
            "alias_root check_equal convert_function_input fgraph_updated_vars "
            "get_info_on_inputs infer_reuse_pattern insert_deepcopy register_checker view_tree_set"
        ),
        "theano.compile.nanguardmode": "f_compute f_gpua_absmax f_gpua_max f_gpua_min flatten",
        "theano.compile.pfunc": "iter_over_pairs",
        "theano.compile.profiling": "register_profiler_printer",
        "theano.compile.sharedvalue": "generic_constructor",
        "theano.configparser": (
            "config_files_from_theanorc fetch_val_for_key get_config_hash parse_config_string"
        ),
        "theano.gof.destroyhandler": "ProtocolError fast_inplace_check",
        "theano.gof.graph": "default_node_formatter",
        "theano.gof.op": "apply_meth simple_meth",
        "theano.gof.toolbox": "GetCheckpoint LambdExtract",
        "theano.gof.type": "CDataTypeConstant",
        "theano.gof.utils": "D Keyword comm_guard deprecated toposort type_guard",
        "theano.gradient": "mode_not_slow",
        "theano.ifelse": "CondMerge",
        "theano.misc.frozendict": "FrozenOrderedDict",
        "theano.misc.pkl_utils": "PersistentGpuArrayID load_reduce",
        "theano.pathparse": "PathParser",
        "theano.sandbox.fourier": "dct_matrix",
        "theano.sandbox.linalg.ops": (
            "HintsFeature HintsOptimizer hints is_hint_node is_positive is_psd is_symmetric"
        ),
        "theano.sandbox.minimal": "T_minimal",
        "theano.scalar.basic": (
            "Compositef32 handle_cast handle_composite int_or_true_div mod_check"
        ),
        "theano.scan_module.scan_op": "profile_printer",
        "theano.scan_module.scan_utils": (
            "Validator compress_outs hash_listsDictsTuples infer_shape scan_can_remove_outs"
        ),
        "theano.sparse.basic": "SparseConstantSignature",
        "theano.sparse.sandbox.sp": "convolve max_pool",
        "theano.tensor.basic": "alloc_validate_shape check_equal_numpy constructor",
        "theano.tensor.blas": "check_init_y ldflags",
        "theano.tensor.elemwise": "DimShufflePrinter",
        "theano.tensor.io": "mpi_send_wait_key mpi_tag_key",
        "theano.tensor.nlinalg": "_zero_disconnected",
        "theano.tensor.nnet.conv": "gen_conv_code_unroll_batch_kern",
        "theano.tensor.nnet.conv3d2d": "get_diagonal_subtensor_view",
        "theano.tensor.nnet.nnet": "softmax_simplifier",
        "theano.tensor.sharedvar": "load_shared_variable",
        "theano.tensor.subtensor": (
            "SubtensorPrinter adv_index_broadcastable_pattern as_index_variable "
            "check_advanced_indexing_dimensions check_and_reject_bool"
        ),
        "theano.tensor.var": "TensorConstantSignature equal_slices",
    },
}
_ADVICE = {
    f"{module}.{name}": advice
    for advice, modules in REFUSED.items()
    for module, names in modules.items()
    for name in names.split()
}


def stand_in(name: str, advice: str) -> Any:
    """Return a class, if the name is in capitals, or a function that raises with an advice."""

    def refuse(*args: object, **options: object) -> Any:
        raise NotImplementedError(f"{name}: {advice}")

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = "Raise NotImplementedError."
    refuse.advice = advice  # type: ignore[attr-defined]
    if not name.lstrip("_")[0].isupper():
        return refuse
    # Old programs derive from such classes, and ask whether a value is one.
    doc = f"Not here: {advice}."
    return type(name, (), {"__init__": refuse, "__doc__": doc, "advice": advice})


def advice(path: str) -> str | None:
    """Return what to use instead of a name that is refused; None for others."""
    return _ADVICE.get(path)


@cache
def refused(path: str) -> Any:
    """Return what stands for a name of Theano's; None if there was none, or it is here."""
    advice, name = _ADVICE.get(path), path.rpartition(".")[2]
    if advice is None:
        return None
    return named_rule(name) if advice == RULES and name.islower() else stand_in(name, advice)
