// What lies over every page while it holds: a connection that is lost, a halt in force, a desk that is not ready.
import { useTranslation } from "react-i18next";
import { useMay } from "@/access/session";
import { useLink } from "@/stream/link";
import { retryNow, useAge, useHalts, useHealth, useIsStale, useNow } from "@/stream/live";
import { span } from "@/text/times";
import { Button } from "@/ui/button";
import { open } from "@/ui/dialogs";

export function Banners() {
  const { t } = useTranslation();
  const now = useNow();
  const age = useAge();
  const stale = useIsStale();
  const { failures, againAt } = useLink();
  const halts = useHalts().data?.halts ?? [];
  const health = useHealth().data;
  const mayRelease = useMay("risk:write");
  return (
    <>
      {stale && (
        <div role="alert" data-banner="stale" className="flex flex-wrap items-center gap-3 bg-[#f5b301] px-3 py-1 text-[#1b1400]">
          <strong>{t("banner.stale", { age: span(age ?? 0) })}</strong>
          <span>{failures > 0 ? t("banner.again", { count: failures, wait: Math.max(0, Math.ceil((againAt - now) / 1000)) }) : t("banner.waiting")}</span>
          <Button small className="ml-auto" onClick={retryNow}>
            {t("banner.retry")}
          </Button>
        </div>
      )}
      {halts.length > 0 && (
        <div role="alert" data-banner="halt" className="flex flex-wrap items-center gap-3 bg-[#c9203b] px-3 py-1 text-white">
          <strong>{t("banner.halted", { count: halts.length })}</strong>
          <span className="min-w-0 flex-1 truncate">
            {halts.map((each) => `${t(`tier.${each.tier}`, { defaultValue: each.tier })}${each.name ? ` ${each.name}` : ""} · ${each.by}${each.reason ? `: ${each.reason}` : ""}`).join("  |  ")}
          </span>
          <Button small onClick={() => open({ kill: true })}>
            {mayRelease ? t("kill.resume") : t("banner.look")}
          </Button>
        </div>
      )}
      {health?.status === "starting" && !stale && (
        <div role="status" className="bg-[#f5b301] px-3 py-1 text-[#1b1400]">
          {t("banner.starting", { broker: health.details?.broker ?? "" })}
        </div>
      )}
      {health?.status === "degraded" && !stale && (
        <div role="status" className="bg-[#f5b301] px-3 py-1 text-[#1b1400]">
          {t("banner.degraded")} {health.details?.views_trouble || health.details?.access_trouble}
        </div>
      )}
    </>
  );
}
