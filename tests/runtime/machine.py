"""Functions from LLVM text, for the tests of the runtime."""

import functools

import llvmlite.binding as llvm
import numpy as np
from header import Function, members

from theano._core.runtime import native

FLOAT64 = np.dtype("float64").num
INT64 = np.dtype("int64").num


@functools.cache
def target_machine(features=None):
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    architecture = llvm.get_process_triple().split("-")[0]
    target = llvm.Target.from_triple(f"{architecture}-unknown-linux-gnu")
    if features is None:
        features = llvm.get_host_cpu_features().flatten()
    cpu = llvm.get_host_cpu_name() if features else ""
    return target.create_target_machine(
        cpu=cpu, features=features, opt=2, reloc="pic", codemodel="small"
    )


@functools.cache
def compile_text(text, features=None):
    """The object made from LLVM text."""
    machine = target_machine(features)
    module = llvm.parse_assembly(f'target triple = "{machine.triple}"\n' + text)
    module.verify()
    return machine.emit_object(module)


def _helpers():
    lines = []
    # Names for the functions of the runtime's table, so that the text of a test is readable.
    for index, (name, function) in enumerate(members("th_runtime").items()):
        if not isinstance(function, Function):
            continue
        result = function.result
        parameters = [f"{kind} %p{i}" for i, kind in enumerate(function.parameters)]
        call = f"call {result} %f({', '.join(parameters)})"
        end = f"{call}\n ret void" if result == "void" else f"%r = {call}\n ret {result} %r"
        lines.append(
            f"define internal {result} @rt_{name}({', '.join(parameters)}) {{\n"
            f" %rt = load ptr, ptr %p0\n"
            f" %a = getelementptr ptr, ptr %rt, i64 {index}\n %f = load ptr, ptr %a\n {end}\n}}"
        )
    lines.append(
        "define internal ptr @frame(ptr %call) {\n %a = getelementptr ptr, ptr %call, i64 2\n"
        " %f = load ptr, ptr %a\n ret ptr %f\n}\n"
        "define internal ptr @slot(ptr %call, i64 %i) {\n %f = call ptr @frame(ptr %call)\n"
        " %a = getelementptr i64, ptr %f, i64 %i\n ret ptr %a\n}\n"
        "define internal i64 @get(ptr %call, i64 %i) {\n %a = call ptr @slot(ptr %call, i64 %i)\n"
        " %v = load i64, ptr %a\n ret i64 %v\n}\n"
        "define internal void @set(ptr %call, i64 %i, i64 %v) {\n"
        " %a = call ptr @slot(ptr %call, i64 %i)\n store i64 %v, ptr %a\n ret void\n}\n"
        "define internal ptr @data(ptr %call, i64 %i) {\n %a = call ptr @slot(ptr %call, i64 %i)\n"
        " %v = load ptr, ptr %a\n ret ptr %v\n}\n"
        "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"
    )
    return "\n".join(lines)


HELPERS = _helpers()


def code_of(body, extra=""):
    """Machine code whose `entry` has this body (its parameter is `ptr %call`)."""
    text = f"{HELPERS}\n{extra}\ndefine i32 @entry(ptr %call) {{\n{body}\n}}"
    return native.load_object(compile_text(text))


def array_input(dtype, ndim, offset, **options):
    return (
        "array",
        np.dtype(dtype).num,
        ndim,
        options.get("broadcast", 0),
        options.get("name"),
        offset,
        options.get("cell", -1),
        options.get("flags", 0),
        *((options["lengths"],) if "lengths" in options else ()),
    )


def object_input(offset, **options):
    name, cell = options.get("name"), options.get("cell", -1)
    return ("object", 0, 0, 0, name, offset, cell, options.get("flags", 0))


def program_of(code, **fields):
    defaults = {
        "kernels": (),
        "frame_size": 32,
        "buffer_slots": (),
        "inputs": (),
        "shared": (),
        "outputs": (),
        "updates": (),
        "callbacks": (),
        "result": "list",
        "timed_steps": -1,
    }
    return native.Program(entry=code.address("entry"), code=(code,), **{**defaults, **fields})


# Descriptors at 0 and 8, a result at 16 whose buffer is slot 24; ndim 0 or 1, float64.
ADD = {
    0: """
 %p = call ptr @rt_alloc(ptr %call, i64 8, i64 24)
 %ok = icmp ne ptr %p, null
 br i1 %ok, label %go, label %bad
bad:
 ret i32 -1
go:
 %x = call ptr @data(ptr %call, i64 0)
 %y = call ptr @data(ptr %call, i64 8)
 %a = load double, ptr %x
 %b = load double, ptr %y
 %c = fadd double %a, %b
 store double %c, ptr %p
 %d = ptrtoint ptr %p to i64
 call void @set(ptr %call, i64 16, i64 %d)
 ret i32 0
""",
    1: """
entry:
 %n = call i64 @get(ptr %call, i64 2)
 %m = call i64 @get(ptr %call, i64 10)
 %same = icmp eq i64 %n, %m
 br i1 %same, label %make, label %differ
differ:
 %facts = alloca [2 x i64]
 store i64 %n, ptr %facts
 %second = getelementptr i64, ptr %facts, i64 1
 store i64 %m, ptr %second
 %e = call i32 @rt_fail(ptr %call, i64 7, i64 3, i64 2, ptr %facts)
 ret i32 %e
make:
 %bytes = shl i64 %n, 3
 %p = call ptr @rt_alloc(ptr %call, i64 %bytes, i64 24)
 %ok = icmp ne ptr %p, null
 br i1 %ok, label %go, label %bad
bad:
 ret i32 -1
go:
 %d = ptrtoint ptr %p to i64
 call void @set(ptr %call, i64 16, i64 %d)
 call void @set(ptr %call, i64 18, i64 %n)
 call void @set(ptr %call, i64 19, i64 8)
 %x = call ptr @data(ptr %call, i64 0)
 %y = call ptr @data(ptr %call, i64 8)
 %xs = call i64 @get(ptr %call, i64 3)
 %ys = call i64 @get(ptr %call, i64 11)
 br label %head
head:
 %i = phi i64 [0, %go], [%next, %body]
 %more = icmp slt i64 %i, %n
 br i1 %more, label %body, label %end
body:
 %xo = mul i64 %i, %xs
 %yo = mul i64 %i, %ys
 %xp = getelementptr i8, ptr %x, i64 %xo
 %yp = getelementptr i8, ptr %y, i64 %yo
 %rp = getelementptr double, ptr %p, i64 %i
 %a = load double, ptr %xp
 %b = load double, ptr %yp
 %c = fadd double %a, %b
 store double %c, ptr %rp
 %next = add i64 %i, 1
 br label %head
end:
 ret i32 0
""",
}


def add_fields(ndim, **options):
    fields = {
        "inputs": (
            array_input("float64", ndim, 0, name="x"),
            array_input("float64", ndim, 8, name="y"),
        ),
        "outputs": (("buffer", FLOAT64, ndim, 16, 24),),
        "buffer_slots": (24,),
        "result": "single",
    }
    return {**fields, **options}


def add_function(ndim, hooks=None, cells=(), **options):
    """The sum of two float64 inputs."""
    return native.Function(
        program_of(code_of(ADD[ndim]), **add_fields(ndim, **options)), cells, hooks or {}
    )
