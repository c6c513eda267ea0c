"""``python -m local.demo``: play the demo, and end by itself; with ``--keep``, leave everything running."""

import argparse
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.live import Live

from local.azure import SimulatedAzure
from local.azurite import Azurite
from local.demo.scene import Scene, behaviour
from local.demo.view import Lines, picture, summary
from local.host.process import HostFailed, HostProcess

_ROOT = Path(__file__).parents[2]
_PATIENCE = 60.0
_FRAME = 0.15


def main() -> int:
    """Play the demo; 0 when the gallery converged in time."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description="Watch one image version spread.")
    parser.add_argument("--keep", action="store_true", help="leave everything running afterwards")
    keep = parser.parse_args().keep
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return _play(keep=keep)
    except KeyboardInterrupt:
        return 130
    except HostFailed as failed:
        print(failed, file=sys.stderr)
        return 1


def _play(*, keep: bool) -> int:
    console = Console()
    console.print("Starting Azurite, the simulated Azure and the Functions host ...")
    with (
        tempfile.TemporaryDirectory(prefix="gallery-fanout-") as folder,
        Azurite() as azurite,
        SimulatedAzure(behaviour=behaviour()) as azure,
    ):
        scene = Scene.set_up(azure)
        log = Path(folder) / "host.log"
        with HostProcess(_ROOT, scene.settings(azurite.connection_string()), log) as host:
            azure.deliver_to(host.event_grid_url("image_event"))
            scene.publish()
            seconds = _watch(scene, console)
            if seconds is None:
                console.print(f"Not converged after {_PATIENCE:.0f} s. The host's last lines:")
                console.print(log.read_text()[-4000:], markup=False)
                return 1
            for line in summary(scene, seconds):
                console.print(line)
            if keep:
                _keep(console, azure, azurite, host)
    return 0


def _watch(scene: Scene, console: Console) -> float | None:
    """Show what happens until the gallery has converged; give the seconds that it took."""
    lines = Lines(scene)
    with Live(console=console, auto_refresh=False) as live:
        while (seconds := time.time() - scene.started) < _PATIENCE:
            converged = scene.converged()
            if console.is_terminal:
                live.update(picture(scene, seconds), refresh=True)
            else:
                for line in lines.new():
                    console.print(f"{seconds:5.1f} s  {line}", soft_wrap=True, highlight=False)
            if converged:
                return seconds
            time.sleep(_FRAME)
    return None


def _keep(console: Console, azure: SimulatedAzure, azurite: Azurite, host: HostProcess) -> None:
    console.print("\nEverything is left running; Ctrl-C ends it.")
    console.print(f"  Azure Resource Manager  {azure.endpoint}", highlight=False, soft_wrap=True)
    console.print(f"  Chat                    {azure.endpoint}/chat", highlight=False, soft_wrap=True)
    console.print(f"  The page                {host.url}/api/status?code={host.key}", highlight=False, soft_wrap=True)
    console.print(f"  Functions host          {host.url}  key {host.key}", highlight=False, soft_wrap=True)
    console.print(f"  Storage                 {azurite.connection_string()}", highlight=False, soft_wrap=True)
    threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
