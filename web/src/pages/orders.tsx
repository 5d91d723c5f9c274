// The blotter: every order, working ones first wherever one looks, with its age and what became of it.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Order, Orders } from "@/api/types";
import { useMay } from "@/access/session";
import { OrderDrawer } from "@/pages/order";
import { Amend, CancelOrders } from "@/pages/order_changes";
import { StatusPill } from "@/pages/words";
import { deskNow } from "@/stream/link";
import { useNow, useOrders, useQueue, useStrategies } from "@/stream/live";
import { compare } from "@/text/decimal";
import { price, quantity } from "@/text/numbers";
import { clock, span } from "@/text/times";
import { Button } from "@/ui/button";
import { open } from "@/ui/dialogs";
import { Panel } from "@/ui/panel";
import { Empty } from "@/ui/states";
import { Table, type Column } from "@/ui/table";
import { Chips, Find, Pick } from "@/ui/filters";

const OLDER = 1_000;
type Show = "all" | "working" | "filled" | "ended" | "unknown";

const SHOWS: Record<Show, (order: Order) => boolean> = {
  all: () => true,
  working: (order) => order.is_open,
  filled: (order) => order.status === "FILLED" || (order.filled_quantity !== "0" && compare(order.filled_quantity, "0") > 0),
  ended: (order) => !order.is_open && order.status !== "FILLED",
  unknown: (order) => order.status === "UNKNOWN",
};

export default function OrdersPage() {
  const { t } = useTranslation();
  const [whose, setWhose] = useState("");
  const [side, setSide] = useState("");
  const filter: Record<string, string> = whose ? { strategy_id: whose } : {};
  const newest = useOrders({ limit: 300, ...filter });
  const working = useOrders({ open: true, limit: 1_000, ...filter });
  const strategies = useStrategies().data?.strategies ?? [];
  const cursor = newest.data?.next ?? null;
  const older = useInfiniteQuery({
    queryKey: ["older orders", whose],
    queryFn: async ({ pageParam, signal }) => ask<Orders>("GET", "/api/v1/orders", { query: { limit: OLDER, cursor: pageParam, ...filter }, signal }),
    initialPageParam: cursor,
    getNextPageParam: (page) => page.next,
    enabled: false,
  });
  const [show, setShow] = useState<Show>("all");
  const [find, setFind] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const [amending, setAmending] = useState<Order | null>(null);
  const [cancelling, setCancelling] = useState<Order[] | null>(null);
  const mayTrade = useMay("order:paper");
  const mayCancel = useMay("cancel");
  const queue = useQueue().data;

  const before = useMemo(() => older.data?.pages.flatMap((page) => page.orders) ?? [], [older.data]);
  const all = useMemo(() => (newest.data ? together(newest.data.orders, working.data?.orders ?? [], before) : undefined), [newest.data, working.data, before]);
  const isOld = useMemo(() => working.data?.next === null && before.some((order) => order.is_open && !working.data?.orders.some((each) => each.order_id === order.order_id)), [working.data, before]);
  useEffect(() => {
    if (isOld && !older.isFetching) void older.refetch(); // an order of long ago has ended meanwhile
  }, [isOld, older]);
  const sided = useMemo(() => (side ? all?.filter((order) => order.side === side) : all), [all, side]);
  const rows = useMemo(() => sided?.filter(SHOWS[show]), [sided, show]);
  const counts = useMemo(() => Object.fromEntries((Object.keys(SHOWS) as Show[]).map((each) => [each, sided?.filter(SHOWS[each]).length])), [sided]);
  const columns = useColumns();
  const open_ = all?.filter((order) => order.is_open) ?? [];

  return (
    <div className="flex h-full gap-2">
      <Panel
        title={t("page.orders")}
        className="h-full flex-1"
        flush
        more={
          <>
            {queue && (
              <span className="mr-2 hidden text-xs text-faint lg:inline">
                {t("orders.queue", { staged: queue.staged, flight: queue.in_flight, working: queue.working })}
              </span>
            )}
            <Chips label={t("orders.show")} value={show} onChange={setShow} options={(Object.keys(SHOWS) as Show[]).map((each) => [each, t(`orders.${each}`), counts[each]])} />
            <Pick label={t("col.side")} value={side} onChange={setSide} options={[["", t("orders.bothSides")], ["BUY", t("side.BUY")], ["SELL", t("side.SELL")]]} />
            {strategies.length > 0 && <Pick label={t("col.strategy")} value={whose} onChange={setWhose} options={[["", t("orders.everybodys")], ...strategies.map((each): [string, string] => [each.name, each.name])]} />}
            <Find value={find} onChange={setFind} />
            {mayCancel && (
              <Button small disabled={!open_.length} onClick={() => setCancelling((rows ?? []).filter((order) => order.is_open))}>
                {t("orders.cancelShown")}
              </Button>
            )}
            {mayTrade && (
              <Button small tone="main" onClick={() => open({ ticket: {} })}>
                <Plus size={13} aria-hidden /> {t("ticket.new")}
              </Button>
            )}
          </>
        }
      >
        <Table
          label={t("page.orders")}
          columns={columns}
          rows={rows}
          rowId={(order) => order.order_id}
          query={newest}
          find={find}
          file="orders"
          chosen={chosen}
          onOpen={(order) => setChosen(order.order_id)}
          onEnd={() => {
            if (older.isFetching) return;
            if (!older.data && cursor) void older.refetch();
            else if (older.hasNextPage) void older.fetchNextPage();
          }}
          onKey={(key, order) => {
            if (key === "x" && order.is_open && mayCancel) setCancelling([order]);
            if (key === "X" && mayCancel && open_.length) setCancelling((rows ?? []).filter((each) => each.is_open));
            if (key === "r" && order.is_open && mayTrade) setAmending(order);
          }}
          empty={
            <Empty title={t(show === "all" && !side && !whose ? "orders.none" : "orders.noneSuch")}>
              {show === "all" && mayTrade && (
                <Button tone="main" className="mt-2" onClick={() => open({ ticket: {} })}>
                  {t("ticket.new")}
                </Button>
              )}
            </Empty>
          }
        />
      </Panel>
      {chosen && <OrderDrawer id={chosen} onClose={() => setChosen(null)} />}
      {amending && <Amend order={amending} onClose={() => setAmending(null)} />}
      {cancelling && cancelling.length > 0 && <CancelOrders orders={cancelling} onClose={() => setCancelling(null)} />}
    </div>
  );
}

