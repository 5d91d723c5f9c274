// The limits in force and where each comes from, halts, symbols that take no orders; and an order to try against the rules.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Limit, Limits, NewOrder, Said } from "@/api/types";
import { useMay } from "@/access/session";
import { client } from "@/stream/client";
import { refresh, useAccount, useHalts } from "@/stream/live";
import { orderOf, useJudgement, type Typed } from "@/ticket/check";
import { Lines } from "@/ticket/lines";
import { quantity } from "@/text/numbers";
import { full } from "@/text/times";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { open } from "@/ui/dialogs";
import { Check, Choice, Field } from "@/ui/field";
import { Panel } from "@/ui/panel";
import { Pill } from "@/ui/pill";
import { Empty } from "@/ui/states";
import { Table, type Column } from "@/ui/table";
import { complain, say } from "@/ui/toasts";

const EMPTY = { rule: "", value: "", scope: "global", name: "", severity: "deny", for: "1h", shadow: false };

export default function RiskPage() {
  const { t } = useTranslation();
  const query = useQuery({ queryKey: ["limits"], queryFn: async ({ signal }) => ask<Limits>("GET", "/api/v1/risk/limits", { signal }), refetchInterval: 3_000 });
  const maySet = useMay("risk:write");
  const [setting, setSetting] = useState(false);
  const [reverting, setReverting] = useState<Limit | null>(null);
  const columns = useMemo<Column<Limit>[]>(
    () => [
      { id: "rule", head: t("risk.rule"), text: (l) => l.rule, cell: (l) => <span className="font-mono font-medium">{l.rule}</span>, width: "minmax(11rem,1.4fr)" },
      { id: "value", head: t("risk.value"), text: (l) => l.value, cell: (l) => `${quantity(l.value)} ${l.currency}`, right: true, width: "8rem" },
      { id: "where", head: t("risk.where"), text: (l) => l.where, width: "minmax(8rem,1fr)" },
      { id: "severity", head: t("risk.severity"), text: (l) => l.severity, cell: (l) => <Pill tone={l.shadow ? "calm" : l.severity === "deny" ? "bad" : "warn"}>{t(`severity.${l.severity}`, { defaultValue: l.severity })}{l.shadow ? ` · ${t("risk.shadow")}` : ""}</Pill>, width: "9rem" },
      { id: "missing", head: t("risk.missing"), text: (l) => l.missing, cell: (l) => t(`severity.${l.missing}`, { defaultValue: l.missing }), width: "6rem" },
      { id: "origin", head: t("risk.origin"), text: (l) => l.origin, width: "7rem" },
      { id: "until", head: t("risk.until"), text: (l) => l.until, cell: (l) => (l.until ? full(l.until) : t("risk.always")), width: "9.5rem" },
      { id: "reason", head: t("confirm.reason"), text: (l) => l.reason, width: "minmax(8rem,1.2fr)" },
    ],
    [t],
  );
  return (
    <div className="grid min-h-full gap-2 lg:h-full lg:grid-cols-[minmax(0,2fr)_minmax(19rem,1fr)]">
      <Panel
        title={t("risk.limits")}
        flush
        className="min-h-64"
        more={maySet && <><Button small onClick={() => void reload()}>{t("risk.reload")}</Button><Button small tone="main" onClick={() => setSetting(true)}>{t("risk.set")}</Button></>}
      >
        <Table label={t("risk.limits")} columns={columns} rows={query.data?.limits} rowId={(l) => `${l.rule}|${l.where}|${l.currency}|${l.shadow}`} query={query} file="limits" onOpen={maySet ? (l) => l.until && setReverting(l) : undefined} empty={<Empty title={t("risk.none")}>{t("risk.noneMore")}</Empty>} />
      </Panel>
      <div className="flex min-h-0 flex-col gap-2 overflow-auto">
        <Halted />
        <Try />
      </div>
      {setting && <SetLimit onClose={() => setSetting(false)} />}
      {reverting && (
        <Confirm title={t("risk.revert", { rule: reverting.rule })} does={t("risk.revertDo")} reason="needed" onDo={async (reason) => {
          const { rule, scope, name, currency, shadow } = reverting;
          say((await ask<Said>("POST", "/api/v1/risk/limits/revert", { body: { rule, scope, name, currency, shadow, reason } })).done);
          void client.invalidateQueries({ queryKey: ["limits"] });
        }} onClose={() => setReverting(null)} />
      )}
    </div>
  );

  async function reload(): Promise<void> {
    try {
      say((await ask<Said>("POST", "/api/v1/risk/reload")).done);
      void client.invalidateQueries({ queryKey: ["limits"] });
    } catch (error) {
      complain(error);
    }
  }
}

