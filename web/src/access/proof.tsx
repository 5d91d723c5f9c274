// Asks the person to prove that it is them, where the desk wants that before what changes access; then the request goes again.
import { useEffect, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { ask, onProof } from "@/api/http";
import type { InSession } from "@/api/types";
import { useSession } from "@/access/session";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";

export function Proof() {
  const { t } = useTranslation();
  const [asked, setAsked] = useState<((given: boolean) => void) | null>(null);
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  const withFactor = useSession((now) => now.session?.factor_since != null);

  useEffect(() => {
    onProof(() => new Promise((done) => setAsked(() => done)));
  }, []);

  function end(given: boolean): void {
    asked?.(given);
    setAsked(null);
    setText("");
    setWrong("");
  }

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    event.stopPropagation();
    const isCode = /^\d{6}$/.test(text.trim());
    try {
      useSession.getState().keep(await ask<InSession>("POST", "/api/v1/session/confirm", { body: isCode ? { code: text.trim() } : { password: text } }));
      end(true);
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    }
  }

  return (
    <Dialog open={asked !== null} onClose={() => end(false)} title={t("proof.title")} about={t("proof.about")}>
      <form onSubmit={(event) => void send(event)} className="space-y-3">
        <Field label={withFactor ? t("proof.either") : t("signIn.password")} type="password" value={text} onChange={(event) => setText(event.target.value)} wrong={wrong} autoFocus autoComplete="current-password" />
        <div className="flex justify-end gap-2">
          <Button onClick={() => end(false)}>{t("cancel")}</Button>
          <Button tone="main" type="submit" disabled={!text}>
            {t("proof.confirm")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
