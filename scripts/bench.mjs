// npm run bench, bench:gpu, bench:launches, bench:models, bench:peers [-- arguments of what is in bench/]
import { runOnAdapter } from "./setup/run.mjs";

const [which, ...args] = process.argv.slice(2);
if (which === "peers" || (which === "gpu" && args.includes("peers"))) {
  const { installPeers } = await import("./setup/peers.mjs");
  installPeers();
}
await runOnAdapter(`bench/${which}/main.mjs`, args);
