import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.names import ImageId
from shared.core.policy import InUse, Mode
from shared.core.target_regions import RegionDefaults, RegionTarget, StorageAccountType
from shared.settings.table import POLICY_SETTINGS
from tests.core.build import IMAGE_ID
from tests.settings.environment import ENCRYPTION_SET, TUNED, TUNED_POLICY, ZRS, image, overriding, settings

PATTERN = "prodgallery/ubuntu-*"
IMAGE = image("prodgallery/ubuntu-2204")
PREMIUM = StorageAccountType.PREMIUM_LRS


def overridden(changes, **given):
    """Give the policy of an image definition that an override names."""
    return overriding({PATTERN: changes}, **given).policy_for(IMAGE)


# What an override changes

EVERY = {
    "TARGET_REGIONS": (
        "uksouth; japaneast=2",
        {"regions": (RegionTarget("uksouth", 3, ZRS), RegionTarget("japaneast", 2, ZRS, wave=2))},
    ),
    "REPLICA_COUNT": (
        5,
        {
            "regions": (RegionTarget("westeurope", 2, ZRS), RegionTarget("eastus2", 5, ZRS, wave=2)),
            "defaults": RegionDefaults(5, 50, ZRS),
        },
    ),
    "VMS_PER_REPLICA": (
        25,
        {
            "regions": (RegionTarget("westeurope", 4, ZRS), RegionTarget("eastus2", 3, ZRS, wave=2)),
            "defaults": RegionDefaults(3, 25, ZRS),
        },
    ),
    "STORAGE_ACCOUNT_TYPE": (
        "premium_lrs",
        {
            "regions": (RegionTarget("westeurope", 2, PREMIUM), RegionTarget("eastus2", 3, PREMIUM, wave=2)),
            "defaults": RegionDefaults(3, 50, PREMIUM),
        },
    ),
    "ENCRYPTION_SETS": ({"UK South": ENCRYPTION_SET}, {"encryption_sets": {"uksouth": ENCRYPTION_SET}}),
    "WAVE_BAKE": ("PT0S", {"wave_bake": timedelta(0)}),
    "KEEP_LATEST": (7, {"keep_latest": 7}),
    "HOME_REPLICA_COUNT": (8, {"home_replicas": 8}),
    "PRUNE_GRACE": ("PT30M", {"prune_grace": timedelta(minutes=30)}),
    "PRUNE_MAX_PER_PASS": (9, {"prune_cap": 9}),
    "PROTECT_TAG": ("hands-off", {"protect_tag": "hands-off"}),
    "PROTECT_IN_USE": ("OFF", {"protect_in_use": InUse.OFF}),
    "PRUNE_UNLOCKS_REGIONS": (True, {"unlocks_regions": True}),
    "MODE": ("observe", {"mode": Mode.OBSERVE}),
}


def test_every_setting_of_a_policy_is_tried():
    """The table of overrides leaves no setting of a policy out, and has no other."""
    assert tuple(EVERY) == POLICY_SETTINGS


@pytest.mark.parametrize("name", EVERY)
def test_every_setting_can_be_overridden(name):
    """Each setting of a policy can be overridden, and all others stay as the app has them."""
    value, meant = EVERY[name]
    loaded = overriding({PATTERN: {name.lower(): value}}, **TUNED)
    assert loaded.policy_for(IMAGE) == replace(TUNED_POLICY, **meant)
    assert loaded.policy == TUNED_POLICY


@pytest.mark.parametrize("name", EVERY)
def test_text_or_json(name):
    """A value in an override may be written as JSON has it, or as the text that the app setting would have."""
    value, meant = EVERY[name]
    text = f" {value if isinstance(value, str) else json.dumps(value)} "
    assert overridden({name.lower(): text}, **TUNED) == replace(TUNED_POLICY, **meant)


def test_all_settings_at_once():
    """An override may give every setting; nothing of the app's policy is left then."""
    changes = {name.lower(): value for name, (value, _) in EVERY.items()}
    policy = overridden(changes, **TUNED)
    assert policy == settings(**{name: _as_setting(value) for name, (value, _) in EVERY.items()}).policy


def _as_setting(value):
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize("given", [{}, TUNED], ids=["defaults", "tuned"])
@pytest.mark.parametrize("changes", [{}, {"exclusive": False}], ids=["nothing", "not exclusive"])
def test_override_of_nothing(changes, given):
    """An override that changes nothing is the app's policy: an exception from a wider override."""
    loaded = overriding({"*/*": {"keep_latest": 9}, PATTERN: changes}, **given)
    assert loaded.policy_for(IMAGE) == loaded.policy


