// What the desk raised, in its own words: first what nobody has seen, then what somebody is at. Who may stop the desk may say that
// they have seen it; the trouble stays open until it is over.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Alert } from "@/api/types";
import { useMay } from "@/access/session";
import { refresh, useAlerts } from "@/stream/live";
import { full } from "@/text/times";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { close, useDialogs } from "@/ui/dialogs";
import { Field } from "@/ui/field";
import { Pill, type PillTone } from "@/ui/pill";
import { Empty, Loading, Trouble } from "@/ui/states";
import { say } from "@/ui/toasts";

const TONE: Record<string, PillTone> = { CRITICAL: "bad", WARNING: "warn", INFO: "calm" };

/** Whether it waits for somebody to look at it. */
export function isUnseen(alert: Alert): boolean {
  return alert.resolved_at === null && alert.acknowledged_at === null;
}

export function AlertsDrawer() {
  const isOpen = useDialogs((now) => now.alerts);
  const { t } = useTranslation();
  return (
    <Dialog open={isOpen} onClose={close} title={t("alerts.title")} drawer>
      <AlertList />
    </Dialog>
  );
}

export function AlertList() {
  const { t } = useTranslation();
  const query = useAlerts();
  const maySee = useMay("halt");
  const [seeing, setSeeing] = useState<Alert | null>(null);
  if (query.error && !query.data) return <Trouble error={query.error} again={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  const place = (alert: Alert) => (isUnseen(alert) ? 0 : alert.resolved_at === null ? 1 : 2);
  const sorted = [...query.data.alerts].sort((a, b) => place(a) - place(b));
  if (!sorted.length) return <Empty title={t("alerts.none")}>{t("alerts.noneMore")}</Empty>;
  return (
    <>
      {!maySee && sorted.some(isUnseen) && <p className="mb-2 rounded border border-line bg-raised p-2 text-soft">{t("alerts.mayNot")}</p>}
      <ul className="divide-y divide-line">
        {sorted.map((each) => (
          <li key={each.id} className="py-2" data-alert={each.id}>
            <div className="flex items-center gap-2">
              <Pill tone={TONE[each.level.toUpperCase()] ?? "calm"} hollow={!isUnseen(each)}>
                {t(`level.${each.level.toUpperCase()}`, { defaultValue: each.level })}
              </Pill>
              <span className="text-xs text-faint">{full(each.last_at)}</span>
              {each.times > 1 && <span className="text-xs text-faint">×{each.times}</span>}
              <span className="ml-auto text-xs text-faint">{each.resolved_at === null ? t("alerts.open") : t("alerts.over")}</span>
            </div>
            <p className="mt-1 break-words">{each.text}</p>
            <div className="mt-0.5 flex items-center gap-2 text-xs text-faint">
              <span className="min-w-0 flex-1 break-words">{each.subject}</span>
              {isUnseen(each) && maySee && (
                <Button small data-alert-see onClick={() => setSeeing(each)}>
                  {t("alerts.see")}
                </Button>
              )}
            </div>
            {each.acknowledged_at !== null && (
              <p className="mt-0.5 text-xs break-words text-soft" data-alert-seen>
                {t("alerts.seen", { who: each.acknowledged_by, at: full(each.acknowledged_at) })}
                {each.note && ` · ${each.note}`}
              </p>
            )}
          </li>
        ))}
      </ul>
      {seeing && <See alert={seeing} onClose={() => setSeeing(null)} />}
    </>
  );
}

function See({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const { t } = useTranslation();
  const [note, setNote] = useState("");

  async function send(): Promise<void> {
    const said = await ask<Alert>("POST", `/api/v1/alerts/${encodeURIComponent(alert.id)}/acknowledge`, { body: { note: note.trim() } });
    say(t("alerts.seen", { who: said.acknowledged_by, at: full(said.acknowledged_at) }));
    refresh("alerts");
  }

  return (
    <Confirm title={t("alerts.see")} about={t("alerts.seeMore")} does={t("alerts.see")} tone="main" onDo={send} onClose={onClose}>
      <p className="break-words">{alert.text}</p>
      <Field label={t("alerts.note")} value={note} onChange={(event) => setNote(event.target.value)} maxLength={200} autoFocus data-alert-note />
    </Confirm>
  );
}
