import "./styles/index.css";
import { html, render, type TemplateResult } from "lit-html";
import { openDevice } from "./app/device.ts";
import { correctLanguage } from "./app/language.ts";
import { message } from "./app/messages.ts";
import { percent } from "./app/numbers.ts";
import { page } from "./app/page.ts";
import { type Route, routeOf, TITLES } from "./app/router.ts";
import { change, onChange, type State, state } from "./app/state.ts";
import { applyTheme } from "./app/theme.ts";
import { viewProblem } from "./app/view-problem.ts";
import { Classify, set } from "./classify/actions.ts";
import { classifyView } from "./classify/view.ts";
import { emptyInside } from "./inside/state.ts";
import type { BundledAssets } from "./worker-client/messages/nets.ts";
import { WorkerClient } from "./worker-client/worker-client.ts";

correctLanguage();

const client = new WorkerClient();
const classify = new Classify(client);
const root = document.querySelector<HTMLElement>("#app")!;

/** Nets, photographs and data of the page; undefined if the list did not load. */
const listed: Promise<BundledAssets | undefined> = fetch("./bundled-assets.json")
  .then((response) => (response.ok ? response.json() : undefined))
  .catch(() => undefined);

/** Turn the camera off; its code is there if it is on. */
async function stopCamera(): Promise<void> {
  if (state.classify.camera.is !== "off") (await import("./classify/camera.ts")).stopCamera();
}

/** Callbacks of views for a new device, after one was lost. */
const recoveries: (() => Promise<void>)[] = [];

/** Views that are loaded on demand. */
const later: Partial<Record<Route, () => Promise<View>>> = {
  train: async () => {
    const [{ trainView }, { Training }, { FastRunning }] = await Promise.all([
      import("./train/view.ts"),
      import("./train/actions.ts"),
      import("./train/fast-run.ts"),
    ]);
    const fast = new FastRunning(client);
    const training = new Training(client);
    recoveries.push(() => training.recover());
    return (state) => trainView(state, training, fast);
  },
  teach: async () => {
    const [{ teachView }, { Teaching }] = await Promise.all([
      import("./teach/view.ts"),
      import("./teach/actions.ts"),
    ]);
    const teaching = new Teaching(client);
    recoveries.push(() => teaching.recover());
    return (state) => teachView(state, teaching);
  },
  inside: async () => {
    const [{ insideView }, { Looking }] = await Promise.all([
      import("./inside/view.ts"),
      import("./inside/actions.ts"),
    ]);
    const looking = new Looking(client, classify);
    return (state) => insideView(state, looking);
  },
  benchmark: async () => {
    const [{ benchmarkView }, { Benchmarking }] = await Promise.all([
      import("./benchmark/view.ts"),
      import("./benchmark/actions.ts"),
    ]);
    const benchmarking = new Benchmarking(client);
    void benchmarking.list();
    return (state) => benchmarkView(state, benchmarking);
  },
};

type View = (state: State) => TemplateResult;

const views = new Map<Route, View | "coming">();

function view(): TemplateResult {
  const { route } = state;
  if (route === "classify") return classifyView(state, classify);
  const found = views.get(route);
  if (typeof found === "function") return found(state);
  if (!found) void fetchView(route);
  return html`<p class="coming" role="status">${TITLES[route]} is loading …</p>`;
}

async function fetchView(route: Route): Promise<void> {
  views.set(route, "coming");
  try {
    const [found] = await Promise.all([later[route]!(), listed]); // a view takes pictures once it knows the nets
    views.set(route, found);
  } catch (error) {
    const problem = viewProblem(TITLES[route], error);
    views.set(route, () => message({ kind: "problem", ...problem }));
  }
  change({});
}

/** Title of the tab: progress of the training, or the answer, then the view. */
function titleOf({ route, train: { is, step, latest }, classify: { result } }: State): string {
  const training = is === "running" && latest && `${step} · loss ${latest.loss.toFixed(2)}`;
  const [first] = (route === "classify" && result?.top) || [];
  const answer = first && `${first.label}, ${percent(first.probability)}`;
  return [training || answer, TITLES[route], "shadegrad"].filter(Boolean).join(" · ");
}

onChange(() => {
  document.title = titleOf(state);
  render(
    page(state, view(), () => void openDevice(client)),
    root,
  );
});

addEventListener("hashchange", () => {
  if (location.hash === "#main") return;
  void stopCamera();
  change({ route: routeOf(location.hash) });
  scrollTo({ top: 0 });
});

// Charts and the button for the theme follow the system.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => change({}));

// A hidden page must not film.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) void stopCamera();
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
  if (files.length === 0 || state.route === "teach") return; // there, each class takes its own
  if (state.route !== "classify") location.hash = "#/classify";
  void classify.take(files);
}

client.on("lost", async ({ message: reason }) => {
  set({ net: undefined, loading: undefined });
  change({ inside: emptyInside });
  change({ device: { is: "opening" } });
  if (!(await openDevice(client, reason))) return;
  for (const recover of recoveries) await recover();
});

applyTheme(state.theme);
change({});
const opened = openDevice(client);

const assets = await listed;
if (assets) {
  change({ assets });
  void opened.then(() => {
    // A software adapter begins with the smallest net, the last of the list.
    const isSoftware = state.device.is === "open" && state.device.info.software;
    set({ choice: state.classify.choice ?? assets.nets.at(isSoftware ? -1 : 0)?.id });
    if (state.classify.picture && !state.classify.result) void classify.run();
  });
  if (!assets.cifar10) {
    const { train } = state;
    change({ train: { ...train, settings: { ...train.settings, data: "shapes", images: 4000 } } });
  }
} else {
  const text =
    "Its list of nets and photographs did not load. Reload the page. Your own weights and pictures work.";
  set({ problem: { title: "The page is incomplete", text } });
}

// After one visit every view works without the network; private windows and insecure pages have no service worker.
void navigator.serviceWorker?.register("./service-worker.js").catch(() => {});
