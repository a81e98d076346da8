import { html, nothing, type TemplateResult } from "lit-html";
import { icons } from "../app/icons.ts";
import { message } from "../app/messages.ts";
import { count, size } from "../app/numbers.ts";
import type { State } from "../app/state.ts";
import type { BundledNet, NetInfo } from "../worker-client/messages/nets.ts";
import type { Classify } from "./actions.ts";

/** The choice of a net: the page's, or files of the visitor. */
export function nets({ assets, classify: { choice, net } }: State, classify: Classify): TemplateResult {
  const own = Array.isArray(choice) ? (choice as readonly File[]) : undefined;
  return html`
    <fieldset class="nets">
      <legend>Which net</legend>
      ${(assets?.nets ?? []).map((one) => bundledNet(one, choice === one.id, net, classify))}
      <label class="net own ${own ? "chosen" : ""}">
        <span class="mark">${icons.weights}</span>
        <span>
          <strong>${own ? own.map(({ name }) => name).join(", ") : "Your own weights"}</strong>
          <span>${own && net ? loaded(net) : "A ResNet as .safetensors, .pth, or TensorFlow.js’ model.json with its shards."}</span>
        </span>
        <input
          type="file"
          class="hidden"
          multiple
          accept=".safetensors,.pth,.pt,.th,.json,.bin"
          @change=${(event: Event) => {
            const input = event.target as HTMLInputElement;
            const files = [...(input.files ?? [])];
            if (files.length > 0) void classify.load(files);
            input.value = "";
          }}
        />
      </label>
      ${
        net?.notCached
          ? message({
              kind: "note",
              title: "The weights were not cached",
              text: `${net.notCached} They work now; the next visit fetches them again.`,
            })
          : nothing
      }
    </fieldset>
  `;
}

const bundledNet = (
  { id, title, about, files }: BundledNet,
  isChosen: boolean,
  net: NetInfo | undefined,
  classify: Classify,
): TemplateResult => html`
  <label class="net ${isChosen ? "chosen" : ""}">
    <input type="radio" name="net" .checked=${isChosen} @change=${() => void classify.load(id)} />
    <span>
      <strong>${title}</strong>
      <span>${about}</span>
      <span class="figures">
        ${isChosen && net ? loaded(net) : `${size(files.reduce((sum, { bytes }) => sum + bytes, 0))}, once`}
      </span>
    </span>
  </label>
`;

const loaded = ({ parameters, classes, side, from }: NetInfo): string =>
  `${count(parameters)} parameters · ${classes} classes · ${side} × ${side} · ${ORIGINS[from]}`;

const ORIGINS = { network: "fetched", cache: "cached in this browser", file: "from your file" };
