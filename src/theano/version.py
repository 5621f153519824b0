"""Which Theano this is."""

version = "2.0.0"
"""Version, as in the package metadata."""
short_version = version
full_version = version
release = True
# Packages are made from releases, not from a checkout.
git_revision = None

__all__ = ["full_version", "git_revision", "release", "short_version", "version"]
