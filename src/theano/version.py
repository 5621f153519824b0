"""Which Theano this is."""

version = "2.0.0"
"""Version, as in the package metadata."""
short_version = version
full_version = version

__all__ = ["full_version", "short_version", "version"]
