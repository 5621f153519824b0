"""Scalars of `theano.scalar`: types, operations, and their use on tensors."""
