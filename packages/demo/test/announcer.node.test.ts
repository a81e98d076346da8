import { expect, test } from "vitest";
import { Announcer } from "../src/app/announcer.ts";

test("a phase is announced when it begins, and progress within it every five seconds", () => {
  const announcer = new Announcer();
  const heard = [
    announcer.announce("load", "0 MB", 100),
    announcer.announce("load", "1 MB", 4000),
    announcer.announce("steps", "Step 1", 4100),
    ...Array.from({ length: 100 }, (_, i) => announcer.announce("steps", `Step ${i + 2}`, 4200 + 100 * i)),
    announcer.announce("end", "Stopped", 14_200),
    announcer.announce("", "", 14_300),
  ];
  const changes = heard.filter((text, i) => text !== heard[i - 1]);
  expect(changes).toEqual(["0 MB", "Step 1", "Step 51", "Step 101", "Stopped", ""]);
});
