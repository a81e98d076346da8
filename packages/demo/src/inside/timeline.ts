import { html, svg, type TemplateResult } from "lit-html";
import { count, duration, percent } from "../app/numbers.ts";
import { vars } from "../app/vars.ts";
import type { Inside, InsideKernel } from "../worker-client/messages/inside.ts";

const [WIDTH, HEIGHT] = [1000, 46];

/** Timeline of the run: kernels by timestamps of the device, or parts where it has none. */
export function timeline(found: Inside): TemplateResult {
  const { isTimed, kernels, parts, peak } = found;
  const spans = isTimed
    ? kernels.map(({ kernel, microseconds = 0 }) => ({ name: kernel, time: microseconds / 1000 }))
    : parts.map(({ title, milliseconds }) => ({ name: title, time: milliseconds }));
  const total = spans.reduce((sum, { time }) => sum + time, 0);
  const names = [...new Set(spans.map(({ name }) => name))];
  let at = 0;
  const kinds = kindsOf(kernels);
  return html`
    <section class="card timeline" aria-labelledby="timeline-title">
      <header>
        <h2 id="timeline-title">Timeline</h2>
        <p class="muted">
          ${
            isTimed
              ? `${kernels.length} kernels in ${duration(total)}, by timestamps of the device.`
              : "This adapter has no timestamps for the page, so each part is timed by the clock, and not each kernel."
          }
        </p>
      </header>
      <svg class="spans" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="When each ran; the table below has the sums">
        ${spans.map(({ name, time }, i) => {
          const width = (time / total) * WIDTH;
          const x = at;
          at += width;
          const tone = isTimed ? hueOf(names.indexOf(name), names.length) : hueOf(i % 2, 2);
          return svg`<rect ${tone} x=${x} y="0" width=${Math.max(width - 0.6, 0.3)} height=${HEIGHT}><title>${name}: ${duration(time)}</title></rect>`;
        })}
      </svg>
      <div class="scroll" tabindex="0" role="group" aria-label="Kernels, summed">
        <table>
          <thead>
            <tr>
              <th scope="col">Kernel</th><th scope="col">Launches</th><th scope="col">Work</th><th scope="col">Moves</th>
              ${isTimed ? html`<th scope="col">Time</th><th scope="col">GFLOP/s</th><th scope="col">of the best</th><th scope="col">GB/s</th><th scope="col">of the best</th>` : ""}
            </tr>
          </thead>
          <tbody>
            ${kinds.map(({ name, launches, flops, bytes, microseconds }) => {
              const speed = flops / microseconds / 1000;
              const flow = bytes / microseconds / 1000;
              return html`
                <tr>
                  <th scope="row">
                    ${isTimed ? html`<svg class="mark" viewBox="0 0 8 8" aria-hidden="true"><rect ${hueOf(names.indexOf(name.split(" ")[0]!), names.length)} width="8" height="8" rx="2" /></svg>` : ""}
                    ${name}
                  </th>
                  <td>${launches}</td>
                  <td>${flops ? `${count(flops)}FLOP` : "–"}</td>
                  <td>${(bytes / 1e6).toFixed(1)} MB</td>
                  ${
                    isTimed
                      ? html`<td>${duration(microseconds / 1000)}</td><td>${speed.toFixed(1)}</td><td>${percent(speed / peak.gflops)}</td><td>${flow.toFixed(1)}</td><td>${percent(flow / peak.gbytes)}</td>`
                      : ""
                  }
                </tr>
              `;
            })}
          </tbody>
        </table>
      </div>
    </section>
  `;
}

/** A colour for each of `count` names: hues at equal distances, so that no two are the same. */
const hueOf = (i: number, count: number) => vars({ hue: Math.round(280 + (360 * i) / count) % 360 });

/** Sums for each kernel and variant, the longest first. */
function kindsOf(kernels: readonly InsideKernel[]) {
  const kinds = new Map<
    string,
    { name: string; launches: number; flops: number; bytes: number; microseconds: number }
  >();
  for (const { kernel, variant, flops, bytes, microseconds = 0 } of kernels) {
    const name = `${kernel} ${variant}`;
    const kind = kinds.get(name) ?? { name, launches: 0, flops: 0, bytes: 0, microseconds: 0 };
    kinds.set(name, kind);
    kind.launches++;
    kind.flops += flops;
    kind.bytes += bytes;
    kind.microseconds += microseconds;
  }
  return [...kinds.values()].sort((a, b) => b.microseconds - a.microseconds || b.flops - a.flops);
}