/** Those that work first, then the newest; what came with the last answer is truer than a page of before. */
function together(newest: readonly Order[], working: readonly Order[], before: readonly Order[]): Order[] {
  const recent = new Map<string, Order>();
  for (const order of newest) recent.set(order.order_id, order);
  for (const order of working) recent.set(order.order_id, order);
  const first = [...recent.values()].sort((a, b) => Number(b.is_open) - Number(a.is_open) || (a.created_at < b.created_at ? 1 : a.created_at > b.created_at ? -1 : a.order_id < b.order_id ? 1 : -1));
  return [...first, ...before.filter((order) => !recent.has(order.order_id))];
}

function Age({ order }: { order: Order }) {
  useNow();
  return <span className="text-faint">{span(deskNow() - Date.parse(order.updated_at))}</span>;
}

/** Filled of quantity, with a bar behind it. */
function Filled({ order }: { order: Order }) {
  const part = Number(order.quantity) > 0 ? Math.min(1, Number(order.filled_quantity) / Number(order.quantity)) : 0;
  return (
    <span className="relative block h-full">
      <span aria-hidden className="absolute inset-y-0.5 left-0 rounded-sm bg-accent-soft" style={{ width: `${part * 100}%` }} />
      <span className="relative">{quantity(order.filled_quantity)}</span>
    </span>
  );
}

function useColumns(): Column<Order>[] {
  const { t } = useTranslation();
  return useMemo<Column<Order>[]>(
    () => [
      { id: "time", head: t("col.time"), text: (o) => o.created_at, cell: (o) => <span title={o.created_at}>{clock(o.created_at, deskNow())}</span>, width: "5.5rem", wide: true },
      { id: "symbol", head: t("col.symbol"), text: (o) => o.symbol, cell: (o) => <span className="font-semibold">{o.symbol}</span>, width: "minmax(6.5rem,1fr)" },
      { id: "side", head: t("col.side"), text: (o) => o.side, cell: (o) => <span className={o.side === "BUY" ? "text-up" : "text-down"}>{t(`side.${o.side}`)}</span>, width: "3.5rem" },
      { id: "type", head: t("col.type"), text: (o) => o.order_type, cell: (o) => t(`type.${o.order_type}`, { defaultValue: o.order_type }), width: "5rem", wide: true },
      { id: "quantity", head: t("col.quantity"), text: (o) => o.quantity, cell: (o) => quantity(o.quantity), right: true, width: "5.5rem", wide: true },
      { id: "filled", head: t("col.filled"), text: (o) => o.filled_quantity, cell: (o) => <Filled order={o} />, right: true, width: "5.5rem" },
      { id: "limit", head: t("col.limit"), text: (o) => o.price ?? o.stop_price, cell: (o) => (o.price ?? o.stop_price ? price(o.price ?? o.stop_price) : ""), right: true, width: "5.5rem", wide: true },
      { id: "average", head: t("col.average"), text: (o) => o.average_price, cell: (o) => (o.average_price ? price(o.average_price) : ""), right: true, width: "6rem", wide: true },
      { id: "status", head: t("col.status"), text: (o) => o.status, cell: (o) => <StatusPill status={o.status} />, width: "8rem" },
      { id: "age", head: t("col.age"), text: (o) => o.updated_at, cell: (o) => (o.is_open ? <Age order={o} /> : ""), right: true, width: "4.5rem", wide: true },
      { id: "tif", head: t("col.tif"), text: (o) => o.time_in_force, width: "3.5rem", wide: true },
      { id: "run", head: t("col.by"), text: (o) => o.created_by, width: "minmax(6rem,0.8fr)", wide: true },
      { id: "strategy", head: t("col.strategy"), text: (o) => o.strategy_id, width: "5.5rem", wide: true },
      { id: "why", head: t("col.why"), text: (o) => o.error || o.reason, cell: (o) => <span className={o.error ? "text-red" : "text-soft"} title={o.error || o.reason}>{o.error || o.reason}</span>, width: "minmax(8rem,1.4fr)", wide: true },
      { id: "id", head: t("col.id"), text: (o) => o.order_id, cell: (o) => <span className="font-mono text-xs text-faint">{o.order_id}</span>, width: "10rem", wide: true },
    ],
    [t],
  );
}
