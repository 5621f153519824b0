"""Settings, errors and item types: what every other layer needs."""
