// The files that a run left behind, each to be taken as it was written.
import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask, fetched } from "@/api/http";
import type { Artefact, Artefacts } from "@/api/types";
import { give } from "@/text/files";
import { bytes } from "@/text/numbers";
import { full } from "@/text/times";
import { Button } from "@/ui/button";
import { Panel } from "@/ui/panel";
import { Empty, Loading, Trouble } from "@/ui/states";
import { complain } from "@/ui/toasts";

const SOON_MS = 2_000;
const SELDOM_MS = 30_000;

/** They are written a moment after the end, and asked for until they are there. */
export function RunFiles({ id, ended }: { id: string; ended: boolean }) {
  const { t } = useTranslation();
  const [taking, setTaking] = useState("");
  const address = `/api/trade/runs/${encodeURIComponent(id)}/artefacts`;
  const query = useQuery({
    queryKey: ["artefacts", id, ended],
    queryFn: async ({ signal }) => ask<Artefacts>("GET", address, { signal }),
    refetchInterval: (now) => (ended && !now.state.data?.artefacts.length ? SOON_MS : SELDOM_MS),
  });

  async function take(file: Artefact): Promise<void> {
    setTaking(file.name);
    try {
      give(file.name, await fetched(`${address}/${encodeURIComponent(file.name)}`));
    } catch (error) {
      complain(error);
    } finally {
      setTaking("");
    }
  }

  const files = query.data?.artefacts;
  return (
    <Panel title={t("files.title")} className="max-h-56 shrink-0">
      {query.error && !files ? <Trouble error={query.error} again={() => void query.refetch()} /> : !files ? <Loading rows={2} /> : !files.length ? <Empty title={t("files.none")}>{t("files.noneMore")}</Empty> : (
        <ul className="divide-y divide-line/60">
          {files.map((file) => (
            <li key={file.name} className="flex flex-wrap items-center gap-x-3 gap-y-1 py-1" data-file={file.name}>
              <span className="w-28 font-medium">{t(`files.${file.kind}`, { defaultValue: file.kind })}</span>
              <span className="min-w-0 flex-1 font-mono text-xs break-all text-soft">{file.name}</span>
              <span className="w-20 text-right text-xs text-soft tabular-nums" title={String(file.size)}>{bytes(file.size)}</span>
              <span className="text-xs text-faint">{full(file.written_at)}</span>
              <Button small className="w-24" busy={taking === file.name} aria-label={t("files.take", { name: file.name })} onClick={() => void take(file)}>
                <Download size={12} aria-hidden /> {file.name.split(".").at(-1)?.toUpperCase()}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
