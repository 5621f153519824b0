/* The binary interface between generated machine code and Theano's runtime.
 *
 * A compiled graph is one `entry` function and any number of `kernel` functions, all plain C
 * functions without floating-point exceptions, unwinding or global state. This header is everything
 * that generated code may rely on.
 *
 * THE FRAME. A call owns `frame`: `frame_size` slots of int64_t, aligned to 64 bytes and zeroed when
 * the call starts. Every array is a DESCRIPTOR, 2 + 2 * ndim consecutive slots at an offset which is
 * fixed when the graph is compiled:
 *
 *     [data, flags, shape[0 .. ndim), strides[0 .. ndim)]        strides in bytes, as in NumPy
 *
 * An object value (a random state, any Python object) is a descriptor of two slots, [PyObject *, 0];
 * the reference is borrowed from the call. The descriptors of the inputs and shared variables are
 * filled before `entry` runs. Input data is aligned for its type and in native byte order; its
 * strides may have any value.
 *
 * A BUFFER SLOT is a slot that holds memory from `alloc`. When the call ends, for whatever reason, the
 * runtime frees every one that is not zero; it turns those of outputs and updates into arrays first.
 *
 * ERRORS. `entry` returns 0 when all is well. Otherwise it returns nonzero after `fail` returned -1,
 * or another function failed, which has recorded why. No output is made and no shared variable is replaced
 * by a call that failed.
 *
 * PYTHON'S LOCK. A call starts with the lock held, unless its inputs are large. Functions of the
 * table that need the lock take it; `release`, `parallel` and `launch` let it go. Generated code itself
 * never needs it.
 */
#ifndef THEANO_RUNTIME_H
#define THEANO_RUNTIME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Incremented whenever something in this header changes its meaning; part of the key of the compile
 * cache. */
#define TH_ABI_VERSION 31

/* Bits of a descriptor's `flags`. */
enum {
    /* C-contiguous by NumPy's rule (sizes 0 and 1 included), aligned. */
    TH_CONTIGUOUS = 1,
    /* May be overwritten: aligned, writable, C-contiguous, and its memory is not reachable through
     * any other input or shared variable of this call. Only set where the program declared the
     * input mutable. */
    TH_OVERWRITABLE = 2
};

/* What `lapack` can do: what it reads → what it writes. Letters are matrices, except w and s
 * (vectors of the real type) and rows (a vector of int64). */
enum {
    TH_CHOLESKY = 0,         /* A → L or U; TH_LOWER, TH_NAN */
    TH_SOLVE = 1,            /* A, b → x */
    TH_SOLVE_TRIANGULAR = 2, /* A, b → x; TH_LOWER */
    TH_SOLVE_POSITIVE = 3,   /* A, b → x; TH_LOWER */
    TH_INVERSE = 4,          /* A → X */
    TH_DET = 5,              /* A → a number */
    TH_SLOGDET = 6,          /* A → a number, a number of the real type */
    TH_LU = 7,               /* A → L, U, rows */
    TH_EIGH = 8,             /* A → w or (TH_VECTORS) w, V; TH_LOWER */
    TH_SVD = 9,              /* A → s or (TH_VECTORS) U, s, V^H; TH_FULL */
    TH_QR = 10,              /* A → R or (TH_VECTORS) Q, R; TH_FULL */
    TH_FACTOR = 11,          /* A → F, rows: what the following take instead of A */
    TH_FACTOR_SOLVE = 12,    /* F, rows, b → x; TH_ADJOINT */
    TH_FACTOR_INVERSE = 13,  /* F, rows → X */
    TH_FACTOR_DET = 14,      /* F, rows → a number */
    TH_FACTOR_SLOGDET = 15,  /* F, rows → a number, a number of the real type */
    TH_FACTOR_ADJUGATE = 16, /* F, rows → X: the inverse times the determinant */
    TH_PINV = 17,            /* A → X */
    TH_CHOLESKY_TANGENT = 18, /* L, the tangent of L L^H → that of L */
    TH_EIG = 19,              /* A → w, V of the type of A: of a real matrix the real parts */
    TH_EXPM = 20,             /* A → X */
    TH_EXPM_TANGENT = 21,     /* A, its tangent → that of X */
    TH_QR_RAW = 22,           /* A → the columns of LAPACK's geqrf, tau (a vector) */
    TH_CHOLESKY_COTANGENT = 23, /* L, the cotangent of L → that of L L^H */
    TH_SYMMETRIC_PRODUCT = 24,  /* A, B → (A + A^T) B */
    TH_PRODUCT_SYMMETRIC = 25,  /* A, B → B (A + A^T) */
    TH_ROUTINES = 26
};

