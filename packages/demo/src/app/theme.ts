export type Theme = "system" | "light" | "dark";

const KEY = "shadegrad.theme";

/** The visitor's last choice. */
export function savedTheme(): Theme {
  const saved = attempt(() => localStorage.getItem(KEY));
  return saved === "light" || saved === "dark" ? saved : "system";
}

/** Show and remember a theme. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  attempt(() => localStorage.setItem(KEY, theme));
}

/** The other of light and dark than what is to be seen now. */
export function otherTheme(theme: Theme): Theme {
  const isDark =
    theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  return isDark ? "light" : "dark";
}

/** Storage that is switched off throws at any touch. */
function attempt<T>(f: () => T): T | undefined {
  try {
    return f();
  } catch {
    return undefined;
  }
}
