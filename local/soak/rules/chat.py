"""Rules about what people were told."""

from typing import Final

from local.azure import Post, Request
from local.shown import targets, written
from local.soak.evidence import Effect, Evidence, image_of, number_of
from local.soak.rules.verdict import Verdict
from local.soak.scene import PUBLISHED, SINKS

_UNDER_WAY: Final = 1.0
"""Seconds that a post may be under way when its sender is killed."""

_RECORDED_WITHIN: Final = 10.0
"""Seconds within which a post is recorded; storage may stand still for some of them."""

_TOLD_WITHIN: Final = 25.0
"""Seconds within which a prune is told of, when nobody changes anything meanwhile."""

_OK: Final = range(200, 300)


def once(evidence: Evidence) -> Verdict:
    """Post a status once; twice, with one id, where a kill fell between the post and its record."""
    broken, doubled, count = [], 0, 0
    for sink in SINKS:
        for name, posts in _by_id(evidence, sink).items():
            count += 1
            doubled += len(posts) > 1
            excused = [post for post in posts[:-1] if _forgotten(post, evidence)]
            if len(posts) > 1 + len(excused) or len(posts) > 2:  # noqa: PLR2004  the first and its double
                kind = f"{posts[0].body['type']} {posts[0].body.get('subject', '').rpartition('/')[2]}"
                broken.append(f"{kind} was posted {len(posts)} times to {sink}, {name}")
    words = "a status is posted once, or twice with one id where a kill fell between the post and its record"
    return Verdict(8, words, f"{count} statuses, {doubled} twice, {len(evidence.kills)} kills", broken)


def _by_id(evidence: Evidence, sink: str) -> dict[str, list[Post]]:
    found: dict[str, list[Post]] = {}
    for post in evidence.posts:
        if post.kind == sink and post.status in _OK:
            found.setdefault(str(post.body["id"]), []).append(post)
    return found


def _forgotten(post: Post, evidence: Evidence) -> bool:
    """Whether a host was killed while it could have been recording this post."""
    return any(post.at - _UNDER_WAY <= kill.at <= post.at + _RECORDED_WITHIN for kill in evidence.kills)


def everywhere(evidence: Evidence) -> Verdict:
    """Bring every status to every webhook, whatever the others answer."""
    ids = {sink: set(_by_id(evidence, sink)) for sink in SINKS}
    every = set().union(*ids.values())
    letters = " ".join(evidence.aftermath.dead_letters) if evidence.aftermath else ""
    lost = [(sink, name) for sink, taken in ids.items() for name in sorted(every - taken) if name not in letters]
    broken = [f"{name} did not reach {sink}" for sink, name in lost]
    return Verdict(8, "every status reaches every webhook", f"{len(every)} statuses, {len(SINKS)} webhooks", broken)


def true(evidence: Evidence) -> Verdict:
    """Call a rollout complete when replicationStatus shows it, or Azure would not have a region."""
    events, broken = evidence.events("rollout.completed"), []
    for event in events:
        named = next(seen.regions for image, seen in evidence.seen.items() if image.lower() == event["source"].lower())
        states = {region["name"]: region["state"] for region in event["data"]["regions"] if region["name"] in named}
        wrong = {name: state for name, state in states.items() if state not in ("Completed", "Skipped")}
        broken += [f"{event['subject'].rpartition('/')[2]} was called complete with {wrong}"] if wrong else []
    words = "a rollout is called complete when replicationStatus says so of each region, whatever was asked for"
    return Verdict(4, words, f"{len(events)} announcements", broken)


def whole(evidence: Evidence) -> Verdict:
    """Tell what was begun to its end: rollouts of versions that are kept, and prunes."""
    completed, pruned = (_told(evidence, kind) for kind in ("rollout.completed", "prune.completed"))
    begun = {
        (image_of(write), number_of(write))
        for write in evidence.writes
        if Effect.of(write).adds and _kept_at_last(evidence, image_of(write), number_of(write))
    }
    gone = {(image_of(each), number_of(each)) for each in evidence.writes if _leaves(each, evidence)}
    broken = [f"{_named(each)}: its completion was not told" for each in sorted(begun - completed)]
    broken += [f"{_named(each)}: its prune was not told" for each in sorted(gone - pruned)]
    words = "nothing that was begun ends without a word: rollouts of versions that are kept, and prunes"
    return Verdict(8, words, f"{len(begun)} rollouts, {len(gone)} prunes", broken)


def _told(evidence: Evidence, kind: str) -> set[tuple[str, str]]:
    return {(str(event["source"]).lower(), str(event["data"]["version"])) for event in evidence.events(kind)}


def _kept_at_last(evidence: Evidence, image: str, number: str) -> bool:
    seen = next((seen for name, seen in evidence.seen.items() if name.lower() == image), None)
    return bool(seen and number in seen.kept() and not seen.protected(number))


def _leaves(write: Request, evidence: Evidence) -> bool:
    """Whether a write took regions out for good, and people left the definition alone from then until it was told."""
    wanted, image = written(write), image_of(write)
    gone = targets(write.before.versions[number_of(write)]).keys() - wanted.keys() if wanted else set()
    meddled = any(
        change.image.lower() == image and write.at <= change.at <= write.at + _TOLD_WITHIN
        for change in evidence.changes
        if change.text != PUBLISHED
    )
    meddled |= evidence.changed_lately(image, write.at)
    return bool(gone) and not meddled and not Effect.of(write).repairs


def _named(version: tuple[str, str]) -> str:
    return f"{version[0].rpartition('/')[2]} {version[1]}"
