import { candidates } from "@shadegrad/kernels-wgsl";

/**
 * @typedef {import("@shadegrad/tensor").Device} Device
 * @typedef {import("./row.mjs").Prepared} Prepared
 * @typedef {import("@shadegrad/kernels-wgsl").Kernel<any>} Kernel
 * @typedef {import("@shadegrad/kernels-wgsl").LaunchOptions | undefined} Options
 */

/**
 * The launch of a run that costs most, and every variant that could do it here.
 *
 * @param {Device} device
 * @param {Prepared} prepared
 * @returns {{ kernel: Kernel, names: string[] }}
 */
export function variantsOf(device, prepared) {
  /** @type {{ kernel: Kernel, names: string[], cost: number }[]} */
  const launches = [];
  prepared.before?.(0);
  const stop = intercept(device, (kernel, params, options) => {
    const { flops = 0, bytes = 0 } = kernel.cost?.(params) ?? {};
    launches.push({ kernel, names: namesOf(device, kernel, params, options), cost: flops + bytes });
    return options;
  });
  try {
    prepared.run(0);
  } finally {
    stop();
  }
  const [first, ...others] = launches;
  if (!first) throw new Error("bench: a run that launches nothing");
  return others.reduce((most, launch) => (launch.cost > most.cost ? launch : most), first);
}

/**
 * Names of the variants that may do a launch here.
 *
 * @param {Device} device
 * @param {Kernel} kernel
 * @param {any} params
 * @param {Options} options
 */
const namesOf = ({ adapter }, kernel, params, options) =>
  candidates(kernel, params, adapter, options?.holes).map(({ name }) => name);

/**
 * Take one variant of a kernel for all launches that it fits, until the function that this returns is called.
 *
 * @param {Device} device
 * @param {Kernel} kernel
 * @param {string} name
 * @returns {() => void}
 */
export const insistOn = (device, kernel, name) =>
  intercept(device, (launched, params, options) =>
    launched === kernel && namesOf(device, kernel, params, options).includes(name)
      ? { ...options, variant: name }
      : options,
  );

/**
 * @param {Device} device
 * @param {(kernel: Kernel, params: any, options: Options) => Options} change options of each launch
 */
function intercept({ launcher }, change) {
  const launch = launcher.launch;
  /** @type {(kernel: any, params: any, buffers: readonly any[], options: Options) => void} */
  const changed = (kernel, params, buffers, options) =>
    launch.call(launcher, kernel, params, buffers, change(kernel, params, options));
  launcher.launch = changed;
  return () => void Reflect.deleteProperty(launcher, "launch"); // the original is on the prototype
}
