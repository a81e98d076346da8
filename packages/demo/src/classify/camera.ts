import { state } from "../app/state.ts";
import { type Classify, messageOf, set } from "./actions.ts";

/** Ask for the camera and show what it sees. */
export async function startCamera(): Promise<void> {
  set({ camera: { is: "asking" }, problem: undefined });
  try {
    if (!navigator.mediaDevices) throw new DOMException("This address is not secure.", "NotSupportedError");
    const video = { facingMode: "environment", width: { ideal: 1280 } };
    const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    // The visitor may have turned to something else while the browser asked.
    if (state.classify.camera.is !== "asking" || document.hidden) {
      stop(stream);
      set({ camera: { is: "off" } });
      return;
    }
    set({ camera: { is: "on", stream } });
  } catch (error) {
    const { name } = error as Error;
    const [title, text] = REASONS[name] ?? ["The camera does not start", messageOf(error)];
    set({ camera: { is: "off" }, problem: { title, text, retry: () => void startCamera() } });
  }
}

const REASONS: Readonly<Record<string, readonly [title: string, text: string]>> = {
  NotAllowedError: [
    "The camera was not allowed",
    "Allow it in the browser's settings for this page, then try again. Pictures from files work without it.",
  ],
  NotFoundError: ["There is no camera", "This device has none that the browser can find."],
  NotReadableError: ["The camera is busy", "Another program is using it. Close that, then try again."],
  NotSupportedError: [
    "The camera needs a secure address",
    "Browsers show it to pages under https or localhost only.",
  ],
};

/** Let go of the camera. */
export function stopCamera(): void {
  const { camera } = state.classify;
  if (camera.is === "off") return;
  if (camera.is === "on") stop(camera.stream);
  set({ camera: { is: "off" } });
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** Classify what the camera sees now. */
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
