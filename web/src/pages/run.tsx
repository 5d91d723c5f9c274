// One run: how far it is, line by line, what is left with its reason, and what a person may do with it now.
import { useQuery } from "@tanstack/react-query";
import { ArrowLeft } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, go } from "@/frame/route";
import { useEnvironment } from "@/frame/topbar";
import { ask } from "@/api/http";
import type { LiveWord, RunInFull, RunLine, RunTaken, ToConfirm } from "@/api/types";
import { useMay } from "@/access/session";
import { OrderDrawer } from "@/pages/order";
import { RunFiles } from "@/pages/run_files";
import { RunPill, StatusPill } from "@/pages/words";
import { refresh, useOrders } from "@/stream/live";
import { drawn, minus, rounded } from "@/text/decimal";
import { money, percent, price, quantity } from "@/text/numbers";
import { full } from "@/text/times";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { LiveConfirm } from "@/ui/live_word";
import { Facts, Panel } from "@/ui/panel";
import { Empty, Loading, Trouble } from "@/ui/states";
import { Table, type Column } from "@/ui/table";
import { say } from "@/ui/toasts";

type Deed = "approve" | "execute" | "pause" | "resume" | "cancel" | "retry";
const ENDED = new Set(["COMPLETED", "FAILED", "CANCELED", "DENIED"]);

function deedsOf(status: string, left: boolean): Deed[] {
  if (status === "AWAITING_APPROVAL") return ["approve", "cancel"];
  if (status === "NEW") return ["execute", "cancel"];
  if (status === "RUNNING") return ["pause", "cancel"];
  if (status === "PAUSED") return ["resume", "cancel"];
  return left ? ["retry"] : [];
}