/* What `along` can do; the order of items is positions, int64. Sorting is in three kinds, as
   NumPy counts them: quicksort, heapsort, stable. */
enum th_along_operation {
    TH_SORT = 0,
    TH_ARGSORT = 3,
    TH_CUMSUM = 6,
    TH_CUMPROD,
    TH_ARGSORT_ROWS, /* of a matrix along axis 0, by the first column that differs; stable */
    TH_ALONG_OPERATIONS,
};

/* Bits of the `flags` of `lapack`. */
enum {
    TH_LOWER = 1,   /* the lower triangle is read, not the upper */
    TH_NAN = 2,     /* a matrix without a result gives NaN */
    TH_VECTORS = 4, /* not only values */
    TH_FULL = 8,    /* all columns of the orthogonal factors */
    TH_ADJOINT = 16 /* the conjugate transpose in the place of A */
};

/* The most facts that `fail` keeps. */
#define TH_MAX_FACTS 64

typedef struct th_call th_call;
typedef struct th_runtime th_runtime;

/* One fused loop: `args` was packed by the entry function, [begin, end) is the range of the
 * outermost loop. Calls on disjoint ranges may run at the same time, in any order, and must not
 * depend on how the whole range was cut. */
typedef void th_kernel(int64_t *args, int64_t begin, int64_t end);

/* What is known of a loop that reduces when its program is made. */
typedef struct th_reduction {
    int64_t weight, unit; /* as for `parallel` */
    /* The first `ndim` arguments are lengths; bit i of `kept` is set where length i is not of a
     * folded axis; which of them is that of the range, and which that of the rows (-1: they are
     * not to be folded in blocks). */
    int64_t ndim, kept, range, rows;
    /* In a reduction of everything, items of the range that make a block. */
    int64_t block;
    /* The arguments are so many words, and there is room for one more: the rows of a block. From word
     * `first` on they hold the addresses of `results` results. Before these a reduction of everything has
     * those of the memory for partial results, if it `has_partials`, or room for them. If `carried`, a
     * single partial result is the result; one that is `settled` decides it (-1: none does). */
    int64_t words, first, results, has_partials, carried, settled;
    int64_t itemsizes[]; /* of the partial results */
} th_reduction;

/* The whole graph. */
typedef int32_t th_entry(th_call *call);

struct th_call {
    const th_runtime *rt;
    /* Addresses of the kernels; NULL where the kernel is not compiled yet (see `launch`). */
    void *const *kernels;
    int64_t *frame;
    /* The runtime's own fields follow. */
};

struct th_runtime {
    /* 0: memory of `nbytes` bytes, aligned to 64 bytes and not initialised; also recorded in
     * frame[slot]. NULL after recording a MemoryError. Zero bytes give a valid pointer. */
    void *(*alloc)(th_call *call, int64_t nbytes, int64_t slot);

    /* 1: gives the memory of a buffer slot back and zeroes the slot. A zero slot is left alone. */
    void (*free)(th_call *call, int64_t slot);

    /* 2: records the error `code` of node `node` with `count` facts (sizes, indices ...); returns
     * -1. Python's `on_error(function, code, node, facts, arguments)` makes the exception after
     * `entry` returned. The first error of a call wins. */
    int32_t (*fail)(th_call *call, int64_t code, int64_t node, int64_t count, const int64_t *facts);

