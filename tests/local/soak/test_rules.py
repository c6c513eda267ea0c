from collections.abc import Mapping
from dataclasses import replace

import pytest

from local.azure import Post, Request
from local.gallery_rules import Seen
from local.soak.evidence import Aftermath, Evidence
from local.soak.hosts import Kill
from local.soak.rules import RULES, verdicts
from local.soak.scene import SINKS, Change

IMAGE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/prodgallery/images/ubuntu"
HOME, EAST, ASIA = "westeurope", "eastus2", "southeastasia"
BOTH = {HOME: "Completed", EAST: "Completed"}
AT_HOME = {HOME: "Completed"}
LIFE = "host-1-life-1"
START = 1_000_000.0


def version(regions: Mapping[str, str], *, state="Succeeded", dated=True, tags=None):
    """An image version as ARM shows it, with the state of each region."""
    targets = [{"name": name, "regionalReplicaCount": 1, "new": {"kept": True}} for name in regions]
    profile = {"targetRegions": targets, "excludeFromLatest": False, **({"publishedDate": "x"} if dated else {})}
    summary = [{"region": name, "state": each} for name, each in regions.items()]
    properties = {"provisioningState": state, "publishingProfile": profile, "replicationStatus": {"summary": summary}}
    return {"location": HOME, "tags": tags, "properties": properties}


def seen(uses=(), **versions):
    """A definition as it stands, by `v1` and so on."""
    named = {f"1.0.{name[1:]}": each for name, each in versions.items()}
    return Seen.of(named, {"regions": f"{HOME} {EAST}"}, uses, {})


def call(method, name, at, **more):
    """A call to ARM."""
    path = f"{IMAGE}/versions/{name}"
    answered = {"status": 200, "error_code": None, "body": None, "query": {}, "headers": {"user-agent": f"sdk {LIFE}"}}
    return Request(method=method, path=path, at=START + at, **{**answered, **more})


def write(before, name, *regions, at=10.0, **fields):
    """A write that was taken, of these regions, just as they were found but for the fields."""
    body = {"name": "", "regionalReplicaCount": 1, "new": {"kept": True}, **fields}
    profile = {"targetRegions": [body | {"name": region} for region in regions], "excludeFromLatest": False}
    return call("PATCH", name, at, body={"properties": {"publishingProfile": profile}}, before=before)


def post(kind, name, sink="json", at=20.0, **data):
    """A status that a sink took."""
    told = {"id": f"{kind} {name}", "type": f"gallery-fanout.{kind}", "source": IMAGE, "subject": f"{IMAGE}/{name}"}
    return Post(START + at, sink, "/chat", {}, told | {"data": {"version": name, **data}}, 200)


def everywhere(kind, name, **data):
    """A status that every sink took."""
    return [post(kind, name, sink, **data) for sink in SINKS]


COMPLETE = {"regions": [{"name": HOME, "state": "Completed"}, {"name": EAST, "state": "Completed"}]}
SPREAD = seen(v1=version(BOTH), v2=version(AT_HOME))
DONE = seen(v1=version(BOTH), v2=version(BOTH))
WRITES = (write(SPREAD, "1.0.2", HOME, EAST), write(DONE, "1.0.1", HOME, at=60.0))
POSTS = (*everywhere("rollout.completed", "1.0.2", **COMPLETE), *everywhere("prune.completed", "1.0.1"))
QUIET = Aftermath({}, [], [], [])
HELD = Evidence({IMAGE: seen(v1=version(AT_HOME), v2=version(BOTH))}, WRITES, POSTS, aftermath=QUIET)


def wrote(*writes):
    """What is left after these writes."""
    return replace(HELD, requests=writes)


def left(**versions):
    """What is left with the versions like this."""
    return replace(HELD, seen={IMAGE: seen(**versions)})


def said(*posts):
    """What is left after more was said."""
    return replace(HELD, posts=(*POSTS, *posts))


