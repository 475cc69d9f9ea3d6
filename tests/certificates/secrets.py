# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking for a token where it must not be: what was said, what processes were called with, and the node's disk.

The harness is cluster admin and watches the Secret, which is how it knows what to look for. What it looks for goes
through standard input, so that the search itself leaves nothing behind.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import typing as t
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from tests.faults.lab import in_lab
from tests.faults.model import controller, node
from tests.lab._model import default_paths, parse_host
from tests.matrix.playbook import Run
from tests.matrix.results import ROOT

from .sampler import arguments

SAMPLED: t.Final = "/run/outward-sampled"
WANTED: t.Final = "/run/outward-wanted"
STAMP: t.Final = "/run/outward-stamp"  # as old as the first run: what has not changed since holds no token of it
WITNESS: t.Final = "/var/lib/outward-witness"  # what a search of the disk has to find
SEARCH_SECONDS: t.Final = 600.0  # an emulated disk, all of it after a clock that was set


class NotSearched(Exception):
    """Nobody can tell whether a secret was left; the text says why."""


@dataclass(frozen=True)
class Loud(Run):
    """With all that Ansible can say; *playbook*: another one than node-MODE.yml."""

    playbook: str = ""

    def command(self, host: str, reports: Path) -> list[str]:
        """With -vvv, and what it changes."""
        tool, usual, *rest = super().command(host, reports)
        return [tool, self.playbook or usual, *rest, "-vvv", "--diff"]


class Watch:
    """The secrets of every bootstrap token with this id that there is meanwhile."""

    def __init__(self, identity: str) -> None:
        self.secrets: set[str] = set()
        words = ["get", "secrets", "-n", "kube-system", "--watch", "-o", "json"]
        chosen = [f"--field-selector=metadata.name=bootstrap-token-{identity}"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab", "kubectl", "--", *words, *chosen],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def end(self) -> set[str]:
        """All that were seen."""
        self._process.kill()
        self._process.wait()
        self._thread.join(10)
        return self.secrets

    def _follow(self) -> None:
        text, decoder = "", json.JSONDecoder()
        for line in self._process.stdout or ():
            text = (text + line).lstrip()
            try:
                item, end = decoder.raw_decode(text)
            except ValueError:  # not whole yet
                continue
            text = text[end:]
            data = item.get("data", {}).get("token-secret")
            self.secrets |= {base64.b64decode(data).decode()} if data else set()


class Sampler:
    """What processes of this machine are called with, five times a second."""

    def __init__(self) -> None:
        self.lines: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def end(self) -> str:
        """All of it."""
        self._end.set()
        self._thread.join()
        return "\n".join(self.lines)

    def _sample(self) -> None:
        read: dict[str, int] = {}
        while not self._end.wait(0.2):
            self.lines |= {line.decode("utf-8", "replace") for line in arguments(read)}


def sample_node(host: str) -> None:
    """Begin to sample the node too."""
    text = Path(__file__).with_name("sampler.py").read_text()
    script = (
        f": > {STAMP}; cat > /run/outward-sampler.py <<'PROGRAM'\n{text}PROGRAM\n"
        f"systemd-run --unit=outward-sampler python3 /run/outward-sampler.py {SAMPLED}"
    )
    answer = in_lab(node(script), host, 60)
    if answer.code:
        raise NotSearched(f"the node could not be sampled: {answer.output}")


def on_node(host: str, secrets: t.Collection[str]) -> list[str]:
    """Where on the node one of *secrets* is: sampled, the journal, files, and its disk. Empty: nowhere."""
    witness = token_hex(16)
    answer = in_lab(node(search(secrets, witness)), host, SEARCH_SECONDS)
    if answer.code or not answer.output.endswith("searched"):
        raise NotSearched(f"the node could not be searched: {answer.output}")
    found = [line.removeprefix("found: ") for line in answer.output.splitlines() if line.startswith("found: ")]
    overlay = default_paths(os.environ, Path.home()).overlay(parse_host(host))
    return found + on_disk(overlay, secrets, witness)


def on_disk(disk: Path, secrets: t.Collection[str], witness: str) -> list[str]:
    """The virtual disk itself, as this machine has it: what was written and deleted again is still there."""
    if not holds(disk, [witness]):
        raise NotSearched(f"the disk {disk.name} could not be searched: what was just written to it is not found")
    return ["the disk, deleted or not"] if holds(disk, secrets) else []


def holds(file: Path, words: t.Collection[str]) -> bool:
    """One of *words* is in it."""
    command = ["grep", "-qaF", "-f", "-", str(file)]
    done = subprocess.run(command, input="\n".join(words), text=True, capture_output=True, check=False)
    if done.returncode > 1:
        raise NotSearched(f"{file} could not be searched: {done.stderr.strip()}")
    return done.returncode == 0


def search(secrets: t.Collection[str], witness: str) -> str:
    """Lines for the node; what is looked for is in a file of a tmpfs meanwhile, and *witness* on the disk."""
    words = "\n".join(sorted(secrets))
    return (
        "systemctl stop outward-sampler || true; umask 077\n"
        f"cat > {WANTED} <<'SECRETS'\n{words}\nSECRETS\n"
        f'look() {{ if grep -qaF -f {WANTED}; then echo "found: $1"; fi; }}\n'
        f"look arguments < {SAMPLED}\n"
        "journalctl -b --no-pager -o export | look journal\n"
        f"echo {witness} > {WITNESS}; sync; find / /run /tmp /dev/shm -xdev -type f -cnewer {STAMP} ! -path {WANTED} ! -path {SAMPLED} -print0"
        f" | xargs -0r grep -laF -f {WANTED} | sort -u | sed 's/^/found: /' || true\n"
        f"rm {WANTED}; echo searched"
    )


def tokens_left(host: str, identity: str) -> int:
    """How many Secrets there are of the token with this id. Raises NotSearched."""
    script = f"kubectl get secrets -n kube-system -o name | grep -c secret/bootstrap-token-{identity} || true"
    answer = in_lab(controller(script), host, 60)
    count = answer.output.rpartition("\n")[2]
    if answer.code or not count.isdigit():
        raise NotSearched(f"the Secrets could not be listed: {answer.output}")
    return int(count)


def here(secrets: t.Collection[str], places: dict[str, str]) -> list[str]:
    """Names of the *places* whose text holds one of *secrets*."""
    return [name for name, text in places.items() if any(secret in text for secret in secrets)]
