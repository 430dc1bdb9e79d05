"""Serve AWS on loopback until interrupted: `python -m tests.contract.stand_in [PORT]`.

Prints the variables to set, one a line, as a shell takes them: `eval "$(…)"`, or read it line by line up to READY.
"""

import signal
import sys

from tests.contract.stand_in.server import running


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with running(port) as environment:
        lines = [f"export {name}='{value}'" for name, value in environment.items()]
        sys.stdout.write("\n".join([*lines, "# READY", ""]))
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
