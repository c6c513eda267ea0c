"""Resource locks of the kind ReadOnly: whatever lies in a locked scope can be read only."""

from typing import Final

from local.azure.errors import locked
from local.azure.names import ResourceId

_ACTIONS: Final = {"PUT": "write", "PATCH": "write", "DELETE": "delete"}


class Locks:
    """The scopes that are locked, by id without regard to case."""

    def __init__(self) -> None:
        self._scopes: dict[str, str] = {}

    def lock(self, scope: str) -> None:
        """Lock a scope: a resource, or anything that its id begins with at a slash."""
        self._scopes[_key(scope)] = scope

    def unlock(self, scope: str) -> None:
        """Take the lock off a scope again; raise KeyError when there is none on this very scope."""
        del self._scopes[_key(scope)]

    def refuse(self, method: str, resource: ResourceId) -> None:
        """Raise ArmError (409) for a request that a lock forbids.

        That this comes before a resource provider is asked, and so before 404, is unverified.
        """
        scopes = [text for key, text in self._scopes.items() if f"{resource.key}/".startswith(f"{key}/")]
        if scopes and method in _ACTIONS:
            raise locked(resource, scopes, action=_ACTIONS[method])


def _key(scope: str) -> str:
    return scope.rstrip("/").lower()
