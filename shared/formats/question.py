"""What somebody wants to see on the page, as it stands in the query of its address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import urlencode

from shared.core.errors import Malformed
from shared.core.names import ImageId
from shared.core.status import Level
from shared.core.text import shown, whole

MOST_OPEN = 5
"""How many image definitions open to their versions at a time: each is another read of the table."""

_MOST_PAGES, _LONGEST_TEXT = 100_000, 200
_HANDLE = re.compile("d[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to see.

    :param text: what the name of a gallery or an image definition is to contain.
    :param gallery: the name of one gallery.
    :param definition: one image definition, and no other.
    :param opened: handles of those that are open.
    :param key: the key of the request's address, which links have to pass on; empty when it came in a header.
    """

    text: str = ""
    gallery: str = ""
    state: Level | None = None
    page: int = 1
    definition: ImageId | None = None
    opened: tuple[str, ...] = ()
    key: str = field(default="", repr=False)

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> Self:
        """Read the query of a request.

        :raises Malformed: when there is no sense in it.
        """
        text, state, definition = given.get("q", ""), given.get("state", ""), given.get("definition", "")
        if len(text) > _LONGEST_TEXT:
            raise Malformed(f"what is looked for is longer than {_LONGEST_TEXT} characters")
        if state and state not in Level:
            raise Malformed(f"{shown(state)} is no state: wanted {', '.join(Level)}")
        return cls(
            text.strip(),
            given.get("gallery", ""),
            Level(state) if state else None,
            whole(given.get("page", "1"), 1, _MOST_PAGES),
            ImageId.parse(definition) if definition else None,
            tuple(each for each in given.get("open", "").split(",") if _HANDLE.fullmatch(each))[:MOST_OPEN],
            given.get("code", ""),
        )

    @property
    def fresh(self) -> "Question":
        """Ask for all."""
        return Question(key=self.key)

    def asking(self, **changes: Any) -> "Question":
        """Ask something else, from its first page on."""
        return replace(self, **{"page": 1, "definition": None, **changes})

    def turning(self, pages: int) -> "Question":
        """Ask for another page."""
        return replace(self, page=self.page + pages)

    def opening(self, handle: str) -> "Question":
        """Ask for one more to be open."""
        return replace(self, opened=(*self.opened, handle)[-MOST_OPEN:])

    @property
    def query(self) -> str:
        """The query of the address that asks this."""
        asked = {
            "q": self.text,
            "gallery": self.gallery,
            "state": self.state,
            "page": self.page if self.page > 1 else "",
            "definition": self.definition,
            "open": ",".join(self.opened),
            "code": self.key,
        }
        return "?" + urlencode({name: str(value) for name, value in asked.items() if value})

    def names(self, image: ImageId) -> bool:
        """Whether an image definition is among those that are asked for, in whatever state it is."""
        if self.definition:
            return image == self.definition
        if self.gallery and image.gallery.gallery != self.gallery:
            return False
        return self.text.casefold() in f"{image.gallery.gallery}/{image.image}".casefold()
