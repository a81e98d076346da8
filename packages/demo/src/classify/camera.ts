import type { Problem } from "../app/messages.ts";
import { state } from "../app/state.ts";
import { type Classify, messageOf, set } from "./actions.ts";
import { isLive } from "./live-choice.ts";

/** Ask for the camera and show its picture. */
export async function startCamera(classify: Classify): Promise<void> {
  set({ camera: { is: "asking" }, problem: undefined });
  try {
    const stream = await openCamera();
    // The visitor may have turned to something else while the browser asked.
    if (state.classify.camera.is !== "asking" || document.hidden) {
      stop(stream);
      set({ camera: { is: "off" } });
      return;
    }
    set({ camera: { is: "on", stream } });
    if (isLive(state)) goLive(classify);
  } catch (error) {
    set({ camera: { is: "off" }, problem: cameraProblem(error as Error, () => void startCamera(classify)) });
  }
}

let live: AbortController | undefined;

/** Classify frame after frame, or stop that. */
export function toggleLive(classify: Classify): void {
  set({ isLive: !isLive(state) });
  if (isLive(state)) goLive(classify);
  else stopLive();
}

function goLive(classify: Classify): void {
  const { camera } = state.classify;
  if (camera.is !== "on") return;
  stopLive();
  live = new AbortController();
  const { signal } = live;
  void import("./live.ts").then(({ classifyLive }) => classifyLive(camera.stream, classify, signal));
}

function stopLive(): void {
  live?.abort();
  live = undefined;
}

/** @throws DOMException, named as in `REASONS` or as the browser names it */
export async function openCamera(): Promise<MediaStream> {
  // Insecure pages have no `mediaDevices`, and nor have browsers without WebRTC.
  if (!navigator.mediaDevices?.getUserMedia) {
    const name = isSecureContext ? "NoMediaDevices" : "InsecureContext";
    throw new DOMException("navigator.mediaDevices is undefined", name);
  }
  const video = { facingMode: "environment", width: { ideal: 1280 } };
  return navigator.mediaDevices.getUserMedia({ video, audio: false });
}

/** The reason that the camera cannot be had, and another try where that may help. */
export function cameraProblem(error: Error, retry: () => void): Problem {
  const reason = REASONS[error.name];
  if (!reason) return { title: "The camera does not start", text: messageOf(error), retry };
  const { title, text, isLasting } = reason;
  return { title, text, retry: isLasting ? undefined : retry };
}

interface Reason {
  readonly title: string;
  readonly text: string;
  /** Another try on this page would fail as well. */
  readonly isLasting?: boolean;
}

const NOT_ALLOWED: Reason = {
  title: "The camera was not allowed",
  text: "Allow it in the browser's settings for this page, then try again. Pictures from files work without it.",
};

const NOT_FOUND: Reason = {
  title: "There is no camera",
  text: "The browser finds none on this device. Connect one, then try again. Pictures from files work without it.",
};

/** By the name of the error: two of `openCamera`, the others of `getUserMedia` (W3C, Media Capture and Streams, 10.2). */
const REASONS: Readonly<Record<string, Reason>> = {
  InsecureContext: {
    title: "The camera needs a secure address",
    text: "Browsers give it to pages under https or localhost only. Pictures from files work without it.",
    isLasting: true,
  },
  NoMediaDevices: {
    title: "This browser gives pages no camera",
    text: "It has no navigator.mediaDevices. Use another browser, or pictures from files.",
    isLasting: true,
  },
  NotSupportedError: {
    title: "This browser does not support cameras",
    text: "It was built without video capture. Use another browser, or pictures from files.",
    isLasting: true,
  },
  NotAllowedError: NOT_ALLOWED,
  SecurityError: NOT_ALLOWED,
  NotFoundError: NOT_FOUND,
  OverconstrainedError: NOT_FOUND,
  NotReadableError: {
    title: "The camera is busy",
    text: "Another program uses it. Close that, then try again. Pictures from files work without it.",
  },
};

/** Turn the camera off. */
export function stopCamera(): void {
  const { camera } = state.classify;
  if (camera.is === "off") return;
  stopLive();
  if (camera.is === "on") stop(camera.stream);
  set({ camera: { is: "off" } });
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** Classify the camera's current picture. */
export async function takePicture(video: HTMLVideoElement, classify: Classify): Promise<void> {
  const { videoWidth: width, videoHeight: height } = video;
  if (!width) return;
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")!.drawImage(video, 0, 0);
  stopCamera();
  await classify.show(
    await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 }),
    "From the camera",
    "What the camera saw",
  );
}
