"""Graphs within graphs: loops, branches, and bodies for many rows."""
