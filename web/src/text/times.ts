// Times as the desk shows them: by the clock of the person, to the second or the millisecond, and how long ago.
export const NO_TIME = "–";

function two(number: number, digits = 2): string {
  return String(number).padStart(digits, "0");
}

/** 14:03:27, or with the day where it is another one than `today`. */
export function clock(at: string | null | undefined, today: number = Date.now()): string {
  if (!at) return NO_TIME;
  const when = new Date(at);
  const hours = `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}`;
  return new Date(today).toDateString() === when.toDateString() ? hours : `${day(at)} ${hours}`;
}

/** 2026-07-17. */
export function day(at: string | null | undefined): string {
  if (!at) return NO_TIME;
  const when = new Date(at);
  return `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
}

/** 14:03:27.081. */
export function fine(at: string | null | undefined): string {
  if (!at) return NO_TIME;
  const when = new Date(at);
  return `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}.${two(when.getMilliseconds(), 3)}`;
}

/** A day and a time. */
export function full(at: string | null | undefined): string {
  if (!at) return NO_TIME;
  const when = new Date(at);
  return `${day(at)} ${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}`;
}

/** How long: 0.4s, 12s, 3m 10s, 2h 5m, 4d. */
export function span(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d`;
}
