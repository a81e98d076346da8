import { expect, it, vi } from "vitest";
import { Launcher } from "../src/launch/launcher.ts";
import type { Placed } from "../src/launch/placed.ts";
import type { Planned } from "../src/launch/program.ts";
import { copy, fma } from "../src/rooflineProbe/index.ts";
import { openDevice } from "./device.ts";

/** Names of the calls into the driver while `f` runs, of encoders, passes and the queue. */
function callsOf(device: GPUDevice, f: () => void): string[] {
  const calls: string[] = [];
  const watched = <T extends object>(of: T): T =>
    new Proxy(of, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          calls.push(String(name));
          const made = member.apply(target, args);
          return name === "beginComputePass" ? watched(made) : made;
        };
      },
    });
  const { queue } = device;
  const createCommandEncoder = device.createCommandEncoder.bind(device);
  const spies = [
    vi.spyOn(device, "createCommandEncoder").mockImplementation(() => watched(createCommandEncoder())),
    vi.spyOn(device, "queue", "get").mockReturnValue(watched(queue)),
  ];
  f();
  for (const spy of spies) spy.mockRestore();
  return calls;
}

it("replays a program by two calls a launch, one for each change of pipeline, and one submit; params travel where they changed", async () => {
  const { device, adapter } = await openDevice();
  const fail = (error: Error) => {
    throw error;
  };
  const launcher = new Launcher(device, adapter, fail);
  const [x, y] = [0, 1].map(() => ({ buffer: device.createBuffer({ size: 4 << 8, usage: 0x80 }) })) as [
    Placed,
    Placed,
  ];
  const params = { length: 1 << 8, steps: 8, scale: 0.75, shift: 0.5 };
  const computing: Planned = { kernel: fma as never, params, buffers: [x] };
  const copying: Planned = { kernel: copy as never, params: { length: 1 << 6 }, buffers: [x, y] };
  const program = await launcher.prepare([computing, computing, copying]);
  const replay = () => callsOf(device, () => launcher.replay(program));
  const launch = ["setBindGroup", "dispatchWorkgroups"];
  const launches = ["setPipeline", ...launch, ...launch, "setPipeline", ...launch];
  const encoded = ["beginComputePass", ...launches, "end", "finish", "submit"];
  expect(replay()).toEqual(["writeBuffer", ...encoded]);
  expect(replay()).toEqual(encoded);
  program.setParams(1, { ...params, shift: 1 });
  expect(replay()).toEqual(["writeBuffer", ...encoded]);
  expect(replay()).toEqual(encoded);
});
