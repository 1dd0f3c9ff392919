"""The log: one line per step on standard output, in the official format.

Standard output only. Who runs ingestion decides where the log is kept (run_local_test.py: OUT/ingestion.log).
"""

import logging
import sys

logger = logging.getLogger("ingestion")


def start_log() -> None:
    """Send the log of this program, and of it alone, to standard output; the root logger is left to the model."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(filename)s: %(message)s"))
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
