"""The page in a real browser: served by the app in its host, over rows that are planted in the table."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Browser, Page, expect

from local.host.process import HostProcess
from shared.adapters.dead_letters import DeadLetters
from shared.adapters.records import Records
from shared.core.status import Kept, Place, Pruned, Running, Standing
from shared.settings import Storage
from tests.browser import planted
from tests.browser.planted import HOSTILE, NOW, bury, lively, plant, settled

pytestmark = pytest.mark.flow

ROOT = Path(__file__).parents[2]
BREADTH = 390
"""Of a phone."""


class Served:
    """The app in its host, with what is in its table."""

    def __init__(self, host: HostProcess, records: Records, storage: str) -> None:
        self.host, self.records, self.storage = host, records, storage
        self.letters = DeadLetters(Storage(storage), None)

    def url(self, path: str = "status", **asked: str) -> str:
        """Give an address, with the key."""
        more = "".join(f"&{name}={value}" for name, value in asked.items())
        return f"{self.host.url}/api/{path}?code={self.host.key}{more}"

    def get(self, path: str, *, key: str | None = None, method: str = "GET") -> tuple[int, str]:
        """Ask as a program does: with the key in a header, or without one."""
        request = urllib.request.Request(f"{self.host.url}/api/{path}", method=method)  # noqa: S310  our own host
        if key is not None:
            request.add_header("x-functions-key", key)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  the same
                return answer.status, answer.read().decode()
        except HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()


@pytest.fixture(scope="module")
def served(accounts: Iterator[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app in its host, with a lively gallery in its table, and an Azure that nobody can reach."""
    storage = next(accounts)
    records = plant(storage, lively())
    settings = {
        "AzureWebJobsStorage": storage,
        "ARM_ENDPOINT": "http://127.0.0.1:9",
        "GALLERIES": f"{planted.PROD} {planted.EDGE}",
        "TARGET_REGIONS": "westeurope eastus2",
        "SWEEP_SCHEDULE": "0 0 3 1 1 *",
    }
    with HostProcess(ROOT, settings, tmp_path_factory.mktemp("host") / "host.log") as host:
        yield Served(host, records, storage)


def _open(page: Page, name: str) -> None:
    """Open a definition by its name."""
    article = page.locator("article", has=page.get_by_role("heading", name=name))
    article.locator("details[data-handle] > summary").click()
    expect(article.locator("table.matrix")).to_be_visible()


def test_a_glance(served: Served, page: Page, picture: Callable[[str], None]) -> None:
    """The page shows what needs attention first, each region with shape and word, what was pruned lately and what is
    kept and why; and it opens.

    It asks nobody but its own host, and breaks none of its own rules.
    """
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.url())
    expect(page).to_have_title("1 needs attention · Gallery Fanout")
    names = page.locator("article h3 a").all_inner_texts()
    assert [name.rpartition("/")[2].strip() for name in names][:3] == ["win2022-sql", "rhel-9", "ubuntu-2204"]
    chips = page.locator("article", has_text="ubuntu-2204").locator(".chip")
    expect(chips).to_have_count(8)
    assert all(chip.locator("svg").count() == 1 and chip.locator(".word").inner_text() for chip in chips.all())
    lately = page.locator("article", has_text="ubuntu-2204").locator(".lately")
    expect(lately).to_be_visible()
    expect(lately).to_have_text(
        "pruned 1.0.12 2 d ago, and 1 more; "
        "1.0.11 stays in southeastasia: scale set web-legacy references 1.0.11; and 2 more"
    )
    picture("status")
    _open(page, "ubuntu-2204")
    expect(page.locator("table.matrix tbody tr")).to_have_count(6)
    picture("status-open")
    assert all(url.startswith((served.host.url, "data:")) for url in asked)


def test_the_key_is_required(served: Served) -> None:
    """Without the key, or with another, nothing is told and nothing done; in a header it counts as in the address."""
    image = str(lively()[0].image)
    for path, method in (
        ("status", "GET"),
        ("status.json", "GET"),
        (f"reconcile?definition={image}", "POST"),
        ("dead-letters/prune/replay", "POST"),
    ):
        assert served.get(path, method=method)[0] == 401
        assert served.get(path, key="another", method=method)[0] == 401
    assert served.get("status", key=served.host.key)[0] == 200


