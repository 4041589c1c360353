"""What a browser that was never here has to fetch before the list is there."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Response

    from tests.e2e.conftest import Visitor

# Before compression; the list and everything it needs to be used. Details, palette and the like come when asked for.
MOST_JAVASCRIPT = 80_000


def test_a_first_load_takes_less_javascript_than_was_promised(anna: Visitor) -> None:
    scripts: dict[str, int] = {}

    def seen(response: Response) -> None:
        # The service worker fetches the rest for offline use, when the page is there.
        if "javascript" in response.headers.get("content-type", "") and response.request.service_worker is None:
            scripts[urllib.parse.urlsplit(response.url).path.partition("/js/")[2]] = len(response.body())

    anna.context.on("response", seen)

    anna.register().wait_for_load_state("networkidle")

    assert "main.js" in scripts
    assert sum(scripts.values()) < MOST_JAVASCRIPT, sorted(scripts.items(), key=lambda each: -each[1])
