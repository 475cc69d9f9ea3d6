# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What node_join is on the machine, without Ansible."""

from __future__ import annotations

import re
import time
import typing as t
from collections.abc import Callable

from ..._diagnosis import membership, renewal
from ..._diagnosis.evidence import JSON, Undecided, Unknown, amended, unknown
from ..._diagnosis.gate import Refusal
from ..._diagnosis.membership import Ground, Site, Wanted
from ..._diagnosis.node import ApiPath, NodeEvidence, Profile
from ..._diagnosis.node_pods import SandboxTrial
from ..._diagnosis.signs import CLOCK_TOLERANCE
from ..._diagnosis.steps import JOIN
from ..._parse import x509
from ..._parse.errors import ParseError
from ..call import ARGUMENTS as COMMON
from ..call import described, requested
from ..errors import WrongCall, WrongProfile
from ..ground import look, time_services
from ..joining import Joining, Wish, end_orphans
from ..ledger import LedgerBusy, LedgerUnusable, opened
from ..node import ThisNode
from ..observe import SHOWING_RENEWAL
from ..probes.clock import synchronized
from ..probes.sandbox import ask as try_sandbox
from ..profile import PROFILES, resolve
from ..renewal import Handed
from ..restart import Run
from ..runner import Task as Question
from ..runner import run as ask
from ..settings import Settings
from ..steps import KUBELET
from ..task import Host, Task

ARGUMENTS: t.Final[dict[str, dict[str, t.Any]]] = {
    **{name: spec for name, spec in COMMON.items() if name not in ("cause", "fingerprint")},
    "timeout": {"type": "int", "default": 300},
    "cause": {"type": "str", "default": membership.CAUSE},
    "fingerprint": {"type": "str", "default": ""},
    "state": {"type": "str", "choices": ["joined", "tidied"], "default": "joined"},
    "node_name": {"type": "str", "default": ""},
    "address": {"type": "str", "default": ""},
    "taints": {"type": "list", "elements": "dict", "default": []},
    "version": {"type": "str", "default": ""},
    "server": {"type": "str", "default": ""},
    "authority": {"type": "str", "default": ""},
    "token": {"type": "str", "default": "", "no_log": True},
}
# What is left of the time when kubeadm has had its part is for the proof.
KUBEADM: t.Final = 0.8
TRIAL: t.Final = 32.0  # seconds: _host/probes/sandbox.py
# What of a trial speaks of the runtime; the Pod network comes with the first Pods of a DaemonSet.
RUNTIME_FAULTS: t.Final = frozenset({"image", "oci", "storage", "timeout"})
# An orphan whose kubeadm was killed takes back what it did.
ORPHANS: t.Final = 90


def answer(parameters: t.Mapping[str, t.Any], check: bool) -> JSON:
    """The module's result; raises :class:`~..errors.WrongCall` for what a person must mend."""
    place = _place(parameters["profile"])
    host = ThisNode(place)
    seconds = KUBEADM * parameters["timeout"]
    wish = Wish(parameters["node_name"], parameters["address"], tuple(parameters["taints"]), seconds)
    settings = Settings(place, host.systemctl)
    if parameters["state"] == "tidied":
        return _tidied(Joining(place, Handed("", "", ""), wish, settings), check)
    request, handed = requested(parameters, check), _handed(parameters, check)
    if not check:
        _end_earlier(request.ledger)
    change = Joining(place, handed, wish, settings)
    authorities = membership.fingerprints(each.encoded for each in x509.certificates(handed.authority))
    wanted = Wanted(wish.name, wish.address, parameters["version"], authorities)

    def reach() -> ApiPath:
        return host.reach(handed.access())

    change.ready = lambda: _unready(host, place, settings, reach)
    task = joining(change, wanted, reach, lambda: look(place))
    outcome = Run(task, host, request).carry_out()
    return {**described(task.step, request, outcome), "set": list(settings.done), "left": change.left}


def _tidied(change: Joining, check: bool) -> JSON:
    left = change.left
    problem = change.keep() if left and not check else None
    return {"changed": left, "notes": [problem] if problem else []}


