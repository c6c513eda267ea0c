from collections import Counter

from local.soak.script import Size, left_out, write
from local.soak.troubles import KINDS

FULL = Size(versions=200, definitions=20, kills=20, seconds=300)
SMALL = Size(versions=12, definitions=4, kills=2, seconds=110)


def _told(script):
    return [(step.at, step.text) for step in script]


def test_the_same_seed_is_the_same_script():
    """Everything is drawn from the seed, in order, and another seed is another script."""
    script = _told(write(7, FULL))
    assert script == _told(write(7, FULL))
    assert script == sorted(script, key=lambda step: step[0])
    assert script != _told(write(8, FULL))


def test_what_a_full_soak_does():
    """Each definition gets its versions in rising order, each kind of trouble comes, and all is over in time."""
    script = write(7, FULL)
    published = [step.text.split()[1:5:3] for step in script if step.text.endswith("is published")]
    assert Counter(place for _, place in published) == dict.fromkeys(map(str, range(20)), 10)
    for place in map(str, range(20)):
        assert [number for number, at in published if at == place] == [f"1.0.{patch}" for patch in range(10)]
    begun, over = (sum(step.text.startswith(word) for step in script) for word in ("trouble", "over"))
    assert begun == over >= 2 * len(KINDS)
    assert sum(step.text == "a host is killed" for step in script) == 20
    assert script[0].at >= 0
    assert script[-1].at <= FULL.stormy
    assert FULL.stormy + FULL.calm <= FULL.seconds - 15
    assert left_out(FULL) == []


def test_a_short_soak_leaves_out_what_lasts():
    """What the app needs long to get over is left out of a short soak, by name."""
    missing = left_out(SMALL)
    assert {"reads fail", "copies fail"} <= set(missing)
    assert 5 < len(missing) < len(KINDS) / 2
    assert SMALL.stormy < 10
