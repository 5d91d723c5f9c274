// Where our books and the broker's differ: found when, caused by what, and accepted by a person for a reason.
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Break, Compared, Said } from "@/api/types";
import { useMay } from "@/access/session";
import { refresh, useAccount, useBreaks } from "@/stream/live";
import { full } from "@/text/times";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Chips } from "@/ui/filters";
import { Facts, Panel } from "@/ui/panel";
import { Pill } from "@/ui/pill";
import { Empty } from "@/ui/states";
import { Table, type Column } from "@/ui/table";
import { complain, say } from "@/ui/toasts";

export default function BreaksPage() {
  const { t } = useTranslation();
  const [show, setShow] = useState<"open" | "all">("open");
  const query = useBreaks(show === "open" ? { limit: 200, open: true } : { limit: 200, open: false });
  const broker = useAccount().data?.broker;
  const mayAccept = useMay("risk:write");
  const [accepting, setAccepting] = useState<Break | null>(null);
  const [busy, setBusy] = useState(false);
  const columns = useMemo<Column<Break>[]>(
    () => [
      { id: "found", head: t("breaks.found"), text: (b) => b.found_at, cell: (b) => full(b.found_at), width: "11rem" },
      { id: "kind", head: t("col.kind"), text: (b) => b.kind, cell: (b) => t(`breakKind.${b.kind}`, { defaultValue: b.kind }), width: "7rem" },
      { id: "subject", head: t("breaks.subject"), text: (b) => b.subject, cell: (b) => <span className="font-semibold">{b.subject}</span>, width: "minmax(8rem,1fr)" },
      { id: "ours", head: t("breaks.ours"), text: (b) => b.ours, right: true, width: "8rem" },
      { id: "theirs", head: t("breaks.theirs"), text: (b) => b.theirs, right: true, width: "8rem" },
      { id: "delta", head: t("breaks.delta"), text: (b) => b.delta, right: true, width: "7rem" },
      { id: "times", head: t("breaks.times"), text: (b) => String(b.times), right: true, width: "4rem" },
      { id: "status", head: t("col.status"), text: (b) => b.status, cell: (b) => <Pill tone={b.closed_at ? "calm" : "bad"}>{b.closed_at ? t("breaks.closed") : t("breaks.open")}</Pill>, width: "6rem" },
      { id: "cause", head: t("breaks.cause"), text: (b) => b.cause || b.why, width: "minmax(10rem,2fr)" },
    ],
    [t],
  );

  async function compareBooks(): Promise<void> {
    setBusy(true);
    try {
      const said = await ask<Compared>("POST", `/api/v1/positions/sync/${encodeURIComponent(broker ?? "")}`, { patience: 30_000 });
      say(said.agrees ? t("positions.agrees") : t("positions.differs", { count: said.breaks.length }), said.agrees ? "good" : "bad");
      refresh("breaks");
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
    }
  }

  async function accept(reason: string): Promise<void> {
    if (!accepting) return;
    say((await ask<Said>("POST", `/api/v1/breaks/${encodeURIComponent(accepting.id)}/accept`, { body: { reason } })).done);
    refresh("breaks", "positions");
  }

  return (
    <Panel
      title={t("page.breaks")}
      className="h-full"
      flush
      more={
        <>
          <Chips label={t("orders.show")} value={show} onChange={setShow} options={[["open", t("breaks.open")], ["all", t("orders.all")]]} />
          <Button small busy={busy} disabled={!broker} onClick={() => void compareBooks()}>
            {t("positions.sync")}
          </Button>
        </>
      }
    >
      <Table label={t("page.breaks")} columns={columns} rows={query.data?.breaks} rowId={(b) => b.id} query={query} file="breaks" onOpen={mayAccept ? (b) => !b.closed_at && setAccepting(b) : undefined} empty={<Empty title={t("breaks.none")}>{t("breaks.noneMore")}</Empty>} />
      {accepting && (
        <Confirm title={t("breaks.accept")} about={t("breaks.acceptMore")} does={t("breaks.accept")} reason="needed" onDo={accept} onClose={() => setAccepting(null)}>
          <Facts columns={1} of={[[t("breaks.subject"), accepting.subject], [t("breaks.ours"), accepting.ours], [t("breaks.theirs"), accepting.theirs], [t("breaks.cause"), accepting.cause], [t("breaks.repair"), accepting.repair || "–"]]} />
        </Confirm>
      )}
    </Panel>
  );
}
