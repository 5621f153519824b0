"""What makes variables that hold arrays, and what their methods call."""
