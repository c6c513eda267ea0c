import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from shared.core.status import (
    DeadLetter,
    DefinitionStatus,
    Kept,
    Place,
    Pruned,
    Running,
    Standing,
    Sweep,
    SweptGallery,
)
from shared.formats.board import Board
from shared.formats.page import fault_page, headers, page
from shared.formats.page_words import ago, clock, count, going, hint, lasting, word
from shared.formats.question import Question
from shared.formats.status_json import facts
from tests.browser.planted import HOSTILE, NOW, SECOND, failing, lively, settled, spreading, versions_of
from tests.core.build import DAY, HOUR, MINUTE

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "status.schema.json").read_text())


def _board(*statuses: DefinitionStatus, **question: str) -> Board:
    board = Board.of(Question.parse(question), statuses or lively(), NOW)
    board = board.opening({entry.status.image: versions_of(entry.status) for entry in board.to_open})
    letter = DeadLetter("prune", "m-1", "not JSON", "it is not JSON", NOW)
    return replace(board, sweep=Sweep(NOW, (SweptGallery("g", 1), SweptGallery("h", 0, "denied"))), letters=(letter,))


class _Text(HTMLParser):
    """The words of a page, and the tags and attributes in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_a_glance() -> None:
    """The page says of each definition the newest version, each region with its state in a word, what runs and how long
    that will take, what was pruned and why something is kept.
    """
    text = _Text(page(_board())).text
    for said in (
        "ubuntu-2204",
        "is in 4 of 8 regions, wave 2 of 3, running for 9 min; about 11 min in all, from 4 earlier ones",
        "westus3 45 %",
        "southeastasia waiting for wave 3",
        "eastus2 failed (2 repairs tried): Allocation failed",
        "japaneast not wanted",
        "pruning 9.4.0, 9.4.1",
        "7 more prunes wait for a later pass",
        "scale set web-legacy references 1.0.11",
        "1 dead letter: messages that nobody could handle",
        "it is not JSON",
        "The last sweep could not list h : denied",
        "mode observe",
    ):
        assert said in text, said


PRUNED = Pruned("1.0.1", NOW - 3 * HOUR, NOW - 3 * HOUR, ("eastus2",), {}, 30)
KEPT = Kept("1.0.0", ("eastus2",), "scale set web-prod references it")


@pytest.mark.parametrize(
    ("lately", "line"),
    [
        ({}, []),
        ({"pruned": (PRUNED,)}, ["pruned 1.0.1 3 h ago"]),
        ({"kept": (KEPT,)}, ["1.0.0 stays in eastus2: scale set web-prod references it"]),
        (
            {"pruned": (PRUNED,) * 2, "kept": (KEPT,) * 2, "more_kept": 2},
            ["pruned 1.0.1 3 h ago, and 1 more; 1.0.0 stays in eastus2: scale set web-prod references it; and 3 more"],
        ),
        (
            {"kept": (Kept("1.0.0", ("a", "b", "c", "d", "e"), "why " * 99),)},
            [f"1.0.0 stays in a, b, c and 2 more: {('why ' * 99)[:117]}..."],
        ),
    ],
)
def test_what_happened_lately_is_one_line(lately: dict[str, Any], line: list[str]) -> None:
    """A definition that is not open says in one short line what was pruned last, what is kept and why, and counts the
    rest; where there is nothing to say, there is no line.
    """
    shown = page(Board.of(Question(), [settled("a", **lately)], NOW)).partition("<details")[0]
    found = re.findall(r'<p class="lately">.*?</p>', shown, re.DOTALL)
    assert [_Text(each).text.replace(" ,", ",").replace(" ;", ";").replace(" :", ":") for each in found] == line


def test_a_definition_opens() -> None:
    """A definition by itself shows its versions and regions, and the history."""
    text = _Text(page(_board(definition=str(spreading().image)))).text
    assert "1.0.13 older" in text
    assert "8 older versions are not shown" in text
    assert "win2022-sql" not in text


def test_what_is_not_there() -> None:
    """Before anything was seen, or when nothing is like what was asked for, the page says so."""
    empty = replace(Board.of(Question(), [], NOW), letters=())
    assert "Nothing was seen yet" in page(empty)
    assert "no sweep yet" in page(empty)
    assert "Nothing here is like that" in page(replace(empty, question=Question(text="x")))


def _hostile(words: str) -> DefinitionStatus:
    running = Running(words, NOW, NOW, 1, 1, 0, 1, cause=words)
    return settled(
        "hostile",
        newest=words,
        mode=words,
        places=(Place(words, Standing.FAILED, words), Place(words, Standing.COMPLETE, words)),
        running=(running,),
        refused={words: words},
        newer={words: words},
        pruning=(words,),
        warnings=(words,),
        pruned=(Pruned(words, NOW, NOW, (words,), {words: words}, 1),),
        kept=(Kept(words, (words, words, words, words), words),),
    )


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_words(words: str) -> None:
    """Whatever somebody put into a name, a reason or a message is shown as it is, and is no markup."""
    plain_tags = {tag for tag, _ in _Text(page(_board(_hostile("plain")), "plain")).tags}
    board = _board(_hostile(words))
    board = replace(board, letters=(DeadLetter("prune", words, words, words, NOW),))
    board = replace(board, sweep=Sweep(NOW, (SweptGallery(words, 0, words),)))
    shown = _Text(page(board, words))
    assert {tag for tag, _ in shown.tags} == plain_tags
    assert words in " ".join(shown.words)
    assert not [name for _, given in shown.tags for name in given if name.startswith("on") or name == "style"]
    assert sum(tag == "script" for tag, _ in shown.tags) == 1
    fault = _Text(fault_page(words, words, Question(key=words).query))
    assert sum(tag == "script" for tag, _ in fault.tags) == 0


def test_the_policy_is_strict() -> None:
    """Nothing runs or shows but the page's own style and script, by their hashes; its address is not sent on."""
    given = dict(headers())
    policy = dict(each.split(" ", 1) for each in given["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["form-action"] == policy["connect-src"] == "'self'"
    for kind in ("style-src", "script-src"):
        assert re.fullmatch(r"'sha256-[\w+/]{43}='", policy[kind])
    assert (given["Referrer-Policy"], given["Cache-Control"]) == ("no-referrer", "no-store")


def test_every_link_keeps_the_key() -> None:
    """Every link and form leads to this app, and keeps the key that came in the address; without one, none has it."""
    shown = _Text(page(_board(code="k3y&", q="u")))
    targets = [given[name] for _, given in shown.tags for name in ("href", "action") if given.get(name)]
    ours = [target for target in targets if target and not target.startswith(("#", "data:"))]
    assert len(ours) > 10
    assert not [target for target in ours if "://" in target or target.startswith("/")]
    assert [target for target in ours if "code=k3y%26" not in target] == ["status"]  # a form whose field has it
    assert "code=" not in page(_board())


@pytest.mark.parametrize("question", [{}, {"definition": str(failing().image)}, {"q": "none of them"}, {"page": "9"}])
def test_the_json_is_as_documented(question: dict[str, str]) -> None:
    """status.json is as its published schema says, with nothing more and nothing less."""
    Draft202012Validator.check_schema(SCHEMA)
    told = json.loads(json.dumps(facts(_board(**question))))
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(told)
    empty = facts(Board.of(Question(), [], NOW))
    Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(empty)))


