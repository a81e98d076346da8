// npm run demo [-- --port N --host]: build the page and serve it, the documentation under /docs/.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fail, install } from "./setup/install.mjs";

const { values } = parseArgs({ options: { port: { type: "string" }, host: { type: "boolean" } } });
install();
const { build } = await import("./setup/build.mjs");
const { buildDemo, SITE } = await import("./demo/build.mjs");
const { buildDocs, DOCS_SITE } = await import("./docs/build.mjs");
const { serve } = await import("./demo/serve.mjs");
await buildDemo({ fetchMissing: true }).catch(({ message }) => fail(message));
await build(); // the documentation's live cells run the packages
await buildDocs().catch(({ message }) => fail(message));
cpSync(DOCS_SITE, join(SITE, "docs"), { recursive: true });
const { url } = await serve({ port: Number(values.port ?? 8080), everywhere: values.host });
console.log(`demo: ${url}`);
