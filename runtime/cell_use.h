// Who may use the values of cells: any number of calls read, one thread writes.
//
// A call that updates cells has them for itself from its start to its end, so that it is atomic, in
// its thread also for the calls that it makes through Python. A call that reads starts when nobody
// writes; from then on it has its arrays, and whoever writes meanwhile writes to other memory. So
// readers never keep a writer waiting. All cells of a call are taken at once, in the order in which
// calls came; nobody waits while it holds some, except for calls within calls, where a circle is an
// error.
//
// While a writer is in a Python operation, which may wait for other threads, nothing is new yet: who
// reads arrays then comes before it, and needs not wait. Who writes as well waits, which is an error
// once the operation seems to stand still.
//
// All of this is touched only with Python's lock, which is let go while a call waits. A call that
// runs from start to end with the lock, and no Python code within, need not take anything: it only
// sees that its cells are free, and nobody can be between that and its end.
#pragma once

#include "program.h"

namespace theano::cell_use {

// Numbers the processes: what a thread held when another forked is nobody's in the child.
extern std::uint32_t process;
// A Python operation that worked for less than a hundredth of so many nanoseconds, while another
// thread waits for its call, waits for that thread.
extern std::int64_t patience;

// Whether nobody writes a cell, nor waits for it.
inline bool is_free(const CellObject *cell) {
    return cell->use.process == process && cell->use.writer == 0 && cell->use.waiting == 0;
}

bool wait_for_all(const FunctionObject *function);

// Waits until a call may use its cells. False with an exception set: interrupted, or never to come
// true.
inline bool wait(const FunctionObject *function) {
    for (Py_ssize_t i : function->program->shared)
        if (!is_free(function->cell(i))) return wait_for_all(function);
    return true;
}
// Takes the cells of a call for which `wait` was the last that may have run other code.
void enter(const FunctionObject *function);
// Ends what `enter` began; wakes who waits.
void leave(const FunctionObject *function);

// Around a Python operation of a call that writes cells.
void pause(const FunctionObject *function);
void resume(const FunctionObject *function);

// Waits until a cell may be read, or written. False with an exception set.
bool wait(CellObject *cell, bool writes);
// A read that goes on without Python's lock.
bool enter_reader(CellObject *cell);
void leave_reader(CellObject *cell);

// Whether others read the value of a cell that this call writes, so that it must stay as it is.
inline bool is_read(const CellObject *cell, bool taken) {
    return cell->use.process == process && (cell->use.readers > 0 || cell->use.writers > taken);
}

// The other threads are gone in a child.
void forget_in_child();

}  // namespace theano::cell_use
