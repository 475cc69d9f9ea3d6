# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recordings hold the evidence and the expected verdict, and nothing secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults.table import FAULTS
from tests.matrix.recording import keep, recording, redact


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n", "<redacted>\n"),
        ("token abcdef.0123456789abcdef used", "token <redacted> used"),
        ("Authorization: Bearer s3cret", "Authorization: Bearer <redacted>"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJl.c2lnbmF0dXJlMTIz", "<redacted>"),
        ("kubelet.service is inactive (dead)", "kubelet.service is inactive (dead)"),
        ("containerd.sock 10.77.0.1:6443", "containerd.sock 10.77.0.1:6443"),
    ],
)
def test_redaction(text: str, kept: str) -> None:
    assert redact({"lines": [{"text": text}], "n": 1}) == {"lines": [{"text": kept}], "n": 1}


def test_a_recording_says_what_it_must_lead_to(tmp_path: Path) -> None:
    report = {"evidence": {"node": {"schema": "n"}, "cluster": {"schema": "c"}}}
    data = recording(FAULTS["kubelet-stopped"], report, {"kubelet": "v1.37.2"})
    path = keep(data, tmp_path)
    assert path == tmp_path / "v1.37.2" / "kubelet-stopped.json"
    assert json.loads(path.read_text()) == {
        "versions": {"kubelet": "v1.37.2"},
        "case": "kubelet-stopped",
        "expected": ["kubelet-stopped"],
        "node": {"schema": "n"},
        "cluster": {"schema": "c"},
    }
