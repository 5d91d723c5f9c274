// The words of the trade as pills: one look for a status wherever it stands. They stand in every row of a table, and so listen to
// nothing themselves: whoever shows them is drawn anew when the language changes.
import { i18n } from "@/i18n/languages";
import { Pill, type PillTone } from "@/ui/pill";

const ORDER: Record<string, PillTone> = {
  STAGED: "calm", PENDING_NEW: "busy", NEW: "busy", PARTIALLY_FILLED: "busy", PENDING_CANCEL: "warn", PENDING_REPLACE: "warn",
  FILLED: "good", CANCELED: "calm", EXPIRED: "calm", REJECTED: "bad", DENIED: "bad", UNKNOWN: "odd",
};
const RUN: Record<string, PillTone> = {
  NEW: "calm", AWAITING_APPROVAL: "warn", RUNNING: "busy", PAUSED: "warn", COMPLETED: "good", FAILED: "bad", CANCELED: "calm", DENIED: "bad",
};

const STANDING: Record<string, PillTone> = { STOPPED: "calm", STARTING: "busy", RUNNING: "good", PAUSED: "warn", FAILED: "bad" };
const CAME: Record<string, PillTone> = { PENDING: "busy", TAKEN: "good", DONE: "calm", DENIED: "bad", REFUSED: "bad", UNKNOWN: "odd" };

export function StatusPill({ status }: { status: string }) {
  return (
    <Pill tone={ORDER[status] ?? "calm"} hollow={status === "STAGED" || status === "CANCELED" || status === "EXPIRED"} title={status}>
      {i18n.t(`status.${status}`, { defaultValue: status })}
    </Pill>
  );
}

export function RunPill({ status }: { status: string }) {
  return (
    <Pill tone={RUN[status] ?? "calm"} title={status}>
      {i18n.t(`runStatus.${status}`, { defaultValue: status })}
    </Pill>
  );
}

export function StandingPill({ standing }: { standing: string }) {
  return (
    <Pill tone={STANDING[standing] ?? "calm"} hollow={standing === "STOPPED"} title={standing}>
      {i18n.t(`standing.${standing}`, { defaultValue: standing })}
    </Pill>
  );
}

/** What came of a trigger. */
export function CamePill({ result }: { result: string }) {
  return (
    <Pill tone={CAME[result] ?? "calm"} title={result}>
      {i18n.t(`came.${result}`, { defaultValue: result })}
    </Pill>
  );
}
