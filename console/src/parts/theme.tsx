import { createContext } from "preact";
import { useContext, useLayoutEffect, useState } from "preact/hooks";

export const themes = ["auto", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const storedAs = "proximal.theme";
const ThemeContext = createContext<string>("light");

/** "light" or "dark", as it is shown. */
export const useTheme = (): string => useContext(ThemeContext);
export const ThemeProvider = ThemeContext.Provider;

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

/** What was chosen, and what is shown by it: with "auto", what the system says. */
export function useThemeChoice(): { chosen: Theme; shown: "light" | "dark"; choose(theme: Theme): void } {
  const [chosen, setChosen] = useState<Theme>(
    () => themes.find((theme) => theme === localStorage.getItem(storedAs)) ?? "auto",
  );
  const [system, setSystem] = useState(systemIsDark.matches);
  useLayoutEffect(() => {
    const changed = (): void => setSystem(systemIsDark.matches);
    systemIsDark.addEventListener("change", changed);
    return () => systemIsDark.removeEventListener("change", changed);
  }, []);
  const shown = chosen === "auto" ? (system ? "dark" : "light") : chosen;
  // Before anything that is drawn by it looks.
  document.documentElement.dataset.theme = shown;
  return {
    ...{ chosen, shown },
    choose(theme) {
      localStorage.setItem(storedAs, theme);
      setChosen(theme);
    },
  };
}
