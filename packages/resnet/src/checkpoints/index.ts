export type { Preprocessing } from "../preprocessing.ts";
export type { Checkpoint, CheckpointInput, CheckpointTensor } from "./checkpoint-file.ts";
export { namesFoundAndSought } from "./find-net.ts";
export { labelsOf } from "./labels.ts";
export { type LoadCheckpointOptions, loadCheckpoint } from "./load.ts";
export { type Architecture, modelOf, notedPreprocessing } from "./model-of.ts";
export { type CheckpointInfo, inspectCheckpoint, openCheckpoint } from "./open.ts";
export { checkpointBytes, type SaveOptions, saveCheckpoint } from "./save.ts";
