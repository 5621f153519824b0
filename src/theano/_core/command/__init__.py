"""What `python -m theano` does."""