def test_hostile_names_do_not_run(served: Served, page: Page, picture: Callable[[str], None]) -> None:
    """Markup, scripts, templates and directions of writing in names and reasons are shown, and do nothing."""
    for at, words in enumerate(HOSTILE):
        failed = Place(words, Standing.FAILED, words)
        running = Running(words, NOW, NOW, 1, 1, 0, 1, cause=words)
        status = settled(
            f"hostile-{at}",
            newest=f"1.0.{at}",
            places=(failed,),
            running=(running,),
            refused={words: words},
            pruned=(Pruned(words, NOW, NOW, (words,), {words: words}, 1),),
            kept=(Kept(words, (words,), words),),
        )
        plant(served.storage, [status], sweep=False)
    page.goto(served.url(q="hostile"))
    expect(page.locator("article")).to_have_count(len(HOSTILE))
    for handle in page.locator("details[data-handle] > summary").all()[:3]:
        handle.click()
    expect(page.locator("table.matrix")).to_have_count(3)
    assert "attention" in page.title()
    assert page.evaluate("document.querySelectorAll('main script, main img, main iframe').length") == 0
    page.set_viewport_size({"width": BREADTH, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture("status-hostile")
    for at in range(len(HOSTILE)):
        served.records.forget(planted.image(f"hostile-{at}"))


def test_what_is_planted_as_script_is_not_allowed(served: Served, browser: Browser) -> None:
    """Even if markup got into the page, its policy lets no other script run and nothing be loaded from elsewhere."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(served.url())
        assert set(page.evaluate(_BREAK_IN)) == {"script-src-elem", "frame-src", "img-src"}
        assert page.title() != "run"


_BREAK_IN = """() => new Promise((done) => {
  const broken = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    broken.push(event.effectiveDirective);
    if (broken.length === 3) done(broken);
  });
  const plant = (tag, given) => document.body.append(Object.assign(document.createElement(tag), given));
  plant("script", { textContent: "document.title = 'run'" });
  plant("iframe", { src: "https://example.org/" });
  plant("img", { src: "https://example.org/" });
})"""


def test_finding(served: Served, page: Page) -> None:
    """One finds definitions by name, gallery and state, keeps the key on the way, and gets back to all."""
    page.goto(served.url())
    page.get_by_role("searchbox").fill("UBUNTU")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("article")).to_have_count(2)
    page.get_by_role("link", name="running").click()
    expect(page.locator("article")).to_have_count(1)
    page.get_by_role("link", name="ubuntu-2204").click()
    expect(page.locator("table.matrix")).to_be_visible()
    page.get_by_role("link", name="Gallery Fanout").click()
    expect(page.locator("article")).to_have_count(len(lively()))
    page.locator("select[name=gallery]").select_option("edgegallery")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("article")).to_have_count(1)


def test_a_refresh_loses_no_place(served: Served, page: Page) -> None:
    """A refresh brings what is new, and leaves open what was open, scrolled what was scrolled, focused what was."""
    page.set_viewport_size({"width": 500, "height": 400})
    page.goto(served.url())
    _open(page, "ubuntu-2204")
    table = page.locator(".scroll")
    table.evaluate("each => { each.scrollLeft = 60 }")
    page.locator("article", has_text="ubuntu-2404").scroll_into_view_if_needed()
    summary = page.locator("article", has_text="ubuntu-2204").locator("details[data-handle] > summary")
    summary.evaluate("each => each.focus({ preventScroll: true })")
    before = page.evaluate("scrollY")
    assert before > 100
    served.records.change(planted.image("ubuntu-2404"), lambda _: settled("ubuntu-2404", newest="2.4.2"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("article", has_text="ubuntu-2404")).to_contain_text("2.4.2")
    expect(table).to_be_visible()
    assert table.evaluate("each => each.scrollLeft") == 60
    assert abs(page.evaluate("scrollY") - before) <= 2
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.reload()
    expect(page.locator("table.matrix")).to_be_visible()
    served.records.change(planted.image("ubuntu-2404"), lambda _: settled("ubuntu-2404"))


def test_without_scripts(served: Served, browser: Browser) -> None:
    """Without scripts a link opens a definition, and the page asks for itself once a minute."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(served.url())
        assert '<meta http-equiv="refresh" content="60">' in page.content()
        article = page.locator("article", has_text="ubuntu-2204")
        article.locator("summary").click()
        article.get_by_role("link", name="Show its versions").click()
        expect(page.locator("table.matrix")).to_be_visible()


