// The words of the trade as pills: one look for a status wherever it stands.
import { useTranslation } from "react-i18next";
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
  const { t } = useTranslation();
  return (
    <Pill tone={ORDER[status] ?? "calm"} hollow={status === "STAGED" || status === "CANCELED" || status === "EXPIRED"} title={status}>
      {t(`status.${status}`, { defaultValue: status })}
    </Pill>
  );
}

export function RunPill({ status }: { status: string }) {
  const { t } = useTranslation();
  return (
    <Pill tone={RUN[status] ?? "calm"} title={status}>
      {t(`runStatus.${status}`, { defaultValue: status })}
    </Pill>
  );
}

export function StandingPill({ standing }: { standing: string }) {
  const { t } = useTranslation();
  return (
    <Pill tone={STANDING[standing] ?? "calm"} hollow={standing === "STOPPED"} title={standing}>
      {t(`standing.${standing}`, { defaultValue: standing })}
    </Pill>
  );
}

/** What came of a trigger. */
export function CamePill({ result }: { result: string }) {
  const { t } = useTranslation();
  return (
    <Pill tone={CAME[result] ?? "calm"} title={result}>
      {t(`came.${result}`, { defaultValue: result })}
    </Pill>
  );
}
