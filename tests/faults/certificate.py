# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client certificate as a kubelet has it, made by the lab's CA (or by a stranger's): PEM on standard output.

``python3 -m tests.faults.certificate PKI_DIR --name system:node:pi-04 [--expired] [--stranger]``
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

HOUR = timedelta(hours=1)
STAMP = "%Y%m%d%H%M%SZ"
SETTINGS = """
[ca]
default_ca = lab
[lab]
database = {work}/index
new_certs_dir = {work}
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = client
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[client]
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
"""


def openssl(*arguments: str) -> str:
    """Run openssl; raises CalledProcessError."""
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout


def stranger(work: Path) -> tuple[Path, Path]:
    """Certificate and key of a CA that nobody trusts."""
    certificate, key = work / "stranger.crt", work / "stranger.key"
    subject = ["-subj", "/CN=kubernetes", "-days", "1"]
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, "-keyout", str(key), "-out", str(certificate))
    return certificate, key


def sign(work: Path, ca: tuple[Path, Path], name: str, period: tuple[datetime, datetime]) -> str:
    """Certificate and key in one PEM text, as the kubelet keeps them."""
    key, request, certificate = work / "key", work / "csr", work / "crt"
    (work / "index").touch()
    (work / "settings").write_text(SETTINGS.format(work=work))
    subject = f"/O=system:nodes/CN={name}"
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", str(key), "-out", str(request))
    begin, end = (moment.strftime(STAMP) for moment in period)
    signer = ["-config", str(work / "settings"), "-cert", str(ca[0]), "-keyfile", str(ca[1]), "-batch", "-notext"]
    openssl("ca", *signer, "-startdate", begin, "-enddate", end, "-in", str(request), "-out", str(certificate))
    return certificate.read_text() + key.read_text()


def main() -> None:
    """Print the PEM."""
    parser = argparse.ArgumentParser(description="A client certificate for a kubelet.")
    parser.add_argument("pki", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--expired", action="store_true")
    parser.add_argument("--stranger", action="store_true", help="signed by a CA that the cluster does not know")
    options = parser.parse_args()
    now = datetime.now(UTC)
    end = now - HOUR if options.expired else now + 24 * HOUR
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        ca = stranger(work) if options.stranger else (options.pki / "ca.crt", options.pki / "ca.key")
        sys.stdout.write(sign(work, ca, options.name, (now - 24 * HOUR, end)))


if __name__ == "__main__":
    main()
