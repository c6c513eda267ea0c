"""``python -m plan``: print what a pass would do now; see ``--help``."""

import json
import logging
import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper

from rich.console import Console

from plan.listing import Listing
from plan.onlooker import onlooker
from plan.options import environment, parser
from plan.table import show
from plan.trouble import EXPECTED, in_words
from plan.watcher import Watcher
from shared.formats.plan_rows import Report
from shared.wiring import App

NOTHING, ERROR, CHANGES, INTERRUPTED = 0, 1, 2, 130
_SIMULATED = "This is a simulated Azure. For yours: az login, and make plan GALLERY=<the gallery's resource id>."


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the plan; give the exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(handlers=[logging.NullHandler()])  # what libraries log of their trouble is told in words
    watcher = Watcher(Console(stderr=True))
    try:
        return _plan(options, watcher)
    except EXPECTED as fault:
        watcher.says(in_words(fault))
        return ERROR
    except KeyboardInterrupt:
        return INTERRUPTED


def _plan(options: Namespace, watcher: Watcher) -> int:
    with _app(options) as (app, notes):
        with watcher.reading():
            plans, faults = Listing(app, watcher).plans(options.definition)
        report = Report(app.now(), plans, notes)
    _print(report, options)
    for fault in faults:
        watcher.says(fault)
    if faults:
        return ERROR
    return CHANGES if report.changes else NOTHING


@contextmanager
def _app(options: Namespace) -> Iterator[tuple[App, tuple[str, ...]]]:
    if not options.simulate:
        yield onlooker(environment(options, os.environ))
        return
    from plan.scene import simulated  # noqa: PLC0415  a web server that only this needs

    with simulated() as settings:
        app, _ = onlooker(environment(options, settings))
        yield app, (_SIMULATED,)


def _print(report: Report, options: Namespace) -> None:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # Azure's words may hold what a terminal cannot show
    text = json.dumps(report.to_json(), indent=2) + "\n" if options.json else _drawn(report, everything=options.all)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has seen enough; the exit code holds all the same
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _drawn(report: Report, *, everything: bool) -> str:
    console = Console()
    with console.capture() as captured:
        show(report, console, everything=everything)
    return captured.get()


if __name__ == "__main__":
    sys.exit(main())
