# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hostile line costs what a harmless one of the same length costs: every pattern and every reader of lines.

Times are compared with times of the same process, so that a slow machine changes nothing.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import time
import typing as t
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.explain import chosen, explanations
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Journal, LogLine
from ansible_collections.outward.kubelet.plugins.module_utils._parse import journal, redact, systemd, x509, yaml
from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError
from tests.unit.helpers import healthy_node
from tests.unit.helpers_cluster import healthy_cluster
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import LOOPING, SILENT

PACKAGE = "ansible_collections.outward.kubelet.plugins.module_utils"
UTILS = Path(__file__).parents[4] / "plugins" / "module_utils"
ON_THE_NODE = ("_diagnosis", "_parse", "_host")
PATTERN_CALLS = {"compile", "search", "match", "fullmatch", "sub", "finditer", "findall", "split", "said"}
SHORT = 20_000
LONG = 1_000_000
# A pattern with a part that is bounded by 200 may look at each character 200 times; backtracking without a bound
# looks at each SHORT times.
RATIO = 600
# Of whole readers: redaction alone knows seven patterns.
WHOLE = 60
ALPHABET = "The quick brown fox jumps over the lazy dog, and the node is well. "
PARTS = (
    *('\\"', '"', "'", "\\", "a", "A", " ", "0", "-", ":", "[", "{", "=", "(", "/", "\t", "é", "a:", "a b", "0a"),
    *("-----BEGIN A-----", "eyJ", "eyJaaaaaaaaaaaa.", "bearer ", "token=", "://a", "server a", "config=<", 'err="'),
    *("aaaaaaaaaaaa-", "0x1", "1.", "::0", "10.0.0.1 ", 'level=info time="', "\\\\\\", "%20", "${A}", "rpc error: "),
)


def patterns() -> dict[str, Callable[[str], t.Any]]:
    """Every pattern of the node's code, used as its code does: constants of calls, and what modules have compiled."""
    found: dict[str, Callable[[str], t.Any]] = {}
    for file in sorted(file for package in ON_THE_NODE for file in (UTILS / package).rglob("*.py")):
        found |= {text: use(re.compile(text, re.MULTILINE), anchored) for text, anchored in constants(file)}
        module = importlib.import_module(".".join((PACKAGE, *file.relative_to(UTILS).with_suffix("").parts)))
        for name, value in vars(module).items():
            anchored = not re.search(rf"\b{name}\.(?:search|sub|find\w+|split)\(", file.read_text())
            found |= {one.pattern: use(one, anchored and not isinstance(value, tuple)) for one in compiled(value)}
    return found


def use(pattern: re.Pattern[str], anchored: bool) -> Callable[[str], t.Any]:
    return pattern.match if anchored else pattern.search


def constants(file: Path) -> Iterator[tuple[str, bool]]:
    """(pattern, whether it is only tried at the beginning)."""
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = getattr(node.func.value, "id", "") if isinstance(node.func, ast.Attribute) else "re"
        if name in PATTERN_CALLS - {"compile"} and owner == "re":
            texts = (a.value for a in node.args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str))
            yield from ((text, name in {"match", "fullmatch"}) for text in texts)


def compiled(value: t.Any) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from compiled(item)


PATTERNS = patterns()


def repeated(part: str, length: int) -> str:
    return (part * (length // len(part) + 1))[:length]


def seconds(action: Callable[[], t.Any]) -> float:
    """CPU time, the best of three: somebody else's work is not ours. What is far too slow is not run again."""
    best = 9e9
    for dummy in range(3):
        begin = time.process_time()
        action()
        best = min(best, time.process_time() - begin)
        if best > 2:
            break
    return best


def within(action: Callable[[], t.Any], limit: float) -> bool:
    """Once is enough when it is fast."""
    begin = time.process_time()
    action()
    return time.process_time() - begin < limit or seconds(action) < limit


def test_the_patterns_are_found() -> None:
    assert len(PATTERNS) > 60
    assert any("failed to load TOML" in text for text in PATTERNS)
    assert any("BEGIN" in text for text in PATTERNS)


@pytest.mark.parametrize("text", PATTERNS, ids=lambda text: re.sub(r"\W+", "-", text)[:40])
def test_no_pattern_backtracks_without_bound(text: str) -> None:
    look = PATTERNS[text]
    harmless = repeated(ALPHABET, SHORT)
    # A pattern that fails at the first character is no measure: one pass over the line is the least that counts.
    least = max(seconds(lambda: harmless.casefold().split("#")), 1e-5)
    usual = max(seconds(lambda: look(harmless)), least)
    own = [word for word in re.findall(r"[\w ]{3,}", text)[:6] if word.strip()]
    for part in (*PARTS, *own, " ".join(own) or "x"):
        line = repeated(part, SHORT)
        for hostile in (line, line[:-1] + "\0"):
            assert within(partial(look, hostile), RATIO * usual), part


def entry(text: str) -> str:
    return json.dumps({"__MONOTONIC_TIMESTAMP": "1", "MESSAGE": text, "_SYSTEMD_INVOCATION_ID": "a"})


def unit(text: str) -> None:
    try:
        lines = systemd.directives(f"[Service]\nExecStart=/k $A\nEnvironment=A={text}\n", "/u")
        systemd.command_flags(lines, {"/e": f"A={text}"})
    except ParseError:
        return


def document(text: str) -> None:
    for start in ("", "a: ", "a: [", "- "):
        try:
            yaml.load((start + text)[: yaml.LIMIT])
        except ParseError:
            continue


def pem(text: str) -> None:
    try:
        x509.certificates(text)
    except ParseError:
        return


READERS: dict[str, Callable[[str], t.Any]] = {
    "journal": lambda text: journal.fold(journal.entries(entry(text)), False),
    "kernel": lambda text: journal.fold(journal.kmsg([f"4,1,1,-;{text}", f"6,1,1,-;{text}"]), False),
    "redact": redact.redact,
    "unit": unit,
    "yaml": document,
    "pem": pem,
}

LOGS = ("journal", "kernel")


@pytest.mark.parametrize("name", READERS)
def test_a_hostile_megabyte_costs_a_reader_what_a_harmless_one_costs(name: str) -> None:
    reader = READERS[name]
    length = LONG if name in LOGS else LONG // 10  # files are bounded, lines of a log are not
    usual = max(seconds(lambda: reader(repeated(ALPHABET, length))), 0.005)
    for part in PARTS:
        assert within(partial(reader, repeated(part, length)), WHOLE * usual), part


def diagnosed(text: str) -> float:
    """What all rules cost, explanations too, on a crash loop whose journals are full of that text."""
    full = Journal(tuple(LogLine(text, 1, 1.0, 1.0, True) for dummy in range(journal.MOST_LINES)), False)
    changes = {"kubelet__journal": full, "runtime__journal": full, "kernel__journal": full}
    node, cluster = healthy_node(**{**LOOPING, **changes}), healthy_cluster(**SILENT)

    def ask() -> None:
        explanations(chosen(["all"]), node, cluster, diagnose(node, cluster))

    return seconds(ask)


def test_a_journal_full_of_hostile_lines_costs_the_rules_what_a_harmless_one_costs() -> None:
    usual = diagnosed(repeated(ALPHABET, journal.LONGEST))
    for part in PARTS:
        assert diagnosed(journal.clean(repeated(part, LONG))) < 10 * max(usual, 0.01), part
