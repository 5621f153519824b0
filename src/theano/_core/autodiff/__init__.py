"""Derivatives: reverse mode, forward mode and their numeric check."""
