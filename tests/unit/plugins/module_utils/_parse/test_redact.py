# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing secret leaves a node, and what is evidence stays."""

from __future__ import annotations

import time

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._parse.redact import redact

BLOB = "MIIEpAIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0kz"

SECRET = [
    ("Authorization: Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJr.c2lnbmF0dXJl", "eyJ"),
    ("authorization=Bearer abcdefgh12345678", "abcdefgh"),
    ("sent header bearer abcdefgh12345678 to it", "abcdefgh"),
    ("Proxy: Basic dXNlcjpwYXNzd29yZA==", "dXNl"),
    ("join --token abcdef.0123456789abcdef now", "0123456789abcdef"),
    ("--token=abcdef.0123456789abcdef", "0123456789abcdef"),
    ('{"password":"hunter2hunter2"}', "hunter2"),
    ("passwd=hunter2", "hunter2"),
    ("client_secret: s3cr3ts3cr3t", "s3cr3t"),
    ("pull https://bob:hunter2@registry.example/x failed", "hunter2"),
    (f"-----BEGIN RSA PRIVATE KEY----- {BLOB}", "MIIE"),
    (f"-----BEGIN EC PRIVATE KEY-----\n{BLOB[:64]}\n-----END EC PRIVATE KEY----- tail", "MIIE"),
    (f"client-key-data: {BLOB}", "MIIE"),
    (BLOB[:64], "MIIE"),
]


@pytest.mark.parametrize(("text", "secret"), SECRET)
def test_secrets_are_gone(text: str, secret: str) -> None:
    assert secret not in redact(text)
    assert "<redacted>" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        'E1123 20:00:00.1 run.go:72] "command failed" err="unknown flag: --container-runtime"',
        "part of the existing bootstrap client certificate in /etc/kubernetes/kubelet.conf is expired: 2024-12-06 18:55:55 +0000 UTC",
        "image sha256:3da6d8b1f5a0f4f3cbd5aa65fb6b16d4a12b7a3f0fbbf07c9f1a7d4c8a9be2d5 missing",
        "StopContainer for 3da6d8b1f5a0f4f3cbd5aa65fb6b16d4a12b7a3f0fbbf07c9f1a7d4c8a9be2d5 failed",
        "orphaned pod ce591a55-9ad6-4a47-9d2b-0d6a1f2f43d5 found at /var/lib/kubelet/pods/ce591a55-9ad6-4a47-9d2b-0d6a1f2f43d5/volumes",
        'MountVolume.SetUp failed for volume "kube-api-access" : secret "x" not registered',
        'Get "https://10.77.0.1:6443/api/v1/nodes/pi-04?timeout=10s": x509: certificate signed by unknown authority',
        "failed to run Kubelet: unable to load bootstrap kubeconfig: stat /etc/kubernetes/bootstrap-kubelet.conf: no such file",
    ],
)
def test_evidence_stays(text: str) -> None:
    assert redact(text) == text


def test_a_hostile_line_costs_no_time() -> None:
    begin = time.monotonic()
    for text in (
        "A" * 8000,
        "-----BEGIN " * 800,
        "token=" * 1500,
        "bearer " * 1200,
        "eyJ" * 2700,
        "a@" * 4000,
        "://" * 2700,
        ("a" * 59 + "-") * 130,
    ):
        redact(text)
    assert time.monotonic() - begin < 2
