// For engines that expect a page: WebGPU where a page has it, through the Dawn that shadegrad computes on.
import { create, globals } from "webgpu";

const gpu = create([]); // stays referenced: promises of a collected one never settle
Object.assign(globalThis, globals, { self: globalThis });
Object.defineProperty(globalThis, "navigator", {
  value: { gpu, userAgent: "node", hardwareConcurrency: 2 },
  configurable: true,
});
