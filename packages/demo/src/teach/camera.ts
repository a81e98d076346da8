import { eachFrame, type Frame } from "../app/frames.ts";
import { state } from "../app/state.ts";
import { cameraProblem, openCamera } from "../classify/camera.ts";
import { set } from "./change.ts";
import type { TeachState } from "./state.ts";

/** Milliseconds between two pictures while a button is held. */
const FILMED = 200;
/** Shorter side of a picture that the camera takes, in pixels: more than any net sees. */
const TAKEN = 320;

/** The camera of the view Teach it: it takes pictures of a class, or its frames are classified. */
export class TeachCamera {
  #frames: AbortController | undefined;
  /** The press that holds a button now. */
  #press: object | undefined;

  constructor() {
    addEventListener("hashchange", this.stop);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.stop(); // a hidden page must not film
    });
  }

  start = async (): Promise<void> => {
    set({ camera: { is: "asking" }, problem: undefined });
    try {
      const stream = await openCamera();
      set({ camera: { is: "on", stream } });
      if (state.route !== "teach" || document.hidden) this.stop();
    } catch (error) {
      const problem = cameraProblem(error as Error, () => void this.start());
      set({ camera: { is: "off" }, problem });
    }
  };

  stop = (): void => {
    const { camera } = state.teach;
    this.release();
    this.stopFrames();
    if (camera.is === "on") for (const track of camera.stream.getTracks()) track.stop();
    if (camera.is !== "off") set({ camera: { is: "off" } });
  };

  /** Take pictures while a button is held: the first at once. */
  async hold(onPicture: (picture: Blob) => void): Promise<void> {
    // Another press is another loop, of the same button too.
    const press = {};
    this.#press = press;
    while (this.#press === press) {
      const picture = await this.take();
      if (picture) onPicture(picture);
      await new Promise((resolve) => setTimeout(resolve, FILMED));
    }
  }

  release = (): void => {
    this.#press = undefined;
  };

  /** → a JPEG of what the camera sees now; undefined while it shows nothing */
  async take(): Promise<Blob | undefined> {
    const video = document.querySelector<HTMLVideoElement>(".teach video");
    if (!video?.videoWidth) return undefined;
    const { videoWidth, videoHeight } = video;
    const scale = Math.min(1, TAKEN / Math.min(videoWidth, videoHeight));
    const canvas = new OffscreenCanvas(Math.round(videoWidth * scale), Math.round(videoHeight * scale));
    canvas.getContext("2d")!.drawImage(video, 0, 0, canvas.width, canvas.height);
    return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
  }

  /** Classify what the camera sees, frame after frame, until `stopFrames`. */
  async eachFrame(classify: (frame: Frame) => Promise<TeachState["answer"]>): Promise<void> {
    const { camera } = state.teach;
    if (camera.is !== "on") return;
    this.stopFrames();
    const frames = new AbortController();
    this.#frames = frames;
    set({ tried: undefined });
    try {
      await eachFrame(camera.stream, frames.signal, async (frame, rate) => {
        const answer = await classify(frame);
        if (!frames.signal.aborted) set({ answer, rate });
      });
    } catch (error) {
      if (frames.signal.aborted) return;
      set({ problem: { title: "The camera is not classified", text: (error as Error).message } });
    }
    if (this.#frames === frames) this.stopFrames();
  }

  stopFrames(): void {
    this.#frames?.abort();
    this.#frames = undefined;
    if (state.teach.rate !== undefined) set({ rate: undefined });
  }
}
