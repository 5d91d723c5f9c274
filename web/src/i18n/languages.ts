// The languages of the desk. English says which words there are; a language that lacks one does not compile.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { en } from "@/i18n/en";
import { zh } from "@/i18n/zh";
import type { Language } from "@/look/choices";

type Texts<T> = { [K in keyof T]: T[K] extends string ? string : Texts<T[K]> };
export type Words = Texts<typeof en>;

export const LANGUAGES: { language: Language; name: string }[] = [
  { language: "en", name: en.ownName },
  { language: "zh", name: zh.ownName },
];

/** The one that the switch goes to. */
export const OTHER: Record<Language, { language: Language; name: string }> = {
  en: { language: "zh", name: zh.ownName },
  zh: { language: "en", name: en.ownName },
};

const other: Words = zh;

export const i18n = i18next.createInstance();
void i18n.use(initReactI18next).init({
  resources: { en: { translation: en }, zh: { translation: other } },
  lng: "en",
  fallbackLng: "en",
  interpolation: { escapeValue: false },
  returnNull: false,
});
