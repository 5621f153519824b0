"""The rewrite rules, in files by what they rewrite; a file names the phase of most of its rules."""
