# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One look at a node: the questions are asked, and their answers become evidence, section by section."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from .._diagnosis.evidence import Evidence, Unknown, unknown
from .._diagnosis.node import (
    SCHEMA,
    Clock,
    Cri,
    Kernel,
    Kubelet,
    KubeletConfig,
    Mount,
    Network,
    NodeEvidence,
    Pressure,
    Probe,
    Profile,
    Runtime,
    Storage,
)
from .._diagnosis.node_pods import PROBE_NAMESPACE, SandboxTrial
from .._parse.mounts import MountLine, is_network, mountinfo
from .files import attempt, describe, read
from .profile import resolve
from .questions import MOST_MOUNTS, MOUNT, TIDY, batches, mount_batches
from .runner import Answer, Runner
from .subsets import BY_NAME, SUBSETS
from .turns import in_turn

# The module ends within 10 s whatever hangs; the rest is for its start and for writing down the result.
BUDGET: t.Final = 9.0
# The functional probe's own deadlines, and what it takes to clean up after it.
TRIAL: t.Final = 32.0
TIDYING: t.Final = 10.0
TURN: t.Final = "/run/outward-kubelet-look.lock"  # /run is a tmpfs wherever systemd is
IDENTITY: t.Final = "identity"
# What a step changes, and what shows that it worked.
SHOWING: t.Final = frozenset({IDENTITY, "clock", "units", "healthz", "cri"})
# A new client certificate is shown besides by itself, and by the API server's answer to it.
SHOWING_RENEWAL: t.Final = SHOWING | {"certificates", "api", "kubelet-files"}
# What the gates read (_diagnosis.gate): no journal, and none of what says how Pods fare.
GATING: t.Final = SHOWING | {
    "kubelet-files",
    "kubelet-binary",
    "certificates",
    "api",
    "pressure",
    "processes",
    "storage",
    "kernel",
}
Fields = dict[str, t.Any]


class Answers:
    """What came back, to build sections from."""

    def __init__(self, place: Profile, answers: t.Mapping[str, Answer], mounts: t.Any) -> None:
        self.place = place
        self._answers = answers
        self._mounts = mounts  # the network mounts (a tuple), or unknown

    def asked(self, name: str) -> bool:
        """Whether the question was asked at all; get() may know nothing all the same."""
        return name in self._answers

    def get(self, name: str, index: int | None = None) -> t.Any:
        """The answer to a question, or its *index*-th part; what is unknown stays so."""
        value = self._answers[name].value if name in self._answers else unknown(f"{name}: not asked")
        return value if index is None or isinstance(value, Unknown) else value[index]

    def fields(self, name: str, kind: type[Evidence], *but: str) -> Fields:
        """The fields of *kind* that a question answers, all of them unknown when it did not."""
        value = self.get(name)
        if isinstance(value, dict):
            return value
        return {field: value for field in kind.__annotations__ if field not in but}

    def mounts(self) -> t.Any:
        """Every network mount with whether it answers; those behind the limit were not asked."""
        if isinstance(self._mounts, Unknown):
            return self._mounts
        return tuple(
            Mount(mount.mount_point, mount.device, mount.kind, self._mount_answers(mount)) for mount in self._mounts
        )

    def _mount_answers(self, mount: MountLine) -> t.Any:
        answer = self._answers.get(MOUNT + mount.mount_point)
        if answer is None:
            return unknown(f"{mount.mount_point}: one of more than {MOST_MOUNTS} network mounts; it was not asked")
        return False if answer.timed_out else answer.value

    def probes(self) -> tuple[Probe, ...]:
        """How each question went."""
        return tuple(
            Probe(answer.name, answer.seconds, answer.value.reason if isinstance(answer.value, Unknown) else None)
            for answer in self._answers.values()
        )


def observe(
    profile: Profile | str,
    subsets: t.Collection[str],
    tidy: bool = False,
    only: t.Optional[t.Collection[str]] = None,
) -> NodeEvidence:
    """Everything asked for in *subsets* (keys of SUBSETS and BY_NAME); the other sections are unknown.

    *tidy*: sandboxes that a trial of ours has left behind are removed. *only*: of their questions no others are asked.

    *profile*: one that is resolved, or ``auto``, ``kubeadm`` or ``k3s``; a name may raise
    :class:`~.errors.WrongProfile`, and nothing else is raised.
    """
    place = resolve(profile) if isinstance(profile, str) else profile
    wanted = {IDENTITY, *(section for name, section in {**SUBSETS, **BY_NAME}.items() if name in subsets)}
    questions = {name for section in wanted for name in SECTIONS[section][0] if only is None or name in only}
    mounts = attempt(_network_mounts) if "storage" in questions else unknown("the mounts were not looked at")
    points = [mount.mount_point for mount in mounts] if isinstance(mounts, tuple) else []
    asked = [*batches(place, questions), *mount_batches(points)]
    with in_turn(TURN):
        heard = Runner(asked, BUDGET + (TRIAL if "sandbox" in wanted else 0.0)).run()
        if tidy and _left_behind(heard):
            heard = {**heard, **Runner(batches(place, {TIDY}), TIDYING).run()}
    answers = Answers(place, heard, mounts)
    sections = {
        name: build(answers) if name in wanted else unknown("not gathered")
        for name, (dummy, build) in SECTIONS.items()
        if name in wanted or name not in BY_NAME.values()
    }
    return NodeEvidence(
        schema=SCHEMA,
        observed=datetime.now(timezone.utc),
        unreachable=None,
        profile=place,
        probes=answers.probes(),
        **sections,
    )


