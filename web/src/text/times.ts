// Times as the desk shows them: by the clock of the market it trades, to the second or the millisecond, and how long ago.
export const NO_TIME = "–";

/** Minutes that the market's clock is ahead of UTC; before a quote has told it, the clock of this browser. */
let ahead: number | null = null;

function minutesOf(local: string): number | null {
  const found = /([+-])(\d\d):(\d\d)$/.exec(local);
  return found ? (found[1] === "-" ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) : null;
}

/** Show times by the zone that stands behind this one. */
export function showAs(local: string): void {
  ahead = minutesOf(local) ?? ahead;
}

/** A moment as its market writes it: 2026-07-17T09:31:54.081. */
export function local(at: number): string {
  return new Date(at + (ahead ?? -new Date(at).getTimezoneOffset()) * 60_000).toISOString().slice(0, -1);
}

/** 14:03:27, or with the day where it is another one than `today`. */
export function clock(at: string | null | undefined, today: number = Date.now()): string {
  if (!at) return NO_TIME;
  const written = local(Date.parse(at));
  return written.slice(0, 10) === local(today).slice(0, 10) ? written.slice(11, 19) : `${written.slice(0, 10)} ${written.slice(11, 19)}`;
}

/** 2026-07-17. */
export function day(at: string | null | undefined): string {
  return at ? local(Date.parse(at)).slice(0, 10) : NO_TIME;
}

/** 14:03:27.081. */
export function fine(at: string | null | undefined): string {
  return at ? local(Date.parse(at)).slice(11) : NO_TIME;
}

/** A day and a time. */
export function full(at: string | null | undefined): string {
  return at ? local(Date.parse(at)).slice(0, 19).replace("T", " ") : NO_TIME;
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
