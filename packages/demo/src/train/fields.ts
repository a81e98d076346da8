import { html, type TemplateResult } from "lit-html";

/** Menu of options, each a value and its title; `take` gets the value that the visitor selects. */
export const select = <T extends string | number>(
  name: string,
  value: T,
  options: readonly (readonly [T, string])[],
  take: (value: T) => void,
): TemplateResult => html`
  <label class="field">
    <span>${name}</span>
    <select
      @change=${(event: Event) => take(options[(event.target as HTMLSelectElement).selectedIndex]![0])}
    >
      ${options.map(([option, title]) => html`<option ?selected=${option === value}>${title}</option>`)}
    </select>
  </label>
`;

/** Switch with a line that explains its effect. */
export const toggle = (
  name: string,
  explanation: string,
  value: boolean,
  take: (value: boolean) => void,
): TemplateResult => html`
  <label class="switch">
    <input
      type="checkbox"
      role="switch"
      .checked=${value}
      @change=${(event: Event) => take((event.target as HTMLInputElement).checked)}
    />
    <span><strong>${name}</strong><span>${explanation}</span></span>
  </label>
`;

/** Field for a number; a value that `take` leaves unused is replaced by the current one. */
export const number = (
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
