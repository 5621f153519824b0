"""The graph: types, variables, nodes, and its text."""
