# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mirror of packages on a node of the lab, which has none in its network, so that apt-get can be typed there.

Debian's own packages, and one called kubelet: the lab's kubelet is built from source, and lies in that package with its units as
they lie in Kubernetes' package.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import typing as t
from pathlib import Path

from tests.lab._build import programs
from tests.lab._cache import digest, entry
from tests.lab._guest import Guest
from tests.lab._image import GUEST
from tests.lab._model import KUBERNETES_VERSION, Paths
from tests.lab._shell import run

DEBIAN: t.Final = ("runc", "containerd", "containernetworking-plugins")
SOURCES: t.Final = """\
deb http://deb.debian.org/debian trixie main
deb http://deb.debian.org/debian trixie-updates main
deb http://security.debian.org/debian-security trixie-security main
"""
UNITS: t.Final = "usr/lib/systemd/system"
CONTROL: t.Final = """\
Package: kubelet
Version: {release}-1.1
Architecture: amd64
Maintainer: the lab <lab@example.invalid>
Description: the kubelet of the lab
"""
PLACE: t.Final = "/var/lib/outward-mirror"


def _fetch(scratch: Path) -> None:
    """Debian's packages by apt itself, with state of its own beside the machine's."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (scratch / name).mkdir(parents=True)
    (scratch / "sources.list").write_text(SOURCES)
    options = [
        f"Dir::State={scratch}/state",
        f"Dir::Cache={scratch}/cache",
        f"Dir::Etc::SourceList={scratch}/sources.list",
        "Dir::Etc::SourceParts=/dev/null",
        "Dir::State::Status=/dev/null",
        "APT::Architecture=amd64",
    ]
    apt = ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]
    run([*apt, "update"], timeout=600)
    run(["sh", "-c", 'cd "$0" && exec "$@"', str(scratch), *apt, "download", *DEBIAN], timeout=600)
    for name in ("state", "cache"):
        shutil.rmtree(scratch / name)


def _wrap(scratch: Path, kubelet: Path) -> None:
    """The lab's kubelet as a package."""
    root, release = scratch / "root", KUBERNETES_VERSION.lstrip("v")
    (root / "usr/bin").mkdir(parents=True)
    (root / "DEBIAN").mkdir()
    (root / UNITS).mkdir(parents=True)
    shutil.copy2(kubelet, root / "usr/bin/kubelet")
    shutil.copy2(GUEST / UNITS / "kubelet.service", root / UNITS)
    shutil.copytree(GUEST / UNITS / "kubelet.service.d", root / UNITS / "kubelet.service.d")
    (root / "DEBIAN/control").write_text(CONTROL.format(release=release))
    target = scratch / f"kubelet_{release}-1.1_amd64.deb"
    run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(root), str(target)], timeout=600)
    shutil.rmtree(root)


def packages(paths: Paths) -> Path:
    """The directory with all of them, made once for this release and this list. Raises LabError."""

    def make(scratch: Path) -> None:
        _fetch(scratch)
        _wrap(scratch, programs(paths.cache) / "kubelet")

    parts = (SOURCES, CONTROL, KUBERNETES_VERSION, *DEBIAN)
    return entry(paths.cache, f"packages-{digest(part.encode() for part in parts)}", "packages for a mirror", make)


def index(package: Path) -> str:
    """What apt reads of a package in a mirror (deb822, as dpkg-scanpackages writes it)."""
    fields = run(["dpkg-deb", "-f", str(package)]).stdout
    summary = hashlib.sha256(package.read_bytes()).hexdigest()
    return f"{fields}Filename: ./{package.name}\nSize: {package.stat().st_size}\nSHA256: {summary}\n"


def give(guest: Guest, name: str) -> None:
    """Let *guest* have a mirror with this one package. Raises LabError."""
    (package,) = packages(guest.paths).glob(f"{name}_*.deb")
    guest.run(f"mkdir -p {PLACE}; cat > {PLACE}/Packages <<'INDEX'\n{index(package)}INDEX\n")
    command = guest.ssh_command([f"cat > {PLACE}/{package.name}"])
    with package.open("rb") as file:
        subprocess.run(command, stdin=file, check=True, capture_output=True, timeout=600)
    guest.run(f"echo 'deb [trusted=yes] file:{PLACE} ./' > /etc/apt/sources.list; apt-get -qq update", timeout=600)
