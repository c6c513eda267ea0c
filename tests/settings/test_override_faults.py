import json

import pytest

from shared.settings import SETTINGS, STORAGE
from shared.settings.table import POLICY_SETTINGS
from tests.settings.environment import ENCRYPTION_SET, GOOD, TUNED, override_faults, overriding
from tests.settings.test_faults import BAD

PATTERN = "prodgallery/ubuntu-*"
HERE = f"POLICY_OVERRIDES: {PATTERN!r}: "
KNOWN = (
    "target_regions, replica_count, vms_per_replica, storage_account_type, encryption_sets, wave_bake, keep_latest,"
    " home_replica_count, prune_grace, prune_max_per_pass, protect_tag, protect_in_use, prune_unlocks_regions, mode,"
    " exclusive"
)

# Patterns

BAD_PATTERNS = {
    "nothing": "",
    "a gallery": "prodgallery",
    "a gallery and a slash": "prodgallery/",
    "an image": "/ubuntu-2204",
    "a slash": "/",
    "three parts": "rg/prodgallery/ubuntu-2204",
    "a resource id": f"{GOOD['GALLERIES']}/images/ubuntu-2204",
    "a space": "prodgallery/ubuntu 2204",
    "a space before": " prodgallery/ubuntu-2204",
    "a line end": "prodgallery/ubuntu-2204\n",
    "a set of characters": "prodgallery/ubuntu-[12]*",
    "a choice": "prodgallery/{ubuntu,win}-*",
    "a backslash": "prodgallery\\ubuntu-2204",
    "two patterns": "prodgallery/ubuntu-*,prodgallery/win-*",
    "letters that no name has": "prodgallery/\u00fcbuntu",
    "a surrogate": "prodgallery/\ud800",
}


@pytest.mark.parametrize("pattern", BAD_PATTERNS.values(), ids=BAD_PATTERNS)
def test_bad_patterns(pattern):
    """What cannot be the pattern of an image definition is refused, and told in one line."""
    (fault,) = override_faults({pattern: {"keep_latest": 2}})
    wanted = "wanted the pattern 'gallery/image', in which * and ? stand for other characters"
    assert fault == f"POLICY_OVERRIDES: {pattern!r}: {wanted}"
    assert fault.isprintable()


@pytest.mark.parametrize("other", ["ProdGallery/ubuntu-*", "prodgallery/UBUNTU-*", "PRODGALLERY/UBUNTU-*"])
def test_pattern_in_two_spellings(other):
    """A pattern that is there twice in two spellings is refused: the second would never hold."""
    (fault,) = override_faults({PATTERN: {"keep_latest": 2}, other: {"keep_latest": 3}})
    assert fault.startswith("POLICY_OVERRIDES: ")
    assert PATTERN in fault.casefold()


NO_OVERRIDES = {"a number": 2, "a text": "keep_latest=2", "a list": ["keep_latest"], "true": True, "null": None}


@pytest.mark.parametrize("value", NO_OVERRIDES.values(), ids=NO_OVERRIDES)
def test_not_an_override(value):
    """What a pattern stands for is an object of settings, and nothing else."""
    assert override_faults({PATTERN: value}) == [
        f"{HERE}given {json.dumps(value)}, wanted a JSON object of settings in lower case"
    ]


# Names of settings

UNKNOWN = {
    **{name: name.lower() for name in SETTINGS if name not in POLICY_SETTINGS},
    **{f"{name} in capitals": name for name in POLICY_SETTINGS},
    "storage": STORAGE,
    "in two cases": "Keep_Latest",
    "exclusive in two cases": "Exclusive",
    "exclusive in capitals": "EXCLUSIVE",
    "nothing": "",
    "a space": "keep_latest ",
    "hyphens": "keep-latest",
    "camels": "keepLatest",
    "nearly": "keep_last",
    "a line end": "keep_latest\n",
    "a dotless i": "prune_gr\u0131d",
    "a dotless i in a known one": "repl\u0131ca_count",
    "a long s in a known one": "target_region\u017f",
}


