import { decodeBitmap, type Preprocessing, pictureTensor } from "@shadegrad/resnet";
import type { LoadedNet } from "./nets.ts";
import { opaque, type PreparedPicture } from "./prepared-picture.ts";

/** Pixels from 0 to 255. */
const UNCHANGED: Preprocessing = { channels: "rgb", range: 255, mean: [0, 0, 0], std: [1, 1, 1] };

/**
 * A picture that the browser decodes to a bitmap, and kernels resize and normalize; the square that the net sees comes from the
 * same kernels.
 */
export async function pictureOnGpu(
  image: Blob,
  { model, device, preprocessing }: LoadedNet,
  mark: (stage: string) => void,
): Promise<PreparedPicture> {
  const bitmap = await decodeBitmap(image);
  mark("decode");
  const net = { options: model.options, ...(preprocessing && { preprocessing }) };
  const close = () => {
    if ("close" in bitmap) bitmap.close();
  };
  const x = await pictureTensor(bitmap, net, device).catch((error) => {
    close();
    throw error;
  });
  // No wait: the stem is encoded meanwhile. A lost device is told by what is awaited after this.
  device.synchronize().then(
    () => mark("resize"),
    () => {},
  );
  return {
    x,
    async crop() {
      const coloured = { options: { ...model.options, imgChannels: 3 }, preprocessing: UNCHANGED };
      using square = await pictureTensor(bitmap, coloured, device);
      return { side: square.shape[1]!, pixels: opaque((await square.data()) as Float32Array) };
    },
    dispose() {
      if (!device.isLost) x.dispose();
      close();
    },
  };
}
