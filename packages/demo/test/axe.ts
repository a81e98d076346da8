import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";

/** Violations that axe finds, once all animations have ended. */
export async function complaints(page: Page): Promise<string[]> {
  await page.evaluate(async () => {
    for (;;) {
      await new Promise(requestAnimationFrame); // changes are drawn with the next frame, and begin to fade then
      const fading = document
        .getAnimations()
        .filter(
          ({ playState, effect }) =>
            playState === "running" && Number.isFinite(Number(effect?.getComputedTiming().endTime)),
        );
      if (fading.length === 0) return;
      // One that is cancelled has ended as well.
      await Promise.allSettled(fading.map(({ finished }) => finished));
    }
  });
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
