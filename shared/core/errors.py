"""The errors that stages understand. Anything else is unknown: its queue retries it and then buries it."""

from datetime import timedelta


class Malformed(ValueError):
    """Something from outside that cannot be read: an id, an event, a queue message. Trying again cannot help."""


class Retry(Exception):
    """The outside says "not now". The stage puts its message back with this delay; no try is burnt.

    :param after: how long the outside asked to be left alone.
    """

    def __init__(self, reason: str, *, after: timedelta) -> None:
        super().__init__(reason)
        self.after = after


class Absent(LookupError):
    """Azure answered 404: the resource does not exist. No other answer means that."""


class Refused(Exception):
    """Azure understood a request and will not do it; the same request would be refused again.

    :param code: Azure's error code, for example ``InvalidParameter``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Locked(Refused):
    """A resource lock forbids every write; no part of a request would fare better."""


class FlagFirst(Refused):
    """Azure wants ``allowDeletionOfReplicatedLocations`` set by a write of its own before regions are removed."""
