"""The engine, in layers: each imports only those below it."""

import time

# When the import of the engine began: what is older than that is what runs.
STARTED = time.time()
