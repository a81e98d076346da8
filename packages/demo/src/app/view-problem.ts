import type { Problem } from "./messages.ts";

/** The reason why a view's scripts did not load: the network, or a fault in them. */
export function viewProblem(view: string, error: unknown): Problem {
  const text = error instanceof Error ? error.message : String(error);
  return isFetchFailure(text)
    ? { title: `${view} did not load`, text: `Is the network there? Reload the page. ${text}` }
    : { title: `${view} does not start`, text: `This is a fault of the page, not of the network: ${text}` };
}

/** Messages of `import()` where a request failed, in Chromium, Firefox and Safari; the last is Vite's, for a style sheet. */
const FETCH_FAILURES = [
  /^Failed to fetch dynamically imported module/,
  /^error loading dynamically imported module/,
  /^Importing a module script failed/,
  /^Unable to preload CSS/,
];

const isFetchFailure = (message: string): boolean => FETCH_FAILURES.some((failure) => failure.test(message));