@pytest.mark.parametrize("name", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_settings(name):
    """A name that is no setting of a policy, in lower case, is refused; galleries and webhooks are the app's own."""
    assert override_faults({PATTERN: {"keep_latest": 2, name: "3"}}) == [
        f"{HERE}{name!r}: no such setting, wanted some of {KNOWN}"
    ]


def test_all_unknown_settings():
    """Every name that is no setting is told."""
    (fault,) = override_faults({PATTERN: {"galleries": 1, "MODE": "full", "keep_latest": 2, "x": 3}})
    assert all(f"{name!r}" in fault for name in ("galleries", "MODE", "x"))
    assert "'keep_latest'" not in fault


# Values of settings


@pytest.mark.parametrize(
    ("name", "text"),
    [pytest.param(name, text, id=f"{name}-{text[:20]}") for name in POLICY_SETTINGS for text in BAD[name]],
)
def test_bad_values(name, text):
    """A value that the app setting could not have is refused, with pattern, setting, what was given and is wanted."""
    (fault,) = override_faults({PATTERN: {name.lower(): text}})
    assert fault.startswith(f"{HERE}{name}: ")
    assert fault.endswith(f"given {text!r}, wanted {SETTINGS[name].wanted}")
    assert fault.isprintable()


BAD_TYPES = {
    "null": None,
    "a list": [],
    "a list of texts": ["westeurope"],
    "a fraction": 1.5,
    "a whole fraction": 2.0,
    "an object": {"westeurope": ENCRYPTION_SET},
    "an empty text": "",
    "a blank": " \n",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"{name}-{what}")
        for name in POLICY_SETTINGS
        for what, value in BAD_TYPES.items()
        if (name, what) != ("ENCRYPTION_SETS", "an object")
    ],
)
def test_bad_types(name, value):
    """A value of a type that no setting has, and an empty one, is refused; encryption sets alone are an object."""
    assert override_faults({PATTERN: {name.lower(): value}}) == [
        f"{HERE}{name.lower()}: given {json.dumps(value)}, wanted {SETTINGS[name].wanted}"
    ]


NUMBERS = ("REPLICA_COUNT", "VMS_PER_REPLICA", "KEEP_LATEST", "HOME_REPLICA_COUNT", "PRUNE_MAX_PER_PASS")
OTHER_TYPES = [
    *((name, value) for name in POLICY_SETTINGS for value in (True, False) if name != "PRUNE_UNLOCKS_REGIONS"),
    *((name, 7) for name in POLICY_SETTINGS if name not in NUMBERS),
]


@pytest.mark.parametrize(("name", "value"), OTHER_TYPES)
def test_types_of_other_settings(name, value):
    """A truth value for what is none, and a number for what is none, is refused: it is no region, and no tag."""
    (fault,) = override_faults({PATTERN: {name.lower(): value}})
    assert fault.casefold().startswith(f"{HERE}{name}: ".casefold())
    assert fault.endswith(f"wanted {SETTINGS[name].wanted}")


NOT_EXCLUSIVE = {"a text": "true", "one": 1, "zero": 0, "null": None, "a list": [], "an object": {}}


@pytest.mark.parametrize("value", NOT_EXCLUSIVE.values(), ids=NOT_EXCLUSIVE)
def test_exclusive_is_true_or_false(value):
    """A policy is exclusive or it is not; nothing else is taken for one of them."""
    assert override_faults({PATTERN: {"exclusive": value}}) == [
        f"{HERE}exclusive: given {json.dumps(value)}, wanted true or false"
    ]


BAD_ENCRYPTION_SETS = {
    "no region": ({"we": ENCRYPTION_SET}, "'we' is not the name of a region; "),
    "no id": ({"westeurope": "des-1"}, "'des-1' is not the resource id of a disk encryption set; "),
    "two spellings": ({"westus2": ENCRYPTION_SET, "West US 2": ENCRYPTION_SET}, "westus2 is named twice; "),
    "nested": ({"westeurope": {"id": ENCRYPTION_SET}}, '\'{"id": "/subscriptions/'),
}


@pytest.mark.parametrize(("value", "why"), BAD_ENCRYPTION_SETS.values(), ids=BAD_ENCRYPTION_SETS)
def test_bad_encryption_sets(value, why):
    """Encryption sets that are written as an object have the faults that they have as a text."""
    (fault,) = override_faults({PATTERN: {"encryption_sets": value}})
    assert fault.startswith(f"{HERE}ENCRYPTION_SETS: {why}")
    assert fault.endswith(f"given {json.dumps(value)!r}, wanted {SETTINGS['ENCRYPTION_SETS'].wanted}")


