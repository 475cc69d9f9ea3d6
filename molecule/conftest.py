# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the verifications share: the report, the units before the playbook, and the journal when one fails.

They also run without Molecule, after it, in the lab's network:
``pytest --hosts=ansible://pi-04 --ansible-inventory=... --ssh-config=... molecule/SCENARIO``.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Generator
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.tools.scenario import SHOW, Report, Units, units

ROOT: t.Final = Path(__file__).parents[1]
NODE: t.Final = "pi-04"
JOURNAL: t.Final = "journalctl --boot --unit=kubelet --no-pager --lines=60"


@pytest.fixture
def reports(request: pytest.FixtureRequest) -> Path:
    """Where the scenario's playbook wrote."""
    return ROOT / ".build" / "molecule" / request.path.parents[1].name


@pytest.fixture
def report(reports: Path) -> Report:
    """The report of the one host (design.md section 5)."""
    return t.cast(Report, json.loads((reports / f"{NODE}.json").read_text()))


@pytest.fixture
def before(reports: Path) -> Units:
    """kubelet.service and containerd.service as they were when the playbook began."""
    return units((reports / "before.txt").read_text())


@pytest.fixture
def now(host: Host) -> Units:
    """The same units as they are."""
    return units(host.check_output(SHOW))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, t.Any, None]:
    """A failed verification shows the end of the kubelet's journal beside its own words."""
    outcome = yield
    result: pytest.TestReport = outcome.get_result()
    host: Host | None = item.funcargs.get("host")
    if result.when == "call" and result.failed and host is not None:
        journal = host.run(JOURNAL).stdout
        result.sections.append(("journal of the kubelet", journal))
