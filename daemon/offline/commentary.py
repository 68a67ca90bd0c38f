"""Has a language model put a report's figures into words, over a chat-completions API.

Numbers leave this machine and nothing else: ``numbers`` lists them. What comes back is a stranger's
text. Whatever goes wrong, there is a reason instead of a text, and the report stands without it.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import isfinite
from statistics import median
from threading import Thread
from typing import Any

from config.commentary import CommentaryOptions
from config.errors import SettingInvalid
from daemon.errors import import_extra
from daemon.offline.labels import BREATHING, OF_A_BEAT
from daemon.terminal import plain
from dsp.hrv import NEEDS

PROMPT = """\
The user sends figures of one recording of a heart by a single lead, as JSON. They are numbers \
only; null is what the recording did not let be told, since it is too short or too disturbed. Say \
in plain words, for a reader who is no physician, what the figures say, and then what they cannot \
say. Use no other figures than these. Give no diagnosis, no name of a disease and no advice on \
treatment, and say that a physician has to judge. Write at most 200 words of plain text in \
English, without headings, lists, tables, links or Markdown."""
NOTICE = (
    "Written by a machine, a language model that saw some figures of this report and nothing else. "
    "It is not medical, it is no diagnosis, and it may be wrong."
)
LARGEST_ANSWER = 1 << 20  # bytes
LONGEST_TEXT = 4000  # characters
LONGEST_REASON = 200
#: Markup, and addresses, which a viewer might make links of. None takes long on any text.
MARKUP = re.compile(r"<[a-zA-Z/!?][^<>]*>|[*`]+|^[ \t]*#+", re.M)
LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
ADDRESS = re.compile(r"\w{0,20}://\S*|\bwww\.\S*")
REASONS = {
    401: "refuses the key, or wants one",
    402: "wants money",
    403: "refuses the key, or wants one",
    404: "knows no such model, or no such address",
    429: "has had too many requests, or the account is used up",
}


class NoCommentary(Exception):
    """There is no text; the message says why, as what the server did."""


@dataclass(frozen=True, slots=True)
class Commentary:
    """What a language model says of a report, or why it says nothing."""

    model: str
    host: str
    text: str | None  # lines of letters; None if there is none
    none_because: str | None
    notice: str = NOTICE


def numbers(figures: dict[str, Any]) -> dict[str, Any]:
    """Return all that is sent of a report's figures: numbers, and None for what is not known."""
    quality, of_rr, breathing = figures["quality"], figures["hrv"], figures["hrv"]["breathing"]
    rates = [minute["heart_rate_bpm"] for minute in quality["minutes"]]
    sent: dict[str, Any] = {
        "duration_s": _number(figures["duration_s"]),
        "beats": round(quality["beats"]),
        "good_beats": round(quality["good"]),
        "gaps": len(quality["gaps_s"]),
        "gaps_s": _number(sum(length_s for _, length_s in quality["gaps_s"])),
        "heart_rate_bpm_of_minutes": _summary(rates),
    }
    sent["averaged_beat"] = {name: _number(figures["intervals"][name]) for name in OF_A_BEAT}
    sent["heart_rate_variability"] = {name: _number(of_rr[name]) for name in NEEDS}
    sent["corrected_intervals_share"] = _number(of_rr["corrections"]["share"])
    sent["breaths_per_minute"] = {
        name: _summary([minute[name]["rate_per_min"] for minute in breathing]) for name in BREATHING
    }
    return sent


def _summary(values: list[float | None]) -> dict[str, float | None] | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    several = {"lowest": min(known), "median": median(known), "highest": max(known)}
    return {name: _number(value) for name, value in several.items()}


def _number(value: float | None) -> float | None:
    """Return four digits of a number; a text would raise an error."""
    return None if value is None or not isfinite(value) else float(f"{value:.4g}")


