/** The language tag, if `Intl` accepts it, else `en`: Chromium under a C or POSIX locale has `en-US@posix`. */
function acceptedLanguage(tag: string): string {
  try {
    Intl.getCanonicalLocales(tag);
    return tag;
  } catch {
    return "en";
  }
}

/**
 * Make `navigator.language` a tag that `Intl` accepts. uPlot gives it to `Intl.NumberFormat` when it is imported, and has no
 * option for it; so this runs before anything that imports uPlot.
 */
export function correctLanguage(): void {
  const language = acceptedLanguage(navigator.language);
  if (language === navigator.language) return;
  Object.defineProperty(navigator, "language", { value: language, configurable: true });
}
