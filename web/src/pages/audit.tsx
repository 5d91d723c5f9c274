// Who did what, when, and what came of it: as the journal has it, newest first, page after page.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Deed, Deeds } from "@/api/types";
import { useMay } from "@/access/session";
import { OrderDrawer } from "@/pages/order";
import { full } from "@/text/times";
import { Find } from "@/ui/filters";
import { Panel } from "@/ui/panel";
import { Pill } from "@/ui/pill";
import { Empty, NotAllowed } from "@/ui/states";
import { Table, type Column } from "@/ui/table";

export default function AuditPage() {
  const { t } = useTranslation();
  return useMay("read:audit") ? (
    <Deeds_ />
  ) : (
    <Panel title={t("page.audit")}>
      <NotAllowed scope="read:audit" />
    </Panel>
  );
}

function Deeds_() {
  const { t } = useTranslation();
  const [find, setFind] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["audit"],
    queryFn: async ({ pageParam, signal }) => ask<Deeds>("GET", "/api/v1/audit", { query: { limit: 300, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: (now) => ((now.state.data?.pages.length ?? 1) > 1 ? false : 3_000),
  });
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.audit), [query.data]);
  const columns = useMemo<Column<Deed>[]>(
    () => [
      { id: "time", head: t("col.time"), text: (d) => d.at, cell: (d) => <span title={d.at}>{full(d.at)}</span>, width: "11rem", wide: true },
      { id: "who", head: t("audit.who"), text: (d) => d.who, width: "minmax(7rem,0.8fr)" },
      { id: "what", head: t("audit.what"), text: (d) => d.what, cell: (d) => <span className="font-medium">{t(`deed.${d.what}`, { defaultValue: d.what })}</span>, width: "9.5rem" },
      { id: "subject", head: t("audit.subject"), text: (d) => d.subject, cell: (d) => <span className="font-mono text-xs">{d.subject}</span>, width: "minmax(9rem,0.8fr)", wide: true },
      { id: "result", head: t("audit.result"), text: (d) => d.result, cell: (d) => <Pill tone={d.result === "done" || d.result === "completed" ? "good" : "bad"}>{t(`result.${d.result}`, { defaultValue: d.result })}</Pill>, width: "6.5rem", wide: true },
      { id: "text", head: t("audit.text"), text: (d) => d.text, cell: (d) => <span className="text-soft" title={d.text}>{d.text}</span>, width: "minmax(14rem,2.5fr)" },
      { id: "id", head: "#", text: (d) => d.id, cell: (d) => <span className="font-mono text-xs text-faint">{d.id}</span>, right: true, width: "4rem", wide: true },
    ],
    [t],
  );
  return (
    <Panel title={t("page.audit")} className="h-full" flush more={<Find value={find} onChange={setFind} />}>
      <Table
        label={t("page.audit")}
        columns={columns}
        rows={rows}
        rowId={(d) => d.id}
        query={query}
        find={find}
        file="audit"
        onOpen={(d) => d.what.startsWith("Order") && setChosen(d.subject)}
        onEnd={() => {
          if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
        }}
        empty={<Empty title={t("audit.none")} />}
      />
      {chosen && <OrderDrawer id={chosen} onClose={() => setChosen(null)} />}
    </Panel>
  );
}
