# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the evidence of a run for the unit tests: tests/recordings/<kubelet's version>/<case>.json."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

from tests.faults.model import Fault

from .playbook import Report
from .results import ROOT

RECORDINGS: t.Final = ROOT / "tests" / "recordings"
# The evidence is redacted on the node already; this is the belt to those braces.
SECRETS: t.Final = (
    re.compile(r"-----BEGIN [A-Z ]{1,40}-----.*?(?:-----END [A-Z ]{1,40}-----|$)", re.DOTALL),
    re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b"),  # a bootstrap token
    re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"),  # a service account's token
    re.compile(r"(?i)(?<=bearer )\S+"),
)


def redact(value: t.Any) -> t.Any:
    """The same data without anything that looks like a key or a token."""
    if isinstance(value, str):
        for secret in SECRETS:
            value = secret.sub("<redacted>", value)
        return value
    if isinstance(value, list):
        return [redact(item) for item in value]
    if isinstance(value, dict):
        return {key: redact(item) for key, item in value.items()}
    return value


def recording(fault: Fault, report: Report, versions: dict[str, str]) -> dict[str, t.Any]:
    """The evidence of *report* with the verdict that it must lead to."""
    evidence = report.get("evidence") or {}
    return {
        "versions": versions,
        "case": fault.id,
        "expected": fault.root_causes,
        "node": redact(evidence.get("node")),
        "cluster": redact(evidence.get("cluster")),
    }


def keep(data: dict[str, t.Any], directory: Path = RECORDINGS) -> Path:
    """Write one recording; the file."""
    path: Path = directory / data["versions"].get("kubelet", "unknown") / f"{data['case']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n")
    return path