export default function RunPage({ id }: { id: string }) {
  const { t } = useTranslation();
  const [doing, setDoing] = useState<Deed | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const mayTrade = useMay(useEnvironment() === "live" ? "order:live" : "order:paper");
  const mayCancel = useMay("cancel");
  const query = useQuery({
    queryKey: ["run", id],
    queryFn: async ({ signal }) => ask<RunInFull>("GET", `/api/trade/runs/${encodeURIComponent(id)}`, { signal }),
    refetchInterval: (now) => (ENDED.has(now.state.data?.run.status ?? "") ? 5_000 : 1_000),
  });
  const orders = useOrders({ run_id: id, limit: 1_000 }).data?.orders;
  const byId = useMemo(() => new Map((orders ?? []).map((each) => [each.order_id, each])), [orders]);
  const columns = useMemo<Column<RunLine>[]>(
    () => [
      { id: "wave", head: t("runs.wave"), text: (l) => String(l.wave), width: "3.5rem" },
      { id: "symbol", head: t("col.symbol"), text: (l) => l.symbol, cell: (l) => <span className="font-semibold">{l.symbol}</span>, width: "minmax(6.5rem,1fr)" },
      { id: "side", head: t("col.side"), text: (l) => l.side, cell: (l) => <span className={l.side === "BUY" ? "text-up" : "text-down"}>{t(`side.${l.side}`, { defaultValue: l.side })}</span>, width: "3.5rem" },
      { id: "weight", head: t("plan.weight"), text: (l) => l.target_weight, cell: (l) => percent(l.target_weight).replace(/^\+/, ""), right: true, width: "5rem" },
      { id: "held", head: t("plan.held"), text: (l) => l.held_qty, cell: (l) => quantity(l.held_qty), right: true, width: "5.5rem" },
      { id: "target", head: t("plan.target"), text: (l) => l.target_qty, cell: (l) => quantity(l.target_qty), right: true, width: "5.5rem" },
      { id: "order", head: t("plan.delta"), text: (l) => l.order_qty, cell: (l) => quantity(l.order_qty), right: true, width: "5.5rem" },
      { id: "filled", head: t("col.filled"), text: (l) => byId.get(l.order_id ?? "")?.filled_quantity, cell: (l) => quantity(byId.get(l.order_id ?? "")?.filled_quantity), right: true, width: "5.5rem" },
      { id: "average", head: t("col.average"), text: (l) => byId.get(l.order_id ?? "")?.average_price, cell: (l) => price(byId.get(l.order_id ?? "")?.average_price), right: true, width: "6rem" },
      { id: "ref", head: t("plan.refPrice"), text: (l) => l.ref_px, cell: (l) => price(l.ref_px), right: true, width: "6rem" },
      { id: "status", head: t("col.status"), text: (l) => byId.get(l.order_id ?? "")?.status, cell: (l) => { const order = byId.get(l.order_id ?? ""); return order ? <StatusPill status={order.status} /> : <span className="text-faint">–</span>; }, width: "8rem" },
      { id: "residual", head: t("runs.residual"), text: (l) => l.residual_qty, cell: (l) => <span title={l.residual_qty ?? undefined}>{l.residual_qty === null ? "–" : quantity(rounded(l.residual_qty, 4))}</span>, right: true, width: "5.5rem" },
      { id: "residualValue", head: t("runs.residualValue"), text: (l) => l.residual_value, cell: (l) => money(l.residual_value), right: true, width: "6.5rem" },
      { id: "why", head: t("col.why"), text: (l) => l.reason || l.code, cell: (l) => <span className="text-soft" title={l.reason}>{l.reason || l.code}</span>, width: "minmax(9rem,1.6fr)" },
    ],
    [t, byId],
  );
  const shown = useCallback(async (): Promise<ToConfirm> => {
    const said = await ask<RunTaken>("POST", `/api/trade/runs/${encodeURIComponent(id)}/preview`);
    if (!said.confirm) throw new Error(t("ticket.mayNot"));
    return said.confirm;
  }, [id, t]);
  if (query.error && !query.data) return <Trouble error={query.error} again={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  const { run, lines } = query.data;
  const wanted = lines.filter((line) => line.order_id !== null);
  const done = wanted.reduce((sum, line) => sum + part(byId.get(line.order_id ?? "")), 0);
  const left = run.todo.length > 0 || lines.some((line) => line.residual_qty !== null && drawn(line.residual_qty) !== 0);

  const asksWord = run.mode === "live" && (doing === "execute" || doing === "approve");

  async function perform(reason: string, word?: LiveWord): Promise<void> {
    if (!doing) return;
    const said = await ask<RunTaken>("POST", `/api/trade/runs/${encodeURIComponent(id)}/${doing}`, { query: doing === "pause" || doing === "cancel" ? { reason } : {}, patience: 30_000, ...(word ? { body: word } : {}) });
    say(t(`runDone.${doing}`), "good", said.run_id ?? "");
    refresh("runs", "run", "orders");
    if (doing === "retry" && said.run_id) go(`/runs/${said.run_id}`);
  }

  return (
    <div className="flex h-full flex-col gap-2">
      <Panel
        title={<span className="flex items-center gap-2"><Link href="/runs" aria-label={t("page.runs")} className="rounded p-0.5 hover:bg-hover"><ArrowLeft size={14} aria-hidden /></Link> {run.project_id} · {run.trade_date} · {t("runs.attempt")} {run.attempt}</span>}
        more={
          <>
            <span data-run-status={run.status}><RunPill status={run.status} /></span>
            {deedsOf(run.status, left).map((deed) => (
              <Button key={deed} small tone={deed === "cancel" ? "danger" : deed === "pause" ? "plain" : "main"} disabled={deed === "pause" || deed === "cancel" ? !mayCancel : !mayTrade} data-run-do={deed} onClick={() => setDoing(deed)}>
                {t(`runDo.${deed}`)}
              </Button>
            ))}
          </>
        }
      >
        <div className="mb-3 flex items-center gap-3">
          <div role="progressbar" aria-label={t("runs.progress")} aria-valuemin={0} aria-valuemax={100} aria-valuenow={wanted.length ? Math.round((done / wanted.length) * 100) : 0} className="h-2 flex-1 overflow-hidden rounded bg-raised">
            <div className="h-full bg-[#1a66cc]" style={{ width: `${wanted.length ? (done / wanted.length) * 100 : 0}%` }} />
          </div>
          <span className="text-xs text-soft tabular-nums">{t("runs.filledOf", { percent: wanted.length ? Math.round((done / wanted.length) * 100) : 0, count: wanted.length })}</span>
        </div>
        {run.text && <p className="mb-2 rounded border border-amber p-2" role="status">{run.text}</p>}
        <Facts
          columns={3}
          of={[
            [t("runs.mode"), t(`mode.${run.mode}`, { defaultValue: run.mode })],
            [t("runs.equity"), `${money(run.equity)} ${run.currency}`],
            [t("account.balance"), money(run.cash)],
            [t("col.by"), run.created_by],
            [t("col.approvedBy"), run.approved_by || "–"],
            [t("runs.rounding"), run.rounding],
            [t("runs.snapshot"), run.decision_snapshot_id],
            [t("runs.asked"), full(run.requested_at)],
            [t("runs.finished"), full(run.finished_at)],
            ...(run.supersedes ? [[t("runs.supersedes"), <Link key="s" href={`/runs/${run.supersedes}`} className="text-accent underline">{run.supersedes}</Link>] as [string, React.ReactNode]] : []),
            ...(run.superseded_by ? [[t("runs.supersededBy"), <Link key="b" href={`/runs/${run.superseded_by}`} className="text-accent underline">{run.superseded_by}</Link>] as [string, React.ReactNode]] : []),
          ]}
        />
      </Panel>
      <Panel title={t("runs.lines")} className="min-h-64 flex-1" flush>
        <Table label={t("runs.lines")} columns={columns} rows={lines} rowId={(l) => `${l.line}-${l.leg}`} file={`run-${id}`} onOpen={(l) => l.order_id && setChosen(l.order_id)} rowClass={(l) => (run.todo.includes(l.leg) ? "bg-red-soft" : undefined)} empty={<Empty title={t("runs.noLines")} />} />
      </Panel>
      <RunFiles id={id} ended={ENDED.has(run.status)} />
      {doing && asksWord && (
        <LiveConfirm title={t("live.run", { account: run.account })} shown={shown} onSend={(word) => perform("", word)} onClose={() => setDoing(null)}>
          <Planned lines={lines} />
        </LiveConfirm>
      )}
      {doing && !asksWord && (
        <Confirm title={t(`runDo.${doing}`)} about={t(`runAbout.${doing}`)} does={t(`runDo.${doing}`)} tone={doing === "cancel" ? "danger" : "main"} {...(doing === "pause" || doing === "cancel" ? { reason: "wanted" as const } : {})} onDo={perform} onClose={() => setDoing(null)}>
          <Facts columns={1} of={[[t("runs.project"), run.project_id], [t("runs.lines"), String(lines.length)], [t("runs.equity"), `${money(run.equity)} ${run.currency}`]]} />
        </Confirm>
      )}
      {chosen && <OrderDrawer id={chosen} onClose={() => setChosen(null)} />}
    </div>
  );
}

/** What leaves, order by order, as it is confirmed. */
function Planned({ lines }: { lines: RunLine[] }) {
  const { t } = useTranslation();
  return (
    <ul className="max-h-48 space-y-0.5 overflow-y-auto rounded border border-line p-2 text-xs tabular-nums" aria-label={t("runs.lines")}>
      {lines.filter((line) => line.planned_qty !== null && drawn(line.planned_qty) !== 0).map((line) => (
        <li key={`${line.line}-${line.leg}`}>
          <span className={line.side === "BUY" ? "text-up" : "text-down"}>{t(`side.${line.side}`, { defaultValue: line.side })}</span> <b>{quantity(line.planned_qty)}</b> {line.symbol} · {price(line.ref_px)}
        </li>
      ))}
    </ul>
  );
}

/** How much of an order is filled, for the bar. */
function part(order: { quantity: string; filled_quantity: string } | undefined): number {
  if (!order || drawn(order.quantity) === 0) return 0;
  return 1 - drawn(minus(order.quantity, order.filled_quantity)) / drawn(order.quantity);
}
