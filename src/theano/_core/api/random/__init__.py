"""Random streams and distributions."""
