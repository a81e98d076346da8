/** Grey three times, or colours without what follows them. */
export function rgb(from: ArrayLike<number>, channels: number): Uint8Array {
  const pixels = new Uint8Array((from.length / channels) * 3);
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2];
  for (let i = 0, at = 0; i < pixels.length; i += 3, at += channels) {
    pixels[i] = from[at]!;
    pixels[i + 1] = from[at + green]!;
    pixels[i + 2] = from[at + blue]!;
  }
  return pixels;
}
