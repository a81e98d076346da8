export {
  deviceOf,
  type EvaluateOptions,
  type Evaluation,
  evaluateModel,
} from "./evaluate.ts";
export { duration, epochLine, speed } from "./lines.ts";
export type { TrainOptions, TrainResult } from "./options.ts";
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
export { type Difference, type ResumeSettings, SettingsError } from "./resume-settings.ts";
export type { AnyOptimizer } from "./step.ts";
export { train } from "./train.ts";
export {
  NotFiniteError,
  type ResumeTarget,
  readTraining,
  TRAINING_KEY,
  writeTraining,
} from "./training-checkpoint.ts";
export type { TrainingProgress, TrainingState } from "./training-state.ts";
