import type { TrainOptions, TrainResult } from "./options.ts";
import { Training } from "./training.ts";

/**
 * Train a classifier. Each epoch has its own order of the images; after each, the training writes a checkpoint, from which
 * it can be resumed to the very same weights.
 *
 * With `out`: `checkpoint.safetensors`, the full state of the training; `model.safetensors`, the weights, under
 * torchvision's names if it is a ResNet; `metrics.jsonl`, a line every `logEvery` steps and every epoch; `report.html`.
 *
 * @throws Error if the loss, of training or validation, or a weight becomes NaN, with the op that made the first one; or if
 * another training writes into `out`; SettingsError if a checkpoint was made with other settings, with all of them;
 * FormatError if it is damaged or does not fit; DeviceError if the device is lost: resume on another one.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const training = await Training.begin(options);
  try {
    return await training.run();
  } finally {
    await training.dispose();
  }
}
