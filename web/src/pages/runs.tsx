// Runs: a target portfolio is brought in, looked at line by line, and made; below, every run there was.
import { useMemo, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { go } from "@/frame/route";
import { useEnvironment } from "@/frame/topbar";
import { ask } from "@/api/http";
import type { Plan, Run, RunTaken } from "@/api/types";
import { useMay } from "@/access/session";
import { PlanTable } from "@/pages/plan";
import { RunPill } from "@/pages/words";
import { refresh, useRuns } from "@/stream/live";
import { money } from "@/text/numbers";
import { full } from "@/text/times";
import { Button } from "@/ui/button";
import { Check } from "@/ui/field";
import { Find } from "@/ui/filters";
import { Panel } from "@/ui/panel";
import { Empty, Trouble } from "@/ui/states";
import { Table, type Column } from "@/ui/table";
import { complain, say } from "@/ui/toasts";

export default function RunsPage() {
  const { t } = useTranslation();
  const query = useRuns();
  const [find, setFind] = useState("");
  const mayTrade = useMay(useEnvironment() === "live" ? "order:live" : "order:paper");
  const columns = useMemo<Column<Run>[]>(
    () => [
      { id: "asked", head: t("runs.asked"), text: (r) => r.requested_at, cell: (r) => full(r.requested_at), width: "11rem", wide: true },
      { id: "project", head: t("runs.project"), text: (r) => r.project_id, cell: (r) => <span className="font-semibold">{r.project_id}</span>, width: "minmax(8rem,1fr)" },
      { id: "date", head: t("runs.tradeDate"), text: (r) => r.trade_date, width: "6rem" },
      { id: "attempt", head: t("runs.attempt"), text: (r) => String(r.attempt), right: true, width: "4.5rem", wide: true },
      { id: "mode", head: t("runs.mode"), text: (r) => r.mode, cell: (r) => t(`mode.${r.mode}`, { defaultValue: r.mode }), width: "5rem", wide: true },
      { id: "status", head: t("col.status"), text: (r) => r.status, cell: (r) => <RunPill status={r.status} />, width: "8.5rem" },
      { id: "todo", head: t("runs.todo"), text: (r) => String(r.todo.length), cell: (r) => (r.todo.length ? <span className="text-amber">{r.todo.length}</span> : ""), right: true, width: "4.5rem", wide: true },
      { id: "equity", head: t("runs.equity"), text: (r) => r.equity, cell: (r) => money(r.equity), right: true, width: "7.5rem", wide: true },
      { id: "by", head: t("col.by"), text: (r) => r.created_by, width: "6rem", wide: true },
      { id: "text", head: t("col.why"), text: (r) => r.text, cell: (r) => <span title={r.text}>{r.text}</span>, width: "minmax(8rem,1.4fr)", wide: true },
      { id: "id", head: t("col.id"), text: (r) => r.run_id, cell: (r) => <span className="font-mono text-xs text-faint">{r.run_id}</span>, width: "12rem", wide: true },
    ],
    [t],
  );
  return (
    <div className="flex h-full flex-col gap-2">
      {mayTrade && <Import onMade={(id) => go(`/runs/${id}`)} />}
      <Panel title={t("page.runs")} className="min-h-64 flex-1" flush more={<Find value={find} onChange={setFind} />}>
        <Table label={t("page.runs")} columns={columns} rows={query.data?.runs} rowId={(r) => r.run_id} query={query} find={find} file="runs" onOpen={(r) => go(`/runs/${r.run_id}`)} empty={<Empty title={t("runs.none")}>{t("runs.noneMore")}</Empty>} />
      </Panel>
    </div>
  );
}

function Import({ onMade }: { onMade: (id: string) => void }) {
  const { t } = useTranslation();
  const isLive = useEnvironment() === "live";
  const [portfolio, setPortfolio] = useState<File | null>(null);
  const [context, setContext] = useState<File | null>(null);
  const [hold, setHold] = useState(true);
  const [plan, setPlan] = useState<Plan | null>(null);
  const [wrong, setWrong] = useState<unknown>(null);
  const [busy, setBusy] = useState("");

  async function send(dry: boolean): Promise<void> {
    if (!portfolio) return;
    setBusy(dry ? "plan" : "make");
    setWrong(null);
    const form = new FormData();
    form.set("portfolio", portfolio, portfolio.name);
    if (context) form.set("context", context, context.name);
    form.set("mode", isLive ? "live" : "paper");
    form.set("dry_run", String(dry));
    if (!dry && (hold || !isLive)) form.set(hold ? "hold" : "execute", "true"); // a live one waits: it is confirmed on its own page
    try {
      const taken = await ask<RunTaken>("POST", "/api/trade/runs", { form, patience: 60_000 });
      if (dry) setPlan(taken.plan ?? null);
      else if (taken.run_id) {
        say(taken.repeat ? t("runs.repeat") : t("runs.made"), "good", taken.run_id);
        refresh("runs", "orders");
        onMade(taken.run_id);
      }
    } catch (error) {
      setWrong(error);
      if (!dry) complain(error);
      if (dry) setPlan(null);
    } finally {
      setBusy("");
    }
  }

  function look(event: FormEvent): void {
    event.preventDefault();
    void send(true);
  }

  const file = "block w-full text-xs file:mr-2 file:h-7 file:cursor-pointer file:rounded file:border file:border-line file:bg-raised file:px-2 file:text-text";
  return (
    <Panel title={t("runs.import")} className={plan ? "max-h-[60%]" : ""}>
      <form onSubmit={look} className="flex flex-wrap items-end gap-x-5 gap-y-2">
        <label className="text-xs text-soft">
          <span className="mb-1 block">{t("runs.portfolio")}</span>
          <input type="file" accept=".csv,text/csv" required className={file} data-import="portfolio" onChange={(event) => { setPortfolio(event.target.files?.[0] ?? null); setPlan(null); }} />
        </label>
        <label className="text-xs text-soft">
          <span className="mb-1 block">{t("runs.context")}</span>
          <input type="file" accept=".json,application/json" className={file} data-import="context" onChange={(event) => { setContext(event.target.files?.[0] ?? null); setPlan(null); }} />
        </label>
        <Check label={t("runs.hold")} checked={hold} onChange={(event) => setHold(event.target.checked)} className="h-7" />
        <Button type="submit" busy={busy === "plan"} disabled={!portfolio} data-import="preview">{t("runs.preview")}</Button>
        {plan && (
          <Button tone="main" busy={busy === "make"} disabled={plan.findings.length > 0} onClick={() => void send(false)} data-import="make">
            {hold ? t("runs.makeHeld") : t(isLive ? "runs.makeLive" : "runs.makeGo")}
          </Button>
        )}
      </form>
      {wrong !== null && <Trouble error={wrong} />}
      {plan && <PlanTable plan={plan} />}
    </Panel>
  );
}