REFUSED = call("GET", "1.0.2", 0, status=429, retry_after=10.0)
BROKEN = {
    "a region was lost": ("complete", left(v2=version(AT_HOME))),
    "a region is not complete": ("complete", left(v2=version({**AT_HOME, EAST: "Replicating"}))),
    "an older one is still there": ("complete", left(v1=version(BOTH), v2=version(BOTH))),
    "what people added is gone": ("people_stay", replace(HELD, added={f"{IMAGE}/versions/1.0.2": {ASIA}})),
    "written while updating": (
        "alone",
        wrote(write(seen(v2=version(AT_HOME, state="Updating")), "1.0.2", HOME, EAST)),
    ),
    "written in spite of a tag": (
        "alone",
        wrote(write(seen(v2=version(AT_HOME, tags={"gallery-fanout-keep": "true"})), "1.0.2", HOME, EAST)),
    ),
    "left before the newest came": ("safe_removals", wrote(write(SPREAD, "1.0.1", HOME))),
    "left its home": ("safe_removals", wrote(write(DONE, "1.0.1", EAST))),
    "left where it is in use": (
        "safe_removals",
        wrote(write(seen([("1.0.1", EAST)], v1=version(BOTH), v2=version(BOTH)), "1.0.1", HOME)),
    ),
    "the newest lost a region": ("safe_removals", wrote(write(DONE, "1.0.2", HOME))),
    "undated, and pruned": (
        "safe_removals",
        wrote(write(seen(v1=version(BOTH, dated=False), v2=version(BOTH)), "1.0.1", HOME)),
    ),
    "a field was lost": ("unchanged", wrote(write(SPREAD, "1.0.2", HOME, EAST, new=None))),
    "a storage type was changed": ("unchanged", wrote(write(SPREAD, "1.0.2", HOME, storageAccountType="Premium_LRS"))),
    "written in vain": ("least", wrote(*WRITES, write(DONE, "1.0.2", HOME, EAST, at=30.0))),
    "called too early": ("patient", wrote(REFUSED, call("GET", "1.0.3", 5))),
    "too many writes": ("paced", wrote(*(call("PATCH", "1.0.2", at / 2, status=409) for at in range(301)))),
    "waited in a handler": (
        "brief",
        replace(HELD, log="Executed 'Functions.watch' (Succeeded, Id=1, Duration=31000ms)"),
    ),
    "said twice": ("once", said(post("rollout.completed", "1.0.2", **COMPLETE))),
    "said thrice": (
        "once",
        replace(said(POSTS[0], POSTS[0]), kills=[Kill(POSTS[0].at + 0.1, LIFE)]),
    ),
    "said to one only": ("everywhere", said(post("rollout.started", "1.0.2"))),
    "called complete too early": (
        "true",
        said(*everywhere("rollout.completed", "1.0.3", regions=[{"name": EAST, "state": "Replicating"}])),
    ),
    "never told": ("whole", replace(HELD, posts=())),
    "a message is left": ("nothing_left", replace(HELD, aftermath=replace(QUIET, queued={"watch": 1}))),
    "a message was poisoned": ("nothing_left", replace(HELD, aftermath=replace(QUIET, dead_letters=["it"]))),
    "a secret leaked": ("secrets", replace(HELD, aftermath=replace(QUIET, secrets=["it is in a log"]))),
    "a sweep wrote": ("swept_again", replace(HELD, aftermath=replace(QUIET, swept=["PATCH"]))),
    "it never ended": ("swept_again", replace(HELD, aftermath=None)),
}
EXCUSED = {
    "crossed somebody's change": replace(
        wrote(write(DONE, "1.0.2", HOME), WRITES[1]), changes=[Change(START + 8, IMAGE, "1.0.2", "somebody adds it")]
    ),
    "killed after a post": replace(said(POSTS[0]), kills=[Kill(POSTS[0].at + 0.1, LIFE)]),
    "Azure would not have it": replace(
        said(*everywhere("rollout.region-failed", "1.0.2", region=EAST, reason="InvalidParameter: no such region")),
        seen={IMAGE: seen(v1=version(AT_HOME), v2=version(AT_HOME))},
    ),
    "killed five times": replace(
        HELD,
        aftermath=replace(QUIET, dead_letters=["it"]),
        log="watch: message 1 goes to watch-poison: it has been tried too often",
    ),
    "another process called": wrote(*WRITES, REFUSED, call("GET", "1.0.3", 5, headers={"user-agent": "host-2-life-1"})),
    "written again after a kill": replace(
        wrote(*WRITES, write(DONE, "1.0.2", HOME, EAST, at=30.0)), kills=[Kill(START + 29, LIFE)]
    ),
}


def _broken(evidence):
    return {rule.__name__ for rule, found in zip(RULES, verdicts(evidence), strict=True) if not found.held}


def test_what_holds_holds():
    """After a version was spread and the older one went home, every rule holds."""
    assert _broken(HELD) == set()


@pytest.mark.parametrize(("rule", "evidence"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_is_found(rule, evidence):
    """Each rule sees what breaks it."""
    assert rule in _broken(evidence)


@pytest.mark.parametrize("evidence", EXCUSED.values(), ids=EXCUSED)
def test_what_is_excused(evidence):
    """What the app cannot know or do, or a kill explains, breaks no rule."""
    assert _broken(evidence) == set()


def test_every_rule_can_break():
    """There is no rule that nothing could break."""
    assert {rule for rule, _ in BROKEN.values()} == {rule.__name__ for rule in RULES}
