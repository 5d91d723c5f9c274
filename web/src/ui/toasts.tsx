// What was just done, or was not: said aloud to a screen reader, shown for a while, and never in front of a button.
import clsx from "clsx";
import { X } from "lucide-react";
import { create } from "zustand";
import { useTranslation } from "react-i18next";
import { Problem, UNREACHED } from "@/api/http";

interface Toast {
  id: number;
  tone: "good" | "bad";
  text: string;
  small: string;
}

const LASTS_MS = { good: 5_000, bad: 12_000 };
const MOST = 4;
let count = 0;

const useToasts = create<{ shown: Toast[] }>(() => ({ shown: [] }));

function drop(id: number): void {
  useToasts.setState(({ shown }) => ({ shown: shown.filter((each) => each.id !== id) }));
}

export function say(text: string, tone: Toast["tone"] = "good", small = ""): void {
  count += 1;
  const toast = { id: count, tone, text, small };
  useToasts.setState(({ shown }) => ({ shown: [...shown.slice(-(MOST - 1)), toast] }));
  setTimeout(() => drop(toast.id), LASTS_MS[tone]);
}

/** Say what went wrong, in the desk's own words, with the id to ask for in its log. */
export function complain(error: unknown): void {
  if (error instanceof Problem) say(error.code === UNREACHED ? `${error.message}` : error.message, "bad", error.requestId && `${error.code} · ${error.requestId}`);
  else say(error instanceof Error ? error.message : String(error), "bad");
}

export function Toasts() {
  const { t } = useTranslation();
  const shown = useToasts((now) => now.shown);
  return (
    <div className="pointer-events-none fixed inset-x-2 top-14 z-[120] flex flex-col items-end gap-2 sm:inset-x-auto sm:top-auto sm:right-3 sm:bottom-3" aria-live="polite" role="status">
      {shown.map((each) => (
        <div
          key={each.id}
          className={clsx("pointer-events-auto flex w-full max-w-sm items-start gap-2 rounded border border-l-4 border-line bg-raised px-3 py-2 shadow-lg", each.tone === "good" ? "border-l-green" : "border-l-red")}
        >
          <div className="min-w-0 flex-1">
            <p className="break-words">{each.text}</p>
            {each.small && <p className="mt-0.5 font-mono text-2xs break-all text-faint">{each.small}</p>}
          </div>
          <button type="button" className="rounded p-0.5 text-soft hover:bg-hover" aria-label={t("close")} onClick={() => drop(each.id)}>
            <X size={14} aria-hidden />
          </button>
        </div>
      ))}
    </div>
  );
}
