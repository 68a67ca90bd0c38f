"""Why the present decision is what it is."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from daemon.web.context import context_of
from daemon.web.routes import Route
from daemon.web.uploads import ANSWER_S, knows_names
from daemon.wire.messages import IdentityState


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which parts of the beats the present decision rests on."""

    state: IdentityState  # of the decision
    #: whom the beats are compared with: who is accepted, or whom they come nearest to; null for who
    #: may not hear names
    person: str | None
    score: float  # how alike they are
    beats: int  # good ones that the decision counts, of which all that follows is the mean
    ecg_mv: tuple[float, ...]  # the mean beat
    weights: tuple[float, ...]  # what the score loses without each sample; below 0: gains
    offsets_s: tuple[float, ...]  # when each sample is, counted from the R peak


async def explanation(request: Request, _: None) -> Explanation:
    """Have the service explain the present decision."""
    context = context_of(request)
    async with context.one_at_a_time:
        answer = await context.service.request("explain", ANSWER_S)
    if not knows_names(request):
        answer["person"] = None
    return Explanation(**answer)


ROUTES = (
    Route(
        "GET",
        "/explanation",
        explanation,
        "live",
        "Tell which parts of the beats the present decision rests on",
        answer=Explanation,
    ),
)
