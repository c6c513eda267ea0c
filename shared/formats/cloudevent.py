"""A status for machines: the CloudEvent itself, in structured mode."""

from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


def body(event: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is posted for a CloudEvent: nothing is added, nothing is taken away."""
    return dict(event)
