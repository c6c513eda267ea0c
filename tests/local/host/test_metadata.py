import pytest

from local.host.metadata import overlaid
from local.host.outputs import bodies
from local.host.protos import TypedData


def _shown(metadata):
    return {name: (each.WhichOneof("data"), each.value) for name, each in metadata.items()}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ('{"id": "x"}', {"Id": ("string", "x")}),
        ('{"ID": 7}', {"Id": ("string", "7")}),
        ('{"new": {"a": 1}}', {"Id": ("string", "host"), "new": ("json", '{"a": 1}')}),
        ('{"flag": true}', {"Id": ("string", "host"), "flag": ("string", "True")}),
        ('{"id": null}', {"Id": ("string", "host")}),
        ('{"id": [1]}', {"Id": ("string", "host")}),
        ('["id"]', {"Id": ("string", "host")}),
        ("id", {"Id": ("string", "host")}),
    ],
)
def test_overlay(body, wanted):
    """Keys of a JSON object overwrite metadata of the same name, in the spelling of the host; other bodies do not."""
    assert _shown(overlaid({"Id": TypedData(string="host")}, body)) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (TypedData(string='["a"]'), [b'["a"]']),
        (TypedData(bytes=b"\x00"), [b"\x00"]),
        (TypedData(json='["a", {"b": 1}]'), [b"a", b'{"b": 1}']),
        (TypedData(json='{"b": 1}'), [b'{"b": 1}']),
    ],
)
def test_bodies(value, wanted):
    """A JSON list is one message per item; text is one message, whatever it looks like."""
    assert list(bodies(value)) == wanted
