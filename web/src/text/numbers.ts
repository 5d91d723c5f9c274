// Numbers as people read them: grouped, with as many places as the trade uses, shortened by the habits of the language.
import { over, rounded, sign, trimmed } from "@/text/decimal";

export const UNKNOWN = "–";

function grouped(text: string): string {
  const [whole = "", rest] = text.split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return rest === undefined ? spaced : `${spaced}.${rest}`;
}

/** An amount of money: two places, or as many as are asked for. */
export function money(text: string | null | undefined, places = 2): string {
  return text == null ? UNKNOWN : grouped(rounded(text, places));
}

/** A price: at least two places, and no more than six. */
export function price(text: string | null | undefined): string {
  if (text == null) return UNKNOWN;
  const short = trimmed(rounded(text, 6));
  const places = short.includes(".") ? short.length - short.indexOf(".") - 1 : 0;
  return grouped(places < 2 ? rounded(short, 2) : short);
}

/** A quantity: as it is. */
export function quantity(text: string | null | undefined): string {
  return text == null ? UNKNOWN : grouped(trimmed(text));
}

/** The same with its sign in front, for what may go up or down. */
export function signed(text: string | null | undefined, shown: (text: string) => string = money): string {
  if (text == null) return UNKNOWN;
  const direction = sign(text);
  const written = shown(text).replace(/^-/, "");
  return `${direction > 0 ? "+" : direction < 0 ? "−" : ""}${written}`;
}

/** A fraction as percent. */
export function percent(text: string | null | undefined, places = 2): string {
  if (text == null) return UNKNOWN;
  const hundred = rounded(over(`${text}`, "0.01", places + 2) ?? "0", places);
  return `${signed(hundred, (each) => each)}%`;
}

const UNITS = ["B", "kB", "MB", "GB"] as const;

/** The size of a file, in units of a thousand. */
export function bytes(size: number): string {
  let [left, unit] = [size, 0];
  while (left >= 999.5 && unit < UNITS.length - 1) [left, unit] = [left / 1_000, unit + 1];
  return `${unit && left < 99.95 ? left.toFixed(1) : Math.round(left)} ${UNITS[unit]}`;
}

/** Shortened: K, M, B in English; units of ten thousand and of a hundred million in Chinese. */
export function short(text: string | null | undefined, units: readonly [string, string][]): string {
  if (text == null) return UNKNOWN;
  const whole = text.replace(/^-/, "").split(".")[0] ?? "";
  for (const [step, name] of units) {
    if (whole.length > step.length || (whole.length === step.length && whole >= step)) {
      return `${grouped(trimmed(over(text, step, 2) ?? "0"))}${name}`;
    }
  }
  return money(text);
}
