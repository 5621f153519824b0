"""Products with a matrix that stays the same through a loop: it is packed once, before the loop.

The packed matrix consists of panels: some columns, row after row, padded with zeros. A product
goes through a panel for a few rows at a time, whose sums stay in registers. Each sum is carried
from the first term to the last, so that its bits depend neither on threads nor on vectors.
"""

from __future__ import annotations

from theano._core.lower.llvm.items import itemsize
from theano._core.lower.llvm.target import widest_vectors

# Vectors of a panel's row: with them, the sums of the rows fill the registers.
VECTORS = 3
# Longer sums, and more rows, are what BLAS does better.
MOST_TERMS, MOST_ROWS = 1024, 256
TYPES = {"float32": "float", "float64": "double"}


class _PanelKernel:
    """Base of the kernels: how their text is put together.

    Parameters
    ----------
    dtype : str
    bits : int
        Width of vectors; 0: the widest.
    """

    symbol = "kernel"
    layout = "packed"
    eager = True

    def __init__(self, dtype: str, bits: int) -> None:
        self.dtype = dtype
        self.width = bits or widest_vectors()
        self.size = itemsize(dtype)
        self.lanes = self.width // (8 * self.size)
        # Sums of so many rows at a time: half the registers on machines that have but 16.
        self.rows = 8 if self.width >= 512 else 4
        self.item = TYPES[dtype]
        self.vector = f"<{self.lanes} x {self.item}>"

    @property
    def columns(self) -> int:
        """Columns of a panel."""
        return VECTORS * self.lanes

    def _module(self, names: tuple[str, ...], lines: list[str]) -> str:
        """Return the text of a kernel over panels; `names` are its arguments, pointers last."""
        loads = []
        for i, name in enumerate(names):
            kind = "ptr" if name in ("x", "y", "packed", "out") else "i64"
            loads += [
                f"%{name}.at = getelementptr i64, ptr %args, i64 {i}",
                f"%{name} = load {kind}, ptr %{name}.at, align 8",
            ]
        body = [
            *loads,
            f"%panel.bytes = mul i64 %terms, {self.columns * self.size}",
            "br label %panels",
            "panels:",
            "%panel = phi i64 [%begin, %entry], [%panel.next, %panel.done]",
            "%panel.more = icmp slt i64 %panel, %end",
            "br i1 %panel.more, label %panel.body, label %exit",
            "panel.body:",
            f"%column = mul i64 %panel, {self.columns}",
            "%panel.offset = mul i64 %panel, %panel.bytes",
            "%panel.at = getelementptr i8, ptr %packed, i64 %panel.offset",
            "%left = sub i64 %columns, %column",
            f"%whole = icmp sge i64 %left, {self.columns}",
            *lines,
            "panel.done:",
            "%panel.next = add nsw i64 %panel, 1",
            "br label %panels",
            "exit:",
            "ret void",
        ]
        text = [line if line.endswith(":") else f"  {line}" for line in body]
        return "\n".join(
            [
                "define void @kernel(ptr noalias %args, i64 %begin, i64 %end) nounwind {",
                "entry:",
                f"  %buffer = alloca [{self.rows * self.columns} x {self.item}], align 64",
                *text,
                "}",
                f"declare {self.vector} @llvm.fmuladd.v{self.lanes}f{8 * self.size}"
                f"({self.vector}, {self.vector}, {self.vector})",
                "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
                "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)",
                "",
            ]
        )


