"""The picture of a plan in the README: what a terminal shows of the simulated gallery."""

import io
import re
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from plan.listing import Listing
from plan.onlooker import onlooker
from plan.scene import simulated
from plan.table import show
from plan.watcher import Watcher
from shared.formats.plan_rows import Report

_WIDTH = 104
_FROM_ELSEWHERE = re.compile(r"@font-face \{\{.*?\}\}\s*|<!-- Generated.*?-->\s*", re.DOTALL)


def draw() -> str:
    """Draw it, with fonts of the reader's machine: a picture fetches nothing."""
    console = Console(record=True, force_terminal=True, width=_WIDTH, color_system="truecolor", file=io.StringIO())
    with simulated() as settings:
        app, _ = onlooker(settings)
        plans, _ = Listing(app, Watcher(Console(quiet=True))).plans([])
    show(Report(app.now(), plans), console)
    own = _FROM_ELSEWHERE.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code", "ui-monospace, Menlo, Consolas")
    return console.export_svg(title="make plan", code_format=own, unique_id="plan")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(draw())
