import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

FILES = {
    "test_skipped.py": "import pytest\n\n@pytest.mark.skip(reason='no browser')\ndef test_a():\n    pass\n",
    "test_whole.py": "import pytest\n\npytest.skip('no browser', allow_module_level=True)\n",
    "test_expected.py": "import pytest\n\n@pytest.mark.xfail(reason='known')\ndef test_a():\n    assert False\n",
}


@pytest.mark.parametrize(("ci", "summary"), [("true", "1 xfailed, 2 errors"), ("", "2 skipped, 1 xfailed")])
def test_with_ci_what_is_skipped_fails(tmp_path: Path, ci: str, summary: str) -> None:
    for name, source in FILES.items():
        (tmp_path / name).write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", ".", "-p", "tests.conftest"]
    options = ["--continue-on-collection-errors", "."]
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    ended = subprocess.run(
        [*command, *options], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert summary in ended.stdout
