"""Classes of operations of Theano 1.0.5."""
