import { openDevice } from "../app/device.ts";
import { download } from "../app/download.ts";
import { state } from "../app/state.ts";
import type { TeachStep } from "../worker-client/messages/teach.ts";
import type { WorkerClient } from "../worker-client/worker-client.ts";
import { baseOf } from "./base.ts";
import { TeachCamera } from "./camera.ts";
import { examplesOf, set, setClass } from "./change.ts";
import { lessonOf, progressOf } from "./lesson.ts";
import type { Example } from "./state.ts";
import { webPage } from "./web-page.ts";

/** Name of the files that are taken home. */
const FILE = "taught";

/** Actions of the view Teach it. */
export class Teaching {
  readonly camera = new TeachCamera();
  readonly #client: WorkerClient;
  #nextId = 3;
  /** The net that is loading or loaded, by its id. */
  #base: { readonly id: string; readonly opened: Promise<void> } | undefined;
  #adding: Promise<void> = Promise.resolve();
  /** Number of the latest thing that the net learned, or of the net that was chosen after it. */
  #version = 0;
  /** Version and lesson that were taken home last. */
  #taken: string | undefined;

  constructor(client: WorkerClient) {
    this.#client = client;
    addEventListener("beforeunload", (event) => {
      const { classes } = state.teach;
      const isLost = progressOf(classes).all > 0 && `${this.#version} ${lessonOf(classes)}` !== this.#taken;
      if (isLost) event.preventDefault(); // the browser asks
    });
  }

  addClass = (): void => {
    const { classes } = state.teach;
    const id = this.#nextId++;
    set({ classes: [...classes, { id, name: `Class ${classes.length + 1}`, examples: [] }] });
  };

  rename(id: number, name: string): void {
    setClass(id, { name });
  }

  removeClass(id: number): void {
    const { classes } = state.teach;
    const gone = classes.find((one) => one.id === id);
    if (gone) this.#forget(gone.examples);
    set({ classes: classes.filter((one) => one !== gone) });
  }

  removeExample(id: number, example: Example): void {
    this.#forget([example]);
    setClass(id, { examples: examplesOf(id).filter((one) => one !== example) });
  }

  /** Learn from files of pictures, by drop or choice. */
  addFiles(id: number, files: Iterable<File>): void {
    for (const file of files) this.#add(id, file);
  }

