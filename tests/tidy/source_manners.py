"""What every source file keeps to. Each check takes a root and returns one sentence per offence."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.tidy.tree import files, parsed

# fmt: off
FORBIDDEN_NAMES = frozenset({
    "common", "helper", "helpers", "manager", "managers", "misc",
    "model", "models", "service", "services", "util", "utils",
})
# fmt: on
MAX_LINES = 500
APPROVING_FILE = Path("src/tradeloop/core/risk/pipeline.py")
CATCHING_FILE = Path("src/tradeloop/engine/supervise.py")

_SENTENCE = re.compile(r"[A-Z0-9`\"'].*[.:?!]([\s\"'`)]|$)")
_AMOUNT = re.compile(r"(^|_)(qty|px|price|tick|lot|cash|equity|commission|fee|reserved|reserve|excess|close_leaves)$")
_SIZE_REASON = re.compile(r"^# size: \S+", re.MULTILINE)


def modules_without_an_opening_sentence(root: Path) -> list[str]:
    """Every module under src says on its first line what it is, as a sentence."""
    offences = []
    for path, tree in parsed(root, "src/*.py"):
        doc = ast.get_docstring(tree)
        if doc is None:
            offences.append(f"{path}: expected a docstring that says what this module is; was none")
        elif not _SENTENCE.match(first := doc.splitlines()[0]):
            offences.append(f"{path}: expected the docstring's first line to be a sentence; was {first!r}")
    return offences


def forbidden_names(root: Path) -> list[str]:
    """A folder or file is named after a thing of the trade, never after a drawer."""
    return [
        f"{path}: {part!r} names a drawer; name it after what it holds"
        for path in files(root, "src/*", "tests/*", "benchmarks/*", "web/*", "examples/*")
        for part in path.parts
        if part.split(".")[0].lower() in FORBIDDEN_NAMES
    ]


def long_files_without_a_reason(root: Path) -> list[str]:
    """A module past 500 lines says why, in a line that starts with `# size:`."""
    offences = []
    for path in files(root, "src/*.py"):
        text = (root / path).read_text(encoding="utf-8")
        lines = text.count("\n")
        if lines > MAX_LINES and not _SIZE_REASON.search(text):
            offences.append(f"{path}: expected at most {MAX_LINES} lines, was {lines}; split it or add '# size: why'")
    return offences


def approvals_made_outside_the_pipeline(root: Path) -> list[str]:
    """`Approved(...)` is written in core/risk/pipeline.py alone, so that no order passes by."""
    return [
        f"{path}:{node.lineno}: only {APPROVING_FILE} makes an Approved; send the order through the pipeline"
        for path, tree in parsed(root, "src/*.py", "benchmarks/*.py", "examples/*.py")
        if path != APPROVING_FILE
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _called(node) == "Approved"
    ]


def blind_catches(root: Path) -> list[str]:
    """Only engine/supervise.py may catch everything: it is where the process decides to stop."""
    return [
        f"{path}:{node.lineno}: catches everything; name the errors this place can decide about"
        for path, tree in parsed(root, "src/*.py", "tests/*.py", "benchmarks/*.py", "examples/*.py")
        if path != CATCHING_FILE
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and _is_blind(node.type)
    ]


def amounts_without_a_form(root: Path) -> list[str]:
    """An amount in a sentence is written out, `{qty:f}`: bare, a small coin is 1E-8 and a round lot may be 1E+3.

    What is shown as it came, `{qty!s}`, says so.
    """
    return [
        f"{path}:{node.lineno}: {ast.unparse(node.value)} may be shown with an exponent; write {{{ast.unparse(node.value)}:f}}"
        for path, tree in parsed(root, "src/*.py")
        if not _is_for_tests(path)
        for node in ast.walk(tree)
        if isinstance(node, ast.FormattedValue)
        and node.format_spec is None
        and node.conversion == -1
        and _AMOUNT.search(_last_name(node.value))
    ]


def _is_for_tests(path: Path) -> bool:
    """What speaks to those who write adapters, not to those who trade."""
    return any(part in {"testing", "venues", "_template"} for part in path.parts)


def _last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def floats_in_the_core(root: Path) -> list[str]:
    """Money, prices and quantities are exact: the core knows neither the type `float` nor a literal of it."""
    offences = []
    for path, tree in parsed(root, "src/tradeloop/core/*.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == "float":
                offences.append(f"{path}:{node.lineno}: uses float; use Decimal, or integers for times")
            elif isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
                offences.append(f"{path}:{node.lineno}: the literal {node.value!r} is a float; use Decimal")
    return offences


def _called(call: ast.Call) -> str:
    """The bare name that is called: `Approved` in `pipeline.Approved(...)` and in `Approved[Order](...)`."""
    function = call.func
    if isinstance(function, ast.Subscript):
        function = function.value
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_blind(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    if isinstance(caught, ast.Tuple):
        return any(_is_blind(each) for each in caught.elts)
    return isinstance(caught, ast.Name) and caught.id in {"Exception", "BaseException"}
