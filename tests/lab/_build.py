# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs of the cluster: Kubernetes built from pinned Go modules, etcd from Debian."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.lab import _cache
from tests.lab._model import KUBERNETES_VERSION, LabError
from tests.lab._shell import run

SOURCE = Path(__file__).parent / "build"
PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
)
VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
BUILD_SECONDS = 3600


def linker_flags(version: str) -> str:
    """The stamps without which kubeadm takes itself for a version of its own and refuses."""
    major, minor, _patch = version.removeprefix("v").split(".")
    stamps = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
    }
    flags = [f"-X {package}.{name}={value}" for package in VERSION_PACKAGES for name, value in stamps.items()]
    return " ".join(["-s", "-w", *flags])


def recipe() -> Iterable[bytes]:
    """All that decides what the programs are."""
    yield linker_flags(KUBERNETES_VERSION).encode()
    yield " ".join(PROGRAMS).encode()
    yield from _cache.tree(SOURCE)


def _go_build(target: Path) -> None:
    if shutil.which("go") is None:
        raise LabError("Go is missing: install Go 1.21 or later, it fetches the release it needs")
    packages = [f"k8s.io/kubernetes/cmd/{program}" for program in PROGRAMS]
    flags = ["-trimpath", "-mod=readonly", "-ldflags", linker_flags(KUBERNETES_VERSION)]
    run(
        ["go", "-C", str(SOURCE), "build", *flags, "-o", f"{target}/", *packages, "./pause"],
        timeout=BUILD_SECONDS,
        env={"CGO_ENABLED": "0"},
    )


def programs(cache: Path) -> Path:
    """The directory with kubelet, kubeadm, kubectl, pause and the control plane."""
    name = f"kubernetes-{KUBERNETES_VERSION}-{_cache.digest(recipe())}"
    title = f"building Kubernetes {KUBERNETES_VERSION} (10 minutes on two cores)"
    return _cache.entry(cache, name, title, _go_build)


def _unpack_etcd(target: Path) -> None:
    """Unpacked and not installed: the package would start a service of its own."""
    fetch = ["apt-get", "-qq", "download", "etcd-server"]
    # apt's unprivileged user may not enter root's cache directory; it warns and goes on.
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(target), *fetch]
    if run(command, check=False).returncode:
        run(["apt-get", "-qq", "update"], timeout=600)
        run(command, timeout=600)
    [package] = target.glob("etcd-server_*.deb")
    run(["dpkg-deb", "-x", str(package), str(target)])
    package.unlink()


def etcd(cache: Path) -> Path:
    """Debian's etcd."""
    return _cache.entry(cache, "etcd", "fetching etcd", _unpack_etcd) / "usr" / "bin" / "etcd"
