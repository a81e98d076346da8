// npm run demo [-- --port N --host]: build the page and serve it.
import { parseArgs } from "node:util";
import { fail, install } from "./setup/install.mjs";

const { values } = parseArgs({ options: { port: { type: "string" }, host: { type: "boolean" } } });
install();
const { buildDemo } = await import("./demo/build.mjs");
const { serve } = await import("./demo/serve.mjs");
await buildDemo({ fetchMissing: true }).catch(({ message }) => fail(message));
const { url } = await serve({ port: Number(values.port ?? 8080), everywhere: values.host });
console.log(`demo: ${url}`);
