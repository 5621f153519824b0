"""Functions of neural networks and images."""