class PackKernel(_PanelKernel):
    """Packs a C-contiguous matrix; its arguments are its lengths, its address and the panels'."""

    arguments = ("terms", "columns", "y", "packed")

    @property
    def text(self) -> str:
        """The LLVM module."""
        width = self.columns * self.size
        return self._module(
            self.arguments,
            [
                f"%fits = select i1 %whole, i64 {self.columns}, i64 %left",
                f"%copied = mul i64 %fits, {self.size}",
                "br label %terms.loop",
                "terms.loop:",
                "%term = phi i64 [0, %panel.body], [%term.next, %term.body]",
                "%term.more = icmp slt i64 %term, %terms",
                "br i1 %term.more, label %term.body, label %panel.done",
                "term.body:",
                f"%to.offset = mul i64 %term, {width}",
                "%to = getelementptr i8, ptr %panel.at, i64 %to.offset",
                "%from.row = mul i64 %term, %columns",
                "%from.item = add i64 %from.row, %column",
                f"%from = getelementptr {self.item}, ptr %y, i64 %from.item",
                f"call void @llvm.memset.p0.i64(ptr %to, i8 0, i64 {width}, i1 false)",
                "call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %copied, i1 false)",
                "%term.next = add nsw i64 %term, 1",
                "br label %terms.loop",
            ],
        )


