"""Lets the monkey play for long: ``python -m tests.e2e.monkey --minutes 30 --seed 1``, in rounds of a minute."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from tests.e2e import firefox
from tests.e2e.conftest import ARGUMENTS, CHROMIUM, RESULTS
from tests.e2e.monkey.monkey import Monkey
from tests.fixtures.line import laid
from tests.fixtures.rondo import running_rondo

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROUND_SECONDS = 60.0


def main() -> int:
    """Play round after round; end with 1 at the first disagreement, and say where it is written down."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.monkey", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--browser", choices=["chromium", "firefox"], default="chromium")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended all the same
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        with running_rondo(folder / "data") as rondo:
            if options.browser == "firefox":
                with firefox.running(playwright, folder) as browser:
                    return _play(browser, rondo.url, options)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            code = _play(browser, rondo.url, options)
            browser.close()
            return code


def _play(browser: Browser, url: str, options: argparse.Namespace) -> int:
    RESULTS.mkdir(exist_ok=True)
    diary = RESULTS / f"monkey-{options.browser}-{options.seed}.log"
    began = time.monotonic()
    with diary.open("w", buffering=1) as book, laid(urlsplit(url).port or 0) as line:

        def tell(words: str) -> None:
            if not book.closed:  # a request that ends with its page is told of after the end
                book.write(f"{time.monotonic() - began:8.2f} {words}\n")

        monkey = Monkey(browser, line, url, options.seed, tell)
        rounds = 0
        while time.monotonic() - began < 60 * options.minutes:
            try:
                monkey.play(ROUND_SECONDS)
                monkey.agree()
            except AssertionError as error:
                tell(f"{error}\n{monkey.visitor.complaints}")
                monkey.visitor.keep(f"monkey-{options.browser}-{options.seed}")
                sys.stdout.write(f"{error}\nseed {options.seed}, round {rounds + 1}; every step is in {diary}\n")
                return 1
            rounds += 1
            sys.stdout.write(f"round {rounds}: {len(monkey.written)} tasks written, all agree\n")
            sys.stdout.flush()
        monkey.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
