"""`python -m local.host [--root DIR] [--port N] [--settings local.settings.json]`."""

import argparse
import asyncio
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from local.host import config, console, host
from local.host.errors import BadApp


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the function app in a directory until SIGTERM or SIGINT (exit code 0).

    An app that cannot be indexed ends the program with code 1 and its own error on stderr. (In Azure the host would
    keep restarting with no function indexed, and whoever looks at the portal sees an empty list.)
    """
    options = _parser().parse_args(arguments)
    if options.until_stdin_closes:
        threading.Thread(target=_end_when_stdin_closes, daemon=True).start()
    try:
        ended = asyncio.run(host.serve(_plan(options)))
    except BadApp as fault:
        return _refuse(fault, verbose=options.verbose)
    except OSError as fault:
        return _refuse(BadApp(f"cannot listen on port {options.port}: {fault.strerror}"), verbose=False)
    if not ended:
        console.log.warning("invocations were still running; their messages come back when their lease ends")
        sys.stdout.flush()
        os._exit(0)  # a thread of the worker's pool would hold the interpreter for as long as its function runs
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="A thin local Azure Functions host.")
    parser.add_argument("--root", type=Path, default=Path(), help="the app's directory (default: this one)")
    parser.add_argument("--port", type=int, default=7071, help="0 takes a free one (default: 7071, as func does)")
    parser.add_argument(
        "--settings", type=Path, help="app settings (default: local.settings.json in the app's directory)"
    )
    parser.add_argument(
        "--verbose", action="store_true", help="stack trace of an app that fails to load, worker's own log"
    )
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end at once when whoever started this is gone"
    )
    return parser


def _plan(options: argparse.Namespace) -> host.Plan:
    root = options.root.resolve()
    if options.settings:
        config.apply_settings(options.settings, os.environ)
    elif (root / "local.settings.json").exists():
        config.apply_settings(root / "local.settings.json", os.environ)
    read = config.read_host_json(root)
    console.open_log(read.log_level, verbose=options.verbose)
    os.chdir(root)  # the worker's directory in Azure is the app's
    return host.Plan(root, read, os.environ, options.port)


def _refuse(fault: BadApp, *, verbose: bool) -> int:
    sys.stderr.write(f"{fault}\n")
    if verbose and fault.detail:
        sys.stderr.write(f"\n{fault.detail}\n")
    return 1


def _end_when_stdin_closes() -> None:
    """End without waiting for what runs: storage and Azure belonged to the starter, and are gone with it."""
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
