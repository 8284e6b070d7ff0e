#!/usr/bin/env bash
# Drive the extension in a Blender with a window (`make test-gui`): run.sh PROJECT OUT
#
# pip's bpy has no window, and Debian's Blender needs newer libraries than most machines have. So a
# folder is made into a small Debian (once, 3.5 GB), where Blender and a virtual screen run. Needs
# root, for chroot and mounts, and a network the first time.
set -euo pipefail
PROJECT=$(cd "$1" && pwd)
mkdir -p "$2"
OUT=$(cd "$2" && pwd)
ROOT=${GUI_ROOT:-$PROJECT/build/gui/root}
VENV=$PROJECT/build/venv
HOME_OF_PYTHON=$("$VENV/bin/python" -c "import sys; print(sys.base_prefix)")
[ "$(id -u)" = 0 ] || { echo "make test-gui needs root (chroot and mounts): sudo make test-gui" >&2; exit 2; }
command -v debootstrap > /dev/null || { echo "make test-gui needs debootstrap: apt-get install debootstrap" >&2; exit 2; }

if [ ! -e "$ROOT/.complete" ]; then
    [ -e "$ROOT/etc/debian_version" ] || debootstrap --variant=minbase sid "$ROOT"
    chroot "$ROOT" apt-get update -q
    chroot "$ROOT" apt-get install -qy --no-install-recommends \
        blender xvfb xauth imagemagick libgl1-mesa-dri \
        python3-cattrs python3-numpy python3-scipy python3-opencv python3-pil
    touch "$ROOT/.complete"
fi

MOUNTED=()
unmount() { for folder in "${MOUNTED[@]}"; do umount -l "$folder"; done; }
trap unmount EXIT
bind() {
    mountpoint -q "$ROOT$1" && return
    mkdir -p "$ROOT$1"
    mount --bind "$1" "$ROOT$1"
    MOUNTED=("$ROOT$1" "${MOUNTED[@]}")
}
bind "$PROJECT"
bind "$HOME_OF_PYTHON"
bind /dev
bind /proc

# The worker's interpreter: with the project's packages instead of Blender's own.
WORKER=$OUT/worker-python
mkdir -p "$OUT/shim"
# Debian's NumPy writes pickles whose module names the project's older NumPy does not know.
cat > "$OUT/shim/sitecustomize.py" <<SHIM
import sys, numpy.core.numeric
sys.modules["numpy._core.numeric"] = numpy.core.numeric
SHIM
cat > "$WORKER" <<SCRIPT
#!/bin/sh
export PYTHONPATH="$OUT/shim:$PROJECT/build/packages"
exec "$VENV/bin/python" "\$@"
SCRIPT
chmod +x "$WORKER"

# The panel shows where photos lie: nobody's folders belong into a screenshot.
PHOTO=/photos/man_at_the_door.png
mkdir -p "$ROOT/photos"
cp "$PROJECT/build/demo_photo/photo.png" "$ROOT$PHOTO"
PHOTO_OF_TWO=/photos/two_men.png
"$VENV/bin/python" -c "
import sys, cv2
one = cv2.imread(sys.argv[1])
cv2.imwrite(sys.argv[2], cv2.hconcat([one, one[:, ::-1]]))" "$ROOT$PHOTO" "$ROOT$PHOTO_OF_TWO"
chroot "$ROOT" env LIBGL_ALWAYS_SOFTWARE=1 HOME="$OUT/home" \
    xvfb-run -a -s "-screen 0 1600x1000x24" \
    blender --factory-startup --enable-event-simulate --window-geometry 0 0 1600 1000 \
    --python "$PROJECT/tests/gui/drive.py" -- \
    "$PROJECT/build/packages" "$PHOTO" "$PHOTO_OF_TWO" "$WORKER" "$OUT"
