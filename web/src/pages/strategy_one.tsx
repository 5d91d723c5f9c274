// One strategy as it stands, and what a person may do with it: each deed says first what it means and is confirmed.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Order, Said, Strategy } from "@/api/types";
import { useMay } from "@/access/session";
import { CancelOrders } from "@/pages/order_changes";
import { StandingPill } from "@/pages/words";
import { deskNow } from "@/stream/link";
import { refresh, useAccount, useNow, useOrders } from "@/stream/live";
import { full, span } from "@/text/times";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Facts, Panel } from "@/ui/panel";
import { say } from "@/ui/toasts";

type Deed = "start" | "pause" | "stop";

/** What may be done with one that stands so; to start one that is paused is to have it go on. */
function deedsOf(standing: string): Deed[] {
  if (standing === "RUNNING") return ["pause", "stop"];
  if (standing === "PAUSED") return ["start", "stop"];
  if (standing === "STARTING") return ["stop"];
  return ["start"];
}

export function One({ strategy }: { strategy: Strategy }) {
  const { t } = useTranslation();
  useNow();
  const mayStart = useMay("order:paper");
  const mayStop = useMay("cancel");
  const isLive = useAccount().data?.is_live ?? false;
  const working = useOrders({ strategy_id: strategy.name, open: true, limit: 200 }).data?.orders ?? [];
  const [doing, setDoing] = useState<Deed | null>(null);
  const [cancelling, setCancelling] = useState<Order[] | null>(null);
  const goesOn = strategy.standing === "PAUSED";
  const word = (deed: Deed) => t(deed === "start" && goesOn ? "strategyDo.resume" : `strategyDo.${deed}`);

  async function perform(): Promise<void> {
    if (!doing) return;
    const path = `/api/v1/strategies/${encodeURIComponent(strategy.name)}/${doing}`;
    try {
      say((await ask<Said>("POST", path, { patience: 30_000 })).done);
    } finally {
      refresh("strategies", "triggers", "versions", "orders");
    }
  }

  return (
    <Panel
      title={<span className="text-sm text-text">{strategy.name}</span>}
      className="shrink-0"
      more={<span data-standing={strategy.standing}><StandingPill standing={strategy.standing} /></span>}
    >
      <div className="mb-3 flex flex-wrap gap-2">
        {deedsOf(strategy.standing).map((deed) => {
          const may = deed === "start" ? mayStart && !isLive : mayStop;
          return (
            <Button key={deed} tone={deed === "stop" ? "danger" : deed === "start" ? "main" : "plain"} disabled={!may} title={may ? undefined : t(deed === "start" && isLive ? "strategy.notLive" : "state.notAllowed")} data-strategy-do={deed} onClick={() => setDoing(deed)}>
              {word(deed)}
            </Button>
          );
        })}
        <Button disabled={!mayStop || !working.length} title={mayStop ? undefined : t("state.notAllowed")} onClick={() => setCancelling(working)}>
          {t("strategy.cancelOrders", { count: working.length })}
        </Button>
      </div>
      {strategy.standing === "FAILED" && <p className="mb-3 rounded border border-red bg-red-soft p-2 break-words" role="alert">{strategy.why}</p>}
      <Facts
        columns={1}
        of={[
          [t("strategy.why"), strategy.why || "–"],
          [t("strategy.since"), strategy.since ? <span key="since" title={full(strategy.since)}>{span(deskNow() - Date.parse(strategy.since))}</span> : "–"],
          [t("strategy.symbols"), strategy.symbols.join(" ")],
          [t("strategy.file"), <span key="file" className="font-mono text-xs">{strategy.file}</span>],
          [t("strategy.version"), strategy.version ? String(strategy.version) : "–"],
          [t("strategy.process"), strategy.pid === null ? "–" : String(strategy.pid)],
          [t("strategy.triggers"), String(strategy.triggers)],
        ]}
      />
      {doing && (
        <Confirm title={`${word(doing)}: ${strategy.name}`} about={t(doing === "start" && goesOn ? "strategyAbout.resume" : `strategyAbout.${doing}`)} does={word(doing)} tone={doing === "stop" ? "danger" : "main"} onDo={perform} onClose={() => setDoing(null)}>
          <Facts columns={1} of={[[t("strategy.symbols"), strategy.symbols.join(" ")], [t("strategy.file"), strategy.file], [t("orders.working"), String(working.length)]]} />
        </Confirm>
      )}
      {cancelling && <CancelOrders orders={cancelling} onClose={() => setCancelling(null)} />}
    </Panel>
  );
}
