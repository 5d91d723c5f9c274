// A new password: one's own wish, or what the desk asks for where somebody else has set it.
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Said } from "@/api/types";
import { useSession } from "@/access/session";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { say } from "@/ui/toasts";

export function NewPassword({ forced }: { forced?: boolean }) {
  const { t } = useTranslation();
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setWrong("");
    try {
      say((await ask<Said>("POST", "/api/v1/password", { body: { old, new: fresh } })).done);
      setOld("");
      setFresh("");
      await useSession.getState().look();
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  const form = (
    <form onSubmit={(event) => void send(event)} className="max-w-sm space-y-3">
      <Field label={t("password.old")} type="password" autoComplete="current-password" value={old} onChange={(event) => setOld(event.target.value)} required />
      <Field label={t("password.new")} hint={t("setUp.passwordHint", { count: 12 })} type="password" autoComplete="new-password" minLength={12} value={fresh} onChange={(event) => setFresh(event.target.value)} wrong={wrong} required />
      <Button tone="main" type="submit" busy={busy}>
        {t("password.do")}
      </Button>
    </form>
  );
  if (!forced) return form;
  return (
    <main className="mx-auto max-w-md p-8">
      <h1 className="mb-2 text-lg font-semibold">{t("password.title")}</h1>
      <p className="mb-4 text-soft">{t("password.forced")}</p>
      {form}
    </main>
  );
}
