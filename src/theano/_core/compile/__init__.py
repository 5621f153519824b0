"""`theano.function` and what it needs: inputs, shared variables, modes, profiles."""
