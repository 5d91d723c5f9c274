// What a strategy's own trades made: it may hold what the account, all trades together, does not.
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Position } from "@/api/types";
import { usePositions } from "@/stream/live";
import { usePriced } from "@/stream/priced";
import { plus } from "@/text/decimal";
import { money, price, quantity } from "@/text/numbers";
import { full } from "@/text/times";
import { Gain } from "@/ui/number";
import { Panel } from "@/ui/panel";
import { Empty } from "@/ui/states";
import { Table, type Column } from "@/ui/table";

export function Holdings({ name }: { name: string }) {
  const { t } = useTranslation();
  const query = usePositions({ strategy_id: name, flat: true });
  const rows = usePriced(query.data?.positions);
  const columns = useMemo<Column<Position>[]>(
    () => [
      { id: "symbol", head: t("col.symbol"), text: (p) => p.symbol, cell: (p) => <span className="font-semibold">{p.symbol}</span>, width: "minmax(6rem,1fr)" },
      { id: "direction", head: t("col.direction"), text: (p) => p.direction, cell: (p) => <span className={p.direction === "SHORT" ? "text-down" : "text-up"}>{t(`direction.${p.direction}`, { defaultValue: p.direction })}</span>, width: "3.5rem", wide: true },
      { id: "quantity", head: t("col.quantity"), text: (p) => p.quantity, cell: (p) => quantity(p.quantity), right: true, width: "5rem" },
      { id: "average", head: t("col.average"), text: (p) => p.average_price, cell: (p) => price(p.average_price), right: true, width: "6rem", wide: true },
      { id: "price", head: t("col.last"), text: (p) => p.market_price, cell: (p) => <span title={full(p.price_at)}>{price(p.market_price)}</span>, right: true, width: "6rem" },
      { id: "multiplier", head: t("col.multiplier"), text: (p) => p.multiplier, cell: (p) => (p.multiplier === "1" ? "" : `×${quantity(p.multiplier)}`), right: true, width: "4rem", wide: true },
      { id: "value", head: t("col.value"), text: (p) => p.market_value, cell: (p) => money(p.market_value), right: true, width: "7rem", wide: true },
      { id: "gain", head: t("col.unrealized"), text: (p) => p.unrealized_pnl, cell: (p) => <Gain value={p.unrealized_pnl} />, right: true, width: "6.5rem" },
      { id: "realized", head: t("col.realized"), text: (p) => p.realized_pnl, cell: (p) => <Gain value={p.realized_pnl} />, right: true, width: "6.5rem" },
      { id: "currency", head: t("col.currency"), text: (p) => p.currency, width: "4rem", wide: true },
    ],
    [t],
  );
  return (
    <Panel
      title={t("strategy.holdings")}
      flush
      className="h-52 shrink-0"
      more={gainsOf(rows ?? []).map(([currency, gain]) => (
        <span key={currency} className="text-xs text-soft" data-strategy-gain={currency}>
          {t("strategy.gained", { currency })} <Gain value={gain} className="font-semibold" />
        </span>
      ))}
    >
      <Table label={t("strategy.holdings")} columns={columns} rows={rows} rowId={(p) => p.symbol} query={query} file={`positions-${name}`} empty={<Empty title={t("strategy.heldNone")}>{t("strategy.heldNoneMore")}</Empty>} />
    </Panel>
  );
}

/** What it gained in each currency, booked and not, before fees; null where a price is unknown. */
function gainsOf(rows: readonly Position[]): [string, string | null][] {
  const found = new Map<string, string | null>();
  for (const each of rows) {
    const sofar = found.get(each.currency);
    const { realized_pnl: booked, unrealized_pnl: open } = each;
    found.set(each.currency, sofar === null || booked === null || open === null ? null : plus(sofar ?? "0", plus(booked, open)));
  }
  return [...found];
}
