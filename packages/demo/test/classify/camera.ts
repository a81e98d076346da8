import type { Page } from "playwright";
import { openPage } from "../page.ts";

/**
 * For `openPage`'s `inPage`: a `getUserMedia` that films a canvas, and asks for the permission as the browser's own does. It
 * stands in for browsers without video capture, the embedded Chromium among them.
 */
export function filmCanvas(): void {
  navigator.mediaDevices.getUserMedia = async () => {
    const { state } = await navigator.permissions.query({ name: "camera" });
    if (state !== "granted") throw new DOMException("Permission denied", "NotAllowedError");
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 480];
    const context = canvas.getContext("2d")!;
    let frames = 0;
    const draw = () => {
      context.fillStyle = `hsl(${frames++ % 360} 80% 50%)`;
      context.fillRect(0, 0, canvas.width, canvas.height);
    };
    draw();
    setInterval(draw, 50);
    return canvas.captureStream();
  };
}

/** Scripts for `inPage` that give the page a camera: none, where the browser has the test camera of its command line. */
export async function cameraScripts(): Promise<readonly (() => void)[]> {
  const { page } = await openPage({ permissions: ["camera"] });
  return (await hasCamera(page)) ? [] : [filmCanvas];
}

const hasCamera = (page: Page): Promise<boolean> =>
  page.evaluate(async () => {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: true });
      for (const track of stream.getTracks()) track.stop();
      return true;
    } catch (error) {
      if ((error as Error).name === "NotSupportedError") return false;
      throw error;
    }
  });
