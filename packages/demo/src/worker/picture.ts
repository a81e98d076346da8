import { decodeImage, pictureInput } from "@shadegrad/resnet";
import { tensor } from "@shadegrad/tensor";
import type { LoadedNet } from "./nets.ts";
import { opaque, type PreparedPicture } from "./prepared-picture.ts";

type Mark = (stage: string) => void;

/** Decode and resize a picture from a file: on a GPU by kernels, on a software adapter by this thread. */
export async function preparedPicture(
  image: Blob,
  net: LoadedNet,
  mark: Mark = () => {},
): Promise<PreparedPicture> {
  const { model, device, preprocessing } = net;
  if (!device.adapter.software) return (await import("./picture-on-gpu.ts")).pictureOnGpu(image, net, mark);
  const picture = await decodeImage(image);
  mark("decode");
  const { data, shape, crop } = pictureInput(picture, model, preprocessing);
  mark("resize");
  const x = tensor(data, shape, { device });
  return {
    x,
    crop: async () => ({ side: shape[1], pixels: opaque(crop.pixels) }),
    dispose() {
      if (!device.isLost) x.dispose();
    },
  };
}
