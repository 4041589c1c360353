"""The quart-trio application for everything that is not the API."""

from typing import Final, cast

from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.web.api.observing import UNMATCHED
from app.web.errors import page_problem
from app.web.pages.assets import Asset, Assets
from app.web.pages.observed import REQUEST_ID, ASGIApplication, Observed

# The addresses that the UI knows what to do with; see `static/js/core/router.js`. It answers to all others as well,
# with 404 and a page that says so.
CLIENT_ROUTES: Final = (
    "/",
    "/today",
    "/upcoming",
    "/completed",
    "/search",
    "/settings",
    "/tag/<path:tag>",
    "/task/<id>",
    "/sign-in",
    "/register",
)
_EXACT: Final = frozenset(
    {*CLIENT_ROUTES, "/docs", "/ops", "/ws", "/sw.js", "/manifest.webmanifest", "/favicon.ico", "/robots.txt"}
)
# A year, which is what "for ever" may be.
_FOR_EVER: Final = "public, max-age=31536000, immutable"
# Kept, but asked about each time.
_ASK_FIRST: Final = "no-cache"


class Pages:
    """The routes, each a method."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets

    def add_to(self, app: QuartTrio) -> None:
        """Declare the routes and what happens outside of them."""
        for path in CLIENT_ROUTES:
            app.add_url_rule(path, "shell", self.shell)
        app.add_url_rule("/docs", "docs", self.docs)
        app.add_url_rule("/ops", "ops", self.ops)
        app.add_url_rule("/sw.js", "service_worker", self.service_worker)
        app.add_url_rule("/manifest.webmanifest", "manifest", self.manifest)
        app.add_url_rule("/favicon.ico", "favicon", self.favicon)
        app.add_url_rule("/robots.txt", "robots", self.robots)
        app.add_url_rule("/ws", "websocket", self.websocket)
        app.add_url_rule("/static/<version>/<path:name>", "asset", self.asset)
        app.register_error_handler(HTTPException, self.refuse)

    async def shell(self, **_parameters: str) -> Response:
        """Return the UI; the rest of the address is its own business."""
        return self._file("index.html")

    async def docs(self) -> Response:
        """Return the page on which the API can be tried."""
        return self._file("docs/index.html")

    async def ops(self) -> Response:
        """Return the operators' page. Who may see what it shows is decided where it asks."""
        return self._file("ops.html")

    async def service_worker(self) -> Response:
        """Return the service worker. Its address decides what it may serve, so it lives at the root."""
        return self._file("sw.js")

    async def manifest(self) -> Response:
        """Return what makes the UI installable."""
        return self._file("manifest.webmanifest")

    async def favicon(self) -> Response:
        """Return the icon that browsers ask for where a page names none."""
        return self._file("icons/icon-192.png")

    async def robots(self) -> Response:
        """Tell search engines that there is nothing for them."""
        return Response("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")

    async def websocket(self) -> Response:
        """Say that a WebSocket is opened here; upgrades do not come this way (RFC 9110, 15.5.22)."""
        content_type, body = page_problem(426, _request_id())
        return Response(body, 426, {"Upgrade": "websocket"}, content_type=content_type)

    async def asset(self, version: str, name: str) -> Response:
        """Return a file. An address of an older version is gone: its files would not fit together with ours."""
        asset = self._assets.files.get(name) if version == self._assets.version else None
        return _gone() if asset is None else _response(asset, _FOR_EVER)

    async def refuse(self, error: HTTPException) -> Response:
        """Answer to what no route answers to: people get the UI, which says so; programs get a problem."""
        status = error.code or 500
        is_for_people = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
        if status == 404 and is_for_people and request.method in {"GET", "HEAD"}:
            response = self._file("index.html")
            response.status_code = 404
            return response
        methods = error.valid_methods if isinstance(error, MethodNotAllowed) else None
        allow = {"Allow": ", ".join(sorted(methods))} if methods else {}
        content_type, body = page_problem(status, _request_id())
        return Response(body, status, allow, content_type=content_type)

    def _file(self, name: str) -> Response:
        asset = self._assets.files.get(name)
        return _gone() if asset is None else _response(asset, _ASK_FIRST)


def _response(asset: Asset, cache_control: str) -> Response:
    headers = {"Cache-Control": cache_control, "ETag": asset.etag, "Vary": "Accept-Encoding"}
    if asset.etag.strip('"') in request.if_none_match:
        return Response(b"", 304, headers)
    if asset.gzipped is not None and request.accept_encodings["gzip"]:
        return Response(asset.gzipped, headers=headers | {"Content-Encoding": "gzip"}, content_type=asset.content_type)
    return Response(asset.body, headers=headers, content_type=asset.content_type)


def _gone() -> Response:
    content_type, body = page_problem(404, _request_id())
    return Response(body, 404, content_type=content_type)


def _request_id() -> str:
    return str(request.scope[REQUEST_ID])  # type: ignore[typeddict-item] # ours, not of the standard


def _route_of(path: str) -> str:
    """Return the name of a path's route, for metrics."""
    if path.startswith("/static/"):
        return "/static/{path}"
    first, _, rest = path[1:].partition("/")
    if first in {"tag", "task"} and rest:
        return f"/{first}/{{id}}"
    return path if path in _EXACT else UNMATCHED


def create_pages(assets: Assets | None = None) -> Observed:
    """Return the ASGI application for the pages."""
    app = QuartTrio(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # an address is what it is; nobody is sent elsewhere
    # The edge has limits of its own on how long a body or a response may take.
    app.config.update(BODY_TIMEOUT=None, RESPONSE_TIMEOUT=None, MAX_CONTENT_LENGTH=1024)
    Pages(assets or Assets.load()).add_to(app)
    return Observed(cast("ASGIApplication", app), _route_of)
