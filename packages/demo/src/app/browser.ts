import { html, type TemplateResult } from "lit-html";

/** Browser that the page runs in. */
export interface BrowserInfo {
  /** With its version: `Firefox 153`. */
  readonly name: string;
  /** Implementation of WebGPU: Dawn, wgpu. */
  readonly implementation: string;
  /** The part that is slower in it than elsewhere, and why; undefined where nothing is. */
  readonly slower?: string;
}

const WEBKIT = {
  implementation: "WebKit, on Metal",
  slower:
    "This engine has not been tried in Safari. It has no subgroups, and on a phone less memory: a net that does not fit says so.",
};

/** By what a browser calls itself, the first that matches; every browser on iOS is WebKit. */
const BROWSERS: readonly (readonly [
  userAgent: RegExp,
  name: string,
  Pick<BrowserInfo, "implementation" | "slower">,
])[] = [
  [/\b(?:iPhone|iPad).*\bCriOS\/(\d+)/, "Chrome for iOS", WEBKIT],
  [/\b(?:iPhone|iPad).*\bFxiOS\/(\d+)/, "Firefox for iOS", WEBKIT],
  [
    /\bFirefox\/(\d+)/,
    "Firefox",
    {
      implementation: "wgpu, with naga",
      slower:
        "Firefox looks for finished work every 100 ms, and whenever something is submitted, so that this page submits nothing, again and again, while it waits. It has no subgroups.",
    },
  ],
  [/\bEdg\/(\d+)/, "Edge", { implementation: "Dawn, with Tint" }],
  [/\b(?:Headless)?Chrome\/(\d+)/, "Chrome", { implementation: "Dawn, with Tint" }],
  [/\bVersion\/(\d+)[\d.]*(?: Mobile\/\w+)? Safari\//, "Safari", WEBKIT],
];

export function browserOf(userAgent: string): BrowserInfo {
  for (const [pattern, name, info] of BROWSERS) {
    const version = pattern.exec(userAgent)?.[1];
    if (version) return { name: `${name} ${version}`, ...info };
  }
  return { name: "a browser that this page does not know", implementation: "not known either" };
}

/** Sentences that say where the page runs, and what is slower there. */
export function aboutBrowser(userAgent: string): TemplateResult {
  const { name, implementation, slower } = browserOf(userAgent);
  return html`<p>This is ${name}; its WebGPU is ${implementation}.</p>
    ${slower && html`<p class="slower">${slower}</p>`}`;
}
