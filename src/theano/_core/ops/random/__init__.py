"""Random numbers: the generators, and distributions that need more than a formula."""
