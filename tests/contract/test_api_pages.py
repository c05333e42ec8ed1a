"""Probes and the documentation's pages: no token, nothing from another host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
from support.api import Api, body_of

PAGES = ["/docs", "/docs/swagger", "/docs/redoc", "/docs/problems"]
OWN_SCRIPTS = ["/docs/assets/swagger.js", "/docs/assets/redoc.js", "/docs/assets/docs.css"]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.close()


class _Links(HTMLParser):
    """Collects what a page loads or links to, and whether a script stands inside it."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = [value for name, value in attrs if name in {"src", "href"} and value]
        self.links += found
        self.inline += (tag == "script" and not found) or tag == "style"
        self.inline += any(name.startswith("on") or name == "style" for name, _ in attrs)


def links_of(api: Api, page: str) -> _Links:
    links = _Links()
    links.feed(api.client.get(page).text)
    return links


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_no_token_and_all_it_links_to_is_there(api: Api, page: str) -> None:
    answer = api.client.get(page)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    links = links_of(api, page)
    assert links.links
    for link in links.links:
        assert not re.match(r"[a-z]+:|//", link), f"{link} leads to another host"
        assert api.client.get(urljoin(page, link)).status_code == 200, link


@pytest.mark.parametrize("page", PAGES)
def test_a_page_may_load_nothing_from_elsewhere_and_runs_no_script_of_its_own(api: Api, page: str) -> None:
    policy = dict(
        part.strip().split(" ", 1)
        for part in api.client.get(page).headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert not any("http" in sources or "*" in sources for sources in policy.values())
    assert links_of(api, page).inline == 0


@pytest.mark.parametrize("path", OWN_SCRIPTS)
def test_our_own_scripts_name_no_host(api: Api, path: str) -> None:
    answer = api.client.get(path)
    assert answer.status_code == 200
    assert "//" not in re.sub(r"^//.*$", "", answer.text, flags=re.MULTILINE)


def test_the_programs_on_the_pages_read_this_servers_document(api: Api) -> None:
    for script in ("/docs/assets/swagger.js", "/docs/assets/redoc.js"):
        found = re.search(r'"(\.\./[a-z.]+)"', api.client.get(script).text)
        assert found is not None
        # Relative to the page that runs the script, not to the script.
        assert api.client.get(urljoin("/docs/swagger", found[1])).mimetype == "application/json"


def test_assets_are_kept_by_browsers_and_answers_are_not(api: Api) -> None:
    asset = api.client.get("/docs/assets/redoc.standalone.js")
    assert asset.headers["Cache-Control"] == "public, max-age=3600"
    again = api.client.get(
        "/docs/assets/redoc.standalone.js", headers={"If-None-Match": asset.headers["ETag"]}
    )
    assert again.status_code == 304
    asset.close()
    for path in ("/healthz", "/readyz", "/openapi.json", "/api/updates"):
        assert api.get(path).headers["Cache-Control"] == "no-store"


def test_the_root_leads_to_the_pages(api: Api) -> None:
    answer = api.client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "docs")


def test_a_slash_at_the_end_leads_to_the_index(api: Api) -> None:
    answer = api.client.get("/docs/")
    assert (answer.status_code, urljoin("/docs/", answer.headers["Location"])) == (302, "/docs")


def test_the_page_of_problems_shows_code_as_code(api: Api) -> None:
    page = api.client.get("/docs/problems").text
    assert "Send <code>Authorization: Bearer TOKEN</code>. The operator" in page
    assert "`" not in page


def test_the_index_lists_every_route_of_the_api(api: Api) -> None:
    page = api.client.get("/docs").text
    for path in body_of(api.client.get("/openapi.json"))["paths"]:
        assert f"<code>{path}</code>" in page
    assert "1.2.3" in page


def test_healthz_only_says_that_the_process_answers(api: Api) -> None:
    api.store.close()
    answer = api.client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "version": "1.2.3"})


def test_readyz_is_200_while_requests_can_be_stored_and_lists_what_is_wrong(api: Api) -> None:
    api.send()
    api.problems = ["The config repo cannot be reached: no route to host."]
    answer = api.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"ready": True, "problems": api.problems, "pending": 1}


def test_readyz_is_503_when_requests_cannot_be_stored(api: Api) -> None:
    api.problems = ["Something else."]
    api.store.close()
    answer = api.client.get("/readyz")
    assert answer.status_code == 503
    body = body_of(answer)
    assert body["ready"] is False
    assert body["pending"] is None
    assert len(body["problems"]) == 2
    assert "is closed" in body["problems"][0]


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/openapi.json", "/docs/assets/docs.css"])
def test_head_is_get_without_the_body(api: Api, path: str) -> None:
    get, head = api.client.get(path), api.client.head(path)
    assert head.status_code == 200
    assert head.data == b""
    assert head.headers["Content-Length"] == str(len(get.data))
