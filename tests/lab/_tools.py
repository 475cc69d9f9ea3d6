# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's programs that the lab needs, and the packages they come in."""

from __future__ import annotations

import os
import shutil

from tests.lab._model import LabError
from tests.lab._shell import run, step

PACKAGES = {
    "dpkg-deb": "dpkg",
    "ip": "iproute2",
    "mke2fs": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "nsenter": "util-linux",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "ssh": "openssh-client",
    "tar": "tar",
}


def missing() -> list[str]:
    """The packages whose program is not to be found."""
    return sorted({package for tool, package in PACKAGES.items() if not shutil.which(tool)})


def require() -> None:
    """Have every tool, or say in one message what to type."""
    if os.geteuid() != 0:
        raise LabError("the lab makes a network namespace and a Debian root: run it as root")
    packages = missing()
    if not packages:
        return
    install = ["apt-get", "install", "-qq", "--no-install-recommends", "-y", *packages]
    if shutil.which("apt-get") is None:
        raise LabError(f"these packages are missing: {' '.join(packages)}")
    with step(f"installing {' '.join(packages)}"):
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-qq"], timeout=600)
        run(install, timeout=1200, env=quiet)
