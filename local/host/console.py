"""The log: one line per record on stderr, `HH:MM:SS.mmm LEVEL logger message`."""

import logging
import sys
from typing import override

log = logging.getLogger("host")

# The host's own storage calls are logged nowhere: in Azure they happen in another process, and the app's log does
# not show them.
storage_log = logging.getLogger("host.storage")

# The worker library's own logger. It reports every invocation at INFO, and the search path at ERROR when an import
# fails.
_worker_log = logging.getLogger("azure.functions")


class _Line(logging.Formatter):
    """One record, one line; a stack trace may follow it."""

    default_time_format = "%H:%M:%S"
    default_msec_format = "%s.%03d"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).replace("\n", "\\n")


def open_log(level: str, *, verbose: bool) -> None:
    """Send all records of at least this level to stderr; `verbose` adds the worker library's own."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    storage_log.setLevel(logging.CRITICAL)
    _worker_log.setLevel(logging.DEBUG if verbose else logging.CRITICAL)


def report_end(function: str, invocation: str, *, succeeded: bool, seconds: float) -> None:
    """Log how an invocation ended and how long it took, in the words of Azure's host."""
    how, milliseconds = "Succeeded" if succeeded else "Failed", round(seconds * 1000)
    log.info("Executed 'Functions.%s' (%s, Id=%s, Duration=%dms)", function, how, invocation, milliseconds)


def report_failure(function: str, message: str, stack_trace: str) -> None:
    """Log that an invocation failed: one line, and the stack trace after it."""
    first_line, _, _ = message.partition("\n")
    log.error("%s failed: %s", function, first_line)
    if stack_trace:
        sys.stderr.write(stack_trace.rstrip() + "\n")
        sys.stderr.flush()
