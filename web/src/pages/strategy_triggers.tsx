// The log of triggers (S4-45): when, on which condition, at which price, what was asked for, and what came of it. Newest first.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Triggered, Triggers } from "@/api/types";
import { go } from "@/frame/route";
import { OrderDrawer } from "@/pages/order";
import { CamePill } from "@/pages/words";
import { deskNow } from "@/stream/link";
import { price } from "@/text/numbers";
import { clock, full } from "@/text/times";
import { Chips, Find } from "@/ui/filters";
import { Panel } from "@/ui/panel";
import { Empty } from "@/ui/states";
import { Table, type Column } from "@/ui/table";

const PAGE = 200;
const EVERY_MS = 1_000;
type Show = "all" | "asked" | "wrong" | "life";

const LIFE = new Set(["START", "PAUSE", "STOP", "FAIL"]);
const SHOWS: Record<Show, (trigger: Triggered) => boolean> = {
  all: () => true,
  asked: (trigger) => !LIFE.has(trigger.action_type),
  wrong: (trigger) => trigger.error_message !== "" || ["DENIED", "REFUSED", "UNKNOWN"].includes(trigger.execution_result) || trigger.action_type === "FAIL",
  life: (trigger) => LIFE.has(trigger.action_type),
};

export function TriggerLog({ name }: { name: string }) {
  const { t } = useTranslation();
  const [show, setShow] = useState<Show>("all");
  const [find, setFind] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["triggers", name],
    queryFn: async ({ pageParam, signal }) => ask<Triggers>("GET", `/api/v1/strategies/${encodeURIComponent(name)}/triggers`, { query: { limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: (now) => ((now.state.data?.pages.length ?? 1) > 1 ? 5 * EVERY_MS : EVERY_MS),
  });
  const all = useMemo(() => query.data?.pages.flatMap((page) => page.triggers), [query.data]);
  const rows = useMemo(() => all?.filter(SHOWS[show]), [all, show]);
  const counts = useMemo(() => Object.fromEntries((Object.keys(SHOWS) as Show[]).map((each) => [each, all?.filter(SHOWS[each]).length])), [all]);
  const columns = useMemo<Column<Triggered>[]>(
    () => [
      { id: "time", head: t("col.time"), text: (r) => r.trigger_time, cell: (r) => <span title={full(r.trigger_time)}>{clock(r.trigger_time, deskNow())}</span>, width: "5.5rem" },
      { id: "action", head: t("strategy.action"), text: (r) => r.action_type, cell: (r) => <span className={r.action_type === "BUY" ? "text-up" : r.action_type === "SELL" ? "text-down" : "text-soft"}>{t(`action.${r.action_type}`, { defaultValue: r.action_type })}</span>, width: "4.5rem" },
      { id: "condition", head: t("strategy.condition"), text: (r) => r.trigger_condition, cell: (r) => <span title={r.trigger_condition}>{r.trigger_condition}</span>, width: "minmax(10rem,2fr)", wide: true },
      { id: "price", head: t("col.price"), text: (r) => r.trigger_price, cell: (r) => price(r.trigger_price), right: true, width: "6rem" },
      { id: "result", head: t("audit.result"), text: (r) => r.execution_result, cell: (r) => <CamePill result={r.execution_result} />, width: "6.5rem" },
      { id: "error", head: t("strategy.error"), text: (r) => r.error_message, cell: (r) => <span className="text-red" title={r.error_message}>{r.error_message}</span>, width: "minmax(7rem,1.4fr)", wide: true },
      { id: "order", head: t("col.order"), text: (r) => r.order_id, cell: (r) => <span className="font-mono text-xs text-faint">{r.order_id ?? ""}</span>, width: "10rem", wide: true },
      { id: "version", head: t("strategy.version"), text: (r) => String(r.config_version), right: true, width: "3.75rem", wide: true },
      { id: "id", head: "#", text: (r) => String(r.id), cell: (r) => <span className="font-mono text-xs text-faint">{r.id}</span>, right: true, width: "4rem", wide: true },
    ],
    [t],
  );
  return (
    <Panel
      title={t("strategy.log")}
      flush
      className="min-h-72 flex-1"
      more={
        <>
          <Chips label={t("orders.show")} value={show} onChange={setShow} options={(Object.keys(SHOWS) as Show[]).map((each) => [each, t(`strategy.${each}`), counts[each]])} />
          <Find value={find} onChange={setFind} />
        </>
      }
    >
      <Table
        label={t("strategy.log")}
        columns={columns}
        rows={rows}
        rowId={(r) => String(r.id)}
        query={query}
        find={find}
        file={`triggers-${name}`}
        onOpen={(r) => {
          if (r.order_id && r.action_type === "TARGET") go(`/runs/${r.order_id}`);
          else if (r.order_id) setChosen(r.order_id);
        }}
        onEnd={() => {
          if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
        }}
        empty={<Empty title={t("strategy.logNone")}>{t("strategy.logNoneMore")}</Empty>}
      />
      {chosen && <OrderDrawer id={chosen} onClose={() => setChosen(null)} />}
    </Panel>
  );
}
