# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One row: a clean node, the fault, the playbook, the verdict."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import json
import re
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.lab import NotInjected, inject, undo
from tests.faults.model import Fault

from .playbook import Mode, NoReport, Report
from .ready import Watch
from .recording import keep as record
from .recording import recording
from .results import ROOT, Row, unrun
from .verdict import expected, mistakes, seen


class NotReset(Exception):
    """The node could not be brought back to its clean state."""


def no_patience(fault: Fault) -> float:
    """As long as the run takes."""
    return 0.0


def nobody(host: str) -> None:
    """*host* is alone."""


@dataclass(frozen=True)
class Bench:
    """What a row needs from the outside; tests put their own in."""

    mode: Mode
    commit: str
    record: bool
    play: Callable[[Fault, str], Report]
    reset: Callable[[str], None]
    keep: Callable[[Fault, Report], None]
    versions: Callable[[], dict[str, str]]  # those of earlier rows, for a node that cannot be asked
    patience: Callable[[Fault], float] = no_patience  # seconds to watch Ready for, from the injection on
    watch: Callable[[str], Watch] = Watch
    inject: Callable[[Fault, str], float] = inject
    undo: Callable[[Fault, str], None] = undo
    others: Callable[[str], None] = nobody  # waits for the other hosts


def reset(host: str) -> None:
    """Bring *host* back to the snapshot. Raises NotReset."""
    command = [sys.executable, "-m", "tests.lab", "reset", host]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotReset(f"reset of {host}: {(done.stdout + done.stderr).strip()[-500:]}")


def keep_report(fault: Fault, report: Report) -> None:
    """The whole report, for a person who wonders about a row (not committed)."""
    path = ROOT / ".build" / "matrix" / report["mode"] / f"{fault.id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1))


@contextlib.contextmanager
def locked(*hosts: str) -> Iterator[None]:
    """Nobody else breaks these *hosts* meanwhile (the same locks as flock(1) takes, always in one order)."""
    with contextlib.ExitStack() as stack:
        for host in sorted(hosts):
            lock = stack.enter_context(Path(f"/tmp/lab-{host}.lock").open("a", encoding="utf-8"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def too_few(workers: int, hosts: t.Sequence[str]) -> str:
    """Why what needs so many *workers* could not be run on these; empty: there are enough."""
    if len(hosts) >= workers:
        return ""
    need = f"needs {workers} workers, and the lab has {len(hosts)}"
    return f"could not be run: {need}: make lab-up WORKERS={workers}"


def row(fault: Fault, host: str, bench: Bench, *, clean: bool = False) -> tuple[Row, dict[str, str]]:
    """Run *fault* on *host*; the row, and the versions that were seen. Never raises for a failed row."""
    entry = blank(fault, host, bench.mode, bench.commit)
    try:
        if not clean:
            bench.reset(host)
        return _measured(fault, host, bench, entry)
    except (NotReset, NotInjected, NoReport) as why:
        return {**entry, "note": f"could not be run: {why}"}, {}


def blank(fault: Fault, host: str, mode: Mode, commit: str) -> Row:
    """A row that has not been run."""
    wanted = expected(fault, mode)
    return unrun(fault.id, kind=fault.kind, mode=mode, host=host, at=commit, expected=wanted, note=fault.note)


def _measured(fault: Fault, host: str, bench: Bench, entry: Row) -> tuple[Row, dict[str, str]]:
    start = time.monotonic()
    watch = bench.watch(host)
    try:
        took = bench.inject(fault, host)
        bench.others(host)
        report = bench.play(fault, host)
        seconds = time.monotonic() - start
    finally:
        ready = watch.end(bench.patience(fault) if bench.mode == "diagnose" else 0.0)
        _clean(fault, host, bench)
    versions = versions_of(report)
    bench.keep(fault, report)
    wrong = mistakes(entry["expected"], report)
    if bench.record and not wrong:
        record(recording(fault, report, {**bench.versions(), **versions}))
    note = "; ".join([*wrong, *([fault.note] if fault.note else [])])
    timing = {"seconds": round(seconds, 1), "injected_after": round(took, 1), **ready}
    return {**entry, **timing, "seen": seen(report), "ok": not wrong, "note": note}, versions


def _clean(fault: Fault, host: str, bench: Bench) -> None:
    # A reset gives back the node and its Pods; what was done elsewhere in the cluster has to be undone by name.
    if fault.scope == "cluster" or fault.kind == "look-alike":
        bench.undo(fault, host)


def versions_of(report: Report) -> dict[str, str]:
    """Versions by the node's own words, or by its Node's when it cannot be reached."""
    evidence: t.Any = report.get("evidence") or {}
    found = {"ansible-core": importlib.metadata.version("ansible-core")}
    by_api, by_node = known(evidence, "cluster", "node"), known(evidence, "node", "kubelet")
    cri = known(evidence, "node", "runtime", "cri")
    kubelet = by_api.get("kubelet_version") or by_node.get("version")
    containerd = by_api.get("runtime_version", "").partition("://")[2] or re.split("[ ~]", f"{cri.get('runtime')} ")[1]
    return found | {k: v for k, v in (("kubelet", kubelet), ("containerd", containerd)) if isinstance(v, str) and v}


def known(evidence: t.Any, *path: str) -> dict[str, t.Any]:
    """The section of *evidence* at *path*; empty when it is absent or unknown."""
    for name in path:
        evidence = evidence.get(name) if isinstance(evidence, dict) else None
    return evidence if isinstance(evidence, dict) else {}
