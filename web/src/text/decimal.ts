// Decimal numbers as the desk sends them: text, exact. Nothing here passes through a binary number but what is only drawn.

const SHAPE = /^-?\d+(\.\d+)?$/;

/** A number as a whole of its smallest unit: `units` of 10 to the minus `places`. */
interface Exact {
  units: bigint;
  places: number;
}

/** Whether a text is a plain decimal number. */
export function isNumber(text: string): boolean {
  return SHAPE.test(text);
}

function exact(text: string): Exact {
  if (!SHAPE.test(text)) throw new RangeError(`expected a plain decimal number, was ${text.slice(0, 40)}`);
  const [whole = "0", rest = ""] = text.split(".");
  return { units: BigInt(whole + rest), places: rest.length };
}

function text(units: bigint, places: number): string {
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const rest = places ? `.${digits.slice(digits.length - places)}` : "";
  return `${negative ? "-" : ""}${whole}${rest}`;
}

function together(a: string, b: string): [bigint, bigint, number] {
  const left = exact(a);
  const right = exact(b);
  const places = Math.max(left.places, right.places);
  return [left.units * 10n ** BigInt(places - left.places), right.units * 10n ** BigInt(places - right.places), places];
}

export function plus(a: string, b: string): string {
  const [left, right, places] = together(a, b);
  return text(left + right, places);
}

export function minus(a: string, b: string): string {
  const [left, right, places] = together(a, b);
  return text(left - right, places);
}

export function times(a: string, b: string): string {
  const left = exact(a);
  const right = exact(b);
  return text(left.units * right.units, left.places + right.places);
}

/** a / b to so many places, rounded half away from zero; null where b is nought. */
export function over(a: string, b: string, places: number): string | null {
  const [left, right] = together(a, b);
  if (right === 0n) return null;
  const scaled = left * 10n ** BigInt(places) * 2n;
  const half = scaled / right;
  const up = half >= 0n ? half + 1n : half - 1n;
  return text(up / 2n, places);
}

export function compare(a: string, b: string): number {
  const [left, right] = together(a, b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** -1, 0 or 1. */
export function sign(a: string): number {
  const { units } = exact(a);
  return units < 0n ? -1 : units > 0n ? 1 : 0;
}

/** Rounded half away from zero to so many places, padded with noughts. */
export function rounded(a: string, places: number): string {
  const found = exact(a);
  if (found.places <= places) return text(found.units * 10n ** BigInt(places - found.places), places);
  const unit = 10n ** BigInt(found.places - places);
  const twice = (found.units * 2n) / unit;
  const away = found.units >= 0n ? twice + 1n : twice - 1n;
  return text(away / 2n, places);
}

/** Down to a whole multiple of `step`; as it is where the step is nought. */
export function floored(a: string, step: string): string {
  const [left, right, places] = together(a, step);
  if (right <= 0n) return a;
  return trimmed(text((left / right) * right, places));
}

/** Without noughts at the end. */
export function trimmed(a: string): string {
  return a.includes(".") ? a.replace(/\.?0+$/, "") : a;
}

/** For drawing alone. */
export function drawn(a: string): number {
  return Number(a);
}
