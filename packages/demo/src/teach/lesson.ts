import type { TaughtClass } from "./state.ts";

/** The classes and pictures to learn, as a text: another one if a class or a picture was added, removed or renamed. */
export const lessonOf = (classes: readonly TaughtClass[]): string =>
  JSON.stringify(classes.map(({ name, examples }) => [name, examples.map(({ id }) => id)]));

/** Number of pictures whose features are on the device, and of all pictures. */
export function progressOf(classes: readonly TaughtClass[]): { ready: number; all: number } {
  const examples = classes.flatMap(({ examples }) => examples);
  return { ready: examples.filter(({ isReady }) => isReady).length, all: examples.length };
}

/** The reason why the classes cannot be learned yet; undefined if they can. */
export function obstacle(classes: readonly TaughtClass[]): string | undefined {
  const names = classes.map(({ name }) => name.trim());
  if (names.some((name) => name === "")) return "Give every class a name.";
  if (new Set(names).size < names.length) return "Give each class a name of its own.";
  const missing = classes.find(({ examples }) => examples.length === 0);
  if (missing) return `Add pictures of ${missing.name}.`;
  const { ready, all } = progressOf(classes);
  return ready < all ? `The net looks at the pictures: ${ready} of ${all} done.` : undefined;
}
