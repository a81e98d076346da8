import { CIFAR10_CLASSES, inGrey, inspectCheckpoint, labelsOf, trainedModels } from "@shadegrad/resnet";
import { few, type Labelled, renumbered } from "./datasets.ts";
import { isImageNets, type LoadedNet, type NetOptions } from "./net.ts";

/**
 * The data, with classes renumbered to the net's by name.
 *
 * @throws Error if the net has other classes, or takes images of other channels.
 */
export async function fitted(data: Labelled, name: string, { model, ...net }: LoadedNet): Promise<Labelled> {
  const { classes: count, imgChannels = 3 } = model.options;
  if (imgChannels === 1 && data.shape[2] === 3)
    return fitted({ ...data, ...inGrey(data) }, name, { model, ...net });
  const [, , C] = data.shape;
  if (imgChannels !== C) {
    throw new Error(
      `the net takes images of ${imgChannels} channels, and those of ${name} have ${C}. The weights are from ${net.weights}.`,
    );
  }
  const to = numbering(data.classes, net.labels, net.hasOwnLabels, count);
  if (!to) throw await misfit(`${net.name} (${net.weights})`, count, net.labels, name, data.classes);
  return to.every((label, i) => label === i) ? data : renumbered(data, to, net.labels);
}

/**
 * Refuse ImageNet's net for CIFAR-10, before 95 MB are fetched.
 *
 * @throws Error with the nets whose weights are here and fit.
 */
export async function checkUsual(name: string, options: NetOptions): Promise<void> {
  if (name !== "cifar10" || !isImageNets(options)) return;
  if ((await trainedModels()).some((net) => net.name === options.model)) return;
  throw await misfit("ImageNet's ResNet-50", 1000, ["tench", "goldfish", "…"], name, CIFAR10_CLASSES);
}

/** The net's number of each class; undefined if it has other classes. */
function numbering(
  classes: readonly string[],
  labels: readonly string[],
  hasOwnLabels: boolean,
  count: number,
): number[] | undefined {
  const inOrder = classes.map((_, i) => i);
  const plain = (name: string) => name.toLowerCase().replaceAll("_", " ");
  const known = labels.map(plain);
  if (classes.length === count && classes.every((name, i) => plain(name) === known[i])) return inOrder;
  const byName = classes.map((name) => known.indexOf(plain(name)));
  if (!byName.includes(-1)) return byName;
  // ImageNet's folders are named by WordNet numbers, in the order of its classes.
  const areNumbers = classes.every((name) => /^n\d{8}$/.test(name));
  return classes.length === count && (areNumbers || !hasOwnLabels) ? inOrder : undefined;
}

async function misfit(
  net: string,
  count: number,
  labels: readonly string[],
  name: string,
  classes: readonly string[],
): Promise<Error> {
  const fitting: string[] = [];
  for (const { name, path } of await trainedModels()) {
    const { metadata } = await inspectCheckpoint(path);
    const noted = labelsOf(metadata);
    if (noted && numbering(classes, noted, true, noted.length)) fitting.push(name);
  }
  const there =
    fitting.length > 0
      ? `--model ${fitting.join(" or ")} has weights that fit, and --weights names a file with others.`
      : "--weights names a file of a net that was trained for them.";
  return new Error(
    `${net} has ${count} classes, ${few(labels)}, and ${name} has ${classes.length}, ${few(classes)}. ${there}`,
  );
}
