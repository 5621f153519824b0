"""Variables that hold arrays: their classes, operators, methods, and what makes them."""
