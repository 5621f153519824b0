"""The kernel IR: loop nests, and scalar expressions in them."""
