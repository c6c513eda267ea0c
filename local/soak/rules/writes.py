"""Rules about single writes, each held against what it found, and about their number."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from local.azure import Request
from local.azure.regions import short
from local.gallery_rules import Seen, meddling, removals
from local.shown import Json, written
from local.soak.evidence import Effect, Evidence, image_of, number_of
from local.soak.rules.verdict import Verdict
from local.soak.scene import PUBLISHED, WITHDRAWING

_OURS: Final = frozenset({"regionalReplicaCount"})
_READ_ONLY: Final = frozenset({"publishedDate", "targetRegions"})


def alone(evidence: Evidence) -> Verdict:
    """Write nothing while somebody else does, nor what a tag protects."""
    return _judged(evidence, 2, "no write while another is under way, none to what a tag protects", meddling)


def safe_removals(evidence: Evidence) -> Verdict:
    """Leave a region only when the newest is complete there, never home, never where it is in use."""
    words = "a region is left only when the newest kept is complete there; never home, in use, undated, or kept"
    return _judged(evidence, 5, words, removals)


def unchanged(evidence: Evidence) -> Verdict:
    """Give back all that Azure said of a version and its regions as it was."""
    words = "encryption, storage type, exclusion, end of life, tags and unknown fields travel along unchanged"
    return _judged(evidence, 3, words, _altered)


def _judged(evidence: Evidence, number: int, words: str, rule: Callable[[Seen, Request], list[str]]) -> Verdict:
    """Hold each write against a rule. What people changed just before it, the app could not know."""
    broken, crossed = list[str](), list[str]()
    for write in evidence.writes:
        faults = rule(write.before, write)
        excused = evidence.changed_lately(image_of(write), write.at)
        (crossed if excused else broken).extend(f"{image_of(write).rpartition('/')[2]} {fault}" for fault in faults)
    more = f", {len(crossed)} crossed somebody's change" if crossed else ""
    return Verdict(number, words, f"{len(evidence.writes)} writes{more}", broken, crossed)


def _altered(before: Seen, write: Request) -> list[str]:
    """Compare what was written with what was there, but for what is ours to change."""
    name, properties = number_of(write), write.body["properties"]
    sent, shown = properties.get("publishingProfile"), before.versions[name]["properties"]["publishingProfile"]
    faults = ["it wrote more than properties"] if write.body.keys() - {"properties"} else []
    if sent is None:
        return faults
    pairs = [(_without(sent, _READ_ONLY), _without(shown, _READ_ONLY))]
    had = {short(region["name"]): region for region in shown["targetRegions"]}
    pairs += [(_without(each, _OURS), _without(had[at], _OURS)) for at, each in written(write).items() if at in had]
    return [*faults, *(f"{name}: {new} was {old}" for new, old in pairs if new != old)]


def _without(fields: Json, names: frozenset[str]) -> Json:
    return {name: value for name, value in fields.items() if name not in names}


def least(evidence: Evidence) -> Verdict:
    """Write each version once to be spread and once to go home; have a reason for every other write."""
    by_version: dict[tuple[str, str], list[Request]] = {}
    for write in evidence.writes:
        by_version.setdefault((image_of(write), number_of(write)), []).append(write)
    counts: Counter[str] = Counter()
    vain: list[str] = []
    for (image, number), writes in by_version.items():
        effects = [Effect.of(write) for write in writes]
        needed = any(each.adds for each in effects) + any(each.removes for each in effects)
        reasons = sum(each.flag or each.repairs for each in effects) + _reasons(evidence, image, number)
        counts["least"] += needed
        unexplained = max(0, len(writes) - needed - reasons)
        counts["explained"] += len(writes) - needed - unexplained
        if unexplained:
            vain.append(f"{image.rpartition('/')[2]} {number} was written {len(writes)} times, {unexplained} too often")
        counts["vain"] += unexplained
    interrupted = len(evidence.kills) + sum(request.spoiled for request in evidence.requests)
    words = (
        "no write beyond the least (once to spread, once to go home), those with a reason (a flag, a failed or "
        "refused copy, a wave, what people did), and one for each kill and lost answer"
    )
    checked = f"{len(evidence.writes)} writes: {counts['least']} least, {counts['explained']} explained"
    broken = vain if counts["vain"] > interrupted else []
    return Verdict(2, words, f"{checked}, {counts['vain']} interrupted (at most {interrupted})", broken, vain)


def _reasons(evidence: Evidence, image: str, number: str) -> int:
    """Count what else makes a write necessary: people, waves, and regions that failed or were refused."""
    people = sum(
        1
        for change in evidence.changes
        if change.image.lower() == image
        and ((change.version == number and change.text != PUBLISHED) or change.text in WITHDRAWING)
    )
    waves = next((seen.tags.get("gallery-fanout-regions", "").count(";") for seen in _seen(evidence, image)), 0)
    failed = sum(str(event["source"]).lower() == image for event in evidence.events("rollout.region-failed"))
    return people + waves + failed


def _seen(evidence: Evidence, image: str) -> list[Seen]:
    return [seen for name, seen in evidence.seen.items() if name.lower() == image]
