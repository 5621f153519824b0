"""The engine, in layers: each imports only those below it."""
