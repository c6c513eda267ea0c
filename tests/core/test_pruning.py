import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.plan import Role, VersionPlan
from shared.core.pruning import Pruning
from tests.core import strategies
from tests.core.build import HOME, HOUR, MINUTE, NOW, SECOND, planned, region, version

OLDER = version(
    "1.0.1",
    region(HOME, replicas=2),
    region("eastus2", replicas=3, more_replicas=2),
    "southeastasia",
    "uksouth",
)
PLAN = planned(OLDER, version("1.0.2", HOME, "eastus2", "southeastasia")).of(OLDER.number)
PRUNING = Pruning.of(PLAN, None, NOW)
_names = st.sampled_from(strategies.REGIONS)
prunings = st.builds(
    Pruning,
    asked=strategies.moments,
    removed=st.lists(_names).map(tuple),
    kept=st.dictionaries(_names, st.text()),
    gib_freed=st.integers(0, 10**9),
    taken=st.booleans(),
    refused=st.text(),
    refused_at=st.none() | strategies.moments,
    known=st.frozensets(_names),
)


@given(prunings)
def test_json_round_trip(pruning):
    """Any prune is read from what was stored of it as it was."""
    assert Pruning.from_json(json.loads(json.dumps(pruning.to_json()))) == pruning


def test_what_a_prune_does():
    """A prune remembers what leaves, what stays and why, and the size of the replicas that go, all sets together."""
    assert Pruning.of(PLAN, None, NOW) == Pruning(
        asked=NOW,
        removed=("eastus2", "southeastasia"),
        kept={HOME: "its home region, where 1 of 2 replicas are enough", "uksouth": "1.0.2 is not here"},
        gib_freed=30 * (3 + 2 + 1),
        known=frozenset({HOME, "eastus2", "southeastasia", "uksouth"}),
    )


def test_looked_back():
    """Once somebody has looked back at the write of a prune, it is not looked back at again; all else stays."""
    assert PRUNING.taking().looked_back() == replace(PRUNING, taken=True, known=frozenset())
    stored = {name: value for name, value in PRUNING.to_json().items() if name != "known"}
    assert Pruning.from_json(stored) == PRUNING.looked_back()


def test_disks_of_unknown_size():
    """Where Azure does not say how large the disks are, nothing is said to be freed."""
    sizeless = replace(PLAN, version=replace(OLDER, disk_gib=0))
    assert Pruning.of(sizeless, None, NOW).gib_freed == 0


def test_a_prune_goes_on_with_the_one_before():
    """A prune that is planned anew is the same prune: it was asked for when it first was; its end is open again."""
    before = replace(PRUNING, asked=NOW - HOUR, removed=("uksouth",)).taking()
    assert Pruning.of(PLAN, before, NOW) == replace(PRUNING, asked=NOW - HOUR)


def test_a_prune_of_nothing_but_replicas():
    """A prune that only takes replicas away removes no region, and is not done by what Azure shows of regions."""
    sized = version("1.0.1", region(HOME, replicas=2))
    pruning = Pruning.of(planned(sized, version("1.0.2")).of(sized.number), None, NOW)
    assert (pruning.removed, pruning.gib_freed) == ((), 0)
    assert not pruning.done(sized)


@pytest.mark.parametrize(
    ("shown", "done"),
    [
        ((HOME,), True),
        ((HOME, "uksouth"), True),
        ((HOME, "eastus2"), False),
        ((HOME, "eastus2", "southeastasia"), False),
    ],
)
def test_done(shown, done):
    """A prune is done when Azure shows the version in none of the regions that it was to leave."""
    assert PRUNING.done(version("1.0.1", *shown)) is done


@pytest.mark.parametrize(
    ("pruning", "removed", "vain"),
    [
        pytest.param(PRUNING.taking(), PRUNING.removed, True, id="the same, taken"),
        pytest.param(PRUNING, PRUNING.removed, False, id="the same, not taken"),
        pytest.param(PRUNING.taking(), ("eastus2",), False, id="another"),
        pytest.param(PRUNING.taking().refusing("locked", NOW), PRUNING.removed, False, id="the same, refused since"),
    ],
)
def test_vain(pruning, removed, vain):
    """Writing is vain when Azure took the same write before, and the regions are still there."""
    assert pruning.vain(removed) is vain


@pytest.mark.parametrize(
    ("pruning", "later", "refused"),
    [
        (PRUNING, 0 * MINUTE, False),
        (PRUNING.refusing("locked", NOW), 0 * MINUTE, True),
        (PRUNING.refusing("locked", NOW), 50 * MINUTE - SECOND, True),
        (PRUNING.refusing("locked", NOW), 50 * MINUTE, False),
    ],
)
def test_refused_lately(pruning, later, refused):
    """A prune that Azure refused is not tried again for a while; an hourly sweep is late enough."""
    assert pruning.refused_lately(NOW + later) is refused


def test_a_refusal():
    """A refusal says why and when, and the write does not count as taken any more."""
    assert PRUNING.taking().refusing("locked", NOW) == replace(PRUNING, refused="locked", refused_at=NOW)


def test_a_plan_without_removals():
    """A plan that removes nothing keeps every region, each with its reason."""
    still = VersionPlan(OLDER, Role.OLDER, tuple(replace(line, reason="so") for line in PLAN.lines[:1]))
    assert Pruning.of(still, None, NOW).kept == {HOME: "so"}
