import { html, svg, type TemplateResult } from "lit-html";

/** Drawn in strokes on a grid of 24, in the colour of the text around. */
const icon = (shape: TemplateResult): TemplateResult =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${shape}</svg>`;

export const icons = {
  classify: icon(
    svg`<rect x="3.5" y="3.5" width="17" height="17" rx="3"/><circle cx="9" cy="9" r="1.8"/><path d="m4 17 5-4.5 3.5 3L16 11l4.5 4"/>`,
  ),
  teach: icon(
    svg`<path d="m12 5 9.5 4.5L12 14 2.5 9.5z"/><path d="M6.5 11.5V16c3 2.7 8 2.7 11 0v-4.5M21.5 9.5V15"/>`,
  ),
  train: icon(svg`<path d="M4 4v16h16"/><path d="M7 7c2 7 5 9 13 9.5"/>`),
  inside: icon(
    svg`<path d="m12 3 8.5 4.5L12 12 3.5 7.5z"/><path d="m3.5 12 8.5 4.5 8.5-4.5M3.5 16.5 12 21l8.5-4.5"/>`,
  ),
  benchmark: icon(svg`<path d="M5.5 19a8.5 8.5 0 1 1 13 0"/><path d="m12 14 4-5M12 14h.01"/>`),
  upload: icon(svg`<path d="M12 16V4m0 0L7.5 8.5M12 4l4.5 4.5M4 15v3a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-3"/>`),
  download: icon(
    svg`<path d="M12 4v12m0 0 4.5-4.5M12 16l-4.5-4.5M4 15v3a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-3"/>`,
  ),
  camera: icon(
    svg`<path d="M4 8h3l1.5-2.5h7L17 8h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1z"/><circle cx="12" cy="13" r="3.5"/>`,
  ),
  weights: icon(
    svg`<ellipse cx="12" cy="6" rx="7.5" ry="2.8"/><path d="M4.5 6v12c0 1.5 3.4 2.8 7.5 2.8s7.5-1.3 7.5-2.8V6M4.5 12c0 1.5 3.4 2.8 7.5 2.8s7.5-1.3 7.5-2.8"/>`,
  ),
  sun: icon(
    svg`<circle cx="12" cy="12" r="4"/><path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4"/>`,
  ),
  moon: icon(svg`<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/>`),
  alert: icon(svg`<path d="M12 4 2.8 20h18.4z"/><path d="M12 10v4.5M12 17.2v.3"/>`),
  info: icon(svg`<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.6v.3"/>`),
  play: icon(svg`<path d="M7 4.5v15l12-7.5z"/>`),
  pause: icon(svg`<path d="M8 5v14M16 5v14"/>`),
  stop: icon(svg`<rect x="6" y="6" width="12" height="12" rx="1.5"/>`),
  step: icon(svg`<path d="M6 4.5v15l10-7.5zM19 5v14"/>`),
  reset: icon(svg`<path d="M4.5 12a7.5 7.5 0 1 0 2.4-5.5M4.5 4v4h4"/>`),
  close: icon(svg`<path d="m6 6 12 12M18 6 6 18"/>`),
  chip: icon(
    svg`<rect x="6.5" y="6.5" width="11" height="11" rx="2"/><path d="M10 3v3.5M14 3v3.5M10 17.5V21M14 17.5V21M3 10h3.5M3 14h3.5M17.5 10H21M17.5 14H21"/>`,
  ),
};
