"""Hundreds of calls made up from the contract, well-formed and not: no 5xx, and nothing the contract does not say."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.web.api.table import ENDPOINTS
from tests.fixtures.client import PASSWORD

if TYPE_CHECKING:
    from tests.fixtures.rondo import RondoProcess

SETTINGS = Path(__file__).with_name("schemathesis.toml")
# Enough to meet every rule of the contract. By hand, more examples and other seeds find the rest.
EXAMPLES = 4
SEED = 20261123


def new_token(url: str) -> str:
    body = json.dumps({"email": "fuzz@example.org", "password": PASSWORD}).encode()
    request = urllib.request.Request(f"{url}/api/auth/register", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=15) as response:
        return str(json.load(response)["token"])


@pytest.mark.slow
@pytest.mark.accepts("C22", "X15")
def test_the_service_keeps_its_contract(rondo: RondoProcess, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(SETTINGS), "--no-color"]
    command += ["run", f"{rondo.url}/api/openapi.json", "--header", f"Authorization: Bearer {new_token(rondo.url)}"]
    command += ["--checks", "all", "--max-examples", str(EXAMPLES), "--seed", str(SEED), "--continue-on-failure"]

    tried = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)

    assert tried.returncode == 0, "\n".join(line[:1000] for line in tried.stdout.splitlines())
    assert f"Tested: {len(ENDPOINTS) - 2}" in tried.stdout  # all but logout and the contract itself