def test_override_with_what_the_app_has():
    """An override that repeats the app's settings is the app's policy."""
    assert overridden({name.lower(): text for name, text in TUNED.items()}, **TUNED) == TUNED_POLICY


@pytest.mark.parametrize("exclusive", [True, False])
def test_exclusive(exclusive):
    """Only an override can make a policy exclusive; it changes nothing else."""
    loaded = overriding({PATTERN: {"exclusive": exclusive}}, **TUNED)
    assert loaded.policy_for(IMAGE) == replace(TUNED_POLICY, exclusive=exclusive)
    assert not loaded.policy.exclusive


def test_no_encryption_sets():
    """The encryption sets of an override stand in the place of the app's: none are none."""
    assert overridden({"encryption_sets": {}}, **TUNED) == replace(TUNED_POLICY, encryption_sets={})


SIZES = {
    "the app's defaults": ({}, ("uksouth", 3), ("eastus2", 2)),
    "its own replicas": ({"replica_count": 5}, ("uksouth", 5), ("eastus2", 2)),
    "its own sizing rule": ({"vms_per_replica": 10}, ("uksouth", 3), ("eastus2", 10)),
    "both its own": ({"replica_count": 1, "vms_per_replica": 100}, ("uksouth", 1), ("eastus2", 1)),
}


