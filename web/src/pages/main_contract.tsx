// The main contract of the desk: which it is, and its switch in the five steps of S4-50, which whoever asks confirms by typing it
// once more. What refuses it, a position or an order in the one before, is told by the desk.
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Instruments, MainContract, Switched } from "@/api/types";
import { useMay } from "@/access/session";
import { useEnvironment } from "@/frame/topbar";
import { client } from "@/stream/client";
import { refresh } from "@/stream/live";
import { quantity } from "@/text/numbers";
import { full } from "@/text/times";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { Facts, Panel } from "@/ui/panel";
import { Loading, Trouble } from "@/ui/states";

const EVERY_MS = 5_000;
const STEPS = ["listed", "recorded", "left", "forgotten", "subscribed"] as const;

/** Which it is; the stream tells nothing of it. */
export function useMain(): UseQueryResult<MainContract> {
  return useQuery<MainContract>({ queryKey: ["main contract"], queryFn: async ({ signal }) => ask<MainContract>("GET", "/api/v1/main-contract", { signal }), refetchInterval: EVERY_MS });
}

export function Main({ onSwitched }: { onSwitched: () => void }) {
  const { t } = useTranslation();
  const query = useMain();
  const maySwitch = useMay(useEnvironment() === "live" ? "order:live" : "order:paper");
  const [switching, setSwitching] = useState(false);
  const [done, setDone] = useState<Switched | null>(null);
  const main = query.data;

  function told(switched: Switched): void {
    setDone(switched);
    client.setQueryData<MainContract>(["main contract"], switched.contract);
    refresh("quotes");
    onSwitched();
  }

  return (
    <Panel title={t("main.title")} className="shrink-0" more={main && maySwitch && <Button small data-main="switch" onClick={() => setSwitching(true)}>{t(main.main_contract === null ? "main.name" : "main.switch")}</Button>}>
      {query.error && !main ? <Trouble error={query.error} again={() => void query.refetch()} /> : !main ? <Loading rows={2} /> : main.main_contract === null ? <p className="text-soft">{t("main.none")} {t("main.noneMore")}</p> : (
        <div data-main-contract={main.main_contract}>
          <Facts
            columns={3}
            of={[
              [t("col.symbol"), <b key="s">{main.main_contract}</b>],
              [t("main.called"), main.name ?? "–"],
              [t("market.board"), main.exchange ?? "–"],
              [t("col.multiplier"), quantity(main.contract_multiplier)],
              [t("main.since"), full(main.last_update)],
              [t("col.by"), main.set_by ?? "–"],
            ]}
          />
          {main.reason && <p className="mt-1 text-xs break-words text-soft">{main.reason}</p>}
        </div>
      )}
      {switching && main && <Switch from={main.main_contract} onTold={told} onClose={() => setSwitching(false)} />}
      {done && (
        <Dialog open onClose={() => setDone(null)} title={t("main.done")} about={done.done}>
          <ol className="list-decimal space-y-1 pl-5" data-main="steps">
            {done.steps.map((step) => <li key={step}>{step}</li>)}
          </ol>
          <div className="mt-3 flex justify-end">
            <Button onClick={() => setDone(null)}>{t("close")}</Button>
          </div>
        </Dialog>
      )}
    </Panel>
  );
}

function Switch({ from, onTold, onClose }: { from: string | null; onTold: (switched: Switched) => void; onClose: () => void }) {
  const { t } = useTranslation();
  const [symbol, setSymbol] = useState("");
  const options = useId();
  const sought = symbol.trim();
  const found = useQuery({
    queryKey: ["instruments", sought],
    queryFn: async ({ signal }) => ask<Instruments>("GET", "/api/v1/instruments", { query: { q: sought, limit: 12 }, signal }),
    enabled: sought.length > 0,
    staleTime: 60_000,
  }).data?.instruments;
  const listed = found?.find((each) => each.symbol.toUpperCase() === sought.toUpperCase());

  async function send(reason: string): Promise<void> {
    onTold(await ask<Switched>("PUT", "/api/v1/main-contract", { body: { symbol: sought, reason }, patience: 30_000 }));
  }

  return (
    <Confirm title={t("main.title")} about={t("main.about")} does={t("main.do")} tone="main" reason="wanted" onDo={send} onClose={onClose} {...(sought ? { typed: sought } : {})}>
      <Facts columns={1} of={[[t("main.before"), from ?? "–"], [t("main.after"), listed ? `${listed.symbol} ${listed.name} ×${quantity(listed.multiplier)}` : sought || "–"]]} />
      <Field label={t("col.symbol")} list={options} value={symbol} onChange={(event) => setSymbol(event.target.value)} placeholder={t("ticket.symbolHint")} required autoFocus data-main="symbol" />
      <datalist id={options}>{found?.map((each) => <option key={each.symbol} value={each.symbol}>{each.name}</option>)}</datalist>
      <ol className="list-decimal space-y-0.5 pl-5 text-xs text-soft">
        {STEPS.map((step) => <li key={step}>{t(`main.${step}`)}</li>)}
      </ol>
    </Confirm>
  );
}
