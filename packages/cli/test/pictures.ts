import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import sharp from "sharp";

/** A picture of one colour, and some noise that is always the same. */
export async function picture(path: string, red: number, blue: number): Promise<void> {
  const pixels = Uint8Array.from({ length: 40 * 36 * 3 }, (_, i) => [red, (i * i) % 61, blue][i % 3]!);
  await mkdir(dirname(path), { recursive: true });
  await sharp(pixels, { raw: { width: 40, height: 36, channels: 3 } }).toFile(path);
}

/** Pictures of classes in their subfolders, the first blue and the last red. */
export async function pictures(folder: string, classes: readonly string[], each = 4): Promise<void> {
  for (const [label, name] of classes.entries()) {
    const red = classes.length > 1 ? Math.round((240 * label) / (classes.length - 1)) : 0;
    for (let i = 0; i < each; i++) await picture(`${folder}/${name}/${i}.png`, red + i, 250 - red - i);
  }
}
