from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from shared.core.errors import Malformed
from shared.core.names import GalleryId, ImageId, Name
from shared.core.status import DefinitionStatus, Level, Place, Running, Standing, Versions, VersionSeen
from shared.formats.board import PER_PAGE, Board, Entry
from shared.formats.question import MOST_OPEN, Question
from tests.core.build import HOME, IMAGE, NOW

OTHER = GalleryId(IMAGE.gallery.subscription, IMAGE.gallery.group, Name("EdgeGallery"))
FAILED = (Place("eastus2", Standing.FAILED, "no capacity"),)
RUNNING = (Running("1.0.3", NOW, NOW, 1, 1, 0, 1),)


def _status(name: str, gallery: GalleryId = IMAGE.gallery, **more: object) -> DefinitionStatus:
    return DefinitionStatus(ImageId(gallery, Name(name)), NOW, "a test", newest="1.0.3", **more)  # type: ignore[arg-type]


ALL = [
    _status("zebra"),
    _status("Apple"),
    _status("ubuntu", OTHER),
    _status("busy", running=RUNNING),
    _status("broken", places=FAILED),
]


def _names(**question: str) -> list[str]:
    return [str(entry.status.image.image) for entry in Board.of(Question.parse(question), ALL, NOW).entries]


def test_what_needs_attention_comes_first() -> None:
    """What needs attention comes first, then what runs, then the rest by name, in any letter case."""
    assert _names() == ["broken", "busy", "ubuntu", "Apple", "zebra"]


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ({"q": "APP"}, ["Apple"]),
        ({"q": "edge"}, ["ubuntu"]),
        ({"q": "gallery/b"}, ["broken", "busy"]),
        ({"gallery": "edgegallery"}, ["ubuntu"]),
        ({"state": "attention"}, ["broken"]),
        ({"state": "running"}, ["busy"]),
        ({"q": "nothing like it"}, []),
        ({"definition": str(ALL[1].image).upper()}, ["Apple"]),
        ({"page": "2"}, []),
    ],
)
def test_questions(question: dict[str, str], names: list[str]) -> None:
    """Names are found by any part of them, in any letter case; galleries and states by their names."""
    assert _names(**question) == names


@pytest.mark.parametrize(
    "question",
    [{"page": "0"}, {"page": "-1"}, {"page": "x"}, {"state": "odd"}, {"definition": "/x"}, {"q": "a" * 201}],
)
def test_questions_without_sense(question: dict[str, str]) -> None:
    """A question without sense is refused."""
    with pytest.raises(Malformed):
        Question.parse(question)


def test_pages() -> None:
    """There are fifty to a page; counts and pages are of all that was asked for."""
    many = [_status(f"image-{number:04}") for number in range(PER_PAGE * 2 + 1)]
    board = Board.of(Question.parse({"page": "3", "q": "image"}), [*many, *ALL], NOW)
    assert [str(entry.status.image.image) for entry in board.entries] == [f"image-{PER_PAGE * 2:04}"]
    assert (board.pages, board.total, board.counts[Level.SETTLED]) == (3, PER_PAGE * 2 + 1, PER_PAGE * 2 + 1)
    assert Board.of(Question(), [], NOW).pages == 1


def test_counts_are_of_all_states() -> None:
    """Asked for one state, the counts still say how many are in the others."""
    board = Board.of(Question(state=Level.RUNNING), ALL, NOW)
    assert (board.counts[Level.ATTENTION], board.counts[Level.RUNNING], board.counts[Level.SETTLED]) == (1, 1, 3)
    assert board.total == 1


def test_links_ask_the_same() -> None:
    """The query of a question asks just that question again, whatever is in it."""
    question = Question("a&b=c<>\"'", "gällery", Level.RUNNING, 3, IMAGE, ("d0123456789ab",), "k&y=")
    assert Question.parse(dict(parse_qsl(question.query[1:]))) == question
    assert question.fresh == Question(key="k&y=")
    assert Question().query == "?"
    assert "k&y=" not in repr(question)


def test_what_is_open() -> None:
    """Definitions are opened by their handles, some at a time; anything else there is ignored."""
    handles = [Entry.of(status).handle for status in ALL]
    question = Question.parse({"open": f"{handles[0]},<script>,nonsense,{handles[3]}"})
    assert [str(entry.status.image.image) for entry in Board.of(question, ALL, NOW).to_open] == ["busy", "zebra"]
    for number in range(9):
        question = question.opening(f"d{number:012}")
    assert len(question.opened) == MOST_OPEN
    alone = Board.of(Question(definition=ALL[0].image), ALL, NOW)
    assert len(alone.to_open) == 1


def test_what_it_opens_to() -> None:
    """Opened, the newest version stands as it was last seen, and each region has a column, the policy's first."""
    before = (Place("eastus2", Standing.REQUESTED),)
    there = Place("asia", Standing.THERE)
    rows = tuple(
        VersionSeen(number, "older", "Succeeded", HOME, None, "", stand)
        for number, stand in {"1.0.3": before, "1.0.2": (there,)}.items()
    )
    broken = ALL[4]
    board = Board.of(Question(definition=broken.image), ALL, NOW).opening({broken.image: Versions(rows)})
    (entry,) = board.entries
    assert entry.opened
    assert entry.versions
    assert entry.versions.rows[0].places == FAILED
    assert entry.columns == ("eastus2", "asia")
    assert entry.cell(entry.versions.rows[1], "asia") == there
    assert entry.cell(entry.versions.rows[1], "eastus2") is None
    nothing = replace(entry, versions=None).opening(None)
    assert nothing.opened
    assert nothing.columns == ("eastus2",)
