"""Comments and needless white space leave the scripts; nothing else does."""

import re

import pytest

from app.web.pages.assets import DIRECTORY, Assets
from app.web.pages.scripts import compact


@pytest.mark.parametrize(
    ("written", "served"),
    [
        ("/** Says. */\nconst a = 1;\n\n// why\nconst b = 2;\n", "const a=1;const b=2;"),
        ("let a = 1\nlet b = a\n(b)\n", "let a=1\nlet b=a\n(b)"),
        ("call({\n  a,\n  b,\n});", "call({a,b,});"),
        ("first\n  .then(x)\n  ?? y;", "first.then(x)??y;"),
        ("a + +b; a - -b; a++ + b;", "a+ +b;a- -b;a++ +b;"),
        ("i\n++j", "i\n++j"),
        ("\"// no comment\" + '/* nor this */';", "\"// no comment\"+'/* nor this */';"),
        (r'"a \" // b";', r'"a \" // b";'),
        ("`a  ${ b ? `/*  ${ {c: 1}.c }  //` : 2 }  d`;", "`a  ${b?`/*  ${{c:1}.c}  //`:2}  d`;"),
        (r"`\`  ${ a }  $ {`;", r"`\`  ${a}  $ {`;"),
        ("`${ /a  b/u }`", "`${/a  b/u}`"),
        ("x.replace(/[/*]  \\/ /gu, y) / 2 / z", "x.replace(/[/*]  \\/ /gu,y)/2/z"),
        ("return /a  b/.test(c)", "return/a  b/.test(c)"),
        ("total / 2 // half\n / 3", "total/2\n/3"),
        ("/a/\n/ 2", "/a/\n/2"),
        ("1 .toFixed()", "1 .toFixed()"),
        ("this.#key in that", "this.#key in that"),
        ('import { a } from "./a.js";', 'import{a}from"./a.js";'),
        ("", ""),
        ("`never closed", "`never closed"),
    ],
)
def test_a_script_means_the_same_and_is_shorter(written: str, served: str) -> None:
    assert compact(written) == served


def test_doing_it_twice_changes_nothing_more() -> None:
    for path in sorted(DIRECTORY.rglob("*.js")):
        once = compact(path.read_text())
        assert compact(once) == once, path.name


def test_scripts_are_served_without_their_comments() -> None:
    files = Assets.load().files

    assert not any(re.search(rb"/\*\*|@param", asset.body) for name, asset in files.items() if name.endswith(".js"))
