// What is held, priced by the desk: yesterday's and today's, what may be sold, what it has gained; closing asks twice.
import { useCallback, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem, ask } from "@/api/http";
import type { Compared, LiveWord, NewOrder, OrderShown, Position, Taken, ToConfirm } from "@/api/types";
import { useMay } from "@/access/session";
import { useEnvironment } from "@/frame/topbar";
import { refresh, usePositions } from "@/stream/live";
import { usePriced } from "@/stream/priced";
import { floored, isNumber, over, plus, sign, times } from "@/text/decimal";
import { money, percent, price, quantity } from "@/text/numbers";
import { full } from "@/text/times";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { open } from "@/ui/dialogs";
import { Choice, Field } from "@/ui/field";
import { Find } from "@/ui/filters";
import { LiveConfirm } from "@/ui/live_word";
import { Amount, Gain } from "@/ui/number";
import { Facts, Panel } from "@/ui/panel";
import { Empty } from "@/ui/states";
import { Table, type Column } from "@/ui/table";
import { complain, say } from "@/ui/toasts";
import { useAccount } from "@/stream/live";

const key = (each: Position) => `${each.symbol}|${each.direction}`;

export default function PositionsPage() {
  const { t } = useTranslation();
  const query = usePositions();
  const broker = useAccount().data?.broker;
  const mayTrade = useMay(useEnvironment() === "live" ? "order:live" : "order:paper");
  const [find, setFind] = useState("");
  const [closing, setClosing] = useState<Position | null>(null);
  const [busy, setBusy] = useState(false);
  const rows = usePriced(query.data?.positions);
  const columns = useColumns(mayTrade ? setClosing : undefined);
  const sums = useMemo(() => totals(rows ?? []), [rows]);

  async function compareBooks(): Promise<void> {
    setBusy(true);
    try {
      const said = await ask<Compared>("POST", `/api/v1/positions/sync/${encodeURIComponent(broker ?? "")}`, { patience: 30_000 });
      say(said.agrees ? t("positions.agrees") : t("positions.differs", { count: said.breaks.length }), said.agrees ? "good" : "bad");
      refresh("breaks", "positions");
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Panel
      title={t("page.positions")}
      className="h-full"
      flush
      more={
        <>
          {sums.map((each) => (
            <span key={each.currency} className="mr-2 text-xs text-soft">
              {each.currency} <Amount value={each.value} /> · <Gain value={each.gain} />
            </span>
          ))}
          <Find value={find} onChange={setFind} />
          <Button small busy={busy} disabled={!broker} onClick={() => void compareBooks()}>
            {t("positions.sync")}
          </Button>
        </>
      }
    >
      <Table
        label={t("page.positions")}
        columns={columns}
        rows={rows}
        rowId={key}
        query={query}
        find={find}
        file="positions"
        onKey={(pressed, position) => pressed === "f" && mayTrade && setClosing(position)}
        empty={
          <Empty title={t("positions.none")}>
            {mayTrade && (
              <Button tone="main" className="mt-2" onClick={() => open({ ticket: {} })}>
                {t("ticket.new")}
              </Button>
            )}
          </Empty>
        }
      />
      {closing && <Close position={closing} onClose={() => setClosing(null)} />}
    </Panel>
  );
}

function totals(positions: readonly Position[]): { currency: string; value: string | null; gain: string | null }[] {
  const found = new Map<string, { value: string | null; gain: string | null }>();
  const add = (a: string | null, b: string | null) => (a === null || b === null ? null : plus(a, b));
  for (const each of positions) {
    const sum = found.get(each.currency) ?? { value: "0", gain: "0" };
    found.set(each.currency, { value: add(sum.value, each.market_value), gain: add(sum.gain, each.unrealized_pnl) });
  }
  return [...found].map(([currency, sum]) => ({ currency, ...sum }));
}

function useColumns(close?: (position: Position) => void): Column<Position>[] {
  const { t } = useTranslation();
  return useMemo<Column<Position>[]>(
    () => [
      { id: "symbol", head: t("col.symbol"), text: (p) => p.symbol, cell: (p) => <span className="font-semibold">{p.symbol}</span>, width: "minmax(6rem,1.2fr)" },
      { id: "direction", head: t("col.direction"), text: (p) => p.direction, cell: (p) => <span className={p.direction === "SHORT" ? "text-down" : "text-up"}>{t(`direction.${p.direction}`, { defaultValue: p.direction })}</span>, width: "3.5rem", wide: true },
      { id: "quantity", head: t("col.quantity"), text: (p) => p.quantity, cell: (p) => quantity(p.quantity), right: true, width: "5rem" },
      { id: "yesterday", head: t("col.yesterday"), text: (p) => p.yesterday_quantity, cell: (p) => quantity(p.yesterday_quantity), right: true, width: "4.5rem", wide: true },
      { id: "today", head: t("col.today"), text: (p) => p.today_quantity, cell: (p) => quantity(p.today_quantity), right: true, width: "4.5rem", wide: true },
      { id: "sellable", head: t("col.sellable"), text: (p) => p.sellable_quantity, cell: (p) => quantity(p.sellable_quantity), right: true, width: "4.5rem", wide: true },
      { id: "frozen", head: t("col.frozen"), text: (p) => p.frozen_quantity, cell: (p) => quantity(p.frozen_quantity), right: true, width: "4rem", wide: true },
      { id: "average", head: t("col.average"), text: (p) => p.average_price, cell: (p) => price(p.average_price), right: true, width: "6rem", wide: true },
      { id: "price", head: t("col.last"), text: (p) => p.market_price, cell: (p) => <span title={full(p.price_at)}>{price(p.market_price)}</span>, right: true, width: "5.5rem" },
      { id: "multiplier", head: t("col.multiplier"), text: (p) => p.multiplier, cell: (p) => (p.multiplier === "1" ? "" : `×${quantity(p.multiplier)}`), right: true, width: "3.5rem", wide: true },
      { id: "value", head: t("col.value"), text: (p) => p.market_value, cell: (p) => money(p.market_value), right: true, width: "6.5rem", wide: true },
      { id: "gain", head: t("col.unrealized"), text: (p) => p.unrealized_pnl, cell: (p) => <Gain value={p.unrealized_pnl} />, right: true, width: "6rem" },
      { id: "percent", head: "%", text: (p) => share(p), cell: (p) => <Gain value={share(p)} as={percent} />, right: true, width: "4.75rem" },
      { id: "realized", head: t("col.realized"), text: (p) => p.realized_pnl, cell: (p) => <Gain value={p.realized_pnl} />, right: true, width: "5.5rem", wide: true },
      { id: "currency", head: t("col.currency"), text: (p) => p.currency, width: "3.25rem", wide: true },
      ...(close
        ? [{ id: "do", head: "", text: () => "", cell: (p: Position) => <Button small data-close={p.symbol} onClick={(event) => { event.stopPropagation(); close(p); }}>{t("positions.close")}</Button>, width: "4.5rem" }]
        : []),
    ],
    [t, close],
  );
}

function share(position: Position): string | null {
  if (position.unrealized_pnl === null || position.cost === null || sign(position.cost) === 0) return null;
  return over(position.unrealized_pnl, position.cost.replace(/^-/, ""), 6);
}

function Close({ position, onClose }: { position: Position; onClose: () => void }) {
  const { t } = useTranslation();
  const isShort = position.direction === "SHORT";
  const most = position.sellable_quantity ?? position.quantity;
  const [size, setSize] = useState(most);
  const [type, setType] = useState<"market" | "limit">("market");
  const [limit, setLimit] = useState(position.market_price ?? "");
  const id = useRef(crypto.randomUUID());
  const side = isShort ? "buy" : "sell";
  const environment = useEnvironment();
  const [asking, setAsking] = useState<{ order: NewOrder; sent: () => void; left: () => void } | null>(null);
  const order = asking?.order;
  const shown = useCallback(async (): Promise<ToConfirm> => {
    const { confirm } = await ask<OrderShown>("POST", "/api/v1/orders/preview", { body: order });
    if (!confirm) throw new Error(t("live.changed"));
    return confirm;
  }, [order, t]);

  async function place(body: NewOrder, word?: LiveWord): Promise<void> {
    const taken = await ask<Taken>("POST", "/api/v1/orders", { body: word ? { ...body, live: word } : body, key: `${id.current}-${size}-${type}-${limit}` }).catch((error: unknown) => {
      if (error instanceof Problem && error.code === "denied") id.current = crypto.randomUUID(); // the old one is answered with this denial from now on
      throw error;
    });
    say(t("ticket.taken", { side: t(`side.${taken.side}`), quantity: quantity(taken.quantity), symbol: taken.symbol }), "good", taken.order_id);
    refresh("orders", "positions", "account", "fills");
  }

  async function send(reason: string): Promise<void> {
    if (!isNumber(size) || (type === "limit" && !isNumber(limit))) throw new Error(t("ticket.notANumber"));
    const body: NewOrder = {
      symbol: position.symbol, side, quantity: size, order_type: type, ...(type === "limit" ? { price: limit } : {}),
      position_effect: position.margin !== null ? "CLOSE" : "AUTO", reason: reason || "close",
    };
    if (environment === "live" && (await ask<OrderShown>("POST", "/api/v1/orders/preview", { body })).confirm) {
      await new Promise<void>((sent, left) => setAsking({ order: body, sent, left: () => left(new Error(t("live.nothing"))) }));
      return;
    }
    await place(body);
  }

  return (
    <>
    {asking && <LiveConfirm title={t("live.order")} shown={shown} onSend={async (word) => { await place(asking.order, word); asking.sent(); }} onClose={() => { asking.left(); setAsking(null); }} />}
    <Confirm title={t("positions.closeTitle", { symbol: position.symbol })} about={t("positions.closeMore")} does={t("positions.closeDo", { side: t(`side.${side.toUpperCase()}`), quantity: isNumber(size) ? quantity(size) : "", symbol: position.symbol })} typed={position.symbol} reason="wanted" onDo={send} onClose={onClose}>
      <Facts
        of={[
          [t("col.quantity"), quantity(position.quantity)],
          [t("col.sellable"), quantity(position.sellable_quantity)],
          [t("col.average"), price(position.average_price)],
          [t("col.last"), price(position.market_price)],
          [t("col.value"), `${money(position.market_value)} ${position.currency}`],
          [t("col.unrealized"), <Gain key="g" value={position.unrealized_pnl} />],
        ]}
      />
      <div className="grid grid-cols-2 gap-3">
        <div>
          <Field label={t("col.quantity")} value={size} onChange={(event) => setSize(event.target.value.trim())} inputMode="decimal" data-close-quantity />
          <div className="mt-1 flex gap-1">
            {["25", "50", "75", "100"].map((each) => (
              <Button key={each} small onClick={() => setSize(each === "100" ? most : floored(over(times(most, each), "100", 12) ?? most, "1"))}>
                {each}%
              </Button>
            ))}
          </div>
        </div>
        <Choice label={t("col.type")} value={type} onChange={(event) => setType(event.target.value as "market" | "limit")} options={[["market", t("type.MARKET")], ["limit", t("type.LIMIT")]]} />
      </div>
      {type === "limit" && <Field label={t("col.limit")} value={limit} onChange={(event) => setLimit(event.target.value.trim())} inputMode="decimal" />}
    </Confirm>
    </>
  );
}
