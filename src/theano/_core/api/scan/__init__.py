"""Loops as users write them, and updates of shared variables."""
