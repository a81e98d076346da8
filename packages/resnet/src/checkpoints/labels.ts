/**
 * The class names in a checkpoint's metadata: `labels` of `saveCheckpoint`, or those that a training by the command line
 * noted among its settings.
 */
export function labelsOf(metadata: ReadonlyMap<string, string>): string[] | undefined {
  const labels = parse(metadata.get("labels")) ?? parse(Object(parse(metadata.get("training"))).classes);
  return Array.isArray(labels) ? labels.map(String) : undefined;
}

function parse(json: unknown): unknown {
  try {
    return typeof json === "string" ? JSON.parse(json) : undefined;
  } catch {
    return undefined;
  }
}
