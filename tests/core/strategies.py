"""Random ids, gallery contents, policies and uses."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.core.model import Definition, ImageVersion, ProvisioningState, Region, RegionState
from shared.core.names import GalleryId, ImageId, Name, VersionId, VersionNumber
from shared.core.policy import Mode, Policy
from shared.core.tags import Tagged, Tags
from shared.core.target_regions import RegionTarget, StorageAccountType
from shared.core.usage import Usage, Use
from tests.core.build import DAY, HOUR, IMAGE, MINUTE, NOW, version_id

REGIONS = ("westeurope", "northeurope", "eastus2", "southeastasia", "uksouth")
_LARGEST_PART = 2**31 - 1


def use_profile() -> None:
    """Try each property often enough, and leave nothing on disk."""
    hypothesis_settings.register_profile(
        "gallery-fanout",
        max_examples=75,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    hypothesis_settings.load_profile("gallery-fanout")


names = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9])?", fullmatch=True).map(Name)
groups = st.from_regex(r"[A-Za-z0-9_(]([A-Za-z0-9_.()-]{0,88}[A-Za-z0-9_()-])?", fullmatch=True).map(Name)
subscriptions = st.uuids().map(str).map(Name)
galleries = st.builds(GalleryId, subscriptions, groups, names)
images = st.builds(ImageId, galleries, names)
numbers = st.tuples(*[st.integers(0, _LARGEST_PART)] * 3).map(
    lambda parts: VersionNumber.parse(".".join(str(part) for part in parts))
)
versions_ids = st.builds(VersionId, images, numbers)
moments = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001  the strategy adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001  the same
    timezones=st.sampled_from([timezone.utc, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=8))]),  # noqa: UP017  one of several
)
tags = st.builds(Tags, moments, st.dictionaries(st.text(), st.text(), max_size=4))
tagged = st.builds(Tagged, tags, tags)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=8), values, max_size=4),
    max_leaves=8,
)
json_objects = st.dictionaries(st.text(max_size=8), json_values, max_size=4)

_TARGETS = [
    *[None] * 8,
    *(
        (replicas, storage, starts_a_wave)
        for replicas in (1, 1, 2, 3)
        for storage in (None, None, StorageAccountType.STANDARD_LRS, StorageAccountType.PREMIUM_LRS)
        for starts_a_wave in (False, True)
    ),
    *[(45, None, False)] * 2,
]
_target = st.sampled_from(_TARGETS)
_pause = st.sampled_from([timedelta(0), timedelta(0), 30 * MINUTE, 2 * HOUR])


@st.composite
def targets(draw: st.DrawFn) -> tuple[RegionTarget, ...]:
    """Name a handful of regions, in waves."""
    found: list[RegionTarget] = []
    wave = 1
    for name in REGIONS:
        if target := draw(_target):
            replicas, storage, starts_a_wave = target
            wave += bool(found) and starts_a_wave
            found.append(RegionTarget(name, replicas, storage, wave))
    return tuple(found) or (RegionTarget(REGIONS[0], 1),)


policies = st.builds(
    Policy,
    regions=targets(),
    encryption_sets=st.sampled_from([{}, dict.fromkeys(REGIONS[:3], "set"), dict.fromkeys(REGIONS, "set")]),
    wave_bake=_pause,
    keep_latest=st.sampled_from([1, 1, 1, 1, 2, 3]),
    home_replicas=st.integers(1, 3),
    prune_grace=_pause,
    mode=st.sampled_from([*[Mode.FULL] * 10, Mode.REPLICATE, Mode.OBSERVE]),
    unlocks_regions=st.sampled_from([*[True] * 6, False]),
    exclusive=st.sampled_from([False, False, True]),
    warnings=st.sampled_from([(), ("a tag is malformed",)]),
)
"""Policies over a handful of regions in waves, most of them in full mode."""

_COMPLETE = [
    Region("", replicas, storage, state=RegionState.COMPLETED, since=since)
    for replicas in (1, 1, 2, 4)
    for storage in (None, StorageAccountType.STANDARD_LRS)
    for since in (None, NOW, NOW - 20 * MINUTE, NOW - HOUR, NOW - DAY)
]
_UNDER_WAY = [
    Region("", replicas, state=state)
    for replicas in (1, 2)
    for state in (RegionState.REPLICATING, RegionState.REPLICATING, RegionState.FAILED, RegionState.UNKNOWN)
]
_HUGE = [
    Region("", 60, state=RegionState.COMPLETED, since=NOW - DAY),
    Region("", 2, more_replicas=40, state=RegionState.COMPLETED, since=NOW - DAY),
]
_home = st.sampled_from(REGIONS)
_at_home = st.sampled_from([*_COMPLETE, *_UNDER_WAY, *_HUGE])
_elsewhere = st.sampled_from([*[None] * 25, *_COMPLETE, *_UNDER_WAY, *_HUGE])
_oddity = st.sampled_from(
    [
        *[{}] * 32,
        *({"state": state} for state in ProvisioningState if state is not ProvisioningState.SUCCEEDED),
        *[{"state": ProvisioningState.UPDATING}] * 2,
        {"published": None},
        {"excluded": True},
        {"excluded": True},
        {"excluded": True, "published": None},
        {"shallow": True},
        {"tags": {"Gallery-Fanout-Keep": "yes"}},
        {"tags": {"gallery-fanout-keep": "False"}},
        {"tags": {"team": "x"}, "encrypted": True},
        *[{"encrypted": True}] * 3,
        {"removal_allowed": True},
        {"removal_allowed": True, "state": ProvisioningState.UPDATING},
        *[{"state": ProvisioningState.FAILED, "repairable": True}] * 3,
        {"state": ProvisioningState.DELETING, "repairable": True},
        *({"refused": {name: "LocationNotAvailable: no"}} for name in REGIONS[:3]),
        {"refused": dict.fromkeys(REGIONS, "ScopeLocked: there is a lock")},
    ]
)


@st.composite
def image_versions(draw: st.DrawFn, number: str) -> ImageVersion:
    """Make a version in its home and some more regions; nearly half of them are odd in some way."""
    home = draw(_home)
    places = [draw(_at_home if name == home else _elsewhere) for name in REGIONS]
    odd = dict(draw(_oddity))
    encrypted = odd.pop("encrypted", False)
    regions = tuple(
        replace(place, name=name, encrypted=encrypted) for name, place in zip(REGIONS, places, strict=True) if place
    )
    given = {"home": home, "state": ProvisioningState.SUCCEEDED, "published": NOW, **odd}
    return ImageVersion(version_id(number), regions=regions, **given)


_NUMBERS = ("1.0.8", "1.0.9", "1.0.10", "1.0.11")
_uses = st.lists(
    st.sampled_from(
        [
            Use(version_id(number).number, place, by)
            for number in _NUMBERS
            for place in REGIONS
            for by in ("scale set web", "VM build")
        ]
    ),
    max_size=3,
)
_usage_unknown = st.sampled_from([*[""] * 20, "Azure Resource Graph is throttled"])
_count = st.sampled_from([0, 1, 2, 3, 3, 3, 4, 4, 4])
_refused = st.sampled_from([*[None] * 20, *_NUMBERS])
_protected_by = st.sampled_from([*[None] * 20, "the gallery"])
_newest_before = st.sampled_from([None, version_id("1.0.10").number])


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Make an image definition with up to four versions, in no order."""
    versions = [draw(image_versions(number)) for number in _NUMBERS[: draw(_count)]]
    refused, unknown = draw(_refused), draw(_usage_unknown)
    return Definition(
        IMAGE,
        tuple(draw(st.permutations(versions))),
        protected_by=draw(_protected_by),
        usage=Usage(unknown=unknown) if unknown else Usage.of(draw(_uses)),
        refused={version_id(refused).number: "ScopeLocked: there is a lock"} if refused else {},
        newest_before=draw(_newest_before),
    )
