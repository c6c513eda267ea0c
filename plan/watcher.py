"""What people see while they wait: on stderr, so that stdout holds the plan alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn


class Watcher:
    """Shows how far the reading is, in a terminal; what people must know is said everywhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._versions = 0
        columns = (
            TextColumn("Reading"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[versions]} versions  {task.description}"),
        )
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task: TaskID | None = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Show the progress for as long as this lasts."""
        with self._progress:
            yield

    def begins(self, definitions: int) -> None:
        """Say how many image definitions there are to be read."""
        self._task = self._progress.add_task("", total=definitions, versions=0)

    def reads(self, name: str) -> None:
        """Say which image definition is read now."""
        if self._task is not None:
            self._progress.update(self._task, description=name)

    def has_read(self, versions: int) -> None:
        """Say that one was read, with so many versions."""
        self._versions += versions
        if self._task is not None:
            self._progress.update(self._task, advance=1, versions=self._versions)

    def says(self, text: str) -> None:
        """Tell people something."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
