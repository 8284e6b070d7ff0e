"""Take the networks out of the MediaPipe wheel (Apache-2.0), each checked by its SHA-256.

    python assets/build_networks.py build/models --downloads build/downloads

The package itself is not installed. Any platform's wheel of this release holds the same files.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

RELEASE = "mediapipe==0.10.21"

# File name to the SHA-256 of its bytes.
NETWORKS = {
    "pose_detection.tflite": "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    "pose_landmark_full.tflite": "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    "face_detection_short_range.tflite": (
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
    ),
    "face_landmark.tflite": "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    "palm_detection_full.tflite": (
        "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54"
    ),
    "hand_landmark_full.tflite": (
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3"
    ),
    "selfie_segmentation.tflite": (
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--downloads", type=Path, required=True)
    arguments = parser.parse_args()
    wheel = mediapipe_wheel(arguments.downloads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        inside = {PurePosixPath(name).name: name for name in archive.namelist()}
        for name, digest in NETWORKS.items():
            data = archive.read(inside[name])
            if hashlib.sha256(data).hexdigest() != digest:
                print(f"{name} in {wheel.name} is not the file that was checked.", file=sys.stderr)
                return 1
            target = arguments.out / name
            part = target.with_suffix(".part")
            part.write_bytes(data)
            part.replace(target)
    print(f"{arguments.out}: {len(NETWORKS)} networks from {wheel.name}")
    return 0


def mediapipe_wheel(downloads: Path) -> Path:
    """The wheel that holds the networks; pip fetches it where it is not there yet."""
    downloads.mkdir(parents=True, exist_ok=True)
    for _ in range(2):
        found = sorted(downloads.glob("mediapipe-0.10.21-*.whl"))
        if found:
            return found[0]
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
             "--only-binary=:all:", "--dest", str(downloads), RELEASE],
            check=True,
        )  # fmt: skip
    raise FileNotFoundError(f"pip did not leave a wheel of {RELEASE} in {downloads}")


if __name__ == "__main__":
    sys.exit(main())
