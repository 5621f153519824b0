"""Passes that are no rules: each walks the graph in its own way."""