    /* 3: C = alpha * A @ B + beta * C for any numeric NumPy type number; nd_a and nd_b are 1 or 2
     * and have NumPy's meaning. a, b, c point to descriptors; C is C-contiguous, of the right
     * shape, in memory of its own. alpha and beta point to one item (NULL: 1 and 0); with beta NULL
     * or 0, C is not read. Integers wrap around, bool is or-of-ands, half accumulates in float. The
     * bits do not depend on the number of threads. */
    int32_t (*matmul)(th_call *call, int64_t typenum, int64_t nd_a, int64_t nd_b, const int64_t *a,
                      const int64_t *b, const int64_t *c, const void *alpha, const void *beta);

    /* 4: runs a kernel over [0, n), in all `total` points of about `weight` instructions each. Much
     * work is shared with threads that are awake, in chunks of whole multiples of `unit` items;
     * large work lets Python's lock go first, and wakes threads. With unit 0, the range is run in
     * order and in this thread. Nonzero after recording the exception that a signal's handler
     * raised, which happens only before `commit`. */
    int32_t (*parallel)(th_call *call, th_kernel *kernel, int64_t *args, int64_t n, int64_t total,
                        int64_t weight, int64_t unit);

    /* 5: takes Python's lock and calls the callable of callback record `index` with one object per input
     * descriptor (read-only arrays over its memory, or the object); the descriptors of the outputs are
     * filled from the tuple it returns. The arrays it returned live as long as the call. */
    int32_t (*callback)(th_call *call, int64_t index, int64_t n_in, const int64_t *in_offsets,
                        int64_t n_out, const int64_t *out_offsets);

    /* 6: `parallel` for kernel `kernel`. Where its entry in `kernels` is NULL, asks Python for it and
     * stores it for every later call; without `args` it does no more. Nonzero after an exception, too. */
    int32_t (*launch)(th_call *call, int64_t kernel, int64_t *args, int64_t n, int64_t total,
                      int64_t weight, int64_t unit);

    /* 7: lets Python's lock go if this call holds it. For calls that take long. */
    void (*release)(th_call *call);

    /* 8: a kernel that copies items of one array to another, in C order; its arguments: see `copy.h`. */
    th_kernel *copy;

    /* 9: how many objects that callbacks returned the call keeps. */
    int64_t (*kept)(th_call *call);

    /* 10: lets go of the objects [begin, end) of those; later ones move down. For loops, whose steps
     * would otherwise keep what only the next step needs. */
    void (*forget)(th_call *call, int64_t begin, int64_t end);

    /* 11: a routine of linear algebra on each matrix of a stack. `operands` holds, for each of the `count`
     * arrays that it reads and then writes, the offset of its descriptor in the frame, its number of axes,
     * and how many of them, the last ones, one matrix, vector or number has. Arrays that are read broadcast
     * over the axes before these where they have length 1; those that are written are C-contiguous. 0, or 1
     * for a matrix that has no result (singular, not positive definite, no convergence): then facts[0] is
     * what LAPACK says and facts[1] its place in the stack; or -1. A real matrix with complex eigenvalues
     * gives a ComplexWarning. The bits do not depend on the number of threads. */
    int32_t (*lapack)(th_call *call, int64_t routine, int64_t typenum, int64_t flags, int64_t count,
                      const int64_t *operands, int64_t *facts);

    /* 12: for loops that may run long: handles signals, such as the user's interrupt, `steps` steps
     * after the last time. After how many more steps to come again; -1 after recording the exception
     * that a handler raised. */
    int64_t (*poll)(th_call *call, int64_t steps);

    /* 13: an operation along `axis` of the array described by `src`; `dst` is C-contiguous and does
     * not overlap. NaN counts as larger than every number. 0 on success. */
    int32_t (*along)(th_call *call, int64_t operation, int64_t typenum, int64_t ndim, int64_t axis,
                     void *dst, const int64_t *src);

    /* 14: step number `step` of a program whose calls are timed has just run, in which it read and
     * wrote so many bytes and did about so many operations on numbers. */
    void (*tick)(th_call *call, int64_t step, int64_t bytes, int64_t operations);

