"""Enrol somebody over the control socket: ask, wait for the beats, tell how it ended.

python examples/enroll.py NAME [ipc:///run/qrsd/control.ipc]

Needs pyzmq only. Put the electrodes on first. The exit code is 0 if the person was enrolled.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import zmq

ADDRESS = "ipc:///run/qrsd/control.ipc"
ANSWER_MS = 5000


def ask(socket: zmq.Socket[bytes], **request: object) -> dict[str, Any]:
    """Send one request and return its answer."""
    socket.send_json(request)
    if not socket.poll(ANSWER_MS):
        sys.exit("no answer: is qrsd running, and is this socket ours to use?")
    answer: dict[str, Any] = json.loads(socket.recv())
    if not answer["ok"]:
        sys.exit(answer["error"])
    return answer


def main() -> int:
    """Enrol, and show the beats that have come so far."""
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    socket = zmq.Context().socket(zmq.REQ)
    socket.linger = 0
    socket.connect(sys.argv[2] if len(sys.argv) == 3 else ADDRESS)

    enrolment = ask(socket, command="enroll", person=sys.argv[1])
    while enrolment["state"] == "gathering":
        print(f"{enrolment['beats']} of {enrolment['needed']} beats", flush=True)
        time.sleep(1)
        enrolment = ask(socket, command="enrolment")
    print(f"{sys.argv[1]}: {enrolment.get('error') or enrolment['state']}")
    return 0 if enrolment["state"] == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
