"""Writes files/: small checkpoints as PyTorch saves them, in both formats, and digests of the names and shapes of
torchvision's nets. Needs PyTorch and torchvision; the tests do not.

    python3 make.py
"""

import json
import zlib
from collections import OrderedDict
from pathlib import Path

import numpy
import torch
import torchvision

FILES = Path(__file__).parent / "files"


def kinds():
    """Every type and every way to lie in a storage that a state dict has."""
    numbers = torch.arange(24, dtype=torch.float32)
    return OrderedDict(
        f32=numbers.reshape(2, 3, 4) / 8,
        f16=(numbers[:6] / 8).half(),
        bf16=(numbers[:6] / 8).bfloat16(),
        f64=numbers[:6].double() / 3,
        i64=torch.tensor([-1, 2**53, 3]),
        i32=torch.tensor([[-1], [2], [3]], dtype=torch.int32),
        u8=torch.tensor([0, 7, 255], dtype=torch.uint8),
        bool=torch.tensor([True, False, True]),
        scalar=torch.tensor(7),
        empty=torch.empty(0, 3),
        transposed=numbers.reshape(4, 6).t(),
        every_other=numbers[1::2],
        channels_last=numbers.reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last),
        part=numbers[5:9],
        parameter=torch.nn.Parameter(numbers[:2] + 1),
    )


def wrapped():
    """What a training script saves of a DataParallel."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    for parameter in net.parameters():
        parameter.data = torch.arange(parameter.numel()).reshape(parameter.shape) / 4
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net(torch.ones(1, 3, 5, 5)).sum().backward()
    optimizer.step()
    state = OrderedDict((f"module.{name}", value) for name, value in net.state_dict().items())
    return {"epoch": 3, "best_prec1": 91.5, "arch": "small", "state_dict": state, "optimizer": optimizer.state_dict()}


def digests():
    """Of each net: how many entries its state dict has, and the CRC-32 of their sorted names and shapes."""
    nets = {}
    for name in "resnet18 resnet34 resnet50 resnet101 resnet152 wide_resnet50_2 resnext50_32x4d".split():
        state = torchvision.models.__dict__[name](weights=None).state_dict()
        lines = sorted(f"{key} [{','.join(map(str, value.shape))}]" for key, value in state.items())
        nets[name] = {"entries": len(lines), "crc32": zlib.crc32("\n".join(lines).encode())}
    return nets


def main():
    FILES.mkdir(exist_ok=True)
    for name, value in {"kinds": kinds(), "wrapped": wrapped()}.items():
        torch.save(value, FILES / f"{name}.pt")
        torch.save(value, FILES / f"{name}_legacy.pt", _use_new_zipfile_serialization=False)
    # Files that must be refused.
    torch.save({"state_dict": kinds(), "accuracy": numpy.float32(0.5)}, FILES / "numpy_scalar.pt")
    torch.save(torch.nn.Linear(2, 3), FILES / "module.pt")
    torch.save(torch.ones(3).expand(4, 3), FILES / "expanded.pt")
    torch.save([torch.ones(3)], FILES / "list.pt")
    (FILES / "torchvision.json").write_text(json.dumps(digests(), indent=2) + "\n")
    torch.jit.script(torch.nn.ReLU()).save(str(FILES / "script.pt"))


main()
