import { describe, expect, test } from "vitest";
import { kerasEpsilons } from "../../src/checkpoints/keras-epsilon.ts";
import { labelsOf } from "../../src/checkpoints/labels.ts";

describe("class names in metadata", () => {
  test.each<[string, Record<string, string>, string[] | undefined]>([
    ["of saveCheckpoint", { labels: '["cat","dog"]' }, ["cat", "dog"]],
    ["that are numbers", { labels: "[1,2]" }, ["1", "2"]],
    ["of a training", { training: '{"classes":"[\\"a\\"]"}' }, ["a"]],
    [
      "of saveCheckpoint before a training's",
      { labels: '["b"]', training: '{"classes":"[\\"a\\"]"}' },
      ["b"],
    ],
    [
      "of a training where the others are no JSON",
      { labels: "[", training: '{"classes":"[\\"a\\"]"}' },
      ["a"],
    ],
    ["that are no list", { labels: '{"a":1}' }, undefined],
    ["of a training without any", { training: '{"classes":3}' }, undefined],
    ["of a training that is nothing", { training: "null" }, undefined],
    ["that are not there", {}, undefined],
  ])("%s", (_, metadata, labels) => {
    expect(labelsOf(new Map(Object.entries(metadata)))).toEqual(labels);
  });
});

describe("epsilons in a Keras model's topology", () => {
  const layer = (class_name: string, name: unknown, more: object = {}) => ({
    class_name,
    config: { name, ...more },
  });
  const model = (layers: unknown) => ({ class_name: "Functional", config: { name: "m", layers } });

  test.each<[string, unknown, Record<string, number>]>([
    ["of a layer", model([layer("BatchNormalization", "a", { epsilon: 0.5 })]), { a: 0.5 }],
    ["by default", model([layer("BatchNormalization", "a")]), { a: 0.001 }],
    [
      "of each version's class",
      model([layer("BatchNormalizationV1", "a"), layer("SyncBatchNormalization", "b")]),
      { a: 0.001, b: 0.001 },
    ],
    ["below model_config", { model_config: model([layer("BatchNormalization", "a")]) }, { a: 0.001 }],
    [
      "of a list of layers",
      { class_name: "Sequential", config: [layer("BatchNormalization", "a")] },
      { a: 0.001 },
    ],
    [
      "of a model in a model",
      model([model([layer("BatchNormalization", "a")]), layer("BatchNormalization", "b")]),
      { a: 0.001, b: 0.001 },
    ],
    ["of no other layer", model([layer("LayerNormalization", "a"), layer("MyBatchNormalization", "b")]), {}],
    [
      "of no layer without a name",
      model([layer("BatchNormalization", 5), layer("BatchNormalization", undefined)]),
      {},
    ],
    [
      "that are no numbers",
      model([
        layer("BatchNormalization", "a", { epsilon: "0.1" }),
        layer("BatchNormalization", "b", { epsilon: null }),
      ]),
      {},
    ],
    ["of what is no model", [null, 5, "x", { config: null }, { config: { layers: "x" } }], {}],
    ["of nothing", null, {}],
  ])("%s", (_, topology, epsilons) => {
    expect(Object.fromEntries(kerasEpsilons(topology))).toEqual(epsilons);
  });
});