@pytest.mark.parametrize(("changes", "first", "second"), SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("last", [True, False], ids=["regions last", "regions first"])
def test_sizes_of_regions_of_an_override(changes, first, second, last):
    """The regions of an override are sized by its own rules, or else by the app's, in whatever order it gives them."""
    regions = {"target_regions": "uksouth eastus2=100vms"}
    policy = overridden({**changes, **regions} if last else {**regions, **changes}, **TUNED)
    assert [(target.region, target.replicas) for target in policy.regions] == [first, second]
    assert {target.storage_account_type for target in policy.regions} == {ZRS}


def test_overrides_do_not_touch_each_other():
    """What one override gives stays out of every other."""
    loaded = overriding(
        {"prodgallery/a": {"replica_count": 2, "exclusive": True}, "prodgallery/b": {"target_regions": "uksouth"}}
    )
    first, second = (loaded.policy_for(image(f"prodgallery/{name}")) for name in "ab")
    assert (first.exclusive, second.exclusive) == (True, False)
    assert first.regions == (RegionTarget("westeurope", 2), RegionTarget("eastus2", 2))
    assert second.regions == (RegionTarget("uksouth", 1),)


# Which override holds

WINNERS = {
    "none fits": (["other/*", "prodgallery/win*"], "prodgallery/ubuntu-2204", None),
    "a wide one": (["*/*"], "prodgallery/ubuntu-2204", "*/*"),
    "no wildcard before wildcards": (
        ["*/*", "prodgallery/*", "prodgallery/ubuntu-2204"],
        "prodgallery/ubuntu-2204",
        "prodgallery/ubuntu-2204",
    ),
    "in whatever order": (
        ["prodgallery/ubuntu-2204", "prodgallery/*", "*/*"],
        "prodgallery/ubuntu-2204",
        "prodgallery/ubuntu-2204",
    ),
    "the second best, where the best does not fit": (
        ["*/*", "prodgallery/*", "prodgallery/ubuntu-2204"],
        "prodgallery/win2022",
        "prodgallery/*",
    ),
    "more letters": (["prodgallery/u*", "prodgallery/ubuntu*"], "prodgallery/ubuntu-2204", "prodgallery/ubuntu*"),
    "more letters, wherever they are": (
        ["prodgallery/*", "*/ubuntu-2204-lts"],
        "prodgallery/ubuntu-2204-lts",
        "*/ubuntu-2204-lts",
    ),
    "more letters, with more wildcards": (
        ["prodgallery/u*", "*/*-2204-lts-gen2"],
        "prodgallery/u-2204-lts-gen2",
        "*/*-2204-lts-gen2",
    ),
    "fewer wildcards, with as many letters": (["*prod*/x", "prod*/x"], "prod1/x", "prod*/x"),
    "the first of a tie of sides": (["prodgallery/*", "*/ubuntu-2204"], "prodgallery/ubuntu-2204", "prodgallery/*"),
    "the first of the same tie": (["*/ubuntu-2204", "prodgallery/*"], "prodgallery/ubuntu-2204", "*/ubuntu-2204"),
    "the first of a tie of wildcards": (["prod*/x", "prod?/x"], "prod1/x", "prod*/x"),
    "the first of the other tie": (["prod?/x", "prod*/x"], "prod1/x", "prod?/x"),
    "a pattern in capitals": (["PRODGALLERY/Ubuntu-*"], "prodgallery/ubuntu-2204", "PRODGALLERY/Ubuntu-*"),
    "a name in capitals": (["prodgallery/ubuntu-*"], "ProdGallery/UBUNTU-2204", "prodgallery/ubuntu-*"),
    "? is one character": (["prodgallery/ubuntu-2?04"], "prodgallery/ubuntu-2204", "prodgallery/ubuntu-2?04"),
    "? is not none": (["prodgallery/ubuntu-2204?"], "prodgallery/ubuntu-2204", None),
    "? is not two": (["prodgallery/ubuntu-?04"], "prodgallery/ubuntu-2204", None),
    "* is many characters": (["p*/u*4"], "prodgallery/ubuntu-2204", "p*/u*4"),
    "* is none": (["prodgallery*/*ubuntu-*2204*"], "prodgallery/ubuntu-2204", "prodgallery*/*ubuntu-*2204*"),
    "* does not reach beyond the gallery": (["prod*2204/*"], "prodgallery/ubuntu-2204", None),
    "the beginning is not the whole": (["prodgallery/ubuntu"], "prodgallery/ubuntu-2204", None),
    "the end is not the whole": (["gallery/*"], "prodgallery/ubuntu-2204", None),
    "a dot is a dot": (["prodgallery/ubuntu.2204"], "prodgallery/ubuntu-2204", None),
    "every character of names": (["prod.gallery_1/a-b_c.d"], "prod.gallery_1/a-b_c.d", "prod.gallery_1/a-b_c.d"),
}


@pytest.mark.parametrize(("patterns", "name", "winner"), WINNERS.values(), ids=WINNERS)
def test_most_specific_wins(patterns, name, winner):
    """The pattern with most letters, then fewest wildcards, holds; of two alike the first; of none the settings."""
    loaded = overriding({pattern: {"keep_latest": number} for number, pattern in enumerate(patterns, start=2)})
    expected = 1 if winner is None else patterns.index(winner) + 2
    assert loaded.policy_for(image(name)).keep_latest == expected


def test_most_specific_wins_wholly():
    """Of a less specific override that fits too, nothing holds."""
    loaded = overriding(
        {
            "prodgallery/ubuntu-2204": {"keep_latest": 2},
            "prodgallery/*": {"home_replica_count": 5, "exclusive": True, "mode": "observe"},
            "*/*": {"target_regions": "japaneast"},
        },
        **TUNED | {"KEEP_LATEST": "3"},
    )
    assert loaded.policy_for(IMAGE) == replace(TUNED_POLICY, keep_latest=2)
    assert loaded.policy_for(image("prodgallery/win2022")) == replace(
        TUNED_POLICY, keep_latest=3, home_replicas=5, exclusive=True, mode=Mode.OBSERVE
    )


def test_gallery_of_the_same_name():
    """A pattern names galleries by their names alone, in whatever resource group they are."""
    elsewhere = ImageId.parse(IMAGE_ID.replace("images-rg", "other-rg"))
    loaded = overriding({PATTERN: {"keep_latest": 2}})
    assert loaded.policy_for(elsewhere) == loaded.policy_for(IMAGE) != loaded.policy


_names = st.text("ab", min_size=1, max_size=4)
_patterns = st.text("ab*?", min_size=1, max_size=4)


def fits(pattern, name):
    """Whether a pattern names something, by the letter of the rule."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return fits(pattern[1:], name) or (bool(name) and fits(pattern, name[1:]))
    return bool(name) and pattern[0] in ("?", name[0]) and fits(pattern[1:], name[1:])


@given(st.lists(st.tuples(_patterns, _patterns), max_size=5, unique=True), _names, _names)
def test_any_patterns(patterns, gallery, name):
    """Whatever the patterns, of those that fit the one holds that says most; of several the first."""
    loaded = overriding({"/".join(pair): {"keep_latest": number} for number, pair in enumerate(patterns, start=2)})
    fitting = [number for number, pair in enumerate(patterns) if fits(pair[0], gallery) and fits(pair[1], name)]

    def rank(number):
        text = "".join(patterns[number])
        return -sum(letter in "ab" for letter in text), len(text), number

    expected = min(fitting, key=rank) + 2 if fitting else 1
    assert loaded.policy_for(image(f"{gallery}/{name}")).keep_latest == expected
