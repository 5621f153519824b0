"""The command line: `python -m theano --help`."""

import sys

from theano._core.command.main import main

if __name__ == "__main__":
    sys.exit(main())
