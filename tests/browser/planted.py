"""What a gallery looks like on a lively day, planted into the table as passes and looks would record it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from shared.adapters.dead_letters import DeadLetters
from shared.adapters.records import Records
from shared.core.names import ImageId
from shared.core.status import (
    DeadLetter,
    DefinitionStatus,
    Finished,
    Kept,
    Place,
    Pruned,
    Running,
    Standing,
    Sweep,
    SweptGallery,
    Versions,
    VersionSeen,
)
from shared.settings import Storage

_SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/images"
PROD = f"{_SUBSCRIPTION}/providers/Microsoft.Compute/galleries/prodgallery"
EDGE = f"{_SUBSCRIPTION}/providers/Microsoft.Compute/galleries/edgegallery"
NOW = datetime.now(UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EIGHT = (
    "westeurope",
    "northeurope",
    "uksouth",
    "eastus2",
    "westus3",
    "brazilsouth",
    "southeastasia",
    "australiaeast",
)
HOSTILE = (
    "<script>document.title='run'</script>",
    '"><img src=x onerror="document.title=\'run\'">',
    "'; alert(1); '",
    "\u202egnirts edis-rehto eht\u202c",
    "{{ 7 * 7 }} {% raw %}",
    "javascript:document.title='run'",
    "a" * 300,
)


def image(name: str, gallery: str = PROD) -> ImageId:
    """Name an image definition."""
    return ImageId.parse(f"{gallery}/images/{name}")


def complete(region: str, wave: int = 1, replicas: int = 1) -> Place:
    """Say that a version is complete in a region."""
    return Place(region, Standing.COMPLETE, "the policy names it; complete", replicas, None, wave, NOW - HOUR)


def everywhere() -> tuple[Place, ...]:
    """Say that a version is complete in all eight regions."""
    return (complete(EIGHT[0], replicas=3), *(complete(region) for region in EIGHT[1:]))


def _history(*versions: str) -> tuple[Finished, ...]:
    return tuple(
        Finished(number, NOW - (9 - at) * DAY, NOW - (9 - at) * DAY + (11 + at % 3) * MINUTE)
        for at, number in enumerate(versions)
    )


def spreading() -> DefinitionStatus:
    """A rollout in its second wave."""
    asked = Place("brazilsouth", Standing.REQUESTED, "the policy names it", 1, None, 2)
    waits = "wave 2 comes first: westus3 is 45 % replicated"
    return DefinitionStatus(
        image("ubuntu-2204"),
        NOW - 8 * SECOND,
        "a look at 1.0.14",
        newest="1.0.14",
        published=NOW - 19 * MINUTE,
        places=(
            *(complete(region, replicas=3 if region == "westeurope" else 1) for region in EIGHT[:3]),
            complete("eastus2", 2),
            Place("westus3", Standing.REPLICATING, "the policy names it", 1, 45, 2),
            asked,
            *(Place(region, Standing.WAITING, waits, 1, None, 3) for region in EIGHT[6:]),
        ),
        running=(Running("1.0.14", NOW - 9 * MINUTE, NOW + DAY, 2, 3, 4, 8),),
        finished=_history("1.0.10", "1.0.11", "1.0.12", "1.0.13"),
        pruned=(
            Pruned("1.0.12", NOW - 2 * DAY, NOW - 2 * DAY, EIGHT[1:], {"westeurope": "its home region"}, 210),
            Pruned(
                "1.0.11",
                NOW - 4 * DAY,
                NOW - 4 * DAY,
                EIGHT[1:6],
                {"southeastasia": "scale set web-legacy references 1.0.11"},
                150,
            ),
        ),
        kept=(
            Kept("1.0.11", ("southeastasia",), "scale set web-legacy references 1.0.11"),
            Kept("1.0.8", ("eastus2", "westus3"), "the tag gallery-fanout-keep is on the version"),
            Kept("1.0.5", EIGHT[1:5], "scale set batch-nightly references 1.0.5"),
        ),
        versions=14,
    )


def failing() -> DefinitionStatus:
    """A rollout with a region that failed."""
    failed = Place("eastus2", Standing.FAILED, "Allocation failed: insufficient capacity in the region", 1, None, 1)
    skipped = Place("westus3", Standing.SKIPPED, "Azure refused it: LocationNotAvailableForResourceType", 0, None, 1)
    return DefinitionStatus(
        image("win2022-sql"),
        NOW - 40 * SECOND,
        "a look at 3.2.0",
        newest="3.2.0",
        published=NOW - 2 * HOUR,
        places=(
            complete("westeurope"),
            complete("northeurope"),
            complete("uksouth"),
            failed,
            skipped,
            Place("japaneast", Standing.UNWANTED, "somebody added it; the policy does not", 1),
        ),
        running=(Running("3.2.0", NOW - 70 * MINUTE, NOW + DAY, 1, 1, 3, 4, tries={"eastus2": 2}),),
        finished=_history("3.0.0", "3.1.0"),
        versions=6,
    )


def settled(name: str, gallery: str = PROD, **more: object) -> DefinitionStatus:
    """One where nothing is to do."""
    given = {
        "newest": "2.4.1",
        "published": NOW - 3 * DAY,
        "places": everywhere(),
        "finished": _history("2.4.0", "2.4.1"),
        "versions": 9,
        **more,
    }
    return DefinitionStatus(image(name, gallery), NOW - 12 * MINUTE, "sweep", **given)  # type: ignore[arg-type]


def lively() -> list[DefinitionStatus]:
    """Several definitions, one of each kind."""
    observed = settled(
        "debian-12",
        EDGE,
        mode="observe",
        newest="12.7.0",
        places=(complete("westeurope"), *(Place(name, Standing.MISSING, "the policy names it") for name in EIGHT[1:4])),
        finished=(),
    )
    pruning = settled("rhel-9", newest="9.4.2", pruning=("9.4.0", "9.4.1"), capped=7)
    pruned = Pruned("2.4.0", NOW - 3 * HOUR, NOW - 3 * HOUR, EIGHT[1:], {"westeurope": "its home region"}, 254)
    in_use = Kept("2.3.9", ("eastus2",), "scale set web-prod references 2.3.9")
    return [
        spreading(),
        failing(),
        pruning,
        settled("ubuntu-2404", pruned=(pruned,), kept=(in_use,)),
        settled("win2025-core", pruned=(pruned,)),
        observed,
    ]


def versions_of(status: DefinitionStatus, count: int = 6) -> Versions:
    """Give versions for a definition: the newest, one that is used somewhere, and others at home only."""
    home = Place("westeurope", Standing.THERE, "its home region", 1)
    used = Place("southeastasia", Standing.THERE, "scale set web-legacy references it", 1)
    newest = VersionSeen(status.newest, "kept", "Succeeded", "westeurope", NOW - DAY, "", status.places)
    major, minor, patch = (int(part) for part in status.newest.split("."))
    older = [
        VersionSeen(
            f"{major}.{(minor * 20 + patch - at) // 20}.{(patch - at) % 20}",
            "older",
            "Succeeded",
            "westeurope",
            NOW - at * DAY,
            "",
            (home, used) if at == 3 else (home,),
        )
        for at in range(1, count)
    ]
    return Versions((newest, *older), 8)


def plant(storage: str, statuses: Iterable[DefinitionStatus], *, sweep: bool = True) -> Records:
    """Plant how definitions stand, with their versions, and a sweep."""
    records = Records(Storage(storage), None)
    for status in statuses:
        records.change(status.image, lambda _, status=status: status)
        records.keep_versions(status.image, versions_of(status))
    if sweep:
        records.keep_sweep(Sweep(NOW - 12 * MINUTE, (SweptGallery(PROD, 5), SweptGallery(EDGE, 1))))
    return records


def bury(storage: str, queue: str, name: str, body: str, reason: str) -> None:
    """Plant a dead letter."""
    DeadLetters(Storage(storage), None).keep(DeadLetter(queue, name, body, reason, NOW - 25 * MINUTE))
