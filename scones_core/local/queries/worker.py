"""The worker process: `python -m scones_core.local.queries.worker <descriptor of a socket>`.

It answers one request after the other. The system ends it when an evaluation takes too long; one that asks for too much
memory gets a MemoryError, after which the process ends by itself.
"""

import json
import resource
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any

from scones_core.local.queries import jsonata_, jsonpath_
from scones_core.local.queries.limits import ANSWER_BYTES, MEMORY_BYTES, SECONDS, NoValue

RECURSIONS = 5_000  # of Python; MAX_DEPTH of JSONata is reached long before, and the stack holds more


def main() -> None:
    connection = Connection(int(sys.argv[1]))
    sys.setrecursionlimit(RECURSIONS)
    limit_memory()
    connection.send_bytes(b"ready")
    try:
        while True:
            answered = answer(json.loads(connection.recv_bytes()))
            connection.send_bytes(json.dumps(answered).encode())
            if answered.get("limit") == "memory":
                return
    except (EOFError, OSError):
        return  # the parent has ended


def limit_memory() -> None:
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_AS):
        try:
            resource.setrlimit(kind, (MEMORY_BYTES, MEMORY_BYTES))
        except (ValueError, OSError):  # macOS refuses RLIMIT_AS
            continue


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Evaluate within the limits: {"value": …}, {"nothing": what is
    there instead}, {"error": reason} or {"limit": which}."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        value = evaluated(request["language"], request["text"], request["data"])
        return {"value": value} if len(json.dumps(value)) <= ANSWER_BYTES else {"limit": "answer"}
    except NoValue as nothing:
        return {"nothing": f"{nothing}"}
    except (ValueError, RecursionError) as error:
        return {"error": f"{error}"}
    except MemoryError:
        return {"limit": "memory"}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def evaluated(language: str, text: str, data: Any) -> Any:
    """Raises NoValue, or ValueError with a reason.

    data : the variables of a JSONata expression by name; the document of a JSONPath
    """
    return jsonata_.value_of(text, data) if language == "JSONata" else jsonpath_.matches(text, data)


if __name__ == "__main__":
    main()
