// A training that leaves for PyTorch and comes back: some steps here, some in two processes there, and evaluation here.
// node examples/distributed/round.mjs [FOLDER]
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const PROGRAM = join(import.meta.dirname, "..", "..", "packages", "cli", "bin", "shadegrad.mjs");
const PYTHON = process.env.PYTHON ?? "python3";
const folder = process.argv[2] ?? "round";
const at = (...names) => join(folder, ...names);

const shadegrad = (...args) => {
  console.log(`\n$ npx shadegrad ${args.join(" ")}`);
  execFileSync(process.execPath, [PROGRAM, ...args], { stdio: "inherit" });
};

// Pictures to tell apart: stripes that lie or stand, of any width, place and colours.
writePictures(at("data", "train"), 60);
writePictures(at("data", "test"), 40);

const training = ["--dataset", at("data"), "--recipe", "short", "--batch", "20"];
shadegrad("train", "--model", "resnet8", ...training, "--steps", "6", "--out", at("here"));
shadegrad(
  "export",
  ...["--pytorch", at("there"), "--weights", at("here", "model.safetensors")],
  ...["--recipe", "short", "--steps", "60"],
);
await inTwoProcesses(
  at("there", "train.py"),
  ...["--data", at("data"), "--batch", "20", "--workers", "0", "--out", at("there", "trained.safetensors")],
);
shadegrad("convert", at("there", "trained.safetensors"), at("back.safetensors"));
shadegrad("eval", "--weights", at("back.safetensors"), "--dataset", at("data"), "--json");

/**
 * Run a script in two processes, as `torchrun --nproc_per_node 2` does: Debian 12's own torchrun, of torch 1.13, fails
 * under Python 3.11.
 */
async function inTwoProcesses(...args) {
  console.log(`\n$ torchrun --nproc_per_node 2 ${args.join(" ")}`);
  const shared = {
    WORLD_SIZE: "2",
    MASTER_ADDR: "127.0.0.1",
    MASTER_PORT: String(20_000 + (process.pid % 20_000)),
  };
  const processes = ["0", "1"].map((rank) => {
    const env = { ...process.env, ...shared, RANK: rank, LOCAL_RANK: rank, OMP_NUM_THREADS: "1" };
    return once(spawn(PYTHON, args, { stdio: "inherit", env }), "exit");
  });
  const codes = await Promise.all(processes.map(async (end) => (await end)[0]));
  if (codes.some((code) => code !== 0)) throw new Error(`train.py ended with ${codes.join(" and ")}.`);
}

function writePictures(into, each) {
  let state = each;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  for (const stripes of ["lying", "standing"]) {
    mkdirSync(join(into, stripes), { recursive: true });
    for (let i = 0; i < each; i++) writeFileSync(join(into, stripes, `${i}.ppm`), picture(stripes, random));
  }
}

/** A picture of 32 × 32 pixels as PPM, which needs no library. */
function picture(stripes, random) {
  const side = 32;
  const [width, start] = [3 + 3 * random(), 8 * random()];
  const colours = [0, 130].map((least) => [0, 0, 0].map(() => least + 120 * random()));
  const pixels = Uint8Array.from({ length: side * side * 3 }, (_, at) => {
    const [x, y] = [Math.floor(at / 3) % side, Math.floor(at / 3 / side)];
    const stripe = Math.floor(((stripes === "lying" ? y : x) + start) / width) % 2;
    return colours[stripe][at % 3];
  });
  return Buffer.concat([Buffer.from(`P6 ${side} ${side} 255\n`), pixels]);
}
