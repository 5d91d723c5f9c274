// What goes to a live account is confirmed here: what was shown stands above, the words are typed and the code of a device given.
// The desk looks at all of it once more; a plan that changed since is shown anew and confirmed anew.
import { useCallback, useEffect, useState, type FormEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "@/api/http";
import type { LiveWord, ToConfirm } from "@/api/types";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { Facts } from "@/ui/panel";
import { Loading } from "@/ui/states";

interface Props {
  title: string;
  /** Ask the desk what there is to confirm; each answer has a token of its own. */
  shown: () => Promise<ToConfirm>;
  children?: ReactNode;
  onSend: (word: LiveWord) => Promise<void>;
  onClose: () => void;
}

export function LiveConfirm({ title, shown, children, onSend, onClose }: Props) {
  const { t } = useTranslation();
  const [confirm, setConfirm] = useState<ToConfirm | null>(null);
  const [phrase, setPhrase] = useState("");
  const [code, setCode] = useState("");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const look = useCallback(async (): Promise<ToConfirm | null> => {
    try {
      const found = await shown();
      setConfirm(found);
      return found;
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
      return null;
    }
  }, [shown]);
  useEffect(() => {
    void look();
  }, [look]);

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    event.stopPropagation();
    if (!confirm || busy) return;
    setBusy(true);
    setWrong("");
    try {
      const fresh = await look(); // a token is good for a minute, and a person may think for longer
      if (!fresh) return;
      if (fresh.content !== confirm.content) {
        setWrong(t("live.changed"));
        return;
      }
      await onSend({ live_confirm_token: fresh.live_confirm_token, phrase: phrase.trim(), code: code.trim() });
      onClose();
    } catch (error) {
      setWrong(error instanceof Problem || error instanceof Error ? error.message : String(error));
      setCode("");
    } finally {
      setBusy(false);
    }
  }

  return (
    <Dialog open onClose={onClose} title={title} about={t("live.about")} tone="danger">
      <form onSubmit={(event) => void send(event)} className="space-y-3" data-live-confirm>
        {children}
        {!confirm && !wrong && <Loading rows={3} />}
        {confirm && (
          <>
            <Facts columns={2} of={[[t("live.account"), <b key="a">{confirm.account}</b>], [t("live.orders"), <b key="o">{confirm.orders}</b>], [t("live.hash"), <span key="h" className="font-mono text-xs">{confirm.content.slice(0, 12)}</span>]]} />
            <Field label={t("live.type", { phrase: confirm.phrase })} value={phrase} onChange={(event) => setPhrase(event.target.value)} autoFocus required data-confirm="typed" />
            <Field label={t("live.code")} value={code} onChange={(event) => setCode(event.target.value)} inputMode="numeric" autoComplete="one-time-code" required data-confirm="code" />
          </>
        )}
        {wrong && <p role="alert" className="rounded border border-red bg-red-soft p-2" data-live-refused>{wrong}</p>}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t("back")}</Button>
          <Button tone="danger" type="submit" disabled={!confirm || !phrase.trim() || !code.trim()} busy={busy} data-confirm="do">
            {t("live.send")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