def joining(change: Joining, wanted: Wanted, reach: Callable[[], ApiPath], ground: Callable[[], Ground]) -> Task:
    """A machine that becomes the node *wanted*; *reach*: the API server as the machine is told of it."""

    def refuse(host: Host, evidence: NodeEvidence) -> tuple[Refusal, ...]:
        change.before = vars(evidence.kubelet)["unit"]
        try:
            api = reach()
        except Undecided as doubt:
            api = unknown(str(doubt))
        told = amended(evidence, network=amended(evidence.network, api=api))
        return membership.refusals(Site(evidence, told, ground(), wanted))

    return Task(
        step=JOIN,
        unit=KUBELET.unit,
        journal=KUBELET.journal,
        refuse=refuse,
        came_up=lambda host: change.arrived() and host.healthz().outcome == "ok",
        questions={
            **{name: KUBELET.questions[name] for name in ("no_further_restart", "healthz_ok", "runtime_ready")},
            "certificate_issued": lambda trial: renewal.usable(trial.after.certificates, wanted.name),
            "certificate_accepted": lambda trial: renewal.accepted(trial.after),
        },
        showing=SHOWING_RENEWAL,
        change=change,
        starts=True,
    )


def _unready(host: ThisNode, place: Profile, settings: Settings, reach: Callable[[], ApiPath]) -> t.Optional[str]:
    """Asked when the host is set up, and before anything with TLS: clock, API server, and a Pod's sandbox."""
    clock = host.observe({"clock", "units"}).clock
    services = (*([clock.service] if clock.service else []), *time_services())
    if services:
        problem = settings.start_clock(services[0], synchronized)
        if problem is not None:
            return problem
    api = reach()
    if api.outcome not in ("ok", "http"):
        return f"{api.server} cannot be reached from it ({api.outcome}: {api.detail})"
    if api.offset is not None and abs(api.offset) > CLOCK_TOLERANCE:
        return f"the clock is {api.offset:+.0f} s from the API server's, although it is synchronised"
    return _no_sandbox(place)


def _no_sandbox(place: Profile) -> t.Optional[str]:
    """The pause image, runc and its shim: a Pod without them never starts. What could not be told is no obstacle."""
    found = ask((Question("sandbox", TRIAL, lambda: try_sandbox(place)),), TRIAL)["sandbox"].value
    if isinstance(found, Unknown) or not isinstance(found, SandboxTrial) or found.outcome not in RUNTIME_FAULTS:
        return None
    return f"the runtime cannot make a Pod sandbox ({found.outcome}: {found.detail})"


def _place(name: str) -> Profile:
    """A machine without any of it is a kubeadm's to be, and is told what to install."""
    try:
        return resolve(name)
    except WrongProfile:
        if name not in ("auto", "kubeadm"):
            raise
        return PROFILES["kubeadm"]


def _end_earlier(ledger: str) -> None:
    """A run whose controller was killed goes on here, with a token that is worth nothing any more."""
    for dummy in range(ORPHANS):
        ended = end_orphans()
        if not ended and not _acting(ledger):
            return
        time.sleep(1.0)


def _acting(ledger: str) -> bool:
    """Another process of ours has the ledger; whatever else is wrong with it, the run itself says."""
    try:
        with opened(ledger):
            return False
    except LedgerBusy:
        return True
    except LedgerUnusable:
        return False


def _handed(parameters: t.Mapping[str, t.Any], check: bool) -> Handed:
    """Raises :class:`WrongCall` that says which one is wrong, and never what it is."""
    handed = Handed(parameters["server"], parameters["authority"], parameters["token"])
    if not parameters["node_name"] or not parameters["version"]:
        raise WrongCall("node_name or version is missing")
    if not re.fullmatch(r"https://[^\s/@?#]{1,300}/?", handed.server):
        raise WrongCall("server must be a URL like https://10.77.0.1:6443")
    if not check and not re.fullmatch(r"[a-z0-9]{6}[.][a-z0-9]{16}", handed.token):
        raise WrongCall("token is no bootstrap token")
    try:
        x509.certificates(handed.authority)
    except ParseError as error:
        raise WrongCall(f"authority is no certificate: {error}") from error
    return handed
