"""The net that shadegrad exported: torchvision's where that has it, else one of the same layers and names."""
import torch
from torch import nn
from torch.nn import functional as F

WIDTHS = [64, 128, 256, 512]


def build(options):
    """A net by the options that shadegrad's ResNet takes."""
    return torchvision_net(options) or ResNet(options)


def torchvision_net(options):
    """torchvision's net of these options; None if it has none."""
    bottlenecks = options.get("bottlenecks")
    groups = options.get("groups", 1)
    wanted = {
        "nChannels": [width * (4 if bottlenecks else 1) for width in WIDTHS],
        "firstKernelSize": 7,
        "stemChannels": 64,
        "stemStride": 2,
        "stemRelu": True,
        "stemPool": True,
        "imgChannels": 3,
        "bias": False,
        "shortcut": "projection",
        "strideAt": 2,
    }
    usual = {"firstKernelSize": 7, "stemStride": 2, "imgChannels": 3, "shortcut": "projection", "strideAt": 2}
    if {key: options.get(key, usual.get(key)) for key in wanted} != wanted:
        return None
    if bottlenecks and bottlenecks != [bottlenecks[0] * 2**stage for stage in range(4)]:
        return None
    try:
        from torchvision.models import resnet
    except ImportError:
        return None
    return resnet.ResNet(
        resnet.Bottleneck if bottlenecks else resnet.BasicBlock,
        options["nBlocks"],
        num_classes=options["classes"],
        groups=groups,
        width_per_group=bottlenecks[0] // groups if bottlenecks else 64,
    )


class Padding(nn.Module):
    """Every stride-th pixel, and zeros for new channels."""

    def __init__(self, channels, outputs, stride, both):
        super().__init__()
        self.stride = stride
        missing = outputs - channels
        self.before = missing // 2 if both else 0
        self.after = missing - self.before

    def forward(self, x):
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.after))


class Block(nn.Module):
    """relu(F(x) + shortcut(x)), with two 3x3 convolutions, or 1x1, 3x3, 1x1."""

    def __init__(self, channels, inside, outputs, stride, options):
        super().__init__()
        bias = options.get("bias", True)
        if inside is None:
            shapes = [(channels, outputs, 3, stride, 1), (outputs, outputs, 3, 1, 1)]
        else:
            first, second = (stride, 1) if options.get("strideAt") == 1 else (1, stride)
            groups = options.get("groups", 1)
            shapes = [(channels, inside, 1, first, 1), (inside, inside, 3, second, groups), (inside, outputs, 1, 1, 1)]
        self.layers = len(shapes)
        for i, (c, o, kernel, step, groups) in enumerate(shapes, 1):
            conv = nn.Conv2d(c, o, kernel, step, padding=kernel // 2, groups=groups, bias=bias)
            setattr(self, f"conv{i}", conv)
            setattr(self, f"bn{i}", nn.BatchNorm2d(o))
        self.plain = options.get("shortcut") == "none"
        self.downsample = None
        if self.plain or (stride == 1 and channels == outputs):
            return
        kind = options.get("shortcut", "projection")
        if kind == "projection":
            conv = nn.Conv2d(channels, outputs, 1, stride, bias=bias)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(outputs))
        else:
            self.downsample = Padding(channels, outputs, stride, kind == "pad-both")

    def forward(self, x):
        y = x
        for i in range(1, self.layers + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.layers:
                y = F.relu(y)
        if self.plain:
            return F.relu(y)
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Stem, stages of blocks, mean over the image, linear layer; torchvision's names."""

    def __init__(self, options):
        super().__init__()
        widths = options["nChannels"]
        bottlenecks = options.get("bottlenecks") or [None] * len(widths)
        kernel = options.get("firstKernelSize", 7)
        channels = options.get("stemChannels", widths[0])
        stride, bias = options.get("stemStride", 2), options.get("bias", True)
        image = options.get("imgChannels", 3)
        self.conv1 = nn.Conv2d(image, channels, kernel, stride, padding=kernel // 2, bias=bias)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU() if options.get("stemRelu") else nn.Identity()
        self.maxpool = nn.MaxPool2d(3, 2, 1) if options.get("stemPool") else nn.Identity()
        self.stages = len(widths)
        for stage, (count, inside, outputs) in enumerate(zip(options["nBlocks"], bottlenecks, widths)):
            blocks = []
            for i in range(count):
                blocks.append(Block(channels, inside, outputs, 2 if stage > 0 and i == 0 else 1, options))
                channels = outputs
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, options["classes"])

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(1, self.stages + 1):
            x = getattr(self, f"layer{stage}")(x)
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))
