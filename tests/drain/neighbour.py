# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection kubernetes.core out of the package ansible, which is not installed: it would replace our own ansible-core."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
import zipfile
from pathlib import Path

from tests.matrix.results import ROOT

PACKAGE: t.Final = "ansible<13"  # the last that goes with ansible-core 2.19
PLACE: t.Final = ROOT / ".build" / "neighbour"
COLLECTION: t.Final = "ansible_collections/kubernetes/core/"


def fetch(place: Path = PLACE) -> Path:
    """Where Ansible finds it; the package is fetched once."""
    if not (place / COLLECTION / "MANIFEST.json").is_file():
        wheels = place / "wheel"
        if not list(wheels.glob("ansible-*.whl")):
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels), PACKAGE]
            subprocess.run(command, check=True)
        unpack(next(wheels.glob("ansible-*.whl")), place)
    return place


def unpack(wheel: Path, place: Path) -> None:
    """The one collection out of some hundred."""
    with zipfile.ZipFile(wheel) as package:
        package.extractall(place, [name for name in package.namelist() if name.startswith(COLLECTION)])


def version(place: Path = PLACE) -> str:
    """Of the collection."""
    manifest = json.loads((place / COLLECTION / "MANIFEST.json").read_text())
    return str(manifest["collection_info"]["version"])
