// How the desk does: what runs, who holds the right to write, what waits, and what was raised.
import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Said, Statistics, Strategy } from "@/api/types";
import { useMay } from "@/access/session";
import { AlertList } from "@/frame/alerts";
import { deskNow, useLink } from "@/stream/link";
import { refresh, useAge, useHealth, useNow, useQueue, useStrategies } from "@/stream/live";
import { full, span } from "@/text/times";
import { Button } from "@/ui/button";
import { open } from "@/ui/dialogs";
import { Facts, Panel } from "@/ui/panel";
import { Pill, type PillTone } from "@/ui/pill";
import { Loading, Trouble } from "@/ui/states";
import { complain, say } from "@/ui/toasts";
import { useState } from "react";

type Service = [name: string, tone: PillTone, word: string, more: string];

/** How many of the strategies run; one that failed is said before those that do well. */
function strategiesRow(t: TFunction, all: Strategy[]): Service {
  const failed = all.filter((each) => each.standing === "FAILED");
  const running = all.filter((each) => each.standing === "RUNNING").length;
  const more = all.map((each) => `${each.name}: ${t(`standing.${each.standing}`, { defaultValue: each.standing })}`).join(" · ");
  return [t("page.strategy"), failed.length ? "bad" : running ? "good" : "calm", t("system.strategiesRun", { count: running, all: all.length }), more];
}

export default function SystemPage() {
  const { t } = useTranslation();
  useNow();
  const query = useHealth();
  const queue = useQueue().data;
  const age = useAge();
  const streams = useLink((now) => now.streams);
  const statistics = useQuery({ queryKey: ["statistics"], queryFn: async ({ signal }) => ask<Statistics>("GET", "/api/v1/orders/statistics", { signal }), refetchInterval: 3_000 }).data;
  const mayRisk = useMay("risk:write");
  const mayHalt = useMay("halt");
  const [busy, setBusy] = useState(false);
  const strategies = useStrategies().data?.strategies;
  if (query.error && !query.data) return <Trouble error={query.error} again={() => void query.refetch()} />;
  const found = query.data?.details;
  if (!query.data || !found) return <Loading />;
  const quoteAge = found.newest_quote_at ? deskNow() - Date.parse(found.newest_quote_at) : null;
  const services: Service[] = [
    [t("system.engine"), found.inbox_waiting < 10_000 ? "good" : "warn", t("system.running"), t("system.engineMore", { waiting: found.inbox_waiting, epoch: found.epoch })],
    [t("system.broker", { broker: found.broker }), found.broker_ready ? "good" : "bad", found.broker_ready ? t("system.ready") : t("top.notReady"), found.broker_text || t("system.brokerMore", { count: found.orders_open })],
    [t("system.journal"), "good", t("system.durable"), t("system.journalMore", { seq: found.journal_seq, holder: found.lock_holder })],
    [t("system.views"), found.views_trouble ? "bad" : found.views_lag > 1_000 ? "warn" : "good", found.views_trouble ? t("system.failing") : t("system.behind", { count: found.views_lag }), found.views_trouble || t("system.viewsMore", { seq: found.views_seq })],
    [t("system.feed"), found.feed_ended ? "warn" : quoteAge !== null && quoteAge < 10_000 ? "good" : "warn", found.feed_ended ? t("system.ended") : quoteAge === null ? t("system.noQuote") : span(quoteAge), t("system.feedMore", { feed: found.feed })],
    ...(strategies?.length ? [strategiesRow(t, strategies)] : []),
    [t("system.access"), found.access_trouble ? "bad" : "good", found.access_trouble ? t("system.failing") : t("system.running"), found.access_trouble || t("system.accessMore")],
    [t("system.stream"), streams ? "good" : "calm", streams ? t("system.pushed") : t("system.polled"), t("system.streamMore", { age: age === null ? "–" : span(age) })],
  ];

  async function reload(): Promise<void> {
    setBusy(true);
    try {
      say((await ask<Said>("POST", "/api/v1/risk/reload")).done);
      refresh("health");
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div className="grid gap-2 lg:grid-cols-2">
      <Panel
        title={t("system.services")}
        className="lg:row-span-2"
        more={
          <Pill tone={query.data.status === "ok" ? "good" : "warn"}>
            {t(`health.${query.data.status}`, { defaultValue: query.data.status })}
          </Pill>
        }
      >
        <ul className="divide-y divide-line/60">
          {services.map(([name, tone, word, more]) => (
            <li key={name} className="flex items-center gap-3 py-2">
              <div className="min-w-0 flex-1">
                <div className="font-medium">{name}</div>
                <div className="truncate text-xs text-soft" title={more}>{more}</div>
              </div>
              <Pill tone={tone}>{word}</Pill>
            </li>
          ))}
        </ul>
        <div className="mt-3 flex flex-wrap gap-2">
          <Button disabled={!mayHalt} onClick={() => open({ kill: true })}>{found.halts ? t("kill.resume") : t("system.stop")}</Button>
          <Button disabled={!mayRisk} busy={busy} onClick={() => void reload()}>{t("risk.reload")}</Button>
        </div>
        <p className="mt-3 text-xs text-faint">{t("system.stopMore")}</p>
      </Panel>
      <Panel title={t("system.desk")}>
        <Facts
          of={[
            [t("system.version"), found.version],
            [t("system.account"), found.account],
            [t("system.group"), found.group],
            [t("system.holder"), found.lock_holder],
            [t("system.epoch"), String(found.epoch)],
            [t("system.started"), full(found.started_at)],
            [t("system.now"), full(new Date(deskNow()).toISOString())],
            [t("system.lag"), `${found.views_lag} / ${found.journal_seq}`],
          ]}
        />
      </Panel>
      <Panel title={t("system.ordersNow")}>
        <Facts
          columns={3}
          of={[
            [t("orders.working"), String(found.orders_open)],
            [t("status.UNKNOWN"), String(found.orders_unknown)],
            [t("page.breaks"), String(found.breaks_open)],
            [t("system.inbox"), queue ? `${queue.waiting} / ${queue.capacity}` : "–"],
            [t("system.staged"), String(queue?.staged ?? "–")],
            [t("system.flight"), String(queue?.in_flight ?? "–")],
            [t("system.cancels"), String(queue?.cancels_in_flight ?? "–")],
            ...Object.entries(statistics?.by_status ?? {}).map(([status, count]): [string, string] => [t(`status.${status}`, { defaultValue: status }), String(count)]),
            [t("system.total"), String(statistics?.total ?? "–")],
          ]}
        />
      </Panel>
      <Panel title={t("alerts.title")} className="lg:col-span-2">
        <AlertList />
      </Panel>
    </div>
  );
}
