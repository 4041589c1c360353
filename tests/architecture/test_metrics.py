import ast
from collections.abc import Iterator

from monitoring import catalogue, metrics
from monitoring.instruments import OTHER
from tests.architecture.tree import ROOT, modules

_USERS = ("actors", "app", "monitoring", "supervisors")


def test_every_metric_says_which_question_it_answers() -> None:
    unexplained = [name for name, metric in catalogue.declared() if not metric.question.endswith("?")]

    assert unexplained == []


def test_a_constant_is_the_name_of_its_metric_in_capitals() -> None:
    misnamed = [name for name, metric in catalogue.declared() if name != metric.name]

    assert misnamed == []


def test_every_metric_is_in_the_page_as_it_is_declared() -> None:
    page = (ROOT / "docs/observability.md").read_text(encoding="utf-8")

    assert catalogue.write_into(page) == page, "run: make metrics-table"


def test_no_label_is_an_id() -> None:
    labels = {label.name for _, metric in catalogue.declared() for label in metric.declared}

    assert not {label for label in labels if label == "id" or label.endswith(("_id", "Id")) or label == "user"}


def test_every_metric_is_measured_somewhere() -> None:
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for _, tree in modules(*_USERS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load)
    }
    never = [name for name, _ in catalogue.declared() if name.upper() not in used]

    assert never == []


def test_every_label_value_in_the_code_is_declared() -> None:
    undeclared = [
        f"{path}:{call.lineno} {ast.unparse(call)}"
        for path, tree in modules(*_USERS)
        for call, metric_name in _labels_calls(tree)
        for label, value in zip(vars(metrics)[metric_name].declared, call.args, strict=False)
        if isinstance(value, ast.Constant) and label.values and value.value not in (*label.values, OTHER)
    ]

    assert undeclared == []


def _labels_calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(value=ast.Name(id="metrics"), attr=name), attr="labels")
            ):
                yield node, name
