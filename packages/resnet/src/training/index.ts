export {
  type Checkpointed,
  type Going,
  NotFiniteError,
  type Progress as TrainingProgress,
  readTraining,
  TRAINING_KEY,
  writeTraining,
} from "./checkpoint.ts";
export {
  deviceOf,
  type EvaluateOptions,
  type Evaluation,
  evaluateModel,
} from "./evaluate.ts";
export { type Difference, type Fixed, SettingsError } from "./fixed.ts";
export { duration, epochLine, speed } from "./lines.ts";
export { paperRecipe, type Recipe, type RecipeOptions, recipes, shortRecipe } from "./recipes.ts";
export type {
  EpochRecord,
  MetricsRecord,
  ProgressEvent,
  Settings,
  StartRecord,
  StepRecord,
} from "./records.ts";
export { type ReportOptions, reportPage } from "./report.ts";
export type { AnyOptimizer } from "./step.ts";
export { type TrainOptions, type TrainResult, train } from "./train.ts";
