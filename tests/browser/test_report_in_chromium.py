"""The page of a search in a real browser: silent, asking for nothing, and of use to everybody."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from facesearch.cli import main

pytestmark = pytest.mark.browser

HOSTILE = "<img src=//example.invalid/x onerror=alert(1)>"
SCREENS = [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def run(*arguments):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="facesearch")
    assert result.exit_code == 0, result.stderr


@pytest.fixture(scope="module")
def pages(tmp_path_factory, samples, vision_cache):
    """Pages about sample queries, as a user has them made: of one photo, of several, and redacted."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "cache").symlink_to(vision_cache)
    queries = samples / "queries"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACESEARCH_HOME", str(folder))
        run("enroll", samples / "people", "-c", "staff")
        run("enroll", queries / "stranger.jpg", "-c", "staff", "--person", HOSTILE)
        common = ("-c", "staff", "--threshold", "30", "--faces", "all", "--report")
        run("search", queries / "amara.jpg", *common, folder / "one.html")
        some = [queries / f"{name}.jpg" for name in ("group", "amara", "lake", "sideways", "stranger")]
        run("search", *some, *common, folder / "all.html")
        run("search", *some, *common, folder / "redacted.html", "--redact")
    return {name: folder / f"{name}.html" for name in ("one", "all", "redacted")}


def requests(chromium):
    return [url for url in chromium.asked_for if not url.startswith("data:")]


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
@pytest.mark.parametrize("name", ["one", "all", "redacted"])
def test_a_page_is_silent_asks_for_nothing_and_can_be_used_by_everybody(
    chromium, axe, pages, name, width, scheme
):
    chromium.open(pages[name], width=width, scheme=scheme)
    chromium.ask("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert chromium.said == []
    assert requests(chromium) == [pages[name].as_uri()]
    assert chromium.ask("document.documentElement.scrollWidth") <= width
    chromium.ask(f"{axe}; true")
    tags = json.dumps({"runOnly": RULES, "resultTypes": ["violations"]})
    found = chromium.ask(f"axe.run({tags}).then(all => JSON.stringify([all.violations, all.passes.length]))")
    violations, passes = json.loads(found)
    assert passes > 20
    assert [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"]) for one in violations
    ] == []


def test_the_colours_follow_the_reader(chromium, pages):
    grounds = []
    for scheme in ("light", "dark"):
        chromium.open(pages["one"], width=1280, scheme=scheme)
        grounds.append(chromium.ask("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(245, 244, 240)", "rgb(19, 20, 22)"]


def test_names_are_text_in_a_browser_too(chromium, pages):
    chromium.open(pages["all"], width=1280)
    titles = chromium.ask("[...document.querySelectorAll('h3 bdi')].map(one => one.textContent)")
    assert HOSTILE in titles
    assert chromium.ask("[...document.images].every(one => one.src.startsWith('data:image/jpeg'))")


def test_what_somebody_puts_into_a_page_is_neither_loaded_nor_run(chromium, pages):
    chromium.open(pages["one"], width=1280)
    refused = """new Promise(done => {
        const refused = [];
        document.addEventListener("securitypolicyviolation", event => {
            refused.push(event.effectiveDirective);
            if (refused.length == 3) done(refused.sort());
        });
        document.body.append(Object.assign(new Image(), {src: "https://example.invalid/x.png"}));
        document.body.append(Object.assign(document.createElement("style"), {textContent: "p {color: red}"}));
        document.body.append(Object.assign(document.createElement("script"), {textContent: "window.ran = 1"}));
    })"""
    assert chromium.ask(refused) == ["img-src", "script-src-elem", "style-src-elem"]
    assert chromium.ask("window.ran") is None


def test_every_link_can_be_reached_and_seen_by_keyboard(chromium, pages):
    chromium.open(pages["all"], width=1280)
    wanted = chromium.ask("document.querySelectorAll('a, summary').length")
    chromium.press("Tab")
    assert chromium.ask("document.activeElement.textContent") == "Skip to the photos"
    assert chromium.ask("document.activeElement.getBoundingClientRect().top") >= 0
    reached = 1
    while reached < wanted:
        chromium.press("Tab")
        assert chromium.ask(SEEN), chromium.ask("document.activeElement.outerHTML")
        reached += 1
    chromium.press("Tab")
    assert chromium.ask("document.activeElement === document.body")


# A link has an outline, and a box in a photo, which cannot have one, a line that is thicker than before
SEEN = """(() => {
    const at = document.activeElement;
    if (at === document.body) return false;
    if (at.closest("svg")) return parseFloat(getComputedStyle(at.querySelector(".line")).strokeWidth) > 4;
    return getComputedStyle(at).outlineStyle === "solid";
})()"""


def test_a_box_leads_to_what_is_said_of_its_face(chromium, pages):
    chromium.open(pages["all"], width=360)
    chromium.ask("document.querySelector('svg.boxes a').focus()")
    chromium.press("Enter")
    assert chromium.ask("location.hash === document.querySelector('svg.boxes a').getAttribute('href')")
    assert chromium.ask("document.querySelector('article:target').getBoundingClientRect().top") < 900


def test_boxes_lie_on_the_faces_at_every_width(chromium, pages):
    shares = """[...document.querySelector("#photo-1 .marked").children].map(one => one.getBoundingClientRect())
        .map(box => [box.left, box.top, box.right, box.bottom].map(Math.round))"""
    for width in (360, 1280):
        chromium.open(pages["all"], width=width)
        photo, boxes = chromium.ask(shares)
        assert photo == boxes


def test_a_page_can_be_printed(chromium, pages):
    chromium.open(pages["all"], width=794, scheme="dark", media="print")
    assert chromium.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert chromium.ask("document.documentElement.scrollWidth") <= 794
    breaks = "[...document.querySelectorAll('article')].map(one => getComputedStyle(one).breakInside)"
    assert set(chromium.ask(breaks)) == {"avoid"}
    assert len(chromium.call("Page.printToPDF", printBackground=True)["data"]) > 100_000


def test_the_page_is_one_file(pages):
    folder = Path(pages["one"]).parent
    assert sorted(path.name for path in folder.glob("*.html")) == ["all.html", "one.html", "redacted.html"]
    assert not list(folder.glob(".*.tmp"))
