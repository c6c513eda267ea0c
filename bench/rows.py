"""The rows of the bench by their names, in the order of the table."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from bench.burst import burst
from bench.events import accepted
from bench.latency import latency
from bench.passes import passes, planning
from bench.peers import peers
from bench.publishes import publishes
from bench.results import Line
from bench.rig import Desk
from bench.starts import starts
from bench.storm import storm
from bench.throttled import throttled

ROWS: Final[Mapping[str, Callable[[Desk], Iterator[Line]]]] = {
    "publishes": publishes,
    "storm": storm,
    "passes": passes,
    "planning": planning,
    "accepted": accepted,
    "latency": latency,
    "starts": starts,
    "burst": burst,
    "throttled": throttled,
    "peers": peers,
}
