"""The shell for every address of the UI, its files for ever, and nothing else."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

from app.web.pages import create_pages
from app.web.pages.assets import Assets
from app.web.security import SECURITY_HEADERS
from monitoring import metrics

# The client leaves the generator of an empty request body to the garbage collector, which Python 3.13 mentions.
pytestmark = pytest.mark.filterwarnings("ignore:.*ByteStream:pytest.PytestUnraisableExceptionWarning")

FILES = {
    "index.html": '<link href="{{static}}/css/a.css">' + " " * 100,
    "docs/index.html": '<script src="{{static}}/docs/main.js"></script>',
    "sw.js": "// worker",
    "manifest.webmanifest": '{"icons": [{"src": "{{static}}/icons/icon.svg"}]}',
    "css/a.css": "a {}" * 100,
    "js/types.d.ts": "declare",
    "icons/icon-192.png": "png",
    ".hidden": "secret",
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "secret.js").write_text("secret")
    return tmp_path / "static"


@pytest.fixture
def assets(directory: Path) -> Assets:
    return Assets.load(directory)


@pytest.fixture
async def http(assets: Assets) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=cast("Any", create_pages(assets)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://rondo.test", trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/today", "/upcoming", "/completed", "/search?q=x", "/tag/a/b", "/task/1", "/sign-in", "/register"]
)
async def test_every_address_of_the_ui_is_the_shell(http: httpx2.AsyncClient, assets: Assets, path: str) -> None:
    response = await http.get(path)

    assert response.status_code == 200
    assert f"/static/{assets.version}/css/a.css" in response.text
    assert response.headers["cache-control"] == "no-cache"


async def test_the_shell_is_not_sent_again_to_who_has_it(http: httpx2.AsyncClient) -> None:
    first = await http.get("/")

    second = await http.get("/", headers={"if-none-match": first.headers["etag"]})

    assert (second.status_code, second.content) == (304, b"")


async def test_a_file_is_kept_for_ever(http: httpx2.AsyncClient, assets: Assets) -> None:
    response = await http.get(f"/static/{assets.version}/css/a.css")

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_file_is_compressed_for_who_can_read_that(http: httpx2.AsyncClient, assets: Assets) -> None:
    path = f"/static/{assets.version}/css/a.css"

    packed = await http.get(path, headers={"accept-encoding": "gzip"})
    plain = await http.get(path, headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert packed.content == plain.content
    assert packed.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "name", ["css/b.css", "../secret.js", "%2e%2e/secret.js", ".hidden", "js/types.d.ts", "", "css", "/etc/passwd"]
)
async def test_nothing_else_is_a_file(http: httpx2.AsyncClient, assets: Assets, name: str) -> None:
    response = await http.get(f"/static/{assets.version}/{name}")

    assert response.status_code == 404
    assert "secret" not in response.text


async def test_files_of_another_version_are_gone(http: httpx2.AsyncClient) -> None:
    response = await http.get("/static/0000000000000000/css/a.css")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_the_version_changes_with_any_file(directory: Path, assets: Assets) -> None:
    (directory / "css" / "a.css").write_text("b {}")

    assert Assets.load(directory).version != assets.version


async def test_the_service_worker_and_the_manifest_live_at_the_root(http: httpx2.AsyncClient, assets: Assets) -> None:
    worker = await http.get("/sw.js")
    manifest = await http.get("/manifest.webmanifest")

    assert worker.headers["content-type"] == "text/javascript; charset=utf-8"
    assert worker.headers["cache-control"] == "no-cache"
    assert manifest.headers["content-type"] == "application/manifest+json"
    assert json.loads(manifest.text)["icons"][0]["src"] == f"/static/{assets.version}/icons/icon.svg"


async def test_small_things_that_browsers_and_robots_ask_for(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/favicon.ico")).headers["content-type"] == "image/png"
    assert "Disallow: /" in (await http.get("/robots.txt")).text


async def test_who_opens_no_websocket_is_told_that_one_is_here(http: httpx2.AsyncClient) -> None:
    response = await http.get("/ws")

    assert (response.status_code, response.headers["upgrade"]) == (426, "websocket")
    assert response.json()["code"] == "upgrade_required"


async def test_people_who_are_lost_get_the_shell_and_programs_a_problem(http: httpx2.AsyncClient) -> None:
    people = await http.get("/nowhere", headers={"accept": "text/html,*/*;q=0.8"})
    program = await http.get("/nowhere", headers={"accept": "application/json"})

    assert (people.status_code, "css/a.css" in people.text) == (404, True)
    assert (program.status_code, program.json()["code"]) == (404, "not_found")
    assert program.json()["requestId"] == program.headers["x-request-id"]


async def test_a_page_cannot_be_posted_to(http: httpx2.AsyncClient) -> None:
    response = await http.post("/today", content=b"x")

    assert response.status_code == 405
    assert "GET" in response.headers["allow"]
    assert response.json()["code"] == "method_not_allowed"


@pytest.mark.accepts("X17")
@pytest.mark.parametrize("path", ["/", "/docs", "/sw.js", "/robots.txt", "/nowhere", "/static/x/y"])
async def test_every_page_is_guarded(http: httpx2.AsyncClient, path: str) -> None:
    response = await http.get(path)

    for name, value in SECURITY_HEADERS:
        assert response.headers[name.decode()] == value.decode()
    assert "server" not in response.headers
    assert response.headers["x-request-id"]


async def test_pages_are_measured_by_few_names(http: httpx2.AsyncClient) -> None:
    routes = ("/task/{id}", "/static/{path}", "(unmatched)", "/docs")
    counters = [metrics.HTTP_REQUEST_DURATION_SECONDS.labels("GET", route) for route in routes]
    before = [counter.sum for counter in counters]

    for path in ("/task/1", "/static/x/y", "/nowhere", "/docs"):
        await http.get(path)

    assert all(counter.sum > was for counter, was in zip(counters, before, strict=True))


def test_the_real_files_have_nothing_inline_and_nothing_from_elsewhere() -> None:
    assets = Assets.load()

    for name in ("index.html", "docs/index.html"):
        page = assets.files[name].body.decode()
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
        for path in re.findall(rf"/static/{assets.version}/([^\"]+)", page):
            assert path in assets.files
    assert all(gzip.decompress(one.gzipped) == one.body for one in assets.files.values() if one.gzipped is not None)
