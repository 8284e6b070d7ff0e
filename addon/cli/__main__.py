"""`python -m photo_wake_up.addon.cli`."""

import os
import sys

from .command import main

if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender's Python module waits for a thread of its own for ever when a process in which
    # glTF was exported ends in the usual way.
    os._exit(code)