  /** Learn from what the camera sees while a button is held. */
  hold(id: number): Promise<void> {
    return this.camera.hold((picture) => this.#add(id, picture));
  }

  /** Learn from what the camera sees now. */
  async takePicture(id: number): Promise<void> {
    const picture = await this.camera.take();
    if (picture) this.#add(id, picture);
  }

  /** Use another net, on the pictures that the classes already have. */
  choose(base: string): void {
    this.#version++;
    set({ base, opened: undefined, pace: undefined, learned: undefined, answer: undefined, steps: [] });
    void this.#addAll();
  }

  /** Learn a new head, or go on with the last stage. */
  async learn(part: "head" | "last stage"): Promise<void> {
    const { classes } = state.teach;
    const examples = classes.flatMap(({ examples }, label) => examples.map(({ id }) => ({ id, label })));
    const names = classes.map(({ name }) => name.trim());
    this.camera.stopFrames();
    set({ is: part, stop: undefined, steps: [], left: undefined, problem: undefined });
    let first = 0;
    const onProgress = (step: TeachStep) => {
      if (step.step === 1) first = performance.now(); // kernels were compiled before
      const each = (performance.now() - first) / (step.step - 1);
      const left = step.step > 1 ? each * (step.of - step.step) : undefined;
      set({ steps: [...state.teach.steps, step], left });
    };
    try {
      await this.#client.call("teachLearn", { classes: names, examples, part }, { onProgress });
      this.#version++;
      set({ is: "idle", stop: state.teach.stop && "done", learned: lessonOf(classes) });
      if (state.teach.camera.is === "on") void this.tryCamera();
      else if (this.#triedFile) await this.tryPicture(this.#triedFile);
    } catch (error) {
      const retry = () => void this.learn(part);
      set({ is: "idle", problem: { title: "The net did not learn", text: (error as Error).message, retry } });
    }
  }

  /** Stop after the current step: what is learned by then stays. */
  stop = (): void => {
    set({ stop: "asked" });
    void this.#client.call("teachStop", null);
  };

  #triedFile: File | undefined;

  /** Classify a picture by the visitor's classes. */
  async tryPicture(file: File): Promise<void> {
    this.#triedFile = file;
    this.camera.stopFrames();
    const { tried } = state.teach;
    if (tried) URL.revokeObjectURL(tried.url);
    set({
      tried: { url: URL.createObjectURL(file), name: file.name },
      answer: undefined,
      problem: undefined,
    });
    try {
      set({ answer: await this.#client.call("teachTry", { picture: file }) });
    } catch (error) {
      set({ problem: { title: `${file.name} was not classified`, text: (error as Error).message } });
    }
  }

  /** Classify what the camera sees, frame after frame. */
  tryCamera = (): Promise<void> => {
    this.#triedFile = undefined;
    return this.camera.eachFrame((picture) =>
      this.#client.call("teachTry", { picture }, { transfer: [picture] }),
    );
  };

  /** Save the net, or a page that uses it. */
  async takeHome(format: "safetensors" | "onnx" | "html"): Promise<void> {
    try {
      const names = state.teach.classes.map(({ name }) => name.trim());
      const blob =
        format === "html"
          ? new Blob([webPage(names, `${FILE}.safetensors`)], { type: "text/html" })
          : await this.#client.call("teachExport", { format });
      download(blob, `${FILE}.${format}`);
      if (format !== "html") this.#taken = `${this.#version} ${state.teach.learned}`;
    } catch (error) {
      set({ problem: { title: "The file was not written", text: (error as Error).message } });
    }
  }

  /** Give the pictures to a new device. */
  async recover(): Promise<void> {
    this.#base = undefined;
    set({ opened: undefined, is: "idle", learned: undefined, answer: undefined });
    await this.#addAll();
  }

  #forget(examples: readonly Example[]): void {
    for (const { url } of examples) URL.revokeObjectURL(url);
    void this.#client.call("teachRemove", { ids: examples.map(({ id }) => id) });
  }

  #add(id: number, blob: Blob): void {
    const example = { id: this.#nextId++, blob, url: URL.createObjectURL(blob), isReady: false };
    setClass(id, { examples: [...examplesOf(id), example] });
    this.#adding = this.#adding.then(() => this.#compute(id, example.id));
  }

  async #addAll(): Promise<void> {
    for (const { id, examples } of state.teach.classes) {
      setClass(id, { examples: examples.map((example) => ({ ...example, isReady: false })) });
      for (const example of examples) {
        this.#adding = this.#adding.then(() => this.#compute(id, example.id));
      }
    }
    await this.#adding;
  }

  /** Compute the features of a picture. One that is no picture is removed, and said to be none. */
  async #compute(id: number, number: number): Promise<void> {
    const find = () => examplesOf(id).find((one) => one.id === number);
    const example = find();
    if (!example) return;
    const { blob } = example;
    const replace = (by: readonly Example[]) =>
      setClass(id, { examples: examplesOf(id).flatMap((one) => (one.id === number ? by : [one])) });
    try {
      if (!(await this.#ready())) return;
      const start = performance.now();
      await this.#client.call("teachAdd", { id: number, picture: blob });
      set({ pace: performance.now() - start });
      if (find()) replace([{ ...example, isReady: true }]);
      else void this.#client.call("teachRemove", { ids: [number] });
    } catch (error) {
      const name = blob instanceof File ? blob.name : "The picture";
      URL.revokeObjectURL(example.url);
      replace([]);
      set({
        loading: undefined,
        problem: { title: `${name} was not added`, text: (error as Error).message },
      });
    }
  }

  /** Load the net whose features are used. → false if there is no device */
  async #ready(): Promise<boolean> {
    if (state.device.is !== "open" && !(await openDevice(this.#client))) return false;
    const base = baseOf(state);
    if (!base) throw new Error("The page has no net: its list of nets did not load. Reload the page.");
    const { id } = base;
    if (this.#base?.id !== id) {
      const opened = this.#open(id);
      this.#base = { id, opened };
      opened.catch(() => {
        this.#base = undefined; // the next picture tries again
      });
    }
    await this.#base.opened;
    return true;
  }

  async #open(net: string): Promise<void> {
    set({ loading: { phase: "fetch", bytes: 0, of: 0 } });
    const opened = await this.#client.call(
      "teachOpen",
      { net },
      { onProgress: (loading) => set({ loading }) },
    );
    set({ opened, loading: undefined });
  }
}