@dataclass(frozen=True, slots=True)
class Commentator:
    """A language model that can be asked."""

    options: CommentaryOptions
    key: str | None = field(repr=False)

    @classmethod
    def of(cls, options: CommentaryOptions) -> Commentator:
        """Find out before minutes of work whether there is one to ask.

        Raises:
            SettingInvalid: the settings do not say whom.
            KeysError: its key cannot be had.
            ExtraMissing: what speaks HTTP is not installed.
        """
        for name in ("url", "model"):
            if not getattr(options, name):
                raise SettingInvalid(
                    f"report.commentary.{name}: not set, so nobody can be asked for a commentary; "
                    "docs/reports.md has examples"
                )
        import_extra("httpx", "commentary", "A commentary")
        return cls(options, options.read_key())

    @property
    def url(self) -> str:
        """Return where the question is sent to."""
        return f"{self.options.url.rstrip('/')}/chat/completions"

    @property
    def headers(self) -> dict[str, str]:
        """Return what is sent above the question; the key is among it."""
        told = {"Content-Type": "application/json", "User-Agent": "qrsd"}
        told |= {"Accept": "application/json", "Accept-Encoding": "identity"}
        return told | ({"Authorization": f"Bearer {self.key}"} if self.key else {})

    def question(self, figures: dict[str, Any]) -> bytes:
        """Return what is sent, to the byte."""
        messages = [
            {"role": "system", "content": PROMPT},
            {"role": "user", "content": json.dumps(numbers(figures))},
        ]
        asked = {"model": self.options.model, "messages": messages, "stream": False}
        return json.dumps(asked, indent=1).encode()

    def comment_on(self, figures: dict[str, Any]) -> Commentary:
        """Ask it about a report's figures."""
        host, question = self.options.host, self.question(figures)
        try:
            answer = _within(self.options.timeout_s, lambda: self._ask(question))
            text = readable(content_of(answer))
        except TimeoutError:
            reason = f"has not answered within {self.options.timeout_s:g} s"
        except NoCommentary as error:
            reason = str(error)
        else:
            text = text.replace(self.key, "(key)") if self.key else text
            return Commentary(self.options.model, host, text, None)
        return Commentary(self.options.model, host, None, f"{host} {reason}")

    def _ask(self, question: bytes) -> bytes:
        """Send a question, and return the answer as it came.

        Neither proxies nor redirects are followed: they would have the figures and the key. The
        answer may not be packed, since a small one can hold a very large one.
        """
        import httpx

        answer = bytearray()
        try:
            with (
                httpx.Client(
                    verify=ssl.create_default_context(),  # the system's authorities
                    timeout=self.options.timeout_s,
                    trust_env=False,
                    follow_redirects=False,
                ) as client,
                client.stream("POST", self.url, headers=self.headers, content=question) as response,
            ):
                _check(response.status_code)
                for part in response.iter_raw():
                    answer += part
                    if len(answer) > LARGEST_ANSWER:
                        raise NoCommentary(f"sends more than {LARGEST_ANSWER >> 20} MiB")
        except NoCommentary:
            raise
        except httpx.TimeoutException as error:
            raise TimeoutError from error
        except httpx.ConnectError as error:
            reason = plain(error)[:LONGEST_REASON]
            raise NoCommentary(f"cannot be reached: {reason}") from error
        except Exception as error:  # its message may have the key or the server's bytes in it
            kind = type(error).__name__
            raise NoCommentary(f"broke off, or speaks no HTTP ({kind})") from error
        return bytes(answer)


def _within(timeout_s: float, work: Callable[[], bytes]) -> bytes:
    """Do some work in a thread, which is left alone if it takes too long.

    httpx limits how long each read takes, which a server that sends byte after byte never exceeds.
    """
    done: Future[bytes] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)

    Thread(target=run, daemon=True).start()
    return done.result(timeout_s)


def _check(status: int) -> None:
    if status == 200:
        return
    if 300 <= status < 400:
        reason = "points to another address, to which nothing is sent"
    elif status >= 500:
        reason = "is out of order, or has too much to do"
    else:
        reason = REASONS.get(status, "refuses the question")
    raise NoCommentary(f"{reason} (HTTP {status})")


def content_of(answer: bytes) -> str:
    """Return the text in an answer of the API."""
    try:
        content = json.loads(answer)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise NoCommentary("does not answer as a chat-completions API does") from error
    if not isinstance(content, str | None):
        raise NoCommentary("answers with something other than text")
    return content or ""


def readable(text: str) -> str:
    """Return what a stranger wrote as lines of letters, without markup, addresses and commands."""
    text = text.rpartition("</think>")[2]  # after what a model says to itself
    spoken = [" ".join(line.split()) for line in text.splitlines()]
    text = "\n".join("".join(filter(str.isprintable, line)) for line in spoken)
    text = ADDRESS.sub("(address)", MARKUP.sub("", LINK.sub(r"\1", text)))
    text = re.sub(r"<(?=[a-zA-Z/!?])", "< ", text)  # of what was hidden in a tag, or never ended
    text = "\n".join(line.strip() for line in text.splitlines() if line.strip())
    if not text:
        raise NoCommentary("has nothing to say")
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} ... (cut off)"
