"""Rewriting of loops."""
