"""What the app really logs, line by line with its time: what alerts and the workbook read in Azure."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import azure.functions as func

from tests.flows.clockwork import THREE, Clockwork
from tests.served import functions

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
POLICY = " ".join(THREE)


@dataclass(frozen=True)
class Line:
    """A row of the table AppTraces, as far as queries look at it."""

    at: datetime
    message: str

    @property
    def event(self) -> str:
        return self.message.split(" ")[0]


@contextmanager
def lines_of(clockwork: Clockwork) -> Iterator[list[Line]]:
    """Take down what the app logs, with the time of its clock."""
    taken: list[Line] = []

    class Taker(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            taken.append(Line(clockwork.clock.at, record.getMessage()))

    logger, taker = logging.getLogger("gallery_fanout"), Taker()
    before = logger.level
    logger.addHandler(taker)
    logger.setLevel(logging.INFO)
    try:
        yield taken
    finally:
        logger.removeHandler(taker)
        logger.setLevel(before)


def publish(clockwork: Clockwork, number: str = "1.0.3") -> None:
    """Publish a version as a pipeline does, and deliver the event when it is made."""
    clockwork.azure.publish(clockwork.image, number, home=THREE[0])
    clockwork.pass_time(10 * MINUTE)
    clockwork.event(number)


def post(clockwork: Clockwork, function: str, **route: str) -> None:
    """Press a button of the page."""
    params = {"definition": clockwork.image}
    functions(clockwork.app)[function](func.HttpRequest("POST", "/api/x", params=params, route_params=route, body=b""))