def _left_behind(heard: t.Mapping[str, Answer]) -> bool:
    """A trial was killed, now or in an earlier run, or could not remove all that it made, and that may still be there."""
    trial, runtime = heard.get("sandbox"), heard.get("cri")
    if trial and (trial.timed_out or (isinstance(trial.value, SandboxTrial) and trial.value.left)):
        return True
    pods = vars(runtime.value).get("pods") if runtime and isinstance(runtime.value, Cri) else None
    return isinstance(pods, tuple) and any(pod.namespace == PROBE_NAMESPACE for pod in pods)


def _network_mounts() -> tuple[MountLine, ...]:
    """One mount for each export of another machine. Reading mountinfo touches none of them."""
    mounts = mountinfo(read("/proc/self/mountinfo"))
    return tuple({mount.device: mount for mount in mounts if is_network(mount.kind)}.values())


def _kubelet(answers: Answers) -> Kubelet:
    fields = answers.get("kubelet-files", 1)
    flags = answers.get("kubelet-binary", 1)
    if isinstance(fields, dict):
        fields = KubeletConfig(**{**fields, **_cgroup_driver(answers), "unknown_flags": flags})
    return Kubelet(
        unit=answers.get("units", 0),
        binary=answers.get("kubelet-files", 0),
        version=answers.get("kubelet-binary", 0),
        healthz=answers.get("healthz"),
        config=fields,
        journal=answers.get("kubelet-journal"),
        shutting_down=answers.get("kubelet-files", 2),
        runs_installed=answers.get("kubelet-binary", 2),
    )


def _cgroup_driver(answers: Answers) -> Fields:
    """A runtime that says which driver it uses decides (KubeletCgroupDriverFromCRI, on by default from 1.31)."""
    if not answers.asked("cri"):
        return {"cgroup_driver": answers.get("cri")}
    said = vars(answers.get("cri")).get("cgroup_driver")
    return {"cgroup_driver": said} if isinstance(said, str) else {}


def _runtime(answers: Answers) -> Runtime:
    return Runtime(
        unit=answers.get("units", 1),
        cri=answers.get("cri"),
        config=attempt(describe, answers.place.runtime_config),
        journal=answers.get("runtime-journal"),
        cri_disabled=answers.get("runtime-files", 0),
        missing_programs=answers.get("runtime-files", 1),
        exec_format=answers.get("pod-logs"),
    )


def _pressure(answers: Answers) -> Pressure:
    fields = answers.fields("pressure", Pressure, "inotify_instances")
    return Pressure(**fields, inotify_instances=answers.get("processes", 1))


def _network(answers: Answers) -> Network:
    fields = answers.fields("network", Network, "api", "firewall")
    return Network(**fields, api=answers.get("api"), firewall=answers.get("firewall"))


def _storage(answers: Answers) -> Storage:
    return Storage(**answers.fields("storage", Storage, "network_mounts"), network_mounts=answers.mounts())


def _kernel(answers: Answers) -> Kernel:
    fields = answers.fields("kernel", Kernel, "journal", "blocked_tasks", "upkeep", "boot_before")
    return Kernel(
        **fields,
        journal=answers.get("kernel-log"),
        blocked_tasks=answers.get("processes", 0),
        upkeep=answers.get("processes", 2),
        boot_before=answers.get("boot-before"),
    )


def _clock(answers: Answers) -> Clock:
    return Clock(**answers.fields("clock", Clock, "service"), service=answers.get("units", 2))


Builder = t.Callable[[Answers], t.Any]
# section of NodeEvidence -> (the questions that it needs, how it is built)
SECTIONS: t.Final[dict[str, tuple[tuple[str, ...], Builder]]] = {
    "identity": (("identity",), lambda answers: answers.get("identity")),
    "kubelet": (("units", "kubelet-files", "kubelet-binary", "healthz", "kubelet-journal", "cri"), _kubelet),
    "runtime": (("units", "cri", "runtime-files", "runtime-journal", "pod-logs"), _runtime),
    "pressure": (("pressure", "processes"), _pressure),
    "certificates": (("certificates",), lambda answers: answers.get("certificates")),
    "network": (("network", "api", "firewall"), _network),
    "storage": (("storage",), _storage),
    "kernel": (("kernel", "kernel-log", "processes", "boot-before"), _kernel),
    "clock": (("clock", "units"), _clock),
    "board": (("board",), lambda answers: answers.get("board")),
    "sandbox": (("sandbox",), lambda answers: answers.get("sandbox")),
}
