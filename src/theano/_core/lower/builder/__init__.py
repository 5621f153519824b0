"""The builder of programs: what operations are written with, and how a graph becomes one."""
