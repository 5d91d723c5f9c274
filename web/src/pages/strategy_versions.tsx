// The versions of a strategy's configuration that were started (S4-44), newest first, each with what differs from the one before.
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { ConfigVersion, ConfigVersions } from "@/api/types";
import { changesOf, linesOf } from "@/pages/configured";
import { full } from "@/text/times";
import { Panel } from "@/ui/panel";
import { Pill } from "@/ui/pill";
import { Empty, Loading, Trouble } from "@/ui/states";

export function Versions({ name, running }: { name: string; running: number }) {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: ["versions", name, running],
    queryFn: async ({ signal }) => ask<ConfigVersions>("GET", `/api/v1/strategies/${encodeURIComponent(name)}/configs`, { signal }),
    refetchInterval: 5_000,
  });
  const found = query.data?.versions;
  return (
    <Panel title={t("strategy.versions")} className="min-h-40">
      {query.error && !found ? <Trouble error={query.error} again={() => void query.refetch()} /> : !found ? <Loading rows={3} /> : !found.length ? <Empty title={t("strategy.versionsNone")}>{t("strategy.versionsNoneMore")}</Empty> : (
        <ol className="space-y-2">
          {found.map((each, place) => <OneVersion key={each.version} version={each} before={found[place + 1]} open={place === 0} />)}
        </ol>
      )}
    </Panel>
  );
}

function OneVersion({ version, before, open }: { version: ConfigVersion; before: ConfigVersion | undefined; open: boolean }) {
  const { t } = useTranslation();
  const changes = before ? changesOf(before, version) : null;
  return (
    <li data-version={version.version} className="rounded border border-line">
      <details open={open}>
        <summary className="flex cursor-pointer flex-wrap items-center gap-2 px-2 py-1">
          <span className="font-semibold">{t("strategy.versionOf", { version: version.version })}</span>
          {version.is_active && <Pill tone="good">{t("strategy.active")}</Pill>}
          <span className="ml-auto text-xs text-faint">{full(version.create_time)} · {version.started_by}</span>
        </summary>
        <div className="border-t border-line px-2 py-1 text-xs">
          <p className="mb-1 text-soft">{changes === null ? t("strategy.first") : changes.length ? t("strategy.changed", { names: changes.join(", ") }) : t("strategy.same")}</p>
          <dl className="grid grid-cols-[auto_1fr] gap-x-3">
            {linesOf(version).map(([what, value]) => (
              <div key={what} className={`contents ${changes?.includes(what) ? "font-semibold" : ""}`}>
                <dt className="text-soft">{what}</dt>
                <dd className="font-mono break-all">{changes?.includes(what) && <span title={t("strategy.changedHere")}>± </span>}{value}</dd>
              </div>
            ))}
          </dl>
        </div>
      </details>
    </li>
  );
}
