"""Train the exported net in several processes: torchrun --nproc_per_node 2 train.py --data FOLDER

The folder has a subfolder for each class, or a subfolder train with those. What is learned is written as safetensors, which
`shadegrad convert` and all other commands read.
"""
import argparse
import json
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler
from torchvision import datasets, transforms

import nets
import weights

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    args = arguments()
    with open(os.path.join(HERE, "settings.json")) as file:
        settings = json.load(file)
    gpu = torch.cuda.is_available()
    dist.init_process_group("nccl" if gpu else "gloo")
    rank, processes = dist.get_rank(), dist.get_world_size()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if gpu else torch.device("cpu")
    torch.manual_seed(args.seed)

    state, notes = weights.load(os.path.join(HERE, "model.safetensors"))
    net = nets.build(settings["net"])
    net.load_state_dict(state, strict=True)
    parallel = DistributedDataParallel(net.to(device), device_ids=[device.index] if gpu else None)

    data = dataset(args.data, settings, notes)
    sampler = DistributedSampler(data, shuffle=True, seed=args.seed)
    share = max(1, (args.batch or settings["batchSize"]) // processes)
    loader = DataLoader(data, share, sampler=sampler, num_workers=args.workers, pin_memory=gpu)
    loss_of = nn.CrossEntropyLoss(label_smoothing=settings["labelSmoothing"])
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, **settings["optimizer"])

    parallel.train()
    batches = repeated(loader, sampler)
    rates = list(rate_of_each_step(settings["rates"]))
    for step, rate in enumerate(rates[: args.steps]):
        for group in optimizer.param_groups:
            group["lr"] = rate
        images, labels = next(batches)
        loss = loss_of(parallel(images.to(device)), labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if rank == 0 and (step % 50 == 0 or step + 1 == len(rates[: args.steps])):
            print(f"step {step + 1}  loss {loss.item():.4f}  rate {rate:.3g}  {processes} processes", flush=True)

    if rank == 0:
        weights.save(args.out, net.state_dict(), notes)
        print(f"{args.out}: shadegrad reads it, as in: npx shadegrad convert {args.out} trained-here.safetensors")
    dist.destroy_process_group()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of pictures by class")
    parser.add_argument("--out", default="trained.safetensors", help="file for the weights")
    parser.add_argument("--steps", type=int, help="only the first steps of the schedule")
    parser.add_argument("--batch", type=int, help="images of a step, over all processes; the recipe's own if absent")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="processes that decode pictures, for each that trains")
    return parser.parse_args()


def rate_of_each_step(runs):
    """The learning rates; the file has them as (number of steps, rate)."""
    for count, rate in runs:
        for _ in range(count):
            yield rate


def repeated(loader, sampler):
    """Batches of one epoch after another."""
    epoch = 0
    while True:
        sampler.set_epoch(epoch)
        yield from loader
        epoch += 1


def dataset(folder, settings, notes):
    """The pictures as the net takes them, varied as the recipe has it; classes are numbered as in the net."""
    inside = os.path.join(folder, "train")
    data = datasets.ImageFolder(inside if os.path.isdir(inside) else folder, pipeline(settings))
    classes = settings["net"]["classes"]
    if len(data.classes) != classes:
        raise SystemExit(f"the net tells {classes} classes apart, and {folder} has {len(data.classes)}: {data.classes}.")
    labels = json.loads(notes.get("labels", "null"))
    if labels and sorted(labels) == sorted(data.classes):
        number = [labels.index(name) for name in data.classes]
        data.target_transform = lambda label: number[label]
    return data


def pipeline(settings):
    image = settings["image"]
    mean, std = image["mean"], image["std"]
    first = [transforms.Grayscale()] if image["channels"] == "grey" else []
    steps = [transforms.Resize(image["resize"]), transforms.CenterCrop(image["size"]), transforms.ToTensor()]
    turn = [transforms.Lambda(lambda x: x.flip(0))] if image["channels"] == "bgr" else []
    scale = [transforms.Lambda(lambda x: x * image["range"]), transforms.Normalize(mean, std)]
    vary = [transforms.RandomCrop(image["size"], padding=image["pad"])] if image["pad"] else []
    mirror = [transforms.RandomHorizontalFlip()] if image["flip"] else []
    return transforms.Compose(first + steps + turn + scale + vary + mirror)


if __name__ == "__main__":
    main()
