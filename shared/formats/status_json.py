"""The facts of the page as JSON. Its names and fields are a contract: docs/status.md and docs/status.schema.json."""

from typing import Any

from shared.core.status import DeadLetter, DefinitionStatus, Level, Place, Running, Sweep, Versions, estimate
from shared.core.times import iso
from shared.formats.board import Board, Entry

SCHEMA = 1


def facts(board: Board) -> dict[str, Any]:
    """Give what stands on the page."""
    return {
        "schema": SCHEMA,
        "at": board.now.isoformat(),
        "sweep": _sweep(board.sweep) if board.sweep else None,
        "counts": {level.value: board.counts.get(level, 0) for level in Level},
        "total": board.total,
        "page": board.question.page,
        "pages": board.pages,
        "definitions": [_definition(entry) for entry in board.entries],
        "deadLetters": [_letter(letter) for letter in board.letters],
        "moreDeadLetters": board.more_letters,
    }


def _sweep(sweep: Sweep) -> dict[str, Any]:
    galleries = [
        {"gallery": each.gallery, "definitions": each.definitions, "fault": each.fault or None}
        for each in sweep.galleries
    ]
    return {"at": sweep.at.isoformat(), "galleries": galleries}


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return {
        "queue": letter.queue,
        "id": letter.name,
        "at": letter.at.isoformat(),
        "reason": letter.reason,
        "message": letter.body,
    }


def _definition(entry: Entry) -> dict[str, Any]:
    status = entry.status
    told = {
        "id": str(status.image),
        "gallery": str(status.image.gallery.gallery),
        "image": str(status.image.image),
        "state": entry.level.value,
        "troubles": list(entry.troubles),
        "seen": status.seen.isoformat(),
        "cause": status.cause,
        "mode": status.mode,
        "newest": status.newest or None,
        "published": iso(status.published),
        "regions": [_place(each) for each in status.places],
        "newer": [{"version": version, "state": state} for version, state in status.newer.items()],
        "rollouts": [_running(each, status) for each in status.running],
        "pruning": list(status.pruning),
        "prunesWaiting": status.capped,
        "versions": status.versions,
        "warnings": list(status.warnings),
        **_history(status),
    }
    return told | {"matrix": _matrix(entry.versions)} if entry.versions else told


def _history(status: DefinitionStatus) -> dict[str, Any]:
    return {
        "finished": [
            {
                "version": each.version,
                "started": each.started.isoformat(),
                "finished": each.finished.isoformat(),
                "seconds": round(each.seconds),
                "cause": each.cause or None,
            }
            for each in status.finished
        ],
        "pruned": [
            {
                "version": each.version,
                "at": each.at.isoformat(),
                "regionsRemoved": list(each.removed),
                "regionsKept": [{"name": name, "reason": reason} for name, reason in each.kept.items()],
                "gibFreed": each.gib,
            }
            for each in status.pruned
        ],
        "kept": [
            {"version": each.version, "regions": list(each.regions), "reason": each.reason} for each in status.kept
        ],
        "moreKept": status.more_kept,
    }


def _running(running: Running, status: DefinitionStatus) -> dict[str, Any]:
    usual = estimate(status)
    return {
        "version": running.version,
        "started": running.started.isoformat(),
        "deadline": running.deadline.isoformat(),
        "estimatedSeconds": round(usual.total_seconds()) if usual else None,
        "wave": running.wave,
        "waves": running.waves,
        "complete": running.done,
        "of": running.of,
        "stalled": running.late,
        "givenUp": running.lost,
        "cause": running.cause or None,
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "name": place.region,
        "state": place.standing.value,
        "progress": place.progress,
        "replicas": place.replicas,
        "wave": place.wave or None,
        "completeSince": iso(place.since),
        "reason": place.reason,
    }


def _matrix(versions: Versions) -> dict[str, Any]:
    rows = [
        {
            "version": row.version,
            "role": row.role,
            "provisioningState": row.state,
            "home": row.home,
            "published": iso(row.published),
            "reason": row.reason or None,
            "regions": [_place(each) for each in row.places],
        }
        for row in versions.rows
    ]
    return {"versions": rows, "more": versions.more}
