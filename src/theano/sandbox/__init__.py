"""What Theano 1.0.5 kept apart from its stable interface."""