    /* 15: where each of `count` packed items belongs among `n` sorted ones that are `step` bytes
     * apart: in front of those that are equal to it or, if `right`, behind them. 0 on success. */
    int32_t (*search)(th_call *call, int64_t right, int64_t typenum, int64_t n, int64_t step,
                      const void *sorted, int64_t count, const void *wanted, int64_t *places);

    /* 16, 17: a kernel, over panels, that packs the second matrix of a product; multiplies by it.
     * Their arguments: see `panels.h`. Nonzero as for `parallel`. */
    th_kernel *pack;
    int32_t (*multiply_packed)(th_call *call, int64_t *args);

    /* 18: makes every object that the call returns or stores. Called once, by programs that write
     * into the memory of inputs, before the first such write: the descriptors and buffers of all
     * results are in place, though not yet their items, and nothing fails from there on. */
    int32_t (*commit)(th_call *call);

    /* 19: a loop that reduces, in parts whose results are reduced in turn: everything in blocks of its
     * range, or the rows of each column in blocks of rows where the columns are too few to share.
     * How it is cut depends on lengths alone. Its kernels have numbers one after the other: the one that
     * reduces all or, in a reduction of everything, blocks of its range, which is `kernel`; where rows
     * may be reduced in blocks, the one that does so; then one a result, which makes those of blocks one:
     * it is given their address and that of the results, how many columns there are, and blocks.
     * Nonzero as for `parallel`, or without memory, or where a kernel cannot be compiled. */
    int32_t (*reduce)(th_call *call, int64_t kernel, int64_t *args, const th_reduction *how);

    /* 20: a convolution of floats, or a gradient of one. Its arguments: see `convolution.h`. Nonzero as
     * for `parallel`, or without memory. */
    int32_t (*convolve)(th_call *call, int64_t *args);

    /* 21: `count` positions from number `first` on of the order along `axis`, as a stable sort has it,
     * of the array described by `src`. 0 on success. */
    int32_t (*select)(th_call *call, int64_t typenum, int64_t ndim, int64_t axis, int64_t first,
                      int64_t count, int64_t *places, const int64_t *src);

    /* 22: the time on the clock of the call, which stands still while kernels are compiled. If there is
     * such a step, adds what passed since `since` to it, as `tick` does: for steps within loops. */
    int64_t (*lap)(th_call *call, int64_t step, int64_t since, int64_t bytes, int64_t operations);

    /* 23: a loop over the items of a sparse matrix. Its arguments: see `sparse.h`. Nonzero as for
     * `parallel`, or without memory; 1 where a place is beyond the dense matrices. */
    int32_t (*sparse)(th_call *call, int64_t *args);

    /* 24: `matmul` for one pair of matrices after the other. Its arguments: see `matmul.h`. */
    int32_t (*multiply_pairs)(th_call *call, int64_t *args);

    /* 25: a kernel, over positions, that copies what lies there. Its arguments: see `gather.h`. */
    th_kernel *take;

    /* 26: products of a matrix from both sides, and a kernel between (-1: none) of `weight` instructions
     * an item. Its words: see `matrix_pass.cpp`. Nonzero as for `launch` and `matmul`. */
    int32_t (*matrix_pass)(th_call *call, int64_t kernel, int64_t *args, int64_t weight, int64_t *work);

    /* 27: discrete Fourier transforms. Its arguments: see `fourier.h`. Nonzero as for `parallel`, or
     * without memory. */
    int32_t (*transform)(th_call *call, int64_t *args);

    /* 28: where the largest or smallest items along an axis are. Its arguments: see `extremes.h`. Nonzero
     * as for `parallel`, or without memory. */
    int32_t (*extremes)(th_call *call, int64_t *args);
    /* 29: a kernel: items of each row at the same positions; its arguments: see `columns.h`. */
    th_kernel *take_columns;
    /* 30: a kernel: writes rows at positions, in order; its arguments: see `scatter.h`. */
    th_kernel *put;
    /* 31: a kernel: rows of arrays side by side; its arguments: see `joins.h`. */
    th_kernel *join_rows;
};

#ifdef __cplusplus
}
#endif

#endif
