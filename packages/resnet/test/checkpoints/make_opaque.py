"""Writes files/opaque.pth: two tensors among objects of many classes, as training scripts save them. Needs Python alone:
PyTorch's classes are stood in for.

    python3 make_opaque.py
"""

import argparse
import collections
import datetime
import decimal
import enum
import io
import pathlib
import pickle
import random
import struct
import sys
import types
import uuid
import zipfile

torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
sys.modules.update({"torch": torch, "torch._utils": utils})


class FloatStorage:
    __module__ = "torch"


def _rebuild_tensor_v2():
    pass


_rebuild_tensor_v2.__module__ = "torch._utils"
torch.FloatStorage, utils._rebuild_tensor_v2 = FloatStorage, _rebuild_tensor_v2


class Storage:
    def __init__(self, key, values):
        self.key, self.values = str(key), values


class Tensor:
    def __init__(self, key, values):
        self.storage = Storage(key, values)

    def __reduce__(self):
        length = len(self.storage.values)
        return _rebuild_tensor_v2, (self.storage, 0, (length,), (1,), False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return "storage", FloatStorage, value.key, "cpu", len(value.values)


class Colour(enum.Enum):
    RED = 1


class Model:
    def __init__(self):
        self.rng = random.Random(3)


class Slots:
    __slots__ = ("a",)

    def __init__(self):
        self.a = 2


class Config(dict):
    pass


weights = {"weight": [1.0, 2.0, 3.0], "bias": [0.5]}
state = collections.OrderedDict((name, Tensor(i, values)) for i, (name, values) in enumerate(weights.items()))
file = {
    "args": argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath("/runs/x")),
    "counter": collections.Counter("hello"),
    "when": datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc),
    "took": datetime.timedelta(3),
    "lists": collections.defaultdict(list, {"a": [1]}),
    "queue": collections.deque([1, 2]),
    "sets": ({1, 2}, frozenset([1])),
    "numbers": (2**80, 1j, decimal.Decimal("1.5"), range(3), slice(1, 2), ...),
    "bytes": (b"abc", bytearray(b"xyz"), uuid.UUID(int=5)),
    "objects": [Colour.RED, Model(), Slots(), Config(a=1), len, dict],
    "state_dict": state,
    "optimizer": {"state": {0: {"momentum_buffer": Tensor(2, [9.0])}}, "param_groups": [{"lr": 0.1}]},
}
data = io.BytesIO()
Pickler(data, 4).dump(file)
with zipfile.ZipFile(pathlib.Path(__file__).parent / "files" / "opaque.pth", "w") as archive:
    archive.writestr("archive/data.pkl", data.getvalue())
    archive.writestr("archive/version", "3\n")
    for key, values in enumerate([*weights.values(), [9.0]]):
        archive.writestr(f"archive/data/{key}", struct.pack(f"<{len(values)}f", *values))
