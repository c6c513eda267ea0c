"""Reading galleries, image definition by image definition, with the patience that somebody at a terminal has."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from handlers.planning import planned
from plan.watcher import Watcher
from shared.core.errors import Absent, Malformed, Refused, Retry
from shared.core.names import GalleryId, ImageId
from shared.core.text import span
from shared.formats.plan_rows import Planned
from shared.wiring import App

_TRIES = 4
_LONGEST_WAIT = timedelta(minutes=10)


class NotFound(Exception):
    """There is nothing to plan for."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Reads what an app manages.

    :param sleep: waits for so many seconds. This is a person's program: unlike a stage, it may.
    """

    app: App
    watcher: Watcher
    sleep: Callable[[float], None] = time.sleep

    def plans(self, patterns: Sequence[str]) -> tuple[list[Planned], list[str]]:
        """Plan for every image definition, or those with such a name; say what could not be read.

        :raises NotFound: when there is no such gallery, or no such image definition.
        :raises Retry: when Azure says "not now" for too long.
        """
        images = [image for gallery in self.app.settings.galleries for image in self._images(gallery)]
        chosen = [image for image in images if _is_meant(image, patterns)]
        if patterns and not chosen:
            raise NotFound(f"No image definition is named {' or '.join(patterns)}.")
        self.watcher.begins(len(chosen))
        found, faults = [], []
        for image in chosen:
            try:
                found += self._planned(image)
            except (Malformed, Refused) as fault:
                faults.append(f"{image.gallery.gallery}/{image.image} cannot be planned: {fault}")
        return found, faults

    def _images(self, gallery: GalleryId) -> list[ImageId]:
        try:
            return self._patiently(lambda: self.app.gallery.images(gallery))
        except Absent:
            raise NotFound(f"There is no gallery {gallery}.") from None

    def _planned(self, image: ImageId) -> list[Planned]:
        """Plan for an image definition; one that was deleted meanwhile is none."""
        self.watcher.reads(str(image.image))
        try:
            made = self._patiently(lambda: planned(self.app, image))
        except Absent:
            return []
        self.watcher.has_read(len(made.plan.versions))
        return [made]

    def _patiently[T](self, read: Callable[[], T]) -> T:
        """Try again when Azure says "not now", as long as somebody may be expected to watch."""
        for _ in range(_TRIES - 1):
            try:
                return read()
            except Retry as retry:
                if retry.after > _LONGEST_WAIT:
                    raise
                pause = max(retry.after, timedelta(seconds=1))
                self.watcher.says(f"{retry}. Trying again in {span(pause)}; Ctrl-C ends it.")
                self.sleep(pause.total_seconds())
        return read()


def _is_meant(image: ImageId, patterns: Sequence[str]) -> bool:
    name = image.image.casefold()
    return not patterns or any(fnmatchcase(name, pattern.casefold()) for pattern in patterns)
