import { nearest } from "@shadegrad/tensor";

/** "Did you mean resnet50?", if a name is close to what was typed. */
export function suggestion(typed: string, names: readonly string[]): string | undefined {
  const found = nearest(typed, names);
  return found && `Did you mean ${found}?`;
}
