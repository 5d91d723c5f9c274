// Small marks: a word with a dot. The word says it all; the colour repeats it.
import clsx from "clsx";
import type { ReactNode } from "react";

export type PillTone = "good" | "warn" | "bad" | "calm" | "busy" | "odd";

const TONES: Record<PillTone, string> = {
  good: "text-green",
  warn: "text-amber",
  bad: "text-red",
  calm: "text-soft",
  busy: "text-accent",
  odd: "text-violet",
};

export function Pill({ tone, children, title, hollow }: { tone: PillTone; children: ReactNode; title?: string | undefined; hollow?: boolean }) {
  return (
    <span className={clsx("inline-flex items-center gap-1.5 whitespace-nowrap", TONES[tone])} title={title}>
      <span aria-hidden className={clsx("size-1.5 shrink-0 rounded-full", hollow ? "border border-current" : "bg-current")} />
      <span>{children}</span>
    </span>
  );
}
