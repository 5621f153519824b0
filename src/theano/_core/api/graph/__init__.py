"""Graphs copied, named, and extended by operations of users."""
