"""The table ``rollouts`` and the keys of its rows.

| partition | row | of the adapter |
|---|---|---|
| an image definition | ``definition``, ``turn``, ``batch``; by version: ``rollout``, ``claim``, ``prune`` | rollouts |
| ``delivery`` | an event and its receiver | deliveries |
| ``dead-letters`` | a queue and the id of a message | dead_letters |
| ``status``, ``versions`` | an image definition | records |
| ``sweep`` | ``last`` | records |
"""

from shared.core.names import ImageId

TABLE = "rollouts"
DELIVERY = "delivery"
DEAD_LETTERS = "dead-letters"
STATUS = "status"
VERSIONS = "versions"
SWEEP = "sweep", "last"


def partition(image: ImageId | str) -> str:
    """Give a table key for an id; slashes are not allowed in one (documented)."""
    return str(image).casefold().replace("/", "|")
