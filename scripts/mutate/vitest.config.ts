import base from "../../vitest.config.ts";

// The tests of one folder, in Node: Stryker runs them again for each fault.
const { projects = [], ...shared } = base.test ?? {};
const [node] = projects as { test: object }[];
const tests = (process.env.MUTATE_TESTS ?? "").split(",");

export default {
  ...base,
  test: {
    ...shared,
    ...node!.test,
    root: new URL("../..", import.meta.url).pathname,
    setupFiles: ["scripts/mutate/answered.ts"],
    include: tests.map((path) => (path.endsWith(".ts") ? path : `${path}/**/*.test.ts`)),
  },
};
