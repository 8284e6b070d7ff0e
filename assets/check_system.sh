#!/usr/bin/env bash
# Names what the machine lacks, each with the command that installs it.
#   check_system.sh            before the virtual environment: Python 3.11
#   check_system.sh PYTHON     after it: the system libraries that Blender's module loads
set -euo pipefail

if [ $# -eq 0 ]; then
    if ! command -v python3.11 >/dev/null; then
        echo "Python 3.11 is missing: apt-get install python3.11 python3.11-venv (or pyenv install 3.11)." >&2
        exit 2
    fi
    if ! python3.11 -c "import ensurepip, venv" 2>/dev/null; then
        echo "Python's venv module is missing: apt-get install python3.11-venv." >&2
        exit 2
    fi
    exit 0
fi

libraries=$("$1" - <<'PYTHON'
import ctypes

NEEDED = {
    "libX11.so.6": "libx11-6", "libXi.so.6": "libxi6", "libXrender.so.1": "libxrender1",
    "libXxf86vm.so.1": "libxxf86vm1", "libXfixes.so.3": "libxfixes3", "libSM.so.6": "libsm6",
    "libxkbcommon.so.0": "libxkbcommon0", "libGL.so.1": "libgl1", "libEGL.so.1": "libegl1",
}
missing = []
for library, package in NEEDED.items():
    try:
        ctypes.CDLL(library)
    except OSError:
        missing.append(package)
print(" ".join(missing))
PYTHON
)
if [ -n "$libraries" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing the system libraries that Blender needs: $libraries"
        apt-get update -qq && apt-get install -y -qq $libraries libgl1-mesa-dri libegl-mesa0 >/dev/null
    else
        echo "System libraries are missing: sudo apt-get install $libraries libgl1-mesa-dri libegl-mesa0." >&2
        exit 2
    fi
fi
