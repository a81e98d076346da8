import { html, nothing, type TemplateResult } from "lit-html";
import type { State } from "../app/state.ts";
import type { TrainSettings } from "../worker-client/messages/train.ts";
import type { Training } from "./actions.ts";
import { number, select, toggle } from "./fields.ts";
import { sketch } from "./sketch.ts";

type Choose = (part: Partial<TrainSettings>) => void;

/** Form for the settings of a training; disabled once it has begun. */
export function recipe(
  { train: { settings, begun, is }, assets }: State,
  training: Training,
): TemplateResult {
  const isFixed = begun !== undefined || is !== "idle";
  const choose: Choose = (part) => training.choose(part);
  const group = (title: string, fields: TemplateResult) => html`
    <fieldset ?disabled=${isFixed}>
      <legend>${title}</legend>
      ${fields}
    </fieldset>
  `;
  return html`
    <form class="recipe card" @submit=${(event: Event) => event.preventDefault()}>
      ${group("The net", netFields(settings, choose))}
      ${group("The images", imageFields(settings, choose, assets?.cifar10 !== null))}
      ${group("The steps", stepFields(settings, choose))}
      ${isFixed ? html`<p class="fixed">Reset to change these. The curve of this training stays for comparison.</p>` : nothing}
    </form>
  `;
}

const DEPTHS = [1, 2, 3, 5, 7, 9].map((n) => [n, `${6 * n + 2} layers (n = ${n})`] as const);
const WIDTHS = [4, 8, 16, 32, 64].map(
  (width) => [width, `${width} · ${2 * width} · ${4 * width} channels`] as const,
);

const netFields = (settings: TrainSettings, choose: Choose): TemplateResult => html`
  ${select("Depth", settings.blocks, DEPTHS, (blocks) => choose({ blocks }))}
  ${select("Width", settings.width, WIDTHS, (width) => choose({ width }))}
  ${toggle(
    "Shortcuts",
    settings.shortcuts ? "a residual net" : "a plain net, as before 2015",
    settings.shortcuts,
    (shortcuts) => choose({ shortcuts }),
  )}
  ${sketch(settings)}
`;

interface Source {
  readonly data: TrainSettings["data"];
  readonly images: number;
  readonly title: string;
  readonly about: string;
}

const SOURCES: readonly Source[] = [
  {
    data: "cifar10",
    images: 10_000,
    title: "CIFAR-10: 10,000 images",
    about: "46 MB, once: cached in this browser",
  },
  {
    data: "cifar10",
    images: 50_000,
    title: "CIFAR-10: 50,000 images",
    about: "139 MB, once: cached in this browser",
  },
  {
    data: "shapes",
    images: 4000,
    title: "Shapes, drawn by this page",
    about: "4,000 images, nothing to fetch",
  },
];

function imageFields(settings: TrainSettings, choose: Choose, hasCifar: boolean): TemplateResult {
  const offered = SOURCES.filter(({ data }) => hasCifar || data !== "cifar10");
  const current = SOURCES.findIndex(
    ({ data, images }) => data === settings.data && images === settings.images,
  );
  const options = offered.map((source) => [SOURCES.indexOf(source), source.title] as const);
  return html`
    ${select("Data", current, options, (i) => {
      const { data, images } = SOURCES[i]!;
      choose({ data, images });
    })}
    <p class="about">${SOURCES[current]?.about ?? ""}</p>
    ${toggle("Vary them", "shifted by up to 4 pixels, mirrored", settings.augment, (augment) => choose({ augment }))}
  `;
}

const BATCHES = [8, 16, 32, 64, 128, 256].map((n) => [n, `${n} images`] as const);
const OPTIMIZERS = [
  ["SGD", "SGD, momentum 0.9"],
  ["Adam", "Adam"],
  ["AdamW", "AdamW"],
] as const;

const stepFields = (settings: TrainSettings, choose: Choose): TemplateResult => html`
  ${select("Batch", settings.batchSize, BATCHES, (batchSize) => choose({ batchSize }))}
  ${select("Optimizer", settings.optimizer, OPTIMIZERS, (optimizer) =>
    choose({ optimizer, lr: optimizer === "SGD" ? 0.05 : 0.002 }),
  )}
  ${number("Learning rate", settings.lr, { min: 0, step: "any" }, (lr) => lr > 0 && choose({ lr }))}
  ${number(
    "Seed",
    settings.seed,
    { min: 0, step: "1" },
    (seed) => Number.isSafeInteger(seed) && seed >= 0 && choose({ seed }),
  )}
`;
