# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions over many reports, and every way in which one can be wrong."""

from __future__ import annotations

import json
import sys
import tracemalloc
import typing as t
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import SCHEMA
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.saved import NoReport
from ansible_collections.outward.kubelet.plugins.plugin_utils._query import BadQuestion, answer, compiled, kept
from ansible_collections.outward.kubelet.plugins.plugin_utils._saved import LARGEST, files, load


def report(day: int, *causes: str, **more: t.Any) -> dict[str, t.Any]:
    diagnosis = {"status": "faulty" if causes else "healthy", "root_causes": list(causes), "findings": []}
    started = f"2026-11-{day:02}T00:00:00Z"
    base = {"schema": SCHEMA, "host": "pi-04", "node": "pi-04", "started": started, "diagnosis": diagnosis}
    return {**base, "outcome": "diagnosed", "evidence": {"node": {"kubelet": {"version": "v1"}}}, **more}


def save(directory: Path, name: str, data: t.Any) -> None:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data))


def asked(directory: Path, each: str = "", query: str = "") -> tuple[t.Any, list[str]]:
    warnings: list[str] = []
    found = kept(files([str(directory)]), compiled("each", each), warnings.append)
    return answer(compiled("query", query), found), warnings


def test_without_a_question_the_reports_come_in_order_of_time_without_their_evidence(tmp_path: Path) -> None:
    save(tmp_path, "a/pi-04.json", report(2))
    save(tmp_path, "b/pi-04.json", report(1, "containerd-down"))
    found, warnings = asked(tmp_path)
    assert ([run["started"][8:10] for run in found], warnings) == (["01", "02"], [])
    assert "evidence" not in found[0]


def test_which_nodes_had_this_cause_since_when(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        save(tmp_path, f"{day}/pi-04.json", report(day, *(["containerd-down"] if day > 1 else [])))
    question = "history(@)[?cause == 'containerd-down'].{node: node, since: since, now: now}"
    assert asked(tmp_path, query=question)[0] == [{"node": "pi-04", "since": "2026-11-02T00:00:00Z", "now": True}]


def test_each_reaches_the_evidence_and_leaves_out_what_it_denies(tmp_path: Path) -> None:
    save(tmp_path, "1.json", report(1, "containerd-down"))
    save(tmp_path, "2.json", report(2))
    each = "contains(diagnosis.root_causes, 'containerd-down') && {at: started, version: evidence.node.kubelet.version}"
    assert asked(tmp_path, each)[0] == [{"at": "2026-11-01T00:00:00Z", "version": "v1"}]


def test_what_is_no_report_is_named_and_the_others_count(tmp_path: Path) -> None:
    save(tmp_path, "broken.json", "{")
    save(tmp_path, "deep.json", "[" * 100_000)
    save(tmp_path, "digits.json", "9" * 10_000)
    save(tmp_path, "list.json", [])
    save(tmp_path, "newer.json", {"schema": "outward.kubelet/incident/v2"})
    save(tmp_path, "summary.json", {"hosts": {}})
    save(tmp_path, "pi-04.json", report(1))
    found, warnings = asked(tmp_path)
    assert len(found) == 1
    assert [w.partition(".json")[0].rpartition("/")[2] for w in warnings] == [
        "broken",
        "deep",
        "digits",
        "list",
        "newer",
    ]
    assert "incident/v2" in warnings[-1]


def test_no_report_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoReport, match="no report was found"):
        asked(tmp_path)
    with pytest.raises(NoReport, match=r"there is no .*/nowhere"):
        asked(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("[?x=]", r"query does not parse at column 4, '=\]'"),
        ("[?x", "query does not parse at its end"),
        ("a b", "query does not parse at column 3, 'b'"),
        ("nonsense(@)", "cannot be answered: Unknown function: nonsense"),
        ("length(`1`)", "cannot be answered: In function length"),
        ("history(`1`)", "cannot be answered: In function history"),
        ("history()", "cannot be answered: Expected 1 argument"),
    ],
)
def test_a_question_that_is_wrong_says_where(expression: str, why: str, tmp_path: Path) -> None:
    save(tmp_path, "1.json", report(1))
    with pytest.raises(BadQuestion, match=why):
        asked(tmp_path, query=expression)


def test_without_jmespath_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jmespath", None)
    with pytest.raises(BadQuestion, match=r"jmespath is missing: .* -m pip install jmespath"):
        compiled("query", "@")


def test_memory_grows_with_the_answers_and_not_with_the_reports(tmp_path: Path) -> None:
    heavy = {"node": {"journal": ["x" * 1000] * 500}}
    for day in range(1, 25):
        save(tmp_path, f"{day}.json", report(day, evidence=heavy))
    tracemalloc.start()
    asked(tmp_path, "started")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = (tmp_path / "1.json").stat().st_size
    assert peak < 6 * size


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(NoReport, match="larger than"):
        load(tmp_path / "huge.json")
