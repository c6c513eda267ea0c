import re
from datetime import UTC, datetime

import pytest

from local.host.config import QueueOptions
from local.host.errors import BadApp
from local.host.model import Binding, Function
from local.host.outputs import Invoker
from local.host.storage import Storage
from local.host.timers import Timer
from tests.local.host.support import says, until


def test_fired_by_hand(serve):
    """A timer is fired by the admin endpoint, whatever its schedule, and is told its next run."""
    source = """
    @app.timer_trigger(arg_name="timer", schedule="0 0 5 1 1 *")
    def tick(timer: func.TimerRequest) -> None:
        logging.info("ticked %s %s", timer.past_due, timer.schedule_status["Next"])
    """
    with serve(source) as host:
        assert "ticked" not in host.log()
        host.fire("tick")
        says(host, "ticked False 20")
        assert "-01-01T05:00:00+00:00" in host.log()


def test_by_schedule(serve):
    """A timer runs when its schedule says; a failure does not end it."""
    source = """
    @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
    def tick(timer: func.TimerRequest) -> None:
        raise ValueError("as usual")
    """
    with serve(source) as host:
        until(lambda: host.log().count("tick failed: ValueError: as usual") == 2)
    first, second = re.findall(r"^\d\d:\d\d:(\d\d)\.\d+ ERROR", host.log(), re.MULTILINE)[:2]
    assert first != second


def test_runs_do_not_overlap(serve):
    """A timer that is fired while it runs, runs again afterwards."""
    source = """
    @app.timer_trigger(arg_name="timer", schedule="0 0 5 1 1 *")
    def tick(timer: func.TimerRequest) -> None:
        logging.info("begin")
        time.sleep(0.3)
        logging.info("end")
    """
    with serve(source) as host:
        host.fire("tick")
        host.fire("tick")
        until(lambda: host.log().count(" end") == 2)
    assert re.findall(r"root (begin|end)$", host.log(), re.MULTILINE) == ["begin", "end"] * 2


def test_at_startup(serve):
    """With runOnStartup a timer runs once at the start."""
    source = """
    @app.timer_trigger(arg_name="timer", schedule="0 0 5 1 1 *", run_on_startup=True)
    def tick(timer: func.TimerRequest) -> None:
        logging.info("ticked")
    """
    with serve(source) as host:
        says(host, "ticked")


@pytest.mark.parametrize(
    ("schedule", "then"),
    [
        ("0 0 * * * *", "2025-01-01T13:00:00+00:00"),
        ("*/30 * * * * *", "2025-01-01T12:30:30+00:00"),
        ("0 30 9-17 * * MON-FRI", "2025-01-01T13:30:00+00:00"),
    ],
)
def test_schedules(schedule, then):
    """NCRONTAB expressions have seconds first, and run on UTC."""
    moment = datetime(2025, 1, 1, 12, 30, tzinfo=UTC)
    assert _timer(schedule).next_after(moment).isoformat() == then


def test_a_schedule_that_is_none():
    """What is no NCRONTAB expression is refused with the function's name."""
    with pytest.raises(BadApp, match="tick: 'hourly' is not an NCRONTAB expression"):
        _timer("hourly")


def _timer(schedule):
    trigger = Binding("timerTrigger", "timer", {"schedule": schedule})
    return Timer(Function("tick", "1", trigger, ()), Invoker(Storage({}), QueueOptions()), stopping=None)
