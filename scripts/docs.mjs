// npm run docs [-- --port N --host | --build]: build the guides and the reference, and serve them.
import { parseArgs } from "node:util";
import { fail, install } from "./setup/install.mjs";

const { values } = parseArgs({
  options: { port: { type: "string" }, host: { type: "boolean" }, build: { type: "boolean" } },
});
install();
const { build } = await import("./setup/build.mjs");
await build();
const { buildDocs } = await import("./docs/build.mjs");
await buildDocs().catch(({ message }) => fail(message));
if (!values.build) {
  const { serveDocs } = await import("./docs/serve.mjs");
  const { url } = await serveDocs({ port: Number(values.port ?? 8081), everywhere: values.host });
  console.log(`docs: ${url}`);
}
