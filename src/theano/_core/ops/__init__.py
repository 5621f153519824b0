"""Every operation, one declaration each, in files by family."""
