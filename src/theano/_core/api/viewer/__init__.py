"""Pages that show graphs, programs and profiles."""
