"""What people see, in a terminal and elsewhere."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from plan.table import show
from shared.core.names import ImageId
from shared.core.plan import Plan
from shared.core.policy import Mode
from shared.formats.plan_rows import Planned, Report
from tests.core.build import EVERYWHERE, GALLERY_ID, NOW, old, planned, version
from tests.plan.picture import draw

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "plan.svg"
SEEN = "2 versions of 1 image definition."
PRUNING = planned(old(), version("1.0.2", *EVERYWHERE))


def shown(*plans, width=100, terminal=True, everything=False, mode=Mode.FULL, notes=()):
    """Give the lines that are shown, without colours."""
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None)
    show(Report(NOW, [Planned(each, mode) for each in plans], notes), console, everything=everything)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_version_is_named_once_in_a_terminal():
    """In a terminal a version's name stands beside its first region, and each change has a sign beside its colour."""
    assert shown(PRUNING, width=120) == [
        "version            region         action    replicas  reason",
        "ubuntu-2204 1.0.1  westeurope     ~ size    2 -> 1    its home region, where 1 of 2 replicas are enough",
        "                   eastus2        - remove  1 -> 0    1.0.2 complete here",
        "                   southeastasia  - remove  1 -> 0    1.0.2 complete here",
        "",
        f"1 write: 2 regions removed, 1 region with other replicas; at most 60 GiB less. {SEEN}",
    ]


def test_a_line_is_a_line_elsewhere():
    """Where it is no terminal, every line holds all that it is about and is never wrapped, however narrow it is."""
    name = "prodgallery/ubuntu-2204 1.0.1  "
    assert shown(PRUNING, terminal=False, width=40)[1:] == [
        f"{name}westeurope     ~ size    2 -> 1    its home region, where 1 of 2 replicas are enough",
        f"{name}eastus2        - remove  1 -> 0    1.0.2 complete here",
        f"{name}southeastasia  - remove  1 -> 0    1.0.2 complete here",
        "",
        f"1 write: 2 regions removed, 1 region with other replicas; at most 60 GiB less. {SEEN}",
    ]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_it_fits(width):
    """In a terminal of usual width no line is longer than that, and no region, action or number is broken."""
    lines = shown(PRUNING, width=width, everything=True)
    assert max(map(len, lines)) <= width
    assert sum("southeastasia  - remove  1 -> 0" in line for line in lines) == 1


def test_everything():
    """With --all, regions that are as they should be are shown too; without, a plan of nothing is a sentence."""
    settled = planned(version("1.0.2", *EVERYWHERE))
    assert shown(settled) == ["Nothing to do: 1 version of 1 image definition."]
    assert len(shown(settled, everything=True)) == 1 + 3 + 2


def test_several_galleries():
    """Where there are several galleries, a version's name begins with its gallery's."""
    other = ImageId.parse(f"{GALLERY_ID}-two/images/ubuntu-2204")
    lines = shown(PRUNING, Plan(other, PRUNING.versions), width=120)
    assert [line.split()[0] for line in lines[1:8:4]] == ["prodgallery/ubuntu-2204", "prodgallery-two/ubuntu-2204"]


def test_what_people_should_know():
    """Notes, a withdrawal, warnings, what the cap left, and the mode stand above what it comes to."""
    spread = planned(version("1.0.2"))
    plan = Plan(spread.image, spread.versions, capped=2, withdrawn="1.0.4 was deleted", warnings=("look here",))
    lines = shown(plan, terminal=False, mode=Mode.OBSERVE, notes=["So it was made."])
    assert lines[-6:-1] == [
        "So it was made.",
        "ubuntu-2204: 1.0.4 was deleted; 1.0.2 is the newest again.",
        "ubuntu-2204: look here.",
        "ubuntu-2204: 2 more versions would be pruned by later passes.",
        "ubuntu-2204: MODE is observe; the app reports this, and writes nothing.",
    ]


def test_the_picture_is_up_to_date():
    """The picture in the README is what the command shows; it names no place to fetch anything from."""
    drawn = draw()
    artefacts = PICTURE.parents[2] / "artefacts"
    artefacts.mkdir(exist_ok=True)
    (artefacts / "plan.svg").write_text(drawn)
    assert drawn == PICTURE.read_text(), "make pictures draws it anew"
    assert drawn.replace('xmlns="http://www.w3.org/2000/svg"', "").count("//") == 0
