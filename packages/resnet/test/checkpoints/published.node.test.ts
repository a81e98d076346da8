import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { init } from "@shadegrad/tensor";
import { dispose, stateDict, torchStateDict } from "@shadegrad/tensor/nn";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  inspectCheckpoint,
  loadCheckpoint,
  modelOf,
  openCheckpoint,
  saveCheckpoint,
} from "../../src/checkpoints/index.ts";
import { ResNet, resnet8, resnet20, zoo } from "../../src/index.ts";
import { torchvisionName } from "../../src/names.ts";
import digests from "./files/torchvision.json";
import { messageOf } from "./files.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
let folder: string;

beforeAll(async () => {
  await init();
  folder = await mkdtemp(join(tmpdir(), "shadegrad-checkpoints-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const builders: Record<string, keyof typeof zoo> = {
  wide_resnet50_2: "wideResnet50",
  resnext50_32x4d: "resnext50",
};

describe("torchvision's names and shapes", () => {
  test.each(Object.entries(digests))("%s", (arch, { entries, crc32: expected }) => {
    const net = zoo[builders[arch] ?? (arch as keyof typeof zoo)]();
    const lines = [...torchStateDict(net)].map(
      ([name, { shape }]) => `${torchvisionName(name, net.options)} [${shape}]`,
    );
    dispose(net);
    expect([lines.length, crc32(lines.sort().join("\n"))]).toEqual([entries, expected]);
  });
});

// Python with torchvision, if any.
const python = ["python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", "import torchvision"]).status === 0,
);
const LOAD = `
import json, struct, sys, torch, torchvision
data = open(sys.argv[1], "rb").read()
length, = struct.unpack("<Q", data[:8])
header, types, state = json.loads(data[8 : 8 + length]), {"F32": torch.float32, "I64": torch.int64}, {}
header.pop("__metadata__")
for name, entry in header.items():
    start, end = (8 + length + offset for offset in entry["data_offsets"])
    state[name] = torch.frombuffer(bytearray(data[start:end]), dtype=types[entry["dtype"]]).reshape(entry["shape"])
net = torchvision.models.__dict__[sys.argv[2]](weights=None)
print(net.load_state_dict(state, strict=True))
torch.save(net.state_dict(), sys.argv[3])
torch.save(net.state_dict(), sys.argv[4], _use_new_zipfile_serialization=False)
`;

test.skipIf(!python)(
  `torchvision loads strictly what is saved, and back${python ? "" : " (needs Python with torchvision)"}`,
  async () => {
    for (const arch of ["resnet18", "resnext50"] as const) {
      const net = zoo[arch]();
      const paths = ["net.safetensors", "net.pt", "net_legacy.pt"].map((name) => join(folder, name));
      await saveCheckpoint(net, paths[0]!);
      const name = arch === "resnext50" ? "resnext50_32x4d" : arch;
      const { stdout } = await promisify(execFile)(python!, [
        "-c",
        LOAD,
        paths[0]!,
        name,
        paths[1]!,
        paths[2]!,
      ]);
      expect(stdout).toContain("All keys matched successfully");
      const kept = await stateDict(net).get("base.blocks.1.conv2.weight")!.data();
      for (const path of paths) {
        const info = await inspectCheckpoint(path);
        expect(modelOf(info)!.name).toBe(arch);
        const copy = zoo[arch]();
        await loadCheckpoint(copy, path);
        expect(await stateDict(copy).get("base.blocks.1.conv2.weight")!.data()).toEqual(kept);
        dispose(copy);
      }
      dispose(net);
    }
  },
);

// Reference data, which no test needs.
const data = process.env.SHADEGRAD_REFERENCE_DATA ?? here("../../../../../shared/data");
const published = join(data, "cifar10_resnet20_akamaster.safetensors");

const needing = existsSync(published) ? "" : " (needs reference data, see SHADEGRAD_REFERENCE_DATA)";

test.skipIf(!existsSync(published))(`a published CIFAR ResNet-20 loads strictly${needing}`, async () => {
  const checkpoint = await openCheckpoint(published);
  const found = modelOf(checkpoint)!;
  expect([found.name, found.options.shortcut, found.options.classes]).toEqual(["resnet20", "pad-both", 10]);
  for (const net of [resnet20(), new ResNet(found.options)]) {
    expect(await loadCheckpoint(net, checkpoint)).toEqual({ missing: [], unexpected: [] });
  }
  await checkpoint.close();
  await expect(loadCheckpoint(resnet8(), published)).rejects.toThrow(/unexpected: layer1\.1\.conv1\.weight/);
});

describe("files and addresses", () => {
  const model = (path: string) => ({
    modelTopology: {},
    weightsManifest: [{ paths: [path], weights: [{ name: "a/bias", shape: [1], dtype: "float32" }] }],
  });
  const read = async (input: string | URL) => {
    const { tensors, close } = await openCheckpoint(input);
    const { data } = await tensors.get("a/bias")!.read();
    await close();
    return [...(data as Float32Array)];
  };

  test("model.json and shards beside it, by path, file URL and http", async () => {
    const base = join(folder, "a model");
    await mkdir(join(base, "weights"), { recursive: true });
    await writeFile(join(base, "model.json"), JSON.stringify(model("weights/50% of 1.bin")));
    await writeFile(join(base, "weights/50% of 1.bin"), new Uint8Array(Float32Array.of(7).buffer));
    expect(await read(join(base, "model.json"))).toEqual([7]);
    expect(await read(pathToFileURL(join(base, "model.json")))).toEqual([7]);

    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url!);
      if (request.url === "/m/model.json?v=1") response.end(JSON.stringify(model("weights/50% of 1.bin")));
      else if (request.url === "/m/weights/50%25%20of%201.bin")
        response.end(new Uint8Array(Float32Array.of(8).buffer));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => void server.listen(0, resolve));
    const address = `http://localhost:${(server.address() as AddressInfo).port}/m/model.json?v=1`;
    expect(await read(address)).toEqual([8]);
    expect(asked).toEqual(["/m/model.json?v=1", "/m/weights/50%25%20of%201.bin"]);
    server.close();
  });

  test("a missing file fails as the system says, a folder and a wrong file by their paths", async () => {
    await expect(openCheckpoint(join(folder, "none.pt"))).rejects.toThrow(/ENOENT.*none\.pt/);
    await expect(openCheckpoint(folder)).rejects.toThrow(`source: ${folder} is a folder, not a file.`);
    const path = join(folder, "cat.pt");
    await writeFile(path, Uint8Array.of(0xff, 0xd8, 0xff, 0xe0));
    expect(await messageOf(openCheckpoint(path))).toBe(
      `${path} is a JPEG image; expected safetensors, a PyTorch checkpoint or a TensorFlow.js model.json.`,
    );
  });

  test("a save that fails leaves the file of before", async () => {
    const path = join(folder, "kept.safetensors");
    const net = resnet8();
    await saveCheckpoint(net, path);
    dispose(net);
    await expect(saveCheckpoint(net, path)).rejects.toThrow("disposed");
    await loadCheckpoint(resnet8(), path);
  });
});
