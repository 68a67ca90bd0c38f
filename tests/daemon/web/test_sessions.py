"""Sessions and the throttle, by a clock of the test's."""

from __future__ import annotations

from daemon.web.sessions import LASTS_S, MOST_OF_A_TOKEN, Sessions, set_cookie
from daemon.web.throttle import (
    LEAK_S,
    MOST_ADDRESSES,
    OF_ALL,
    OF_AN_ADDRESS,
    Throttle,
    source_of,
)


class Clock:
    """What time it is said to be."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def test_a_session_ends_by_itself() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    cookie, session = sessions.open(b"token")
    clock.s += LASTS_S - 1
    assert sessions.find(cookie) == session
    assert sessions.left_s(session) == 1
    clock.s += 1
    assert sessions.find(cookie) is None


def test_each_login_has_another_cookie_and_csrf_token_that_say_nothing() -> None:
    sessions = Sessions()
    opened = [sessions.open(bytes([n])) for n in range(50)]
    cookies, tokens = {cookie for cookie, _ in opened}, {each.csrf for _, each in opened}
    assert len(cookies) == len(tokens) == 50
    assert min(map(len, cookies | tokens)) * 6 >= 256
    assert not cookies & tokens
    assert all(cookie not in repr(vars(sessions)) for cookie in cookies)  # as hashes only


def test_sessions_of_a_token_are_bounded_and_others_untouched() -> None:
    sessions = Sessions()
    other, _ = sessions.open(b"other")
    cookies = [sessions.open(b"token")[0] for _ in range(MOST_OF_A_TOKEN + 3)]
    assert [sessions.find(cookie) is not None for cookie in cookies] == [False] * 3 + [
        True
    ] * MOST_OF_A_TOKEN
    assert sessions.find(other) is not None


def test_the_cookie_is_for_this_host_and_tls_and_no_script() -> None:
    words = set_cookie("abc").split("; ")
    assert words[0] == "__Host-qrsd-session=abc"
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(words)
    assert not any(word.startswith("Domain") for word in words)


def test_who_fails_too_often_waits_and_nobody_else() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    assert [throttle.failed("192.0.2.7") for _ in range(OF_AN_ADDRESS)] == [0] * OF_AN_ADDRESS
    for _ in range(100):  # to go on makes it no longer
        assert throttle.failed("192.0.2.7") == LEAK_S
    assert throttle.failed("192.0.2.8") == 0
    clock.s += LEAK_S
    assert throttle.failed("192.0.2.7") == 0
    assert throttle.failed("192.0.2.7") == LEAK_S  # one more each half minute, not five
    clock.s += OF_AN_ADDRESS * LEAK_S
    assert throttle.failed("192.0.2.7") == 0


def test_many_addresses_share_a_limit() -> None:
    throttle = Throttle(Clock())
    waits = [throttle.failed(f"198.51.100.{number % 250}") for number in range(1000)]
    assert waits.count(0) == OF_ALL
    assert throttle.failed("203.0.113.9") > 0


def test_memory_is_bounded_and_no_flood_makes_it_forget_who_guessed() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(OF_AN_ADDRESS):
        throttle.failed("192.0.2.7")
    for number in range(3 * MOST_ADDRESSES):
        throttle.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert throttle.failed("192.0.2.7") == LEAK_S
    for number in range(3 * MOST_ADDRESSES):
        clock.s += 1
        throttle.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    kept = [len(each) for each in vars(throttle).values() if isinstance(each, dict)]
    assert kept == [MOST_ADDRESSES]


def test_a_network_of_ipv6_is_one_source_and_ipv4_in_ipv6_is_ipv4() -> None:
    assert source_of("2001:db8:1:2:aaaa::1") == source_of("2001:db8:1:2:bbbb::2")
    assert source_of("2001:db8:1:2::1") != source_of("2001:db8:1:3::1")
    assert source_of("::ffff:192.0.2.1") == source_of("192.0.2.1") == "192.0.2.1"
    assert source_of("fe80::1%eth0") == source_of("fe80::2%eth0")
    assert source_of("::1") == "::1"
    assert source_of("testclient") == "testclient"
