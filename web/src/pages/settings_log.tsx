// The log of access, for an admin: who signed in, was refused or locked out, used a key, or changed who may do what. Newest first,
// page after page, as one scrolls or asks for older lines.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { AccessLine, AccessLog } from "@/api/types";
import { full } from "@/text/times";
import { Button } from "@/ui/button";
import { Find, Pick } from "@/ui/filters";
import { Panel } from "@/ui/panel";
import { Pill } from "@/ui/pill";
import { Empty } from "@/ui/states";
import { Table, type Column } from "@/ui/table";

const LIMIT = 100;
const EVERY_MS = 10_000;
/** What one looks for; everything else is found among all. */
const ASKED = ["signed in", "sign-in refused", "locked out", "key used", "key refused", "user added", "roles changed", "secret set"];

export function AccessLines() {
  const { t } = useTranslation();
  const [find, setFind] = useState("");
  const [what, setWhat] = useState("");
  const query = useInfiniteQuery({
    queryKey: ["access log", what],
    queryFn: async ({ pageParam, signal }) => ask<AccessLog>("GET", "/api/v1/access-log", { query: { limit: LIMIT, cursor: pageParam, what }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: (now) => ((now.state.data?.pages.length ?? 1) > 1 ? false : EVERY_MS),
  });
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.lines), [query.data]);
  const columns = useMemo<Column<AccessLine>[]>(
    () => [
      { id: "time", head: t("col.time"), text: (l) => l.at, cell: (l) => <span title={l.at}>{full(l.at)}</span>, width: "11rem" },
      { id: "who", head: t("audit.who"), text: (l) => l.who, cell: (l) => <span className="font-medium">{l.who}</span>, width: "minmax(6rem,0.8fr)" },
      { id: "what", head: t("audit.what"), text: (l) => l.what, cell: (l) => <Pill tone={/refused|locked out/.test(l.what) ? "bad" : "calm"} title={l.what}>{t(`accessDeed.${l.what}`, { defaultValue: l.what })}</Pill>, width: "minmax(9rem,1fr)" },
      { id: "subject", head: t("audit.subject"), text: (l) => l.subject, cell: (l) => <span className="font-mono text-xs" title={l.subject}>{l.subject}</span>, width: "minmax(8rem,1fr)", wide: true },
      { id: "address", head: t("access.from"), text: (l) => l.address, cell: (l) => <span className="font-mono text-xs">{l.address}</span>, width: "9rem", wide: true },
      { id: "text", head: t("audit.text"), text: (l) => l.text, cell: (l) => <span className="text-soft" title={l.text}>{l.text}</span>, width: "minmax(8rem,1.2fr)", wide: true },
    ],
    [t],
  );

  function older(): void {
    if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
  }

  return (
    <Panel
      title={t("access.title")}
      className="h-96 lg:col-span-2"
      flush
      more={
        <>
          <Pick label={t("audit.what")} value={what} onChange={setWhat} options={[["", t("orders.all")], ...ASKED.map((each): [string, string] => [each, t(`accessDeed.${each}`)])]} />
          <Find value={find} onChange={setFind} />
          <Button small disabled={!query.hasNextPage} busy={query.isFetchingNextPage} data-log="older" onClick={older}>{t("access.older")}</Button>
        </>
      }
    >
      <Table label={t("access.title")} columns={columns} rows={rows} rowId={(l) => String(l.number)} query={query} find={find} file="access" onEnd={older} empty={<Empty title={t("access.none")} />} />
    </Panel>
  );
}
