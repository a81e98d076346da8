// npm run build [-- packages|page] [--offline]: the packages as they are published, and the page as a static site.
// Offline, the page is left without those weights and data that were not fetched before.
import { parseArgs } from "node:util";
import { fail, install } from "./setup/install.mjs";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { offline: { type: "boolean" } },
});
const isWanted = (/** @type {string} */ part) => positionals.length === 0 || positionals.includes(part);

install();
if (isWanted("packages")) {
  const { build } = await import("./setup/build.mjs");
  await build();
}
if (isWanted("page")) {
  const { buildDemo } = await import("./demo/build.mjs");
  await buildDemo({ fetchMissing: !values.offline }).catch(({ message }) => fail(message));
}
