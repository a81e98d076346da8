import "./styles/index.css";
import { html, render, type TemplateResult } from "lit-html";
import { openDevice } from "./app/device.ts";
import { page } from "./app/page.ts";
import { type Route, routeOf, TITLES } from "./app/router.ts";
import { change, onChange, type State, state } from "./app/state.ts";
import { applyTheme } from "./app/theme.ts";
import { Classify, set } from "./classify/actions.ts";
import { stopCamera } from "./classify/camera.ts";
import { classifyView } from "./classify/view.ts";
import { Engine } from "./engine/engine.ts";
import type { Beside } from "./engine/protocol.ts";

const engine = new Engine();
const classify = new Classify(engine);
const root = document.querySelector<HTMLElement>("#app")!;

/** Views that are fetched when they are first looked at. */
const later: Partial<Record<Route, (state: State) => TemplateResult>> = {};

function view(): TemplateResult {
  const { route } = state;
  if (route === "classify") return classifyView(state, classify);
  return (
    later[route]?.(state) ?? html`<p class="coming" role="status">${TITLES[route]} is being fetched …</p>`
  );
}

onChange(() => {
  document.title = `${TITLES[state.route]} · shadegrad`;
  render(
    page(state, view(), () => void openDevice(engine)),
    root,
  );
});

addEventListener("hashchange", () => {
  if (location.hash === "#main") return;
  stopCamera();
  change({ route: routeOf(location.hash) });
  scrollTo({ top: 0 });
});

// A page that nobody sees must not film.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stopCamera();
  else change({});
});

addEventListener("dragover", (event) => {
  event.preventDefault();
  if (!state.classify.isDropping) set({ isDropping: true });
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) set({ isDropping: false });
});
addEventListener("drop", (event) => {
  event.preventDefault();
  set({ isDropping: false });
  take([...(event.dataTransfer?.files ?? [])]);
});
addEventListener("paste", (event) => take([...(event.clipboardData?.files ?? [])]));

function take(files: File[]): void {
  if (files.length === 0) return;
  if (state.route !== "classify") location.hash = "#/classify";
  void classify.take(files);
}

engine.on("lost", async ({ message }) => {
  set({ net: undefined, loading: undefined });
  change({ device: { is: "opening" } });
  await openDevice(engine, message);
});

applyTheme(state.theme);
change({});
void openDevice(engine);

const response = await fetch("./beside.json").catch(() => undefined);
if (response?.ok) {
  const beside = (await response.json()) as Beside;
  change({ beside });
  set({ choice: state.classify.choice ?? beside.nets[0]?.id });
} else {
  const text =
    "The page's list of nets and samples did not come. Reload it; your own weights and pictures work.";
  set({ problem: { title: "The page is not whole", text } });
}
