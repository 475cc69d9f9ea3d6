# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node that can be repaired: its files below a directory, its commands recorded, its runtime's answers given."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import RULES
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import (
    ApiPath,
    Journal,
    LogLine,
    NodeEvidence,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import CAUSES
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.repair import REPAIRS
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import REPAIRING
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import ProbeError
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair.run import Repaired, Repairing
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair.tools import Tools
from ansible_collections.outward.kubelet.plugins.module_utils._host.task import Request
from ansible_collections.outward.kubelet.plugins.module_utils._parse import kubeconfig
from tests.unit.helpers import healthy_node
from tests.unit.helpers_host import Scripted, answered

ENTERED = (RULES, REPAIRING)  # importing them is what fills CAUSES and REPAIRS
SHOW = "systemctl --no-ask-password show -P"


class Fake(Tools):
    """Tools below *root*; ``said`` is beginning of a command -> what it prints, or why it fails."""

    def __init__(self, root: Path, **said: t.Any) -> None:
        super().__init__(healthy_node().profile, str(root / "backup"), str(root))
        self.root = root
        self.commands: list[str] = []
        self.said: dict[str, str | ProbeError] = said.get("said", {})
        self.answers: dict[str, bytes] = said.get("answers", {})
        self.free: t.Callable[[], int] = lambda: 0
        self.unused: t.Callable[[], int] = lambda: 0  # inodes
        self.server = said.get("server", "")
        self.answer: ApiPath = said.get("answer", healthy_node().network.api)
        self.answer_by_name: ApiPath = said.get("answer_by_name", self.answer)
        self.reached: list[kubeconfig.Access] = []
        for path, text in said.get("files", {}).items():
            self.write(path, text)

    def write(self, path: str, text: str) -> None:
        place = Path(self.path(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
        os.utime(place, (1, 1))  # what a repair finds is seldom new

    def read(self, path: str) -> str | None:
        place = Path(self.path(path))
        if place.is_symlink():
            return f"-> {place.readlink()}"
        return place.read_bytes().decode() if place.exists() else None

    def ask(self, *command: str) -> str:
        words = " ".join(command)
        asking = (
            "ip -o",
            "kubeadm version",
            "containerd --config",
            "iptables-legacy-save",
            "iptables-nft-save",
            "findmnt",
        )
        if " show " not in words and "--show-depends" not in words and not words.startswith(asking):
            self.commands.append(words.replace("--no-ask-password ", "").replace(self.backup, "BACKUP"))
        told = next((told for begin, told in self.said.items() if words.startswith(begin)), "")
        if isinstance(told, ProbeError):
            raise told
        return told

    def cri(self, method: str, message: bytes = b"", service: str = "") -> bytes:
        if method not in self.answers:
            self.commands.append(f"{method} {message.strip().decode(errors='replace')}")
        return self.answers.get(method, b"")

    def reach(self, access: kubeconfig.Access, name: str = "") -> ApiPath:
        self.reached.append(access)
        return self.answer_by_name if name else self.answer

    def available(self, path: str) -> int:
        return self.free()

    def inodes(self, path: str) -> int:
        return self.unused()


@dataclass
class Patient(Scripted):
    """``first`` until a repair's proof begins, then ``later``."""

    trials: list[str | None] = field(default_factory=list)
    asked: list[t.Collection[str] | None] = field(default_factory=list)  # in each look; None: everything

    @property
    def looks(self) -> int:
        return len(self.asked)

    @property
    def current(self) -> NodeEvidence:
        return self.first if self.looks <= 1 else self.later[min(self.looks - 2, len(self.later) - 1)]

    def observe(self, only: t.Collection[str] | None = None) -> NodeEvidence:
        self.asked.append(only)
        return answered(self.current, only)

    def trial(self) -> str | None:
        return self.trials.pop(0)


def request(tmp_path: Path, cause: str, *, check: bool = False, fingerprint: str = "ab12") -> Request:
    policy, ledger = Policy(9, 86400.0), str(tmp_path / "ledger.jsonl")
    return Request(cause, fingerprint, "job 7", "", policy, ledger, 120.0, False, check)


def repair(host: Patient, tools: Fake, wanted: Request) -> Repaired:
    step = CAUSES[wanted.cause].repair
    assert step is not None
    return Repairing(REPAIRS[step], host, tools, wanted).carry_out()


def log(*lines: str, at: float = 3590.0) -> Journal:
    """A journal that said this lately."""
    return Journal(tuple(LogLine(line, 1, at, at, True) for line in lines), False)
