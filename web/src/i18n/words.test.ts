import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { en } from "@/i18n/en";
import { zh } from "@/i18n/zh";

const SOURCES = join(import.meta.dirname, "..");

function texts(words: object, before = ""): Map<string, string> {
  return new Map(Object.entries(words).flatMap(([name, value]) => (typeof value === "string" ? [[before + name, value] as const] : [...texts(value as object, `${before}${name}.`)])));
}

/** Every key that a source asks for by its whole name. */
function asked(): string[] {
  const found: string[] = [];
  for (const name of readdirSync(SOURCES, { recursive: true }) as string[]) {
    if (!/\.tsx?$/.test(name) || name.includes(".test.")) continue;
    for (const match of readFileSync(join(SOURCES, name), "utf8").matchAll(/\bt\("([\w.-]+)"/g)) found.push(match[1] ?? "");
  }
  return found;
}

test("every language has the same words, with the same places to fill", () => {
  const [english, chinese] = [texts(en), texts(zh)];
  expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
  const places = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).sort();
  for (const [name, text] of english) expect([name, places(chinese.get(name) ?? "")]).toEqual([name, places(text)]);
});

test("no page asks for a word that there is not", () => {
  const known = texts(en);
  expect(asked().length).toBeGreaterThan(200);
  expect(asked().filter((name) => !known.has(name))).toEqual([]);
});