OVER_LIMIT = {
    "its own regions": ({"target_regions": "westeurope=60; eastus2=41"}, {}, 101),
    "the app's regions, its own replicas": ({"replica_count": 51}, {"TARGET_REGIONS": "westeurope; eastus2"}, 102),
    "the app's regions, its own sizing rule": ({"vms_per_replica": 1}, {"TARGET_REGIONS": "westeurope=103vms"}, 103),
    "its own regions, the app's replicas": (
        {"target_regions": "uksouth ukwest"},
        {"REPLICA_COUNT": "52", "TARGET_REGIONS": "uksouth"},
        104,
    ),
    "its own regions, the app's sizing rule": ({"target_regions": "uksouth=105vms"}, {"VMS_PER_REPLICA": "1"}, 105),
}


@pytest.mark.parametrize(("changes", "given", "total"), OVER_LIMIT.values(), ids=OVER_LIMIT)
def test_more_replicas_than_azure_takes(changes, given, total):
    """An override with more replicas than Azure takes is refused with their sum, wherever its parts are from."""
    (fault,) = override_faults({PATTERN: changes}, **given)
    assert fault.startswith(f"{HERE}TARGET_REGIONS: {total} replicas in all, and Azure takes 100 per version; given ")


# All at once


def test_faults_of_all_overrides():
    """Every override that has faults is told, each by its pattern, together with the app's own faults."""
    told = override_faults(
        {
            "prodgallery": {},
            "prodgallery/a": {"keep_latest": 0},
            "prodgallery/b": 7,
            "prodgallery/good": {"keep_latest": 2},
            "prodgallery/c": {"keep_latest": 0},
            "prodgallery/d": {"galleries": "x"},
        },
        MODE="best",
        WATCH_INTERVAL="often",
    )
    assert [fault.partition(" ")[0] for fault in told[:2]] == ["MODE:", "WATCH_INTERVAL:"]
    assert [fault.split("'")[1] for fault in told[2:]] == [
        "prodgallery",
        "prodgallery/a",
        "prodgallery/b",
        "prodgallery/c",
        "prodgallery/d",
    ]


def test_faults_of_all_values_of_an_override():
    """Every value of an override that has a fault is told, in one line."""
    values = {name.lower(): BAD[name][0] for name in POLICY_SETTINGS}
    (fault,) = override_faults({PATTERN: values})
    assert fault.startswith(HERE)
    assert all(f"{name}: " in fault for name in POLICY_SETTINGS)
    assert fault.isprintable()


def test_faults_of_all_kinds_of_an_override():
    """Every fault of an override is told at once, of whatever kind: names, types and values."""
    told = " ".join(
        override_faults(
            {
                PATTERN: {
                    "galleries": "x",
                    "keep_latest": 0,
                    "mode": [],
                    "wave_bake": None,
                    "exclusive": 1,
                    "prune_grace": "1h",
                }
            }
        )
    ).casefold()
    kinds = ("'galleries'", "keep_latest: ", "mode: ", "wave_bake: ", "exclusive: ", "prune_grace: ")
    assert [kind for kind in kinds if kind not in told] == []


APP_FAULTS = {
    "a value": {"KEEP_LATEST": "0"},
    "no regions": {"TARGET_REGIONS": ""},
    "a region": {"TARGET_REGIONS": "we"},
    "too many replicas": {"TARGET_REGIONS": "westeurope=101"},
    "defaults of regions": {"REPLICA_COUNT": "0", "VMS_PER_REPLICA": "x", "STORAGE_ACCOUNT_TYPE": "best"},
    "everything": {name: BAD[name][0] for name in POLICY_SETTINGS},
}


@pytest.mark.parametrize("given", APP_FAULTS.values(), ids=APP_FAULTS)
def test_faults_of_the_app_are_told_once(given):
    """A fault of the app's own settings is not told again for each override that would have them."""
    told = override_faults(
        {"*/a": {"home_replica_count": 2}, "*/b": {}, "*/c": {"target_regions": "uksouth=40vms ukwest"}}, **given
    )
    assert sorted(fault.partition(":")[0] for fault in told) == sorted(given)


def test_own_faults_beside_those_of_the_app():
    """A fault of an override is told also where the app's own settings have others."""
    told = override_faults({PATTERN: {"keep_latest": 0}}, KEEP_LATEST="-1", TARGET_REGIONS="we")
    assert [fault.partition(": ")[0] for fault in told] == ["KEEP_LATEST", "TARGET_REGIONS", "POLICY_OVERRIDES"]
    assert told[-1].startswith(f"{HERE}KEEP_LATEST: '0' is not a whole number")
    assert "TARGET_REGIONS" not in told[-1]


def test_good_overrides_have_no_faults():
    """What these tables spoil is good."""
    assert overriding({PATTERN: {name.lower(): text for name, text in TUNED.items()}}).overrides