@pytest.mark.parametrize("look", ["dark", "phone", "phone-dark"])
def test_looks(served: Served, browser: Browser, look: str) -> None:
    """By night and on a phone all is there, readable, and nothing has to be scrolled sideways."""
    size = {"width": BREADTH, "height": 844} if "phone" in look else {"width": 1200, "height": 800}
    with browser.new_context(viewport=size, color_scheme="dark" if "dark" in look else "light") as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(served.url())
        _open(page, "ubuntu-2204")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(_FAINT) == []
        ROOT.joinpath("artefacts").mkdir(exist_ok=True)
        page.screenshot(path=ROOT / "artefacts" / f"status-{look}.png", full_page=True)


_FAINT = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    if (!element.checkVisibility() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(element.className + " " + element.textContent);
  }
  return faint;
}"""
"""Texts with less contrast than 4.5 to 1, which is what WCAG asks for."""


def test_dead_letters_are_put_back(served: Served, page: Page) -> None:
    """Dead letters are shown with reason and text; a button puts one back into its queue, and another one all of them.

    Nobody can read these, so that each is soon a dead letter again: with its text as it was.
    """
    for name in ("a", "b"):
        bury(served.storage, "prune", name, f"nonsense <b>{name}</b>", "it is not JSON")
    page.goto(served.url())
    letters = page.locator("#letters")
    expect(letters).to_contain_text("2 dead letters")
    letters.get_by_text("message", exact=True).first.click()
    expect(letters.locator("pre").first).to_contain_text("nonsense <b>")
    letters.get_by_role("button", name="Put all back").click()
    expect(page.get_by_role("status")).to_have_text("2 put back into the queue.")
    assert "code=" in page.url
    served.host.log()
    assert _until(lambda: sorted(letter.body for letter in served.letters.find(most=9))) == [
        "nonsense <b>a</b>",
        "nonsense <b>b</b>",
    ]
    assert not {"a", "b"} & {letter.name for letter in served.letters.find(most=9)}

    one, two = served.letters.find(most=9)
    code, text = served.get(f"dead-letters/prune/replay?id={one.name}", key=served.host.key, method="POST")
    assert (code, json.loads(text)) == (200, {"queue": "prune", "replayed": 1, "more": False})
    assert served.get(f"dead-letters/prune/replay?id={one.name}", key=served.host.key, method="POST")[0] == 404
    assert served.get("dead-letters/nonsense/replay", key=served.host.key, method="POST")[0] == 404
    assert two in served.letters.find(most=9)


def _until(give: Callable[[], list[str]]) -> list[str]:
    """Wait until there are two of them."""
    import time

    end = time.monotonic() + 15
    while len(found := give()) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    return found


def test_asking_for_a_pass(served: Served, page: Page) -> None:
    """A pass can be asked for by a program, and by the button of an open definition, over what is managed."""
    image = str(lively()[3].image)
    code, text = served.get(f"reconcile?definition={image}", key=served.host.key, method="POST")
    assert (code, json.loads(text)) == (202, {"definition": image})
    assert served.get("reconcile", key=served.host.key, method="POST")[0] == 400
    assert served.get("reconcile?definition=x", key=served.host.key, method="POST")[0] == 400
    other = image.replace("prodgallery", "another")
    assert served.get(f"reconcile?definition={other}", key=served.host.key, method="POST")[0] == 404
    page.goto(served.url(definition=image))
    page.get_by_role("button", name="Look at it now").click()
    expect(page.get_by_role("status")).to_contain_text("A pass was asked for")
    expect(page.locator("article")).to_have_count(1)


def test_what_cannot_be_answered(served: Served, page: Page) -> None:
    """A question without sense, and a definition that nobody knows, are refused in words, to people and programs."""
    key = served.host.key
    assert served.get("status.json?page=x", key=key)[0] == 400
    assert served.get("status?state=odd", key=key)[0] == 400
    unknown = str(planted.image("unknown"))
    code, text = served.get(f"status.json?definition={unknown}", key=key)
    assert code == 404
    assert "Nothing is recorded" in json.loads(text)["error"]
    assert served.get(f"status?definition={unknown}", key=key)[0] == 404
    assert json.loads(served.get("status.json", key=key)[1])["total"] == len(lively())
    page.goto(served.url())
    _open(page, "ubuntu-2204")
