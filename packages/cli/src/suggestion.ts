import { closest, distance } from "fastest-levenshtein";

/** "Did you mean resnet50?", if a name is close to what was typed. */
export function suggestion(typed: string, names: readonly string[]): string | undefined {
  const found = closest(typed.toLowerCase(), names as string[]);
  const isClose = distance(typed.toLowerCase(), found.toLowerCase()) <= Math.max(1, typed.length / 3);
  return isClose ? `Did you mean ${found}?` : undefined;
}
