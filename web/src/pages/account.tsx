// The money: what there is in each currency, how it went, how far below its highest, and every movement.
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Curve, Fill, Money } from "@/api/types";
import { worthOf } from "@/frame/worth";
import { drawdownOf, equityOf, watch } from "@/pages/equity";
import { cashAt, movedBy } from "@/pages/ledger";
import { useInstruments } from "@/stream/instruments";
import { deskNow, useLink } from "@/stream/link";
import { useAccount, useFills, useNow, usePositions } from "@/stream/live";
import { money, percent, signed } from "@/text/numbers";
import { clock } from "@/text/times";
import { Chips } from "@/ui/filters";
import { later } from "@/ui/later";
import { Amount, Gain } from "@/ui/number";
import { Panel } from "@/ui/panel";
import { Empty, Loading, Trouble } from "@/ui/states";
import { Table, type Column } from "@/ui/table";

const EquityChart = later(() => import("@/pages/equity_chart"));
const SPANS = { hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000, all: 0 } as const;
type Span = keyof typeof SPANS;

export default function AccountPage() {
  const { t } = useTranslation();
  const account = useAccount();
  const positions = usePositions().data?.positions;
  const [chosen, setChosen] = useState("");
  const all = worthOf(account.data?.money ?? [], positions ?? [], useInstruments());
  const currency = chosen || all[0]?.currency || "";
  return (
    <div className="grid min-h-full gap-2 lg:h-full lg:grid-cols-[minmax(0,1.7fr)_minmax(20rem,1fr)] lg:grid-rows-[auto_minmax(0,1fr)]">
      <Panel title={t("account.money")} className="lg:col-span-2" flush>
        {account.error && !account.data ? <Trouble error={account.error} again={() => void account.refetch()} /> : !account.data ? <Loading rows={3} /> : !account.data.money.length ? <Empty title={t("account.none")} /> : (
          <MoneyTable money={account.data.money} worth={all} chosen={currency} onChoose={setChosen} />
        )}
      </Panel>
      <CurvePanel currency={currency} net={all.find((each) => each.currency === currency)?.net ?? null} />
      <Ledger currency={currency} />
    </div>
  );
}

