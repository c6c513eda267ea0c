"""The log: one line per decision, a constant event name and fields."""

import logging

_log = logging.getLogger("gallery_fanout")
_LOUD = {
    "azure.core.pipeline.policies.http_logging_policy": logging.WARNING,  # every call, twice
    "azure.eventgrid": logging.ERROR,  # a warning for each option of a call
    "azure.identity": logging.WARNING,
    "urllib3": logging.ERROR,  # paths, which hold secrets, and a warning for each connection above ten
}


def note(event: str, /, **fields: object) -> None:
    """Log that something was decided: ``replicate.written version=... regions=...``."""
    _log.info("%s", _line(event, fields))


def warn(event: str, /, **fields: object) -> None:
    """Log something that people should look at."""
    _log.warning("%s", _line(event, fields))


def quiet_libraries() -> None:
    """Silence libraries that log every call, with addresses that may hold secrets."""
    for name, level in _LOUD.items():
        logging.getLogger(name).setLevel(level)


def _line(event: str, fields: dict[str, object]) -> str:
    return " ".join([event, *(f"{name}={_shown(value)}" for name, value in fields.items())])


def _shown(value: object) -> str:
    """Quote what could be mistaken for another field or another line."""
    text = ",".join(str(each) for each in value) if isinstance(value, tuple | list) else str(value)
    plain = text.isprintable() and " " not in text and "=" not in text
    return text if plain and text else repr(text)
