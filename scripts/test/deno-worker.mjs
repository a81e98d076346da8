// Runs tests in Deno, for vitest, whose process started this one.
import { parse, stringify } from "flatted";
import { init, runBaseTests, setupEnvironment } from "vitest/worker";

// Tests may replace what is global.
const { process } = globalThis;
const send = /** @type {NonNullable<NodeJS.Process["send"]>} */ (process.send).bind(process);

init({
  post: (message) => send(message),
  on: (listener) => process.on("message", listener),
  off: (listener) => process.off("message", listener),
  serialize: stringify,
  deserialize: parse,
  runTests: (state, traces) => runBaseTests("run", state, traces),
  collectTests: (state, traces) => runBaseTests("collect", state, traces),
  setup: setupEnvironment,
});
