"""Random ids, gallery contents and policies."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.core.model import Definition, ImageVersion, ProvisioningState, Region, RegionState
from shared.core.names import GalleryId, ImageId, Name, VersionId, VersionNumber
from shared.core.policy import Mode, Policy, RegionTarget, StorageAccountType
from tests.core.build import IMAGE, NOW

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
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=8), values, max_size=4),
    max_leaves=8,
)
json_objects = st.dictionaries(st.text(max_size=8), json_values, max_size=4)

_TARGETS = [
    None,
    *(
        (replicas, storage)
        for replicas in (1, 1, 2, 3)
        for storage in (None, None, StorageAccountType.STANDARD_LRS, StorageAccountType.PREMIUM_LRS)
    ),
]
policies = st.builds(
    Policy,
    regions=st.tuples(*[st.sampled_from(_TARGETS)] * len(REGIONS)).map(
        lambda targets: (
            tuple(RegionTarget(name, *target) for name, target in zip(REGIONS, targets, strict=True) if target)
            or (RegionTarget(REGIONS[0], 1),)
        )
    ),
    keep_latest=st.sampled_from([1, 1, 1, 2, 3]),
    home_replicas=st.integers(1, 3),
    mode=st.sampled_from([Mode.FULL] * 6 + [Mode.REPLICATE, Mode.OBSERVE]),
    unlocks_regions=st.sampled_from([True, True, True, False]),
)
"""Policies over a handful of regions, most of them in full mode."""

_PLACES = [
    None,
    None,
    *(
        Region("", replicas, storage, state=state)
        for replicas in (1, 2, 4)
        for storage in (None, StorageAccountType.STANDARD_LRS)
        for state in (*[RegionState.COMPLETED] * 9, *RegionState)
    ),
]
_ODDITIES = [
    *[{}] * 12,
    *({"state": state} for state in ProvisioningState if state is not ProvisioningState.SUCCEEDED),
    {"state": ProvisioningState.UPDATING},
    {"published": None},
    {"excluded": True},
    {"excluded": True, "published": None},
    {"shallow": True},
    {"tags": {"Gallery-Fanout-Keep": "yes"}},
    {"tags": {"gallery-fanout-keep": "False"}},
    {"tags": {"team": "x"}, "encrypted": True},
    {"encrypted": True},
    {"removal_allowed": True},
    {"removal_allowed": True, "state": ProvisioningState.UPDATING},
]


@st.composite
def image_versions(draw: st.DrawFn, number: str) -> ImageVersion:
    """Make a version in its home and some more regions; about half of them are odd in some way."""
    home = draw(st.sampled_from(REGIONS))
    places = [draw(st.sampled_from(_PLACES if name != home else _PLACES[2:])) for name in REGIONS]
    odd = dict(draw(st.sampled_from(_ODDITIES)))
    encrypted = odd.pop("encrypted", False)
    regions = tuple(
        replace(place, name=name, encrypted=encrypted) for name, place in zip(REGIONS, places, strict=True) if place
    )
    given = {"home": home, "state": ProvisioningState.SUCCEEDED, "published": NOW, **odd}
    return ImageVersion(VersionId(IMAGE, VersionNumber.parse(number)), regions=regions, **given)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Make an image definition with up to four versions, in no order."""
    count = draw(st.sampled_from([0, 1, 2, 2, 3, 3, 3, 4]))
    versions = [draw(image_versions(f"1.0.{patch}")) for patch in range(8, 8 + count)]
    protected_by = draw(st.sampled_from([*[None] * 9, "the gallery"]))
    return Definition(IMAGE, tuple(draw(st.permutations(versions))), protected_by)