def test_the_json_has_the_facts_of_the_page() -> None:
    """status.json has what the page has: states, progress, estimate, troubles, versions."""
    told = facts(_board(definition=str(spreading().image)))
    (definition,) = told["definitions"]
    assert definition["regions"][4] | {"reason": ""} == {
        "name": "westus3",
        "state": "replicating",
        "progress": 45,
        "replicas": 1,
        "wave": 2,
        "completeSince": None,
        "reason": "",
    }
    assert definition["rollouts"][0]["estimatedSeconds"] == 690
    assert len(definition["matrix"]["versions"]) == 6
    assert told["deadLetters"][0]["id"] == "m-1"


# Words


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (-2 * SECOND, "just now"),
        (-20 * SECOND, "20 s ago"),
        (-12 * MINUTE - 3 * SECOND, "12 min ago"),
        (-2 * DAY - HOUR, "2 d 1 h ago"),
        (3 * HOUR, "in 3 h"),
    ],
)
def test_when(away: object, words: str) -> None:
    """Times are said as people say them."""
    assert ago(NOW + away, NOW) == words  # type: ignore[operator]


def test_times_are_utc() -> None:
    """A time in full is UTC, whatever it was given in."""
    at = datetime.fromisoformat("2026-11-21T10:45:12+02:00")
    assert clock(at) == clock(at.astimezone(UTC)) == "21 Nov 2026, 08:45:12 UTC"


def test_counts_and_durations() -> None:
    """Numbers have their nouns, and thin out in thousands; durations have two units at most."""
    assert (count(1, "version"), count(2000, "version"), count(2, "gallery", "galleries")) == (
        "1 version",
        "2 000 versions",
        "2 galleries",
    )
    assert lasting(3725) == "1 h 2 min"


def test_a_region_in_words() -> None:
    """A region says its state, how many replicas, why, and since when it is complete."""
    assert word(Place("a", Standing.REPLICATING)) == "replicating"
    assert word(Place("a", Standing.WAITING)) == "waiting"
    done = Place("a", Standing.COMPLETE, "the policy names it", 2, None, 1, NOW - HOUR)
    assert hint(done, NOW) == "a: complete; the policy names it; 2 replicas; seen complete 1 h ago"
    assert hint(Place("a", Standing.MISSING, "missing", 1), NOW) == "a: missing; 1 replica"


def test_how_long_it_will_take() -> None:
    """Without an earlier rollout nothing is estimated; one that takes longer than those before is said to."""
    status = replace(spreading(), finished=())
    (running,) = status.running
    assert going(running, status, NOW).endswith("running for 9 min")
    one = replace(status, finished=spreading().finished[:1])
    assert going(running, one, NOW).endswith("about 11 min in all, from 1 earlier one")
    assert going(running, one, NOW + HOUR).endswith(", longer than usual")
