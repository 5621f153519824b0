"""Rewriting of graphs: patterns, the engine and the one ordered list of phases."""
