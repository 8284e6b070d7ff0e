"""The command: a photo in, a folder with the scene, the character and a video out.

`blender --command wake_up PHOTO --out DIR` and `python -m photo_wake_up.addon.cli` run the same
`main`. PHOTO may be a folder: then each photo in it has a folder of that name in DIR. Exit code 0
when all is done, 1 when some photos of a folder failed, 2 with one sentence on stderr for what
the user can mend.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.errors import PhotoError, WakeUpError
from ..core.user_paths import is_folder
from .arguments import BLENDER_COMMAND, check, parser
from .exit_codes import DONE, REFUSED, SOME_FAILED, STOPPED
from .folder import run_folder
from .one_photo import list_people, wake_up_photo
from .standard_output import own_stdout


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    started = time.perf_counter()
    try:
        options = parser().parse_args(arguments)
        check(options)
        if is_folder(Path(options.photo), PhotoError, "choose another photo or folder"):
            return DONE if run_folder(options, arguments) else SOME_FAILED
        with own_stdout() as tell:
            if options.list_people:
                list_people(options, tell)
            else:
                wake_up_photo(options, tell, started)
    except WakeUpError as error:
        print(error, file=sys.stderr)
        return REFUSED
    except MemoryError:
        print("There is not enough memory for this photo: use a smaller one.", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("Stopped: nothing unfinished has been written.", file=sys.stderr)
        return STOPPED
    return DONE


def register() -> None:
    """Make the command known to `blender --command`."""
    import bpy

    global _handle
    _handle = bpy.utils.register_cli_command(BLENDER_COMMAND, main)


def unregister() -> None:
    """Take the command back."""
    import bpy

    global _handle
    if _handle is not None:
        bpy.utils.unregister_cli_command(_handle)
        _handle = None


_handle: Any = None
