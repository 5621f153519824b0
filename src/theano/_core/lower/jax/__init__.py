"""The JAX backend: XLA compiles a graph, for the device that JAX runs on."""
