"""The rewrite rules, in files by phase."""
