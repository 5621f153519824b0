// Factorisations that take long, in threads of their own: LAPACK knows nothing of signals.
#pragma once

#include "call.h"
#include "lapack.h"

namespace theano::lapack {

// As `run`, for a call, which may be interrupted: Status::interrupted, with the exception recorded.
// LAPACK goes on to its end all the same. So what it reads and writes is kept until then, and a
// process that ends waits for it.
Outcome run_for(Call *call, int typenum, Job job);

// A child of a fork has no such threads.
void forget_in_child();

}  // namespace theano::lapack
