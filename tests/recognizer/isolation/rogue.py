"""A process that a picture has taken over, in place of `recognizer.isolation.worker`: it does what the picture says."""

import json
import os
import signal
import sys
import time


def result(spent: str = "0.1", fault: str = "", shape: str = '"pixels", 24, 24, 3') -> bytes:
    """Return the header of a result with one photo."""
    message = f'{{"fields": {{"scale": 1.0, "is_reduced": false}}, "arrays": [[{shape}]]}}'
    return f'{{"spent": {spent}, "problem": null, "fault": "{fault}", "messages": [{message}]}}\n'.encode()


CHILD_LIVES_S = 60.0
"""How long a child holds the pipes: longer than a test waits for what does not wait for it."""
PIXELS = bytes(24 * 24 * 3)
SAID = {
    "a photo": result() + PIXELS,
    "more than was asked": result() + PIXELS + b"received\n" + result() + PIXELS,
    "deep": b"[" * 200_000 + b"\n",
    "no JSON": b"\xff\xfe\n",
    "a list": b"[]\n",
    "nothing": b'{"spent": 0, "problem": null, "fault": "", "messages": []}\n',
    "an unknown problem": b'{"spent": 0, "problem": "bored", "fault": "", "messages": []}\n',
    "its own fault": result(fault="KeyError in a.py, line 7") + PIXELS,
    "no time": result(spent="NaN") + PIXELS,
    "negative time": result(spent="-1e9") + PIXELS,
    "too many digits": result(spent="1" + "0" * 400) + PIXELS,
    "a huge text": result(shape='"pixels", "x", 200000000'),
}


def main() -> None:
    """Do one job after the other."""
    jobs, results = sys.stdin.buffer, sys.stdout.buffer
    while line := jobs.readline():
        do = jobs.read(json.loads(line)["size"]).decode()
        if do == "dies before it begins":
            os._exit(1)
        results.write(b"received\n" + SAID.get(do, b""))
        results.flush()
        while do == "an endless line":
            results.write(b"x" * 65_536)
        if do == "half a photo":
            results.write(result() + PIXELS[:99])
            results.flush()
            os._exit(0)
        if do == "leaves a child with its pipes":
            if os.fork() == 0:
                os.setsid()
                time.sleep(CHILD_LIVES_S)
                os._exit(0)
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
