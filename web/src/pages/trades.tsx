// Every fill, newest first: what was paid for what, when, and what it gained.
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Fill } from "@/api/types";
import { OrderDrawer } from "@/pages/order";
import { deskNow } from "@/stream/link";
import { useFills } from "@/stream/live";
import { times } from "@/text/decimal";
import { money, price, quantity } from "@/text/numbers";
import { clock } from "@/text/times";
import { Find } from "@/ui/filters";
import { Gain } from "@/ui/number";
import { Panel } from "@/ui/panel";
import { Empty } from "@/ui/states";
import { Table, type Column } from "@/ui/table";

export default function TradesPage() {
  const { t } = useTranslation();
  const query = useFills({ limit: 1_000 });
  const [find, setFind] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const columns = useMemo<Column<Fill>[]>(
    () => [
      { id: "time", head: t("col.time"), text: (f) => f.fill_time, cell: (f) => <span title={`${f.fill_time} · ${f.fill_time_local}`}>{clock(f.fill_time, deskNow())}</span>, width: "5.5rem" },
      { id: "symbol", head: t("col.symbol"), text: (f) => f.symbol, cell: (f) => <span className="font-semibold">{f.symbol}</span>, width: "minmax(6.5rem,1fr)" },
      { id: "side", head: t("col.side"), text: (f) => f.side, cell: (f) => <span className={f.side === "BUY" ? "text-up" : "text-down"}>{t(`side.${f.side}`)}</span>, width: "3.5rem" },
      { id: "effect", head: t("col.effect"), text: (f) => f.position_effect, cell: (f) => t(`effect.${f.position_effect}`, { defaultValue: f.position_effect }), width: "5rem", wide: true },
      { id: "quantity", head: t("col.quantity"), text: (f) => f.quantity, cell: (f) => quantity(f.quantity), right: true, width: "5.5rem" },
      { id: "price", head: t("col.price"), text: (f) => f.price, cell: (f) => price(f.price), right: true, width: "6rem" },
      { id: "value", head: t("col.value"), text: (f) => times(f.quantity, f.price), cell: (f) => money(times(f.quantity, f.price)), right: true, width: "7rem", wide: true },
      { id: "fee", head: t("col.fee"), text: (f) => f.commission, cell: (f) => <span title={f.commission_by_broker ? t("trades.byBroker") : t("trades.estimated")}>{money(f.commission)}{f.commission_by_broker ? "" : " ~"}</span>, right: true, width: "5.5rem", wide: true },
      { id: "gain", head: t("col.realized"), text: (f) => f.realized_pnl, cell: (f) => <Gain value={f.realized_pnl} />, right: true, width: "6.5rem", wide: true },
      { id: "kind", head: t("col.kind"), text: (f) => f.exec_type, cell: (f) => t(`exec.${f.exec_type}`, { defaultValue: f.exec_type }), width: "5rem", wide: true },
      { id: "liquidity", head: t("col.liquidity"), text: (f) => f.liquidity, cell: (f) => t(`liquidity.${f.liquidity}`, { defaultValue: f.liquidity }), width: "5rem", wide: true },
      { id: "order", head: t("col.order"), text: (f) => f.order_id, cell: (f) => <span className="font-mono text-xs text-faint">{f.order_id}</span>, width: "10rem", wide: true },
      { id: "id", head: t("col.id"), text: (f) => f.exec_id, cell: (f) => <span className="font-mono text-xs text-faint">{f.exec_id}</span>, width: "minmax(7rem,1fr)", wide: true },
    ],
    [t],
  );
  return (
    <Panel title={t("page.trades")} className="h-full" flush more={<Find value={find} onChange={setFind} />}>
      <Table
        label={t("page.trades")}
        columns={columns}
        rows={query.data?.fills}
        rowId={(f) => `${f.exec_id}|${f.order_id}|${f.exec_type}`}
        query={query}
        find={find}
        file="fills"
        onOpen={(f) => setChosen(f.order_id)}
        rowClass={(f) => (f.exec_type === "TRADE" ? undefined : "line-through opacity-70")}
        empty={<Empty title={t("trades.none")}>{t("trades.noneMore")}</Empty>}
      />
      {chosen && <OrderDrawer id={chosen} onClose={() => setChosen(null)} />}
    </Panel>
  );
}
