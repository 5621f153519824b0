"""Passes: functions from a program to a program, in the order of `lower/pipeline.py`."""
