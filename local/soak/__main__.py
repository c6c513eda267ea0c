"""``python -m local.soak``: publish, break and kill at random from a seed, then check the rules of the design."""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console

from local.azure import SimulatedAzure
from local.azurite import Azurite, AzuriteFailed
from local.host.process import HostFailed
from local.soak import view
from local.soak.hosts import Hosts
from local.soak.play import Play
from local.soak.rules import verdicts
from local.soak.scene import CALM, Scene
from local.soak.script import Rig, Size, left_out, write
from local.soak.storage import Storage
from local.soak.timeline import timeline
from local.soak.weather import Weather

_LONGEST: Final = 300
_SHORTEST: Final = 30
_SEEDS: Final = 1_000_000
_WIDTH: Final = 160
"""Columns of what goes into a pipe or a file."""

_RETRIES: Final = 0.1
"""Event Grid tries again after seconds, and not after tens of them."""


def main() -> int:
    """Soak; 0 when every rule held."""
    options = _options()
    seed: int = random.randrange(_SEEDS) if options.seed is None else options.seed  # noqa: S311  no secret
    size = Size(options.versions, options.definitions, options.kills, options.seconds)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="gallery-fanout-soak-"))
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    try:
        held = _soak(seed, size, folder, console)
        if held and not options.keep:
            shutil.rmtree(folder)
    except BaseException as fault:
        shutil.rmtree(folder)
        if isinstance(fault, KeyboardInterrupt):
            return 130
        raise
    if not held:
        words = f"--seed {seed} --versions {size.versions} --definitions {size.definitions} --kills {size.kills}"
        _say(console, f"\nNot every rule held. Once more: python -m local.soak {words} --seconds {size.seconds}")
    if folder.exists():
        _say(console, f"What happened, line by line, and the logs of the hosts: {folder}")
    return 0 if held else 1


def _soak(seed: int, size: Size, folder: Path, console: Console) -> bool:
    """Play the script of a seed, and hold what is left against the rules; say whether all held."""
    _say(console, f"Seed {seed}: {size.versions} versions of {size.definitions} definitions, {size.kills} kills.")
    _say(console, "It draws what is done and when; in the middle of what a kill falls is for the machine to say.")
    if missing := left_out(size):
        _say(console, f"Left out, because there is no time to get over it: {', '.join(missing)}.")
    try:
        play = _play(seed, size, folder, console)
    except (HostFailed, AzuriteFailed) as failed:
        _say(console, str(failed))
        return False
    evidence = play.evidence()
    found = verdicts(evidence)
    for table in (view.figures(play, evidence), view.rules(found)):
        console.print(table)
    (folder / "timeline.txt").write_text(timeline(evidence, found, play.begun))
    return play.converged is not None and all(verdict.held for verdict in found)


def _play(seed: int, size: Size, folder: Path, console: Console) -> Play:
    """Start everything, play, and end everything."""
    begun = time.time()
    with Azurite() as azurite, SimulatedAzure(behaviour=CALM, retry_scale=_RETRIES) as azure:
        scene = Scene.set_up(azure, size.definitions)
        connection = azurite.connection_string()
        with Hosts(scene.settings(connection), folder) as hosts, Storage(connection) as storage:
            azure.deliver_to(hosts.event_grid_url)
            rig = Rig(scene, Weather(azure, azurite), hosts)
            play = Play(rig, storage, size, lambda text: _say(console, f"{time.time() - begun:6.1f} s  {text}"), begun)
            play.storm(write(seed, size))
            play.calm()
            play.end()
            return play


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.soak", description=__doc__)
    parser.add_argument("--seed", type=int, help="what is drawn from (default: any)")
    seconds = _within(_SHORTEST, _LONGEST)
    parser.add_argument("--seconds", type=seconds, default=_LONGEST, help="how long it may take in all")
    parser.add_argument("--versions", type=_within(1, 1000), default=200)
    parser.add_argument("--definitions", type=_within(1, 100), default=20)
    parser.add_argument("--kills", type=_within(0, 100), default=20)
    parser.add_argument("--keep", action="store_true", help="keep the logs, also when every rule held")
    return parser.parse_args()


def _within(least: int, most: int) -> Callable[[str], int]:
    """Read a whole number within bounds."""

    def number(text: str) -> int:
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not from {least} to {most}")
        return int(text)

    return number


if __name__ == "__main__":
    sys.exit(main())
