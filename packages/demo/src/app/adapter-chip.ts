import { html, render, type TemplateResult } from "lit-html";
import { size } from "./numbers.ts";
import type { DeviceState } from "./state.ts";

/** Name and features of the adapter, marked where it is a software adapter. */
export function adapterChip(device: DeviceState): TemplateResult {
  if (device.is === "opening") return html`<span class="chip"><i class="dot"></i>Looking for a GPU</span>`;
  if (device.is === "missing") return html`<span class="chip"><i class="dot bad"></i>No WebGPU</span>`;
  const { name, software, features, limits } = device.info;
  return html`
    <details class="chip" @toggle=${describeBrowser}>
      <summary>
        <i class="dot ${software ? "slow" : "good"}"></i>
        <span class="adapter">${software ? "No GPU: software" : name}</span>
      </summary>
      <div class="card popover">
        <p class="title">${name}</p>
        ${
          software
            ? html`<p>
                This browser found no GPU that it may use, so the CPU computes what a GPU would. Expect about a
                hundredth of the speed. A browser with hardware acceleration, or a machine with a GPU, is what helps.
              </p>`
            : html`<p>The kernels run on this GPU. Nothing is sent anywhere.</p>`
        }
        <div class="browser"></div>
        <dl>
          <dt>Largest buffer</dt><dd>${size(limits.buffer)}</dd>
          <dt>Workgroup memory</dt><dd>${size(limits.workgroupMemory)}</dd>
          <dt>Threads a workgroup</dt><dd>${limits.workgroup}</dd>
          <dt>float16</dt><dd>${features.includes("shader-f16") ? "yes" : "no"}</dd>
          <dt>Subgroups</dt><dd>${features.includes("subgroups") ? "yes" : "no"}</dd>
          <dt>Timestamps</dt><dd>${features.includes("timestamp-query") ? "yes" : "no"}</dd>
        </dl>
      </div>
    </details>
  `;
}

/** Say which browser this is, once somebody asks: the page's first answer does not wait for it. */
async function describeBrowser({ currentTarget }: Event): Promise<void> {
  const place = (currentTarget as Element).querySelector<HTMLElement>(".browser")!;
  const { aboutBrowser } = await import("./browser.ts");
  render(aboutBrowser(navigator.userAgent), place);
}
