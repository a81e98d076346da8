import { expect, it } from "vitest";
import { commands } from "vitest/browser";
import { type Trained, trained } from "./smallNet.ts";

declare module "vitest/browser" {
  interface BrowserCommands {
    trainedOnSwiftshader(seed: number): Promise<Trained | null>;
  }
}

it("Chromium trains the same weights as Node, bit by bit", async ({ skip }) => {
  const inNode = await commands.trainedOnSwiftshader(1);
  skip(!inNode, "there is no SwiftShader for Node on this platform");
  const here = await trained(1);
  expect([here.adapter, inNode!.adapter]).toEqual([
    expect.stringMatching(/swiftshader/i),
    expect.stringMatching(/swiftshader/i),
  ]);
  expect(here.losses).toEqual(inNode!.losses);
  expect(here.state).toEqual(inNode!.state);
});
