// Secrets of brokers, for an admin: written here and never read. What stands here is their names, when each was set, and by whom.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Said, SecretDocument, SecretList } from "@/api/types";
import { client } from "@/stream/client";
import { useAccount } from "@/stream/live";
import { full } from "@/text/times";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Field } from "@/ui/field";
import { Panel } from "@/ui/panel";
import { Empty, Loading, Trouble } from "@/ui/states";
import { say } from "@/ui/toasts";

type Named = Pick<SecretDocument, "broker" | "account" | "name">;

const WORD = "[A-Za-z0-9._\\-]{1,32}";

function addressOf({ broker, account, name }: Named): string {
  return `/api/v1/secrets/${[broker, account, name].map(encodeURIComponent).join("/")}`;
}

export function Secrets() {
  const { t } = useTranslation();
  const query = useQuery({ queryKey: ["secrets"], queryFn: async ({ signal }) => ask<SecretList>("GET", "/api/v1/secrets", { signal }) });
  const own = useAccount().data;
  const [setting, setSetting] = useState<{ named: Named; isThere: boolean } | null>(null);
  const [removing, setRemoving] = useState<Named | null>(null);
  const again = () => void client.invalidateQueries({ queryKey: ["secrets"] });

  async function remove(): Promise<void> {
    if (!removing) return;
    say((await ask<Said>("DELETE", addressOf(removing))).done);
    again();
  }

  return (
    <Panel title={t("secret.title")} className="lg:col-span-2" more={<Button small tone="main" data-secret="set" onClick={() => setSetting({ named: { broker: own?.broker ?? "", account: own?.account ?? "", name: "" }, isThere: false })}>{t("secret.set")}</Button>}>
      {query.error ? <Trouble error={query.error} again={again} /> : !query.data ? <Loading rows={2} /> : !query.data.secrets.length ? <Empty title={t("secret.none")}>{t("secret.noneMore")}</Empty> : (
        <ul className="divide-y divide-line/60">
          {query.data.secrets.map((each) => (
            <li key={addressOf(each)} className="flex flex-wrap items-center gap-2 py-2" data-secret={`${each.broker}/${each.account}/${each.name}`}>
              <div className="min-w-0 flex-1">
                <div className="font-medium">{each.name} <span className="font-normal text-soft">{each.broker} · {each.account}</span></div>
                <div className="text-xs text-faint">{t("secret.by", { at: full(each.set_at), who: each.set_by })}</div>
              </div>
              <Button small onClick={() => setSetting({ named: each, isThere: true })}>{t("secret.anew")}</Button>
              <Button small onClick={() => setRemoving(each)}>{t("user.remove")}</Button>
            </li>
          ))}
        </ul>
      )}
      {setting && <SetSecret {...setting} onClose={() => setSetting(null)} onDone={again} />}
      {removing && <Confirm title={t("secret.removeTitle", removing)} about={t("secret.removeMore")} does={t("user.remove")} typed={removing.name} onDo={remove} onClose={() => setRemoving(null)} />}
    </Panel>
  );
}

function SetSecret({ named, isThere, onClose, onDone }: { named: Named; isThere: boolean; onClose: () => void; onDone: () => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState<Named>({ broker: named.broker, account: named.account, name: named.name });
  const [value, setValue] = useState("");
  const part = (which: keyof Named, label: string) => (
    <Field label={label} value={form[which]} onChange={(event) => setForm((now) => ({ ...now, [which]: event.target.value.trim() }))} pattern={WORD} title={t("secret.word")} disabled={isThere} required autoFocus={which === "name" && !isThere} data-secret-field={which} />
  );

  async function send(): Promise<void> {
    say((await ask<Said>("PUT", addressOf(form), { body: { value } })).done);
    onDone();
  }

  return (
    <Confirm title={t(isThere ? "secret.anew" : "secret.set")} about={t("secret.setMore")} does={t(isThere ? "secret.anew" : "secret.set")} tone="main" onDo={send} onClose={onClose}>
      <div className="grid grid-cols-2 gap-3">
        {part("broker", t("scope.broker"))}
        {part("account", t("scope.account"))}
        {part("name", t("secret.name"))}
        <Field label={t("secret.value")} type="password" autoComplete="new-password" value={value} onChange={(event) => setValue(event.target.value)} maxLength={8_192} required autoFocus={isThere} data-secret-field="value" />
      </div>
    </Confirm>
  );
}
