// The second factor: a picture for the authenticator, a code that shows that it works, and recovery codes, shown once.
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { BegunFactor, RecoveryCodes } from "@/api/types";
import { useSession } from "@/access/session";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Panel } from "@/ui/panel";
import { complain, say } from "@/ui/toasts";

export function SecondFactor() {
  const { t } = useTranslation();
  const session = useSession((now) => now.session);
  const [begun, setBegun] = useState<BegunFactor | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [code, setCode] = useState("");
  const [present, setPresent] = useState("");
  const has = session?.factor_since != null;

  async function begin(): Promise<void> {
    try {
      setBegun(await ask<BegunFactor>("POST", "/api/v1/second-factor"));
      setCodes(null);
    } catch (error) {
      complain(error);
    }
  }

  async function confirm(event: FormEvent): Promise<void> {
    event.preventDefault();
    try {
      setCodes((await ask<RecoveryCodes>("POST", "/api/v1/second-factor/confirm", { body: { code: code.trim(), ...(has ? { present: present.trim() } : {}) } })).recovery_codes);
      setBegun(null);
      setCode("");
      setPresent("");
      say(t("factor.done"));
      await useSession.getState().look();
    } catch (error) {
      complain(error);
    }
  }

  async function anew(event: FormEvent): Promise<void> {
    event.preventDefault();
    try {
      setCodes((await ask<RecoveryCodes>("POST", "/api/v1/second-factor/recovery-codes", { body: { code: code.trim() } })).recovery_codes);
      setCode("");
    } catch (error) {
      complain(error);
    }
  }

  return (
    <Panel title={t("settings.factor")}>
      {!begun && <p className="mb-3 text-soft">{has ? t("factor.has", { count: session?.recovery_codes_left ?? 0 }) : t("factor.why")}</p>}
      {!begun && <Button tone={has ? "plain" : "main"} data-factor="begin" onClick={() => void begin()}>{has ? t("factor.replace") : t("factor.begin")}</Button>}
      {begun && (
        <form onSubmit={(event) => void confirm(event)} className="flex flex-wrap gap-4">
          <img alt={t("factor.picture")} width={176} height={176} className="rounded bg-white p-2" src={`data:image/svg+xml;base64,${btoa(begun.svg)}`} data-factor="picture" />
          <div className="min-w-56 flex-1 space-y-3">
            <p className="text-soft">{t("factor.scan")}</p>
            <p className="font-mono text-xs break-all select-all" data-factor="secret">{begun.secret}</p>
            <Field label={t("factor.code")} value={code} onChange={(event) => setCode(event.target.value)} inputMode="numeric" autoComplete="one-time-code" required data-factor="code" />
            {has && <Field label={t("factor.present")} value={present} onChange={(event) => setPresent(event.target.value)} required />}
            <div className="flex gap-2">
              <Button tone="main" type="submit">{t("factor.confirm")}</Button>
              <Button onClick={() => setBegun(null)}>{t("cancel")}</Button>
            </div>
          </div>
        </form>
      )}
      {has && !begun && !codes && (
        <form onSubmit={(event) => void anew(event)} className="mt-4 flex items-end gap-2">
          <Field label={t("factor.code")} value={code} onChange={(event) => setCode(event.target.value)} inputMode="numeric" autoComplete="one-time-code" required />
          <Button type="submit">{t("factor.anew")}</Button>
        </form>
      )}
      {codes && (
        <div className="mt-4 rounded border border-amber p-3" role="status">
          <p className="mb-2 font-medium">{t("factor.keep")}</p>
          <ul className="grid grid-cols-2 gap-1 font-mono text-xs select-all" data-factor="codes">
            {codes.map((each) => <li key={each}>{each}</li>)}
          </ul>
          <Button small className="mt-2" onClick={() => setCodes(null)}>{t("factor.kept")}</Button>
        </div>
      )}
    </Panel>
  );
}
