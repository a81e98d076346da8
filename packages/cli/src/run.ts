import { main } from "./main.ts";
import { processTerminal } from "./terminal.ts";

const status = await main(process.argv.slice(2), processTerminal());
// Dawn would keep the process alive.
process.stdout.write("", () => process.exit(status));
