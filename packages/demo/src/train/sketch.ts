import { html, nothing, svg, type TemplateResult } from "lit-html";
import type { TrainSettings } from "../worker-client/messages/train.ts";

/** Drawing of the net's blocks, in order, with their shortcuts. */
export function sketch({ blocks, shortcuts }: Pick<TrainSettings, "blocks" | "shortcuts">): TemplateResult {
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
