"""Rewriting of branches."""
