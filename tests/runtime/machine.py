"""Functions from LLVM text, for the tests of the runtime."""

import functools

import llvmlite.binding as llvm
import numpy as np
from header import Function, members

from theano._core.runtime import native

FLOAT64, INT64 = np.dtype("float64").num, np.dtype("int64").num


@functools.cache
def target_machine(features=None):
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    architecture = llvm.get_process_triple().split("-")[0]
    target = llvm.Target.from_triple(f"{architecture}-unknown-linux-gnu")
    if features is None:
        features = llvm.get_host_cpu_features().flatten()
    cpu = llvm.get_host_cpu_name() if features else ""
    options = {"opt": 2, "reloc": "pic", "codemodel": "small"}
    return target.create_target_machine(cpu=cpu, features=features, **options)


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
        parameters = ", ".join(f"{kind} %p{i}" for i, kind in enumerate(function.parameters))
        call = f"call {result} %f({parameters})"
        end = f"{call}\n ret void" if result == "void" else f"%r = {call}\n ret {result} %r"
        lines.append(
            f"define internal {result} @rt_{name}({parameters}) {{\n"
            f" %rt = load ptr, ptr %p0\n"
            f" %a = getelementptr ptr, ptr %rt, i64 {index}\n %f = load ptr, ptr %a\n {end}\n}}"
        )
    return "\n".join(lines)


HELPERS = (
    _helpers()
    + """
define internal ptr @slot(ptr %call, i64 %i) {
 %at = getelementptr ptr, ptr %call, i64 2
 %frame = load ptr, ptr %at
 %a = getelementptr i64, ptr %frame, i64 %i
 ret ptr %a
}
define internal i64 @get(ptr %call, i64 %i) {
 %a = call ptr @slot(ptr %call, i64 %i)
 %v = load i64, ptr %a
 ret i64 %v
}
define internal void @set(ptr %call, i64 %i, i64 %v) {
 %a = call ptr @slot(ptr %call, i64 %i)
 store i64 %v, ptr %a
 ret void
}
define internal ptr @data(ptr %call, i64 %i) {
 %a = call ptr @slot(ptr %call, i64 %i)
 %v = load ptr, ptr %a
 ret ptr %v
}
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
"""
)
NOTHING = " ret i32 0"
FAILS = " %e = call i32 @rt_fail(ptr %call, i64 1, i64 2, i64 0, ptr null)\n ret i32 %e"


def loop(body, before, start="0", end="%n"):
    """The text of a loop over %i behind a block, up to the block `done`."""
    return f"""
 br label %head
head:
 %i = phi i64 [{start}, %{before}], [%next, %body]
 %more = icmp slt i64 %i, {end}
 br i1 %more, label %body, label %done
body:
{body}
 %next = add i64 %i, 1
 br label %head
done:
"""


def code_of(body, extra=""):
    """Machine code whose `entry` has this body (its parameter is `ptr %call`)."""
    text = f"{HELPERS}\n{extra}\ndefine i32 @entry(ptr %call) {{\n{body}\n}}"
    return native.load_object(compile_text(text))


def array_input(dtype, ndim, offset, *lengths, broadcast=0, name=None, cell=-1, flags=0):
    return ("array", np.dtype(dtype).num, ndim, broadcast, name, offset, cell, flags, *lengths)


def object_input(offset):
    return ("object", 0, 0, 0, None, offset, -1, 0)


def program_of(code, **fields):
    none = ("kernels", "buffer_slots", "inputs", "shared", "outputs", "updates", "callbacks")
    defaults = dict.fromkeys(none, ())
    defaults |= {"frame_size": 32, "result": "list", "timed_steps": -1}
    defaults |= {"entry": code.address("entry"), "code": (code,)}
    return native.Program(**{**defaults, **fields})


def function_of(text, hooks=None, cells=(), **fields):
    """A function whose machine code has this text."""
    return native.Function(program_of(code_of(text), **fields), cells, hooks or {})


def convert(function, index, value):
    """A hook that takes what NumPy makes numbers of."""
    return np.asarray(np.require(value, "float64", "A"))


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
 %ys = call i64 @get(ptr %call, i64 11)"""
    + loop(
        """
 %xo = mul i64 %i, %xs
 %yo = mul i64 %i, %ys
 %xp = getelementptr i8, ptr %x, i64 %xo
 %yp = getelementptr i8, ptr %y, i64 %yo
 %rp = getelementptr double, ptr %p, i64 %i
 %a = load double, ptr %xp
 %b = load double, ptr %yp
 %c = fadd double %a, %b
 store double %c, ptr %rp""",
        "go",
    )
    + NOTHING,
}


def add_fields(ndim, **options):
    fields = {
        "inputs": tuple(array_input("float64", ndim, k, name=n) for k, n in ((0, "x"), (8, "y"))),
        "outputs": (("buffer", FLOAT64, ndim, 16, 24),),
        "buffer_slots": (24,),
        "result": "single",
    }
    return {**fields, **options}


def add_function(ndim, hooks=None, cells=(), **options):
    """The sum of two float64 inputs."""
    return function_of(ADD[ndim], hooks, cells, **add_fields(ndim, **options))


# Adds one to the elements of the array whose address is in `args`.
ADD_ONE = f"""
define void @kernel(ptr %args, i64 %begin, i64 %end) {{
entry:
 %x = load ptr, ptr %args
{
    loop(
        '''
 %p = getelementptr double, ptr %x, i64 %i
 %v = load double, ptr %p
 %w = fadd double %v, 1.0
 store double %w, ptr %p''',
        "entry",
        "%begin",
        "%end",
    )
}
 ret void
}}
"""
# Runs kernel 0 over all elements with the address of the data at 0.
KERNEL = """
 %args = alloca i64
 %d = call i64 @get(ptr %call, i64 0)
 store i64 %d, ptr %args
 %n = call i64 @get(ptr %call, i64 2)
 %ready = call i32 @rt_launch(ptr %call, i64 0, ptr null, i64 0, i64 0, i64 0, i64 0)
 %good = icmp eq i32 %ready, 0
 br i1 %good, label %go, label %bad
bad:
 ret i32 -1
go:
 %r = call i32 @rt_launch(ptr %call, i64 0, ptr %args, i64 %n, i64 %n, i64 64, i64 1)
 ret i32 %r
"""


def kernel_function(hook):
    """A function with one kernel, which the hook compiles when it is first needed."""
    inputs = (array_input("float64", 1, 0, flags=native.MUTABLE),)
    return function_of(KERNEL, {"on_variant": hook} if hook else {}, kernels=(0,), inputs=inputs)


def add_one():
    """A function that adds one to its argument in place."""
    code = native.load_object(compile_text(ADD_ONE))
    return kernel_function(lambda function, kernel: (code.address("kernel"), code))
