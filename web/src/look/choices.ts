// What a person chose for this browser: language, theme, which colour means up. Kept in local storage; nothing secret is.
import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Language = "en" | "zh";
export type Theme = "dark" | "light";
/** `cn`: red is up. `intl`: green is. */
export type UpDown = "cn" | "intl";

interface Choices {
  language: Language;
  theme: Theme;
  upDown: UpDown;
  /** Whether the colours were chosen; before that they follow the language. */
  upDownChosen: boolean;
  orderKeys: boolean;
  choose: (given: Partial<Pick<Choices, "theme" | "orderKeys">>) => void;
  chooseLanguage: (language: Language) => void;
  chooseUpDown: (upDown: UpDown) => void;
}

function spoken(): Language {
  return globalThis.navigator?.language?.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function usual(language: Language): UpDown {
  return language === "zh" ? "cn" : "intl";
}

export const useChoices = create<Choices>()(
  persist(
    (set) => ({
      language: spoken(),
      theme: "dark",
      upDown: usual(spoken()),
      upDownChosen: false,
      orderKeys: true,
      choose: (given) => set(given),
      chooseLanguage: (language) => set((now) => ({ language, upDown: now.upDownChosen ? now.upDown : usual(language) })),
      chooseUpDown: (upDown) => set({ upDown, upDownChosen: true }),
    }),
    { name: "tradeloop.choices", version: 1 },
  ),
);

/** Put the choices onto the page. */
export function wear({ language, theme, upDown }: Pick<Choices, "language" | "theme" | "upDown">): void {
  const page = document.documentElement;
  page.lang = language === "zh" ? "zh-CN" : "en";
  page.dataset["theme"] = theme;
  page.dataset["updown"] = upDown;
}
