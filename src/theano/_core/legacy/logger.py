"""The logger of Theano 1.0.5, and what wrote its messages."""

import logging

theano_logger, logging_default_handler = logging.getLogger("theano"), logging.StreamHandler()
