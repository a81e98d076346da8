// Loaded before a script whose descriptor 2 is filtered: its own errors and progress go to the terminal, descriptor 3.
import { WriteStream } from "node:tty";

const terminal = new WriteStream(3);
terminal.unref(); // as process.stderr, it keeps nobody waiting
Object.defineProperty(process, "stderr", { value: terminal, enumerable: true, configurable: true });
