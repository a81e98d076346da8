import { Directive, directive, type ElementPart } from "lit-html/directive.js";

/** Sets custom properties of an element: a style attribute is what the page's policy forbids. */
class Vars extends Directive {
  override update(part: ElementPart, [values]: [Readonly<Record<string, string | number>>]): void {
    const { style } = part.element as HTMLElement;
    for (const [name, value] of Object.entries(values)) style.setProperty(`--${name}`, String(value));
  }

  render(_values: Readonly<Record<string, string | number>>): void {}
}

export const vars = directive(Vars);
