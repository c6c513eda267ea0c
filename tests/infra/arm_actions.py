"""What Azure wants to have allowed for a call: the action of a role, by method and path."""

import re

_SEGMENT = r"[^/?]+"
_GALLERY = rf"/subscriptions/{_SEGMENT}/resourcegroups/{_SEGMENT}/providers/microsoft\.compute/galleries/{_SEGMENT}"
_IMAGE = rf"{_GALLERY}/images/{_SEGMENT}"

ACTIONS = (
    ("GET", _GALLERY, "Microsoft.Compute/galleries/read"),
    ("GET", rf"{_GALLERY}/images(/{_SEGMENT})?", "Microsoft.Compute/galleries/images/read"),
    ("GET", rf"{_IMAGE}/versions(/{_SEGMENT})?", "Microsoft.Compute/galleries/images/versions/read"),
    ("PUT", rf"{_IMAGE}/versions/{_SEGMENT}", "Microsoft.Compute/galleries/images/versions/write"),
    ("PATCH", rf"{_IMAGE}/versions/{_SEGMENT}", "Microsoft.Compute/galleries/images/versions/write"),
    ("DELETE", rf"{_IMAGE}/versions/{_SEGMENT}", "Microsoft.Compute/galleries/images/versions/delete"),
    ("POST", r"/providers/microsoft\.resourcegraph/resources", "Microsoft.ResourceGraph/resources/read"),
)
"""Method, pattern of the path, action. Documented by Azure's list of resource provider operations."""


def action_of(method: str, path: str) -> str:
    """Name the action that a call needs.

    :param path: of the URL; what follows a question mark does not matter, nor does letter case.
    :raises LookupError: for a call that no role was thought of for.
    """
    plain = path.partition("?")[0].rstrip("/")
    for wanted, pattern, action in ACTIONS:
        if method.upper() == wanted and re.fullmatch(pattern, plain, re.IGNORECASE):
            return action
    raise LookupError(f"no action is known for {method} {plain}")
