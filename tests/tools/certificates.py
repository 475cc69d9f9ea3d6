# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write docs/certificates.md from what was measured of certificates: ``python -m tests.tools.certificates``."""

from __future__ import annotations

import typing as t
from pathlib import Path

from tests.matrix.results import Row

from .measured import DOCS, RESULTS, Section
from .measured import page as written

PAGE: t.Final = DOCS / "certificates.md"
HEAD: t.Final = """<!-- Written by `python3 -m tests.tools.certificates` from docs/results; do not edit. -->
# Certificates, measured

Each row was run against real nodes and a real API server, and our playbooks had the rights of `rbac/certificates.yml`. What a
row expects, what was seen and which commit it was stand in the files named below.
"""


def _recovered(row: Row) -> tuple[str, ...]:
    seen = row["seen"] or {}
    kept = {True: "yes", False: "**no**", None: "-"}[seen.get("containers_kept")]
    return (row["mode"], seen.get("outcome", "-"), listed(seen.get("actions")), kept, hidden(seen))


def _joined(row: Row) -> tuple[str, ...]:
    seen = row["seen"] or {}
    return (seen.get("outcome", "-"), _works(seen.get("works")), seen.get("again") or "-", hidden(seen))


def _works(works: bool | str | None) -> str:
    return works if isinstance(works, str) else "-" if works is None else "yes"


def _answered(row: Row) -> tuple[str, ...]:
    seen = row["seen"] or {"ends": {}, "words": []}
    ends = ", ".join(f"{count} {end.replace('_', ' ')}" for end, count in seen["ends"].items())
    return (row["mode"], row["kind"], ends or "-", "; ".join(seen["words"]) or "-")


def listed(names: list[str] | None) -> str:
    """As code, or a dash."""
    return ", ".join(f"`{name}`" for name in names or ()) or "-"


def hidden(seen: Row) -> str:
    """Whether the token of a run is gone, and was nowhere to be seen."""
    if not seen.get("tokens_seen"):
        return "-"
    left = [f"{seen['tokens_left']} left"] if seen["tokens_left"] else []
    return "; ".join([*left, *seen["found_in"]]) or "none"


SECTIONS: t.Final = (
    Section(
        "certificates.json",
        "Client certificates that do not work",
        "A healthy node, its certificate spoiled, and `certificates-recover.yml`; or certificates that work, and "
        "`certificates-rotate.yml`. Right: proven to work, what ran before runs on in the same containers, and the "
        "bootstrap token is gone and was never in a log, an argument, a report or on the disk.",
        ("playbook", "outcome", "done", "containers kept", "token left or seen"),
        _recovered,
        by="mode",
    ),
    Section(
        "join.json",
        "Machines that join",
        "A machine that was never a node, and `node-join.yml`, also killed after each of its tasks and run again. Right: "
        "the Node works, a second run changes nothing, and of the token the same as above; or it is refused for the reason.",
        ("outcome", "the Node works", "run again", "token left or seen"),
        _joined,
    ),
    Section(
        "csr.json",
        "Hostile certificate requests",
        "Sent to the API server as whoever an attacker would be: the node with its kubelet's own certificate, another node, "
        "ServiceAccounts, bootstrap tokens. `approve` is `certificates-approve.yml`; `recover` is what answers while a node "
        "gets a new client certificate by a token of ours. Right: none but the node's own is approved, and each one that is "
        "left is named with the reason. The rows of the kind limit are what kube-controller-manager approves before anybody "
        "is asked, as kubeadm sets it up.",
        ("by", "kind", "ends", "what was said"),
        _answered,
    ),
)


def page(results: Path = RESULTS) -> str:
    """The whole page."""
    return written(HEAD, SECTIONS, results)


if __name__ == "__main__":
    PAGE.write_text(page())
