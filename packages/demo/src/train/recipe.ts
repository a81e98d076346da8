import { html, nothing, svg, type TemplateResult } from "lit-html";
import type { State } from "../app/state.ts";
import type { TrainSettings } from "../worker-client/protocol.ts";
import type { Training } from "./actions.ts";

/** Form for the settings of a training; disabled once it has begun. */
export function recipe(
  { train: { settings, begun, is }, assets }: State,
  training: Training,
): TemplateResult {
  const isFixed = begun !== undefined || is !== "idle";
  const hasCifar = assets?.cifar10 !== null;
  const choose = (part: Partial<TrainSettings>) => training.choose(part);
  const select = <T extends string | number>(
    name: string,
    value: T,
    options: readonly (readonly [T, string])[],
    take: (value: T) => void,
  ) => html`
    <label class="field">
      <span>${name}</span>
      <select
        @change=${(event: Event) => take(options[(event.target as HTMLSelectElement).selectedIndex]![0])}
      >
        ${options.map(([option, title]) => html`<option ?selected=${option === value}>${title}</option>`)}
      </select>
    </label>
  `;
  return html`
    <form class="recipe card" @submit=${(event: Event) => event.preventDefault()}>
      <fieldset ?disabled=${isFixed}>
        <legend>The net</legend>
        ${select(
          "Depth",
          settings.blocks,
          [1, 2, 3, 5, 7, 9].map((n) => [n, `${6 * n + 2} layers (n = ${n})`] as const),
          (blocks) => choose({ blocks }),
        )}
        ${select(
          "Width",
          settings.width,
          [4, 8, 16, 32, 64].map(
            (width) => [width, `${width} · ${2 * width} · ${4 * width} channels`] as const,
          ),
          (width) => choose({ width }),
        )}
        <label class="switch">
          <input
            type="checkbox"
            role="switch"
            .checked=${settings.shortcuts}
            @change=${(event: Event) => choose({ shortcuts: (event.target as HTMLInputElement).checked })}
          />
          <span><strong>Shortcuts</strong><span>${settings.shortcuts ? "a residual net" : "a plain net, as before 2015"}</span></span>
        </label>
        ${sketch(settings)}
      </fieldset>
      <fieldset ?disabled=${isFixed}>
        <legend>The images</legend>
        ${select(
          "Data",
          `${settings.data} ${settings.images}`,
          [
            ...(hasCifar
              ? ([
                  ["cifar10 10000", "CIFAR-10: 10,000 images"],
                  ["cifar10 50000", "CIFAR-10: 50,000 images"],
                ] as const)
              : []),
            ["shapes 4000", "Shapes, drawn by this page"],
          ],
          (value) => {
            const [data, images] = value.split(" ");
            choose({ data: data as TrainSettings["data"], images: Number(images) });
          },
        )}
        <p class="about">${SOURCES[`${settings.data} ${settings.images}`] ?? ""}</p>
        <label class="switch">
          <input
            type="checkbox"
            role="switch"
            .checked=${settings.augment}
            @change=${(event: Event) => choose({ augment: (event.target as HTMLInputElement).checked })}
          />
          <span><strong>Vary them</strong><span>shifted by up to 4 pixels, mirrored</span></span>
        </label>
      </fieldset>
      <fieldset ?disabled=${isFixed}>
        <legend>The steps</legend>
        ${select(
          "Batch",
          settings.batchSize,
          [8, 16, 32, 64, 128, 256].map((n) => [n, `${n} images`] as const),
          (batchSize) => choose({ batchSize }),
        )}
        ${select(
          "Optimizer",
          settings.optimizer,
          [
            ["SGD", "SGD, momentum 0.9"],
            ["Adam", "Adam"],
            ["AdamW", "AdamW"],
          ],
          (optimizer) => choose({ optimizer, lr: optimizer === "SGD" ? 0.05 : 0.002 }),
        )}
        ${number("Learning rate", settings.lr, { min: 0, step: "any" }, (lr) => lr > 0 && choose({ lr }))}
        ${number("Seed", settings.seed, { min: 0, step: "1" }, (seed) => Number.isSafeInteger(seed) && seed >= 0 && choose({ seed }))}
      </fieldset>
      ${isFixed ? html`<p class="fixed">Reset to change these. The curve of this training stays for comparison.</p>` : nothing}
    </form>
  `;
}

const SOURCES: Readonly<Record<string, string>> = {
  "cifar10 10000": "46 MB, once: cached in this browser",
  "cifar10 50000": "139 MB, once: cached in this browser",
  "shapes 4000": "4,000 images, nothing to fetch",
};

const number = (
  name: string,
  value: number,
  { min, step }: { min: number; step: string },
  take: (value: number) => void,
): TemplateResult => html`
  <label class="field">
    <span>${name}</span>
    <input
      type="number"
      inputmode="decimal"
      min=${min}
      step=${step}
      .value=${String(value)}
      @change=${(event: Event) => {
        const input = event.target as HTMLInputElement;
        take(input.valueAsNumber);
        input.value = String(value === input.valueAsNumber || input.valueAsNumber > 0 ? input.value : value);
      }}
    />
  </label>
`;

/** Drawing of the net's blocks, in order, with their shortcuts. */
function sketch({ blocks, shortcuts }: TrainSettings): TemplateResult {
  const all = 3 * blocks;
  const [width, gap] = [300 / all, Math.min(6, 60 / all)];
  return html`
    <svg class="sketch" viewBox="0 0 300 54" role="img" aria-label="${all} blocks ${shortcuts ? "with shortcuts" : "without shortcuts"}">
      ${Array.from({ length: all }, (_, i) => {
        const stage = Math.floor(i / blocks);
        const [x, height] = [i * width + gap / 2, 30 - stage * 7];
        return blockShape({ x, width: width - gap, height, stage, shortcut: shortcuts });
      })}
    </svg>
  `;
}

interface BlockShape {
  readonly x: number;
  readonly width: number;
  readonly height: number;
  readonly stage: number;
  readonly shortcut: boolean;
}

function blockShape({ x, width, height, stage, shortcut }: BlockShape): TemplateResult {
  const top = 50 - height;
  return svg`
  <rect class="stage-${stage}" x=${x} y=${top} width=${width} height=${height} rx=${Math.min(4, width / 3)} />
  ${shortcut ? svg`<path d="M${x} ${top + 4} C${x} ${top - 13} ${x + width} ${top - 13} ${x + width} ${top + 4}" />` : nothing}
`;
}
