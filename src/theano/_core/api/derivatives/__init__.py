"""Gradients, forward mode, Jacobians, and expressions over many rows."""
