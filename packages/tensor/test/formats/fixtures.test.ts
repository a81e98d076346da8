import { openSafetensors, readSafetensors, toBytes, writeSafetensors } from "@shadegrad/tensor/formats";
import { expect, test } from "vitest";
import { bytesOf } from "./arbitrary.ts";

const files = import.meta.glob<string>("../fixtures/**/*.safetensors", {
  query: "?url&inline",
  import: "default",
});

test("files that others wrote: names, types, shapes and bytes are what a plain reading of them finds", async () => {
  const paths = Object.keys(files);
  expect(paths.length).toBeGreaterThan(50);
  for (const path of paths) {
    const url = await files[path]!();
    const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
    const dataStart = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const { __metadata__: metadata, ...header } = JSON.parse(
      new TextDecoder().decode(bytes.subarray(8, dataStart)),
    );
    const file = await openSafetensors(url);
    expect(Object.fromEntries(file.metadata)).toEqual(metadata);
    expect(new Set(file.entries.keys())).toEqual(new Set(Object.keys(header)));
    for await (const [name, entry] of file) {
      const [start, end] = header[name].data_offsets;
      const { dtype, shape, data } = await entry.read();
      expect([dtype.toUpperCase(), shape]).toEqual([header[name].dtype, header[name].shape]);
      expect(sameBytes(bytesOf(data), bytes.subarray(dataStart + start, dataStart + end))).toBe(true);
    }
    const tensors = await readSafetensors(bytes);
    const again = await readSafetensors(await toBytes(writeSafetensors(tensors, file.metadata)));
    expect(again.size).toBe(tensors.size);
    for (const [name, { dtype, shape, data }] of tensors) {
      const found = again.get(name)!;
      expect([found.dtype, found.shape]).toEqual([dtype, shape]);
      expect(sameBytes(bytesOf(found.data), bytesOf(data))).toBe(true);
    }
  }
}, 60_000);

/** Much faster than toEqual, which makes a report of every element. */
const sameBytes = (a: Uint8Array, b: Uint8Array) =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
