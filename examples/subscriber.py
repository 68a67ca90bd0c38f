"""Print who wears the electrodes, whenever that changes, and the heart rate.

python examples/subscriber.py [tcp://127.0.0.1:5292]

Needs pyzmq only, nothing of qrsd: docs/protocol.md tells what the messages are.
"""

from __future__ import annotations

import json
import sys

import zmq

ADDRESS = "tcp://127.0.0.1:5292"


def main() -> None:
    """Listen until Ctrl-C."""
    socket = zmq.Context().socket(zmq.SUB)
    socket.connect(sys.argv[1] if len(sys.argv) > 1 else ADDRESS)
    socket.subscribe("identity")
    socket.subscribe("beat")

    said = None
    heart_rate_bpm = None
    while True:
        topic, header, *_ = socket.recv_multipart()
        message = json.loads(header)
        if topic == b"beat":
            heart_rate_bpm = message["heart_rate_bpm"]
        elif topic == b"identity" and said != (message["state"], message["person"]):
            said = (message["state"], message["person"])
            simulated = " (simulated)" if message["source"] == "simulated" else ""
            rate = f"{heart_rate_bpm:.0f} bpm" if heart_rate_bpm else "no heart rate yet"
            who = message["person"] or message["state"]
            print(f"{message['utc']}  {who}, {rate}{simulated}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
