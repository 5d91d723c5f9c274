// What the desk raised: open ones first, in its own words.
import { useTranslation } from "react-i18next";
import { useAlerts } from "@/stream/live";
import { full } from "@/text/times";
import { Dialog } from "@/ui/dialog";
import { close, useDialogs } from "@/ui/dialogs";
import { Pill, type PillTone } from "@/ui/pill";
import { Empty, Loading, Trouble } from "@/ui/states";

const TONE: Record<string, PillTone> = { CRITICAL: "bad", WARNING: "warn", INFO: "calm" };

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
  if (query.error && !query.data) return <Trouble error={query.error} again={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  const sorted = [...query.data.alerts].sort((a, b) => Number(a.resolved_at !== null) - Number(b.resolved_at !== null));
  if (!sorted.length) return <Empty title={t("alerts.none")}>{t("alerts.noneMore")}</Empty>;
  return (
    <ul className="divide-y divide-line">
      {sorted.map((each) => (
        <li key={each.id} className="py-2">
          <div className="flex items-center gap-2">
            <Pill tone={TONE[each.level.toUpperCase()] ?? "calm"} hollow={each.resolved_at !== null}>
              {t(`level.${each.level.toUpperCase()}`, { defaultValue: each.level })}
            </Pill>
            <span className="text-xs text-faint">{full(each.last_at)}</span>
            {each.times > 1 && <span className="text-xs text-faint">×{each.times}</span>}
            <span className="ml-auto text-xs text-faint">{each.resolved_at === null ? t("alerts.open") : t("alerts.over")}</span>
          </div>
          <p className="mt-1 break-words">{each.text}</p>
          <p className="text-xs text-faint">{each.subject}</p>
        </li>
      ))}
    </ul>
  );
}
