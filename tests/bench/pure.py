# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.bench.pure``: what the diagnosis alone costs the controller; needs no lab, no node, no cluster."""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
import typing as t
from datetime import UTC, datetime
from platform import python_version
from statistics import median

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.conclude import conclude
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.saved import look_of
from ansible_collections.outward.kubelet.plugins.module_utils._parse.journal import Entry, fold
from tests.matrix.recording import RECORDINGS
from tests.matrix.results import ROOT, commit

from .rows import Row, limit, line

RESULTS: t.Final = ROOT / "docs" / "results" / "bench-pure.json"
NODES: t.Final = 1000
LINES: t.Final = 300  # of a journal as a node reads it
NOTE: t.Final = "from the evidence as JSON to the report: decoding, all rules, plan; over every recording"


def recorded() -> list[dict[str, t.Any]]:
    """The evidence of every recording."""
    return [json.loads(file.read_text()) for file in sorted(RECORDINGS.glob("v*/*.json"))]


def once(data: dict[str, t.Any]) -> float:
    """Seconds of one diagnosis."""
    begin = time.perf_counter()
    conclude(look_of(data), Policy())
    return time.perf_counter() - begin


def kept(factor: int) -> float:
    """KiB that stay when all of a journal *factor* times as long was folded; nothing shortens it before."""
    words = (f"E1123 12:00:00.0 1 a.go:{n}] word{n % 97:b} failed id{n:08x}" for n in range(LINES * factor))
    lines = [Entry(text, at / 10, "a") for at, text in enumerate(words)]
    tracemalloc.start()
    journal = fold(lines, truncated=False)
    assert journal.lines
    gc.collect()  # what is only waiting to be freed is not kept
    found = tracemalloc.get_traced_memory()[0]
    del journal
    gc.collect()  # what the interpreter keeps for tuples to come (26 KiB after so many) is not the journal's
    found -= tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return found / 1024


def rows() -> list[Row]:
    """The table's rows."""
    evidence = recorded()
    once(evidence[0])  # imports and type hints
    single = [median(once(data) for dummy in range(5)) for data in evidence]
    begin = time.perf_counter()
    for number in range(NODES):
        once(evidence[number % len(evidence)])
    fleet = time.perf_counter() - begin
    sizes = {factor: kept(factor) for factor in (1, 10, 1000)}
    note = f"what stays of {LINES} lines, and of 10 and 1,000 times as many; the probe itself reads {LINES} at the most"
    more = {"KiB": {str(factor): round(value, 3) for factor, value in sizes.items()}}
    return [
        limit("one node, milliseconds (the slowest recording)", max(single) * 1000, 50.0, NOTE),
        limit(f"{NODES} nodes in one process, seconds", fleet, 20.0, NOTE),
        limit("memory kept, 10 times the journal to once", sizes[10] / sizes[1], 1.2, note, more),
        limit("memory kept, 1,000 times the journal to once", sizes[1000] / sizes[1], 1.2, note, more),
    ]


def main() -> int:
    """0 when every goal was reached."""
    found = rows()
    made = {"made_by": "make bench-pure", "commit": commit(), "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    RESULTS.write_text(json.dumps({**made, "versions": {"python": python_version()}, "rows": found}, indent=1) + "\n")
    for row in found:
        print(line(row))
    return 0 if all(row["ok"] for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
