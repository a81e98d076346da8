import type { Page } from "playwright";

/**
 * For `openPage`'s `inPage`: lets a test cover the tab. A browser without windows covers none, so this does what browsers do
 * then: the page is told that it is hidden, and gets no frames, those included that it has asked for before.
 */
export function coverable(): void {
  const frame = requestAnimationFrame;
  const waiting: FrameRequestCallback[] = [];
  let isCovered = false;
  globalThis.requestAnimationFrame = (draw) =>
    frame((time) => {
      if (isCovered) waiting.push(draw);
      else draw(time);
    });
  const cover = (covered: boolean) => {
    isCovered = covered;
    Object.defineProperty(document, "hidden", { configurable: true, value: covered });
    const visibilityState = covered ? "hidden" : "visible";
    Object.defineProperty(document, "visibilityState", { configurable: true, value: visibilityState });
    document.dispatchEvent(new Event("visibilitychange"));
    if (!covered) for (const draw of waiting.splice(0)) frame(draw);
  };
  Object.assign(globalThis, { cover });
}

/** Put the tab into the background, or back. */
export const cover = (page: Page, covered: boolean): Promise<void> =>
  page.evaluate(
    (covered) => (globalThis as unknown as { cover(covered: boolean): void }).cover(covered),
    covered,
  );
