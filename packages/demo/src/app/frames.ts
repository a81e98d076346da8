/** A frame of a video that can be sent to the worker; where browsers have no VideoFrame, as a bitmap. */
export type Frame = VideoFrame | ImageBitmap;

const frameOf = (video: HTMLVideoElement): Frame | Promise<Frame> =>
  typeof VideoFrame === "function" ? new VideoFrame(video) : createImageBitmap(video);

/**
 * The newest frame of a camera, again and again, each when `use` is done with the one before; until the signal aborts.
 * `fps` is the number of frames of the last second.
 */
export async function eachFrame(
  stream: MediaStream,
  signal: AbortSignal,
  use: (frame: Frame, fps: number) => Promise<void>,
): Promise<void> {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, playsInline: true, srcObject: stream });
  const times: number[] = [];
  try {
    await video.play();
    while (!signal.aborted && stream.active) {
      await nextFrame(video, signal);
      if (signal.aborted) break;
      const now = performance.now();
      times.push(now);
      while (times.length > 2 && now - times[0]! > 1000) times.shift();
      const fps = times.length > 1 ? ((times.length - 1) * 1000) / (now - times[0]!) : 0;
      await use(await frameOf(video), fps);
    }
  } finally {
    video.srcObject = null;
  }
}

/** Wait for a frame that was not there before; no longer than a second, as a camera may show the same one for long. */
const nextFrame = (video: HTMLVideoElement, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, 1000);
    signal.addEventListener("abort", done);
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(done);
    else requestAnimationFrame(done);
  });
