"""What an Event Grid event tells: which image version, and nothing else. State is read from Azure.

Azure Resource Manager's events vary in nearly everything (``httpRequest`` may be missing, ``{}`` or ``""``; claims an
object, a string or a list): only the resource id is looked at.
"""

from shared.core.errors import Malformed
from shared.core.names import VersionId

WRITE_FAILURE = "ResourceWriteFailure"

EVENT_TYPES = frozenset(
    f"Microsoft.Resources.{kind}" for kind in ("ResourceWriteSuccess", WRITE_FAILURE, "ResourceDeleteSuccess")
)


def version_of(event_type: object, subject: object, data: object) -> VersionId:
    """Find the image version that an event is about.

    :raises Malformed: when it is about anything else; then it is none of our business.
    """
    if not isinstance(event_type, str) or event_type not in EVENT_TYPES:
        raise Malformed("not an event of a resource that was written or deleted")
    uri = data.get("resourceUri") if isinstance(data, dict) else None
    named = uri if isinstance(uri, str) else subject
    if not isinstance(named, str):
        raise Malformed("names no resource")
    return VersionId.parse(named)
