"""Proposals that wait: listing them, showing one with its diff, approving and closing.

It decides who may see what, and who may act on which environment at all. What is open, what can be done
about it and whether it carries only what the token speaks for, the worker's thread answers through
`rooms.Desk`.
"""

from __future__ import annotations

from flask import Response
from flask_openapi3.openapi import OpenAPI

from updater import intake
from updater.answers import proposal_json
from updater.auth import require_act, require_environment
from updater.errors import InvalidRequest
from updater.model import APPROVE, Caller, EnvironmentOutcome
from updater.web import accepting, examples, openapi, problems
from updater.web.asked import ProposalPath
from updater.web.problems import problem
from updater.web.replies import answer
from updater.web.rooms import caller, desk
from updater.web.visibility import may_see_proposal

_ONE = "/api/proposals/<environment>/<name>"
_DECIDING = (
    problems.INVALID,
    problems.FORBIDDEN,
    problems.NO_PROPOSAL,
    problems.TOO_LARGE,
    problems.NOT_JSON,
    *openapi.AT_DESK,
    *openapi.EVERYWHERE,
)


def install(app: OpenAPI) -> None:
    """Add the four routes."""
    app.get(
        "/api/proposals",
        summary="List the proposals that wait",
        **openapi.operation(
            "listProposals",
            openapi.PROPOSALS,
            {
                200: openapi.response(
                    "Proposals",
                    "Those of the token's environments with nothing but its images, without their diffs.",
                    example={"proposals": [examples.PROPOSAL | {"diff": ""}]},
                )
            },
            problems_of=(*openapi.AT_DESK, *openapi.EVERYWHERE),
        ),
    )(list_proposals)
    app.get(
        _ONE,
        summary="Show a proposal with its diff",
        **openapi.operation(
            "getProposal",
            openapi.PROPOSALS,
            {200: openapi.response("Proposal", "It waits.", example=examples.PROPOSAL)},
            problems_of=(problems.NO_PROPOSAL, *openapi.AT_DESK, *openapi.EVERYWHERE),
        ),
    )(show)
    app.post(
        f"{_ONE}/approve",
        summary="Approve a proposal: merge it",
        **openapi.operation(
            "approveProposal",
            openapi.PROPOSALS,
            {200: openapi.response("Decision", "What came of it.", example=examples.APPROVED)},
            problems_of=_DECIDING,
            requestBody=openapi.body("Approval", examples.APPROVALS, required=False),
        ),
    )(approve)
    app.post(
        f"{_ONE}/close",
        summary="Close a proposal: it shall not go out",
        **openapi.operation(
            "closeProposal",
            openapi.PROPOSALS,
            {200: openapi.response("Decision", "It is closed.", example=examples.CLOSED)},
            problems_of=_DECIDING,
            requestBody=openapi.body("Closing", examples.CLOSINGS),
        ),
    )(close)


def list_proposals() -> Response:
    """List the proposals that the token may see."""
    who = caller()
    with desk() as asked:
        found = asked.proposals()
    seen = [proposal for proposal in found if may_see_proposal(who, proposal)]
    return answer({"proposals": [proposal_json(proposal) for proposal in seen]})


def show(path: ProposalPath) -> Response:
    """Show one proposal that the token may see."""
    who = caller()
    if not who.may_reach(path.environment):
        return _unknown()
    with desk() as asked:
        found = asked.proposal(path.proposal)
    if found is None or not may_see_proposal(who, found):
        return _unknown()
    return answer(proposal_json(found))


def approve(path: ProposalPath) -> Response:
    """Merge a proposal, at the commit that the caller has seen where it says so."""
    who = _who_may_decide(path)
    head = intake.decode_approval(accepting.body_of_request(may_be_empty=True))
    with desk() as asked:
        try:
            outcome = asked.approve(path.proposal, caller=who, head=head)
        except InvalidRequest as error:
            return _unknown(str(error))
    return answer(_decision_json(path, outcome))


def close(path: ProposalPath) -> Response:
    """Close a proposal, as decided by the caller."""
    who = _who_may_decide(path)
    reason = intake.decode_closing(accepting.body_of_request())
    with desk() as asked:
        try:
            outcome = asked.close(path.proposal, caller=who, reason=reason)
        except InvalidRequest as error:
            return _unknown(str(error))
    return answer(_decision_json(path, outcome))


def _who_may_decide(path: ProposalPath) -> Caller:
    who = caller()
    require_act(who, APPROVE)
    require_environment(who, path.environment)
    return who


def _decision_json(path: ProposalPath, outcome: EnvironmentOutcome) -> dict[str, str]:
    return {
        "name": path.proposal,
        "environment": outcome.environment,
        "outcome": outcome.kind.value,
        "code": outcome.code,
        "reason": outcome.reason,
        "commit": outcome.commit,
        "link": outcome.link or next((one.link for one in outcome.proposals), ""),
    }


def _unknown(
    detail: str = "No open proposal that this token may see has the name in the address.",
) -> Response:
    return problem(problems.NO_PROPOSAL, detail)
