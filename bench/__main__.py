"""``python -m bench``: measure every row, print the table, write bench/results.json."""

import argparse
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.results import Line, Results
from bench.rig import ACCOUNTS, AT_ONCE, Desk
from bench.rows import ROWS
from bench.table import table
from local.azurite import Azurite, AzuriteFailed

RESULTS: Final = Path(__file__).parent / "results.json"
_WIDTH: Final = 200
"""Columns of what goes into a pipe or a file."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 when every row could be measured, whether or not its target is met, 1 when one could not."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    began, clock, before = datetime.now(UTC), time.monotonic(), os.getloadavg()
    lines: list[Line] = []
    failed = False

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - clock:6.1f} s  {text}", soft_wrap=True, highlight=False, markup=False)

    try:
        with (
            tempfile.TemporaryDirectory(prefix="gallery-fanout-bench-") as folder,
            Azurite(ACCOUNTS, pauses=False) as azurite,
        ):
            desk = Desk(azurite, Path(folder), options.quick, options.peers, options.threads, say)
            for name in options.only or ROWS:
                say(f"{name} ...")
                try:
                    lines += ROWS[name](desk)
                except Exception as fault:  # noqa: BLE001  whatever it is, the other rows are measured
                    failed = True
                    say(f"{name} could not be measured: {traceback.format_exc()}")
                    note = f"{type(fault).__name__}: {fault}".splitlines()[0]
                    lines.append(Line(name, "", "could not be measured", None, note=note))
                load = {"before": before, "after": os.getloadavg()}
                Results(began, time.monotonic() - clock, options.quick, load, lines).write(options.results)
    except AzuriteFailed as fault:
        say(str(fault))
        return 1
    except KeyboardInterrupt:
        failed = True  # what was measured until then is shown, and was written row by row
    console.print(table(lines))
    say(f"load {before[0]:.1f} before, {os.getloadavg()[0]:.1f} after; {options.results}")
    return 1 if failed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="ROW", choices=list(ROWS), help=f"of {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="fewer cases and runs: three minutes")
    parser.add_argument("--peers", action="store_true", help="install the peers into bench/.peers first, if need be")
    words = f"of a worker: PYTHON_THREADPOOL_THREAD_COUNT (default: {AT_ONCE})"
    parser.add_argument("--threads", type=int, default=AT_ONCE, help=words)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to write (default: bench/results.json)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
