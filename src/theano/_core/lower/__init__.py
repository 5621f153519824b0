"""From graphs to programs: loops, schedule, memory and the backends."""
