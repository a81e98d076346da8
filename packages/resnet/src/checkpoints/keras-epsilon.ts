/** Keras' default, where a configuration leaves it out. */
const KERAS_EPSILON = 1e-3;

/**
 * The epsilon of each batch norm in a Keras model's topology, by layer name: models within the model too.
 *
 * `topology` is `modelTopology` of a TensorFlow.js model.json; anything else holds no layers.
 */
export function kerasEpsilons(topology: unknown): ReadonlyMap<string, number> {
  const epsilons = new Map<string, number>();
  const { model_config = topology } = fields(topology);
  const waiting: unknown[] = [model_config];
  while (waiting.length > 0) {
    const { class_name, config } = fields(waiting.pop());
    const { name, epsilon = KERAS_EPSILON, layers } = fields(config);
    if (/^(Sync)?BatchNormalization/.test(String(class_name)) && typeof name === "string") {
      if (Number.isFinite(epsilon)) epsilons.set(name, epsilon as number);
    }
    // Sequential models of older versions have the list itself for their configuration.
    const inside = Array.isArray(config) ? config : layers;
    if (Array.isArray(inside)) for (const layer of inside) waiting.push(layer);
  }
  return epsilons;
}

/** The fields of a JSON object; none of anything else. */
const fields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