class ProductKernel(_PanelKernel):
    """Multiplies C-contiguous rows with a packed matrix.

    Its arguments are the numbers of rows, terms and columns, and the addresses of the rows, the
    panels and the result.

    Parameters
    ----------
    added : bool
        Whether the product is added to what is in the result.
    """

    arguments = ("count", "terms", "columns", "x", "packed", "out")

    def __init__(self, dtype: str, bits: int, added: bool) -> None:
        super().__init__(dtype, bits)
        self.added = added

    @property
    def text(self) -> str:
        """The LLVM module."""
        first, last = (
            self._rows(self.rows, "many", "panel.body", "one"),
            self._rows(1, "one", "many", "panel.done"),
        )
        return self._module(self.arguments, ["br label %many", *first, *last])

    def _rows(self, rows: int, name: str, before: str, after: str) -> list[str]:
        """Return the loop over groups of rows; it goes on `after` where fewer are left."""
        start = "0" if name == "many" else "%many.row"
        return [
            f"{name}:",
            f"%{name}.row = phi i64 [{start}, %{before}], [%{name}.next, %{name}.end]",
            f"%{name}.next = add nsw i64 %{name}.row, {rows}",
            f"%{name}.more = icmp sle i64 %{name}.next, %count",
            f"br i1 %{name}.more, label %{name}.body, label %{after}",
            f"{name}.body:",
            *self._starts(rows, name),
            *self._sums(rows, name),
            *self._stores(rows, name),
        ]

    def _starts(self, rows: int, name: str) -> list[str]:
        """Return lines that find the rows, and what the sums start from."""
        lines = []
        for r in range(rows):
            x, out = f"%{name}.x{r}", f"%{name}.out{r}"
            lines += [
                f"{x}.row = add i64 %{name}.row, {r}",
                f"{x}.item = mul i64 {x}.row, %terms",
                f"{x} = getelementptr {self.item}, ptr %x, i64 {x}.item",
                f"{out}.first = mul i64 {x}.row, %columns",
                f"{out}.item = add i64 {out}.first, %column",
                f"{out} = getelementptr {self.item}, ptr %out, i64 {out}.item",
            ]
        if not self.added:
            return [*lines, f"br label %{name}.terms.from", f"{name}.terms.from:"]
        lines += [f"br i1 %whole, label %{name}.direct, label %{name}.copy", f"{name}.copy:"]
        lines += [f"%{name}.part = mul i64 %left, {self.size}"]
        for r in range(rows):
            lines += [
                self._buffer_row(name, "in", r),
                f"call void @llvm.memcpy.p0.p0.i64(ptr %{name}.in{r}, ptr %{name}.out{r},"
                f" i64 %{name}.part, i1 false)",
            ]
        lines += [f"br label %{name}.terms.from", f"{name}.direct:"]
        lines += [f"br label %{name}.terms.from", f"{name}.terms.from:"]
        for r in range(rows):
            lines.append(
                f"%{name}.from{r} = phi ptr [%{name}.out{r}, %{name}.direct],"
                f" [%{name}.in{r}, %{name}.copy]"
            )
        for r in range(rows):
            lines += self._loads(f"%{name}.from{r}", f"%{name}.first{r}.")
        return lines

    def _buffer_row(self, name: str, what: str, r: int) -> str:
        return f"%{name}.{what}{r} = getelementptr {self.item}, ptr %buffer, i64 {r * self.columns}"

    def _loads(self, address: str, result: str) -> list[str]:
        """Return lines that load a row of a panel from an address."""
        lines = []
        for v in range(VECTORS):
            lines += [
                f"{result}{v}.at = getelementptr {self.vector}, ptr {address}, i64 {v}",
                f"{result}{v} = load {self.vector}, ptr {result}{v}.at, align {self.size}",
            ]
        return lines

    def _sums(self, rows: int, name: str) -> list[str]:
        """Return the loop over the terms."""
        zero = "zeroinitializer"
        pairs = [(r, v) for r in range(rows) for v in range(VECTORS)]
        lines = [
            f"br label %{name}.terms",
            f"{name}.terms:",
            f"%{name}.term = phi i64 [0, %{name}.terms.from],"
            f" [%{name}.term.next, %{name}.term.body]",
        ]
        for r, v in pairs:
            first = f"%{name}.first{r}.{v}" if self.added else zero
            lines.append(
                f"%{name}.sum{r}.{v} = phi {self.vector} [{first}, %{name}.terms.from],"
                f" [%{name}.new{r}.{v}, %{name}.term.body]"
            )
        lines += [
            f"%{name}.term.more = icmp slt i64 %{name}.term, %terms",
            f"br i1 %{name}.term.more, label %{name}.term.body, label %{name}.store",
            f"{name}.term.body:",
            f"%{name}.y.offset = mul i64 %{name}.term, {self.columns * self.size}",
            f"%{name}.y = getelementptr i8, ptr %panel.at, i64 %{name}.y.offset",
            *self._loads(f"%{name}.y", f"%{name}.y"),
        ]
        mask = f"<{self.lanes} x i32> zeroinitializer"
        for r in range(rows):
            p = f"%{name}.factor{r}"
            lines += [
                f"{p}.at = getelementptr {self.item}, ptr %{name}.x{r}, i64 %{name}.term",
                f"{p}.one = load {self.item}, ptr {p}.at, align {self.size}",
                f"{p}.in = insertelement {self.vector} poison, {self.item} {p}.one, i64 0",
                f"{p} = shufflevector {self.vector} {p}.in, {self.vector} poison, {mask}",
            ]
            lines += [
                f"%{name}.new{r}.{v} = call {self.vector}"
                f" @llvm.fmuladd.v{self.lanes}f{8 * self.size}({self.vector} {p},"
                f" {self.vector} %{name}.y{v}, {self.vector} %{name}.sum{r}.{v})"
                for v in range(VECTORS)
            ]
        return [
            *lines,
            f"%{name}.term.next = add nuw nsw i64 %{name}.term, 1",
            f"br label %{name}.terms",
        ]

    def _stores(self, rows: int, name: str) -> list[str]:
        """Return lines that write the sums where they belong, as far as there are columns."""
        lines = [f"{name}.store:"]
        for r in range(rows):
            lines += [
                self._buffer_row(name, "to", r),
                f"%{name}.target{r} = select i1 %whole, ptr %{name}.out{r}, ptr %{name}.to{r}",
            ]
            for v in range(VECTORS):
                at = f"%{name}.put{r}.{v}"
                lines += [
                    f"{at} = getelementptr {self.vector}, ptr %{name}.target{r}, i64 {v}",
                    f"store {self.vector} %{name}.sum{r}.{v}, ptr {at}, align {self.size}",
                ]
        lines += [f"br i1 %whole, label %{name}.end, label %{name}.partly", f"{name}.partly:"]
        lines.append(f"%{name}.rest = mul i64 %left, {self.size}")
        lines += [
            f"call void @llvm.memcpy.p0.p0.i64(ptr %{name}.out{r}, ptr %{name}.to{r},"
            f" i64 %{name}.rest, i1 false)"
            for r in range(rows)
        ]
        return [*lines, f"br label %{name}.end", f"{name}.end:", f"br label %{name}"]
