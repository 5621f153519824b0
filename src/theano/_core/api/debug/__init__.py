"""Graphs as text and pictures, and the generic tests of an operation."""
