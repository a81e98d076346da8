import { html, nothing, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import { count, size } from "../app/numbers.ts";
import type { State } from "../app/state.ts";
import type { Inside, InsidePart, Tiles } from "../worker-client/messages/inside.ts";
import { filtersOf, type Looking, mapsOf } from "./actions.ts";
import type { Shown } from "./state.ts";

/** One part: its feature maps, filters, layers and kernels. */
export function details({ inside }: State, found: Inside, looking: Looking): TemplateResult {
  const part = found.parts[inside.part]!;
  return html`
    <div class="column details">
      ${featureMaps(part, inside.maps, looking)}
      ${filters(part, inside.filters, looking)}
      ${layers(part)}
      ${kernels(found, inside.part)}
    </div>
  `;
}

function featureMaps(part: InsidePart, shown: Shown | undefined, looking: Looking): TemplateResult {
  const names = mapsOf(part);
  const tiles = shown?.tiles;
  const to = (first: number) => () => void looking.maps(shown!.name, first);
  return html`
    <section class="card tiles-card" aria-labelledby="maps-title">
      <header>
        <h2 id="maps-title">${part.title}: feature maps</h2>
        ${choice("Output of", names, part, shown, (name) => void looking.maps(name, 0))}
      </header>
      ${names.length === 0 ? html`<p class="muted">The head gives a score per class, not an image.</p>` : picture(tiles, "maps")}
      ${
        tiles && tiles.count > tiles.shown
          ? html`<div class="pages">
              <button type="button" class="small" ?disabled=${tiles.first === 0} @click=${to(Math.max(0, tiles.first - 64))}>Channels before</button>
              <span class="figures">${tiles.first + 1} – ${tiles.first + tiles.shown} of ${tiles.count}</span>
              <button type="button" class="small" ?disabled=${tiles.first + tiles.shown >= tiles.count} @click=${to(tiles.first + 64)}>Channels after</button>
            </div>`
          : nothing
      }
    </section>
  `;
}

function filters(part: InsidePart, shown: Shown | undefined, looking: Looking): TemplateResult {
  const names = filtersOf(part);
  if (names.length === 0) return html``;
  return html`
    <section class="card tiles-card" aria-labelledby="filters-title">
      <header>
        <h2 id="filters-title">Filters</h2>
        ${choice("Of", names, part, shown, (name) => void looking.filters(name))}
      </header>
      ${picture(shown?.tiles, "filters")}
    </section>
  `;
}

const choice = (
  label: string,
  names: readonly string[],
  part: InsidePart,
  shown: Shown | undefined,
  take: (name: string) => void,
): TemplateResult | typeof nothing =>
  names.length < 2
    ? nothing
    : html`<label class="field across">
        <span>${label}</span>
        <select @change=${(event: Event) => take(names[(event.target as HTMLSelectElement).selectedIndex]!)}>
          ${names.map((name) => html`<option ?selected=${name === shown?.name}>${shortName(name, part)}</option>`)}
        </select>
      </label>`;

/** A layer's name within its part. */
const shortName = (name: string, part: InsidePart): string =>
  name === part.name && part.stage !== undefined
    ? "the block"
    : name.replace(`${part.name}.`, "").replace("base.", "");

const picture = (tiles: Tiles | undefined, kind: string): TemplateResult => html`
  <div class="tiles-picture ${kind}">
    ${
      tiles
        ? html`<canvas
            width=${tiles.width}
            height=${tiles.height}
            role="img"
            aria-label=${tiles.about}
            ${ref((canvas) => paint(canvas as HTMLCanvasElement | undefined, tiles))}
          ></canvas>`
        : html`<progress aria-label="Coming"></progress>`
    }
  </div>
  ${tiles ? html`<p class="muted about">${tiles.about}.</p>` : nothing}
`;

const painted = new WeakMap<HTMLCanvasElement, Tiles>();

function paint(canvas: HTMLCanvasElement | undefined, tiles: Tiles): void {
  if (!canvas || painted.get(canvas) === tiles) return;
  painted.set(canvas, tiles);
  const { width, height, pixels } = tiles;
  // The template sets them as well, maybe later, which would clear the canvas.
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")!.putImageData(new ImageData(pixels, width, height), 0, 0);
}

const layers = (part: InsidePart): TemplateResult => html`
  <section class="card table-card" aria-labelledby="layers-title">
    <h2 id="layers-title">Layers</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="layers-title">
      <table>
        <thead>
          <tr><th scope="col">Layer</th><th scope="col">Kind</th><th scope="col">Output</th><th scope="col">Parameters</th><th scope="col">Multiply-adds</th><th scope="col">Memory</th></tr>
        </thead>
        <tbody>
          ${part.layers.map(
            ({ name, type, shape, parameters, multiplyAdds, bytes, window }) => html`
              <tr>
                <th scope="row">${shortName(name, part)}</th>
                <td>${window ? `${window.join(" × ")} ` : ""}${type}</td>
                <td>${shape.slice(1).join(" × ")}</td>
                <td>${parameters ? count(parameters) : "–"}</td>
                <td>${multiplyAdds ? count(multiplyAdds) : "–"}</td>
                <td>${size(bytes)}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  </section>
`;

function kernels({ kernels, isTimed, peak }: Inside, part: number): TemplateResult {
  const own = kernels.filter((kernel) => kernel.part === part);
  return html`
    <section class="card table-card" aria-labelledby="kernels-title">
      <h2 id="kernels-title">Kernels that ran</h2>
      <div class="scroll" tabindex="0" role="group" aria-labelledby="kernels-title">
        <table>
          <thead>
            <tr>
              <th scope="col">Kernel</th><th scope="col">Variant</th><th scope="col">Work</th><th scope="col">Moves</th>
              ${isTimed ? html`<th scope="col">Time</th><th scope="col">GFLOP/s</th><th scope="col">GB/s</th>` : nothing}
            </tr>
          </thead>
          <tbody>
            ${own.map(
              ({ kernel, variant, flops, bytes, microseconds }) => html`
                <tr>
                  <th scope="row">${kernel}</th>
                  <td>${variant}</td>
                  <td>${flops ? `${count(flops)}FLOP` : "–"}</td>
                  <td>${bytes ? size(bytes) : "–"}</td>
                  ${
                    isTimed
                      ? html`<td>${microseconds ? `${microseconds.toFixed(0)} µs` : "–"}</td>
                          <td>${rate(flops, microseconds, peak.gflops)}</td>
                          <td>${rate(bytes, microseconds, peak.gbytes)}</td>`
                      : nothing
                  }
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
    </section>
  `;
}

/** Throughput in billions a second, and its share of the peak. */
function rate(count: number, microseconds: number | undefined, best: number): string {
  if (!microseconds || !count) return "–";
  const reached = count / microseconds / 1000;
  return `${reached.toFixed(1)} · ${Math.round((100 * reached) / best)} %`;
}
