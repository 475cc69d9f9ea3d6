# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates that we sign are what they claim, by openssl's own reading."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.faults.certificate import sign, stranger

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def read(pem: str, *what: str) -> str:
    done = subprocess.run(["openssl", "x509", "-noout", *what], input=pem, text=True, capture_output=True, check=True)
    return done.stdout


def test_an_expired_certificate_has_the_kubelets_name_and_the_asked_dates(tmp_path: Path) -> None:
    ca = stranger(tmp_path)
    pem = sign(tmp_path, ca, "system:node:pi-04", (NOW - timedelta(days=1), NOW))
    assert "O = system:nodes, CN = system:node:pi-04" in read(pem, "-subject", "-nameopt", "oneline")
    assert "notAfter=Nov 23 15:00:00 2026 GMT" in read(pem, "-dates")
    assert "TLS Web Client Authentication" in read(pem, "-ext", "extendedKeyUsage")
    assert "PRIVATE KEY" in pem
