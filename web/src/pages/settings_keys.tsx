// One's own API keys and sessions: made with a proof, shown once, ended with a click.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { KeyDocument, KeyList, KeyMade, Said, SessionDocument, SessionList } from "@/api/types";
import { useSession } from "@/access/session";
import { client } from "@/stream/client";
import { full } from "@/text/times";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { Check, Field } from "@/ui/field";
import { Panel } from "@/ui/panel";
import { Pill } from "@/ui/pill";
import { Empty, Loading, Trouble } from "@/ui/states";
import { complain, say } from "@/ui/toasts";

export function ApiKeys() {
  const { t } = useTranslation();
  const query = useQuery({ queryKey: ["keys"], queryFn: async ({ signal }) => ask<KeyList>("GET", "/api/v1/keys", { signal }) });
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<KeyDocument | null>(null);
  const [made, setMade] = useState<KeyMade | null>(null);
  const again = () => void client.invalidateQueries({ queryKey: ["keys"] });

  async function rotate(key: KeyDocument): Promise<void> {
    try {
      setMade(await ask<KeyMade>("POST", `/api/v1/keys/${key.id}/rotate`, { body: { grace_s: 3600 } }));
      again();
    } catch (error) {
      complain(error);
    }
  }

  return (
    <Panel title={t("settings.keys")} more={<Button small tone="main" data-key="make" onClick={() => setMaking(true)}>{t("key.make")}</Button>}>
      {query.error ? <Trouble error={query.error} again={again} /> : !query.data ? <Loading rows={2} /> : !query.data.keys.length ? <Empty title={t("key.none")}>{t("key.noneMore")}</Empty> : (
        <ul className="divide-y divide-line/60">
          {query.data.keys.map((key) => (
            <li key={key.id} className="flex flex-wrap items-center gap-2 py-2">
              <div className="min-w-0 flex-1">
                <div className="font-medium">{key.name} <span className="font-mono text-xs text-faint">{key.id}</span></div>
                <div className="text-xs break-words text-soft">{key.scopes_now.join("  ")}</div>
                <div className="text-xs text-faint">{t("key.until", { at: full(key.expires_at) })} · {key.used_at ? t("key.used", { at: full(key.used_at), from: key.used_from }) : t("key.unused")}</div>
              </div>
              {key.expired && <Pill tone="warn">{t("key.expired")}</Pill>}
              <Button small onClick={() => void rotate(key)}>{t("key.rotate")}</Button>
              <Button small onClick={() => setEnding(key)}>{t("key.revoke")}</Button>
            </li>
          ))}
        </ul>
      )}
      {making && <MakeKey onClose={() => setMaking(false)} onMade={(key) => { setMade(key); again(); }} />}
      {ending && <Confirm title={t("key.revokeTitle", { name: ending.name })} does={t("key.revoke")} onDo={async () => { say((await ask<Said>("DELETE", `/api/v1/keys/${ending.id}`)).done); again(); }} onClose={() => setEnding(null)} />}
      {made && (
        <Dialog open onClose={() => setMade(null)} title={t("key.made")} about={t("key.madeMore")}>
          <p className="rounded border border-line bg-bg p-3 font-mono text-xs break-all select-all" data-key="text">{made.key}</p>
          <p className="mt-2 text-xs text-soft">Authorization: Bearer …</p>
        </Dialog>
      )}
    </Panel>
  );
}

function MakeKey({ onClose, onMade }: { onClose: () => void; onMade: (key: KeyMade) => void }) {
  const { t } = useTranslation();
  const own = useSession((now) => now.session?.scopes ?? []);
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [networks, setNetworks] = useState("");
  const [accounts, setAccounts] = useState("");
  const [scopes, setScopes] = useState<string[]>(["read:md", "read:acct"]);
  return (
    <Confirm title={t("key.make")} about={t("key.makeMore")} does={t("key.make")} tone="main" onDo={async () => {
      onMade(await ask<KeyMade>("POST", "/api/v1/keys", { body: { name: name.trim(), scopes, days: Number(days), networks: listOf(networks), ...(listOf(accounts).length ? { accounts: listOf(accounts) } : {}) } }));
    }} onClose={onClose}>
      <Field label={t("key.name")} value={name} onChange={(event) => setName(event.target.value)} required autoFocus data-key="name" />
      <fieldset>
        <legend className="mb-1 text-xs text-soft">{t("key.scopes")}</legend>
        <div className="grid grid-cols-2 gap-1">
          {own.map((scope) => (
            <Check key={scope} label={<span className="font-mono text-xs">{scope}</span>} checked={scopes.includes(scope)} onChange={(event) => setScopes((now) => (event.target.checked ? [...now, scope] : now.filter((each) => each !== scope)))} />
          ))}
        </div>
      </fieldset>
      <div className="grid grid-cols-2 gap-3">
        <Field label={t("key.days")} type="number" min={1} max={365} value={days} onChange={(event) => setDays(event.target.value)} required />
        <Field label={t("key.networks")} hint="10.0.0.0/8, 127.0.0.1" value={networks} onChange={(event) => setNetworks(event.target.value)} />
        <Field label={t("key.accounts")} hint={t("key.accountsMore")} value={accounts} onChange={(event) => setAccounts(event.target.value)} />
      </div>
    </Confirm>
  );
}

/** Names with commas or blanks between. */
function listOf(written: string): string[] {
  return written.split(/[\s,]+/).filter(Boolean);
}

export function Sessions() {
  const { t } = useTranslation();
  const query = useQuery({ queryKey: ["sessions"], queryFn: async ({ signal }) => ask<SessionList>("GET", "/api/v1/sessions", { signal }), refetchInterval: 10_000 });
  const again = () => void client.invalidateQueries({ queryKey: ["sessions"] });

  async function end(path: string): Promise<void> {
    try {
      say((await ask<Said>("DELETE", path)).done);
    } catch (error) {
      complain(error);
    }
    again();
  }

  const rows = query.data?.sessions ?? [];
  return (
    <Panel title={t("settings.sessions")} more={<Button small disabled={rows.length < 2} onClick={() => void end("/api/v1/sessions")}>{t("session.endOthers")}</Button>}>
      {query.error ? <Trouble error={query.error} again={again} /> : !query.data ? <Loading rows={2} /> : (
        <ul className="divide-y divide-line/60">
          {rows.map((each: SessionDocument) => (
            <li key={each.id} className="flex items-center gap-2 py-2">
              <div className="min-w-0 flex-1">
                <div>{each.address} {each.current && <Pill tone="good">{t("session.this")}</Pill>}</div>
                <div className="truncate text-xs text-soft" title={each.agent}>{each.agent}</div>
                <div className="text-xs text-faint">{t("session.times", { made: full(each.made_at), seen: full(each.seen_at) })}</div>
              </div>
              {!each.current && <Button small onClick={() => void end(`/api/v1/sessions/${each.id}`)}>{t("session.end")}</Button>}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
