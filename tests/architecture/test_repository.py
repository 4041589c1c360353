"""What must not be in any file of the repository."""

import re

import pytest

from tests.architecture.tree import ROOT, tracked_files

# In pieces, so that this file may be looked at too.
_REGISTRIES = ("pypi" + r"\.org", "pythonhosted" + r"\.org", "npmjs" + r"\.(?:org|com)", "crates" + r"\.io")
_MACHINE = (r"(?<![\w.])/wo" + r"rk/", r"(?<![\w.])/ro" + r"ot/", "ba" + "sh_jobs")


@pytest.mark.parametrize("unwanted", [*_REGISTRIES, *_MACHINE])
def test_no_file_names_a_registry_or_a_place_on_one_machine(unwanted: str) -> None:
    pattern = re.compile(unwanted.encode())

    found = [str(path.relative_to(ROOT)) for path in tracked_files() if pattern.search(path.read_bytes())]

    assert found == []


def test_every_suppression_has_its_reason() -> None:
    """`# noqa: X` and `# type: ignore[x]` are followed by `# why`."""
    bare = re.compile(r"#\s*(?:noqa(?::\s*[A-Z0-9, ]+)?|type:\s*ignore(?:\[[\w, -]+\])?|pragma: no cover)\s*$")

    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked_files()
        if path.suffix == ".py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if bare.search(line)
    ]

    assert found == []


def test_every_pinned_requirement_has_its_hash() -> None:
    for name in ("runtime.txt", "dev.txt"):
        pins = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        requirements = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", pins, re.DOTALL | re.MULTILINE)

        assert requirements
        assert [text.splitlines()[0] for text in requirements if "--hash=sha256:" not in text] == []