function MoneyTable({ money: rows, worth, chosen, onChoose }: { money: Money[]; worth: ReturnType<typeof worthOf>; chosen: string; onChoose: (currency: string) => void }) {
  const { t } = useTranslation();
  const heads = ["currency", "net", "balance", "available", "reserved", "margin", "unrealized", "realized", "fees"] as const;
  const sorted = worth.map((each) => rows.find((row) => row.currency === each.currency)).filter((row): row is Money => row !== undefined);
  return (
    <div className="overflow-x-auto">
      <table className="w-full min-w-[48rem] tabular-nums">
        <thead className="text-xs text-soft">
          <tr>{heads.map((head) => <th key={head} scope="col" className="px-3 py-1.5 text-right font-medium first:text-left">{t(`account.${head}`)}</th>)}</tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={row.currency} className={`border-t border-line/60 ${chosen === row.currency ? "bg-accent-soft" : ""}`}>
              <th scope="row" className="px-3 py-1.5 text-left">
                <button type="button" className="font-semibold hover:underline" aria-pressed={chosen === row.currency} onClick={() => onChoose(row.currency)}>{row.currency}</button>
              </th>
              <td className="px-3 text-right font-semibold"><Amount value={worth.find((each) => each.currency === row.currency)?.net} /></td>
              <td className="px-3 text-right"><Amount value={row.balance} /></td>
              <td className="px-3 text-right"><Amount value={row.available} /></td>
              <td className="px-3 text-right"><Amount value={row.reserved} /></td>
              <td className="px-3 text-right"><Amount value={row.margin} /></td>
              <td className="px-3 text-right"><Gain value={row.unrealized_pnl} /></td>
              <td className="px-3 text-right"><Gain value={row.realized_pnl} /></td>
              <td className="px-3 text-right"><Amount value={row.fees} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function useCurve(currency: string): UseQueryResult<Curve> {
  return useQuery({
    queryKey: ["curve", currency],
    queryFn: async ({ signal }) => ask<Curve>("GET", "/api/v1/account/curve", { query: { currency }, signal }),
    enabled: currency !== "",
    refetchInterval: 5_000,
  });
}

function CurvePanel({ currency, net }: { currency: string; net: string | null }) {
  const { t } = useTranslation();
  const now = useNow();
  const [span, setSpan] = useState<Span>("all");
  const query = useCurve(currency);
  const seen = watch(currency, Math.floor((now + useLink.getState().offset) / 1000) * 1000, net);
  const length = seen.length;
  const worth = useMemo(() => {
    if (!query.data) return undefined;
    const booked = equityOf(query.data.points);
    const last = booked.at(-1)?.[0] ?? 0;
    const since = SPANS[span] ? deskNow() - SPANS[span] : 0;
    return [...booked, ...watch(currency, 0, null).slice(0, length).filter(([at]) => at > last)].filter(([at]) => at >= since);
  }, [query.data, currency, span, length]);
  const below = worth && drawdownOf(worth).at(-1)?.[1];
  return (
    <Panel
      title={t("account.curve")}
      className="min-h-80"
      more={
        <>
          {below !== undefined && <span className="mr-2 text-xs text-soft">{t("account.drawdown")} <Gain value={(below / 100).toFixed(6)} as={percent} /></span>}
          <Chips label={t("account.span")} value={span} onChange={setSpan} options={(Object.keys(SPANS) as Span[]).map((each) => [each, t(`account.${each}`)])} />
        </>
      }
    >
      {query.error && !query.data ? <Trouble error={query.error} again={() => void query.refetch()} /> : !worth ? <Loading /> : worth.length < 2 ? <Empty title={t("account.noCurve")}>{t("account.noCurveMore")}</Empty> : (
        <div className="flex h-full min-h-72 flex-col">
          <Suspense fallback={<Loading />}>
            <EquityChart worth={worth} />
          </Suspense>
          <p className="text-xs text-faint">{t("account.curveMore")}</p>
        </div>
      )}
    </Panel>
  );
}

function Ledger({ currency }: { currency: string }) {
  const { t } = useTranslation();
  const query = useFills();
  const listed = useInstruments();
  const points = useCurve(currency).data?.points;
  const rows = useMemo(() => query.data?.fills.filter((fill) => listed.get(fill.symbol)?.currency === currency), [query.data, listed, currency]);
  const columns = useMemo<Column<Fill>[]>(
    () => [
      { id: "time", head: t("col.time"), text: (f) => f.fill_time, cell: (f) => clock(f.fill_time, deskNow()), width: "5.5rem" },
      { id: "what", head: t("col.what"), text: (f) => `${f.side} ${f.symbol}`, cell: (f) => <>{t(`side.${f.side}`)} {f.symbol}</>, width: "minmax(7rem,1fr)" },
      { id: "fee", head: t("col.fee"), text: (f) => f.commission, cell: (f) => money(f.commission), right: true, width: "4.5rem" },
      { id: "moved", head: t("account.moved"), text: (f) => movedBy(f, listed.get(f.symbol)), cell: (f) => signed(movedBy(f, listed.get(f.symbol))), right: true, width: "7rem" },
      { id: "balance", head: t("account.balance"), text: (f) => cashAt(points ?? [], f.booked_at), cell: (f) => money(cashAt(points ?? [], f.booked_at)), right: true, width: "7.5rem", wide: true },
    ],
    [t, listed, points],
  );
  return (
    <Panel title={`${t("account.ledger")} ${currency}`} flush className="min-h-72">
      <Table label={t("account.ledger")} columns={columns} rows={rows} rowId={(f) => `${f.exec_id}|${f.order_id}`} query={query} file={`ledger-${currency}`} rowClass={(f) => (f.exec_type === "TRADE_CANCEL" ? "line-through opacity-70" : undefined)} empty={<Empty title={t("account.noLedger")} />} />
    </Panel>
  );
}
