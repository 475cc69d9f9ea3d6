# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Certificate requests as the API has them: read, judged, and those that are exactly a node's approved."""

from __future__ import annotations

import binascii
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass

from .._diagnosis.evidence import parse_time
from .._diagnosis.signing import Asked, Request, Station, Verdict, concerns, judged
from .._parse.errors import ParseError
from .._parse.pkcs10 import pkcs10
from . import convert
from .connect import JSON, Api
from .cordon import clock
from .errors import Conflict, NotThere, Silent
from .listing import REQUESTS
from .refusal import Question

SIGNERS: t.Final = Question(
    "approve",
    "signers.certificates.k8s.io",
    "",
    role="certificates",
    names=("kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving"),
)
APPROVE: t.Final = Question("update", f"{REQUESTS.resource}/approval", REQUESTS.path, role="certificates")
REASON: t.Final = "OutwardKubeletChecked"
MESSAGE: t.Final = "requestor, groups, subject, names, usages, key and age are exactly the node's"
_DENIED: t.Final = "somebody else has answered it meanwhile"


@dataclass(frozen=True)
class Review:
    """What became of the requests of one node."""

    approved: tuple[Verdict, ...]
    left: tuple[Verdict, ...]
    others: tuple[Request, ...] = ()  # pending, and neither about the node nor from it: left too


def review(api: Api, station: Station, *, dry: bool) -> Review:
    """Approve what is exactly the node's; with *dry* only say what would be. Raises KubeError and Silent."""
    items = {item["metadata"]["name"]: item for page in api.pages(REQUESTS) for item in page}
    requests = [request(item) for item in items.values()]
    verdicts = judged(requests, station, clock(api))
    left = [verdict for verdict in verdicts if verdict.objections]
    approved: list[Verdict] = []
    for verdict in verdicts:
        if verdict.objections:
            continue
        if dry or approve(api, items[verdict.request.name]):
            approved.append(verdict)
        else:
            left.append(Verdict(verdict.request, (_DENIED,)))
    others = tuple(one for one in requests if one.state == "pending" and not concerns(one, station))
    return Review(tuple(approved), tuple(left), others)


def concerning(api: Api, station: Station) -> list[Request]:
    """The requests that name the node or come from it, whatever their state. Raises KubeError and Silent."""
    found = (request(item) for page in api.pages(REQUESTS) for item in page)
    return [one for one in found if concerns(one, station)]


def approve(api: Api, item: JSON) -> bool:
    """Whether it was us. Its specification cannot change (the API keeps it as it was made); its conditions can."""
    condition = {"type": "Approved", "status": "True", "reason": REASON, "message": MESSAGE}
    conditions = [*((item.get("status") or {}).get("conditions") or ()), condition]
    name = item["metadata"]["name"]
    question = Question(APPROVE.verb, APPROVE.resource, f"{APPROVE.path}/{name}", role=APPROVE.role)
    try:
        api.update(question, "approval", {**item, "status": {**(item.get("status") or {}), "conditions": conditions}})
    except (Conflict, NotThere):
        return False
    except Silent as silence:
        raise Silent(f"{silence}; whether {name} was approved is not known") from silence
    return True


def request(item: JSON) -> Request:
    """One object of the API."""
    spec, short = item["spec"], convert.signing_request(item)
    try:
        asked, problem = _contents(spec.get("request") or ""), ""
    except ParseError as error:
        asked, problem = None, str(error)
    return Request(
        name=short.name,
        signer=short.signer,
        username=spec.get("username") or "",
        groups=tuple(spec.get("groups") or ()),
        usages=tuple(spec.get("usages") or ()),
        created=parse_time(item["metadata"]["creationTimestamp"]),
        state=short.state,
        asked=asked,
        problem=problem,
        lifetime=spec.get("expirationSeconds"),
    )


def _contents(text: str) -> Asked:
    try:
        return Asked(**pkcs10(binascii.a2b_base64(text).decode("ascii"))._asdict())
    except UnicodeDecodeError as error:
        raise ParseError("a request that is not ASCII") from error
    except ValueError as error:  # binascii.Error; ParseError is one too
        raise ParseError(str(error)) from error


def named(verdicts: Sequence[Verdict]) -> list[JSON]:
    """As a module returns them."""
    return [
        {
            "name": verdict.request.name,
            "signer": verdict.request.signer,
            "requestor": verdict.request.username,
            "objections": list(verdict.objections),
        }
        for verdict in verdicts
    ]
