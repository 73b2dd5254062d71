"""A stand-in for `torchvision`, where none can be installed beside torch: names to import, and three functions.

    SWIFT_VENV/bin/python recipes/training/swift/stub_torchvision.py

For trying ms-swift out on a machine without a GPU, in an environment of its own: for every row without pictures it
puts a small black one through Qwen2.5-Omni's image processor, which is built on torchvision; what comes of it is
multiplied by 0. Clips never come near it. Where a real torchvision is installed, nothing is done.
"""

from __future__ import annotations

import sysconfig
from importlib.util import find_spec
from pathlib import Path

VERSION = "0.28.0"
ANY = """def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
"""
MODES = """from enum import Enum
InterpolationMode = Enum("InterpolationMode", "NEAREST NEAREST_EXACT BILINEAR BICUBIC BOX HAMMING LANCZOS")
"""
FUNCTIONS = """import numpy, torch
from .. import InterpolationMode
def pil_to_tensor(image):
    return torch.from_numpy(numpy.array(image)).permute(2, 0, 1)
def resize(image, size, interpolation=None, antialias=True):
    return torch.nn.functional.interpolate(image.float(), size=list(size), mode="bilinear", antialias=antialias)
def normalize(image, mean, std, inplace=False):
    shape = (-1, 1, 1)
    return (image - torch.as_tensor(mean).view(shape)) / torch.as_tensor(std).view(shape)
"""
FILES = {
    "torchvision/__init__.py": f'__version__ = "{VERSION}"\nfrom . import io, transforms\n',
    "torchvision/io/__init__.py": ANY,
    "torchvision/transforms/__init__.py": MODES + "from . import functional, v2\n" + ANY,
    "torchvision/transforms/functional.py": "from . import InterpolationMode\n" + ANY,
    "torchvision/transforms/v2/__init__.py": "from . import functional\n" + ANY,
    "torchvision/transforms/v2/functional.py": FUNCTIONS + ANY,
    f"torchvision-{VERSION}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: torchvision\nVersion: {VERSION}\n",
}

if __name__ == "__main__":
    if find_spec("torchvision"):
        print("torchvision is there")
    else:
        for name, text in FILES.items():
            path = Path(sysconfig.get_paths()["purelib"]) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        print("a stand-in for torchvision was written")
