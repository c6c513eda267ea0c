import json
from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given

from shared.core.tags import MOST_KEPT, Tagged, Tags, protects, tuned
from shared.core.target_regions import RegionDefaults, RegionTarget, StorageAccountType
from tests.core import strategies
from tests.core.build import NOW, SECOND, policy

REGIONS, KEEP = "gallery-fanout-regions", "gallery-fanout-keep-latest"
FAULTY = "of the image definition cannot be used, the setting holds:"


@pytest.mark.parametrize(
    ("tags", "protected"),
    [
        ({}, False),
        (None, False),
        ("gallery-fanout-keep", False),
        (["gallery-fanout-keep"], False),
        ({"gallery-fanout-keeper": "true"}, False),
        ({"gallery-fanout-keep": "true"}, True),
        ({"gallery-fanout-keep": "false"}, False),
        ({"gallery-fanout-keep": "FALSE "}, False),
        ({"gallery-fanout-keep": ""}, True),
        ({"gallery-fanout-keep": "no"}, True),
        ({"gallery-fanout-keep": None}, True),
        ({"GALLERY-FANOUT-KEEP": "0"}, True),
        (MappingProxyType({"team": "x", "gallery-fanout-keep": "true"}), True),
    ],
)
def test_protecting_tag(tags, protected):
    """The tag protects in any letter case and with any value but false."""
    assert protects(tags, "gallery-fanout-keep") is protected


def test_the_protecting_tag_is_a_setting():
    """The tag that protects is the one that the setting names, in any letter case."""
    assert protects({"DoNotTouch": "yes"}, "donottouch")
    assert not protects({"gallery-fanout-keep": "yes"}, "donottouch")


@pytest.mark.parametrize(
    "tags", [{}, {"team": "x"}, {"gallery-fanout-keep": "true"}], ids=["none", "others", "the protecting one"]
)
def test_no_tuning(tags):
    """Without the tags that tune it the policy is as the settings say."""
    assert tuned(policy(), tags) == policy()


def test_regions_by_tag():
    """The tag's regions take the place of the setting's, waves and all, and everything else stays."""
    before = policy(keep_latest=3, exclusive=True)
    after = tuned(before, {REGIONS: "uksouth=2=standard_zrs; 'West US 2'"})
    assert after.regions == (
        RegionTarget("uksouth", 2, StorageAccountType.STANDARD_ZRS, wave=1),
        RegionTarget("westus2", 1, wave=2),
    )
    assert (after.keep_latest, after.exclusive, after.warnings) == (3, True, ())


def test_regions_by_tag_take_the_settings_defaults():
    """A region of the tag that gives no replicas, sizing or storage type takes what the settings give."""
    defaults = RegionDefaults(replicas=4, vms_per_replica=10, storage_account_type=StorageAccountType.PREMIUM_LRS)
    after = tuned(policy(defaults=defaults), {REGIONS: "uksouth eastus2=25vms"})
    assert [(each.replicas, each.storage_account_type) for each in after.regions] == [
        (4, StorageAccountType.PREMIUM_LRS),
        (3, StorageAccountType.PREMIUM_LRS),
    ]


@pytest.mark.parametrize("tag", [KEEP, KEEP.upper(), KEEP.title()])
@pytest.mark.parametrize(("value", "kept"), [("1", 1), (" 7 ", 7), (str(MOST_KEPT), MOST_KEPT)])
def test_keep_latest_by_tag(tag, value, kept):
    """The tag's number takes the place of KEEP_LATEST, whatever the letter case of the tag."""
    assert tuned(policy(keep_latest=2), {tag: value}) == policy(keep_latest=kept)


@pytest.mark.parametrize(
    ("tag", "value", "fault"),
    [
        (REGIONS, "", "no region is named"),
        (REGIONS, "uksouth;", "wave 2 names no region"),
        (REGIONS, "uk", "'uk' is not the name of a region"),
        (REGIONS, "'uksouth", "a quotation mark or a backslash is left open"),
        (REGIONS, "uksouth=101", "101 replicas in all, and Azure takes 100 per version"),
        (KEEP, "", "'' is not a whole number from 1 to 1000"),
        (KEEP, "0", "'0' is not a whole number from 1 to 1000"),
        (KEEP, "1001", "'1001' is not a whole number from 1 to 1000"),
        (KEEP, "all", "'all' is not a whole number from 1 to 1000"),
    ],
)
def test_malformed_tags(tag, value, fault):
    """A malformed tag changes nothing, and the warning names the tag and its fault."""
    assert tuned(policy(), {tag: value}) == policy(warnings=(f"the tag {tag} {FAULTY} {fault}",))


def test_one_malformed_tag_does_not_spoil_the_other():
    """Each tag counts by itself, and warnings that were there before stay."""
    after = tuned(policy(warnings=("beware",)), {REGIONS: "uksouth", KEEP: "many"})
    assert [each.region for each in after.regions] == ["uksouth"]
    assert after.keep_latest == policy().keep_latest
    assert after.warnings == ("beware", f"the tag {KEEP} {FAULTY} 'many' is not a whole number from 1 to 1000")


def test_two_malformed_tags():
    """Every malformed tag has its warning."""
    after = tuned(policy(), {KEEP: "", REGIONS: ""})
    assert [warning.split()[2] for warning in after.warnings] == [REGIONS, KEEP]


@pytest.mark.parametrize(
    ("age", "recent"),
    [
        pytest.param(-6 * SECOND, False, id="read by a clock that is far ahead"),
        pytest.param(-5 * SECOND, True, id="read by a clock that is ahead"),
        pytest.param(0 * SECOND, True, id="just read"),
        pytest.param(19 * SECOND, True, id="a moment old"),
        pytest.param(20 * SECOND, False, id="old"),
    ],
)
def test_recent_tags(age, recent):
    """Tags may stand for those of now for twenty seconds; clocks of instances may be a little apart."""
    assert Tags(NOW, {}).recent(NOW + age) is recent


@given(strategies.tagged)
def test_tags_come_back(tagged):
    """Tags are read from what was stored of them as they were."""
    assert Tagged.from_json(json.loads(json.dumps(tagged.to_json()))) == tagged


@given(strategies.tagged, strategies.tagged)
def test_the_later_tags(one, other):
    """Of two readings the later one counts, for the definition and for the gallery, whichever is asked."""
    for mine, theirs in ((one, other), (other, one)):
        found = mine.or_later(theirs)
        assert found.image.at == max(one.image.at, other.image.at)
        assert found.gallery.at == max(one.gallery.at, other.gallery.at)
        assert found.image in (one.image, other.image)
        assert found.gallery in (one.gallery, other.gallery)
    assert one.or_later(None) == one


@given(strategies.tagged, strategies.moments)
def test_tags_that_say_the_same(tagged, at):
    """Tags say the same whenever they were read; a tag more, of the definition or the gallery, is another matter."""
    again = Tagged(replace(tagged.image, at=at), replace(tagged.gallery, at=at))
    assert tagged.says_as(again)
    for part in ("image", "gallery"):
        tags = getattr(again, part)
        more = replace(tags, values={**tags.values, f"{len(tags.values)} more": ""})
        assert tagged.says_as(replace(again, **{part: more})) is (more.values == tags.values)