function Halted() {
  const { t } = useTranslation();
  const halts = useHalts().data?.halts ?? [];
  const symbols = useAccount().data?.halted ?? [];
  const mayRelease = useMay("risk:write");
  const isLive = useAccount().data?.is_live ?? false;
  const [releasing, setReleasing] = useState<string | null>(null);
  const [code, setCode] = useState("");
  return (
    <Panel title={t("risk.halts")} more={<Button small onClick={() => open({ kill: true })}>{t("risk.kill")}</Button>}>
      {!halts.length && !symbols.length && <p className="text-soft">{t("kill.none")}</p>}
      <ul className="space-y-1">
        {halts.map((each) => (
          <li key={each.number}><Pill tone="bad">{t(`tier.${each.tier}`, { defaultValue: each.tier })}</Pill> {each.scope === "global" ? t("kill.everything") : `${each.scope} ${each.name}`} · {each.by} · {each.reason || each.trigger}</li>
        ))}
        {symbols.map((each) => (
          <li key={each.symbol} className="flex items-center gap-2"><Pill tone="odd">{each.symbol}</Pill><span className="min-w-0 flex-1 text-soft">{each.why}</span>{mayRelease && <Button small onClick={() => setReleasing(each.symbol)}>{t("risk.release")}</Button>}</li>
        ))}
      </ul>
      {releasing && (
        <Confirm title={t("risk.releaseTitle", { symbol: releasing })} does={t("risk.release")} tone="main" reason="needed" onDo={async (reason) => {
          say((await ask<Said>("POST", `/api/v1/symbols/${encodeURIComponent(releasing)}/release`, { body: { reason, code } })).done);
          refresh("account");
        }} onClose={() => setReleasing(null)}>
          {isLive && <Field label={t("signIn.code")} value={code} onChange={(event) => setCode(event.target.value)} autoComplete="one-time-code" />}
        </Confirm>
      )}
    </Panel>
  );
}

function Try() {
  const { t } = useTranslation();
  const [typed, setTyped] = useState<Typed>({ symbol: "", side: "buy", type: "market", tif: "DAY", quantity: "", price: "", stop: "", effect: "AUTO", reason: "" });
  const order: NewOrder | null = orderOf(typed.price ? { ...typed, type: "limit" } : typed);
  const judgement = useJudgement(order);
  const change = (given: Partial<Typed>) => setTyped((now) => ({ ...now, ...given }));
  return (
    <Panel title={t("risk.try")}>
      <div className="mb-3 grid grid-cols-2 gap-2">
        <Field label={t("col.symbol")} value={typed.symbol} onChange={(event) => change({ symbol: event.target.value })} />
        <Choice label={t("col.side")} value={typed.side} onChange={(event) => change({ side: event.target.value as Typed["side"] })} options={[["buy", t("side.BUY")], ["sell", t("side.SELL")]]} />
        <Field label={t("col.quantity")} value={typed.quantity} onChange={(event) => change({ quantity: event.target.value.trim() })} inputMode="decimal" />
        <Field label={t("col.limit")} value={typed.price} onChange={(event) => change({ price: event.target.value.trim() })} inputMode="decimal" placeholder={t("type.MARKET")} />
      </div>
      {!order ? <p className="text-xs text-faint">{t("ticket.incomplete")}</p> : judgement.error ? <p className="text-xs text-red">{judgement.error.message}</p> : judgement.data ? <Lines judgement={judgement.data} /> : <p className="text-xs text-faint">{t("loading")}</p>}
    </Panel>
  );
}

function SetLimit({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState(EMPTY);
  const change = (given: Partial<typeof EMPTY>) => setForm((now) => ({ ...now, ...given }));
  return (
    <Confirm title={t("risk.set")} about={t("risk.setMore")} does={t("risk.set")} tone="main" reason="needed" onDo={async (reason) => {
      say((await ask<Said>("POST", "/api/v1/risk/limits", { body: { ...form, name: form.scope === "global" ? "" : form.name, reason } })).done);
      void client.invalidateQueries({ queryKey: ["limits"] });
    }} onClose={onClose}>
      <div className="grid grid-cols-2 gap-3">
        <Field label={t("risk.rule")} hint="max_order_value, max_requests_per_day, …" value={form.rule} onChange={(event) => change({ rule: event.target.value.trim() })} required autoFocus />
        <Field label={t("risk.value")} hint="100000, 5%" value={form.value} onChange={(event) => change({ value: event.target.value.trim() })} />
        <Choice label={t("risk.scope")} value={form.scope} onChange={(event) => change({ scope: event.target.value })} options={["global", "broker", "venue", "account", "symbol", "strategy"].map((each) => [each, t(`scope.${each}`)])} />
        <Field label={t("risk.name")} value={form.name} onChange={(event) => change({ name: event.target.value.trim() })} disabled={form.scope === "global"} />
        <Choice label={t("risk.severity")} value={form.severity} onChange={(event) => change({ severity: event.target.value })} options={["deny", "warn", "throttle", "approval", "halt"].map((each) => [each, t(`severity.${each}`)])} />
        <Field label={t("risk.for")} hint="90s, 30min, 2h, 3d" value={form.for} onChange={(event) => change({ for: event.target.value.trim() })} required />
      </div>
      <Check label={t("risk.shadowMore")} checked={form.shadow} onChange={(event) => change({ shadow: event.target.checked })} />
    </Confirm>
  );
}
