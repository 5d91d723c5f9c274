// The second confirmation: what is to be done stands there in figures, and a word or a name is typed where it cannot be undone.
// What the desk refuses it says here, where it was asked, and what was typed stays.
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button, type Tone } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { Refused } from "@/ui/states";

interface Props {
  title: string;
  about?: ReactNode;
  children?: ReactNode;
  does: string;
  tone?: Tone;
  /** What has to be typed first. */
  typed?: string;
  /** Ask for a reason, and whether there has to be one. */
  reason?: "wanted" | "needed";
  onDo: (reason: string) => Promise<void>;
  onClose: () => void;
}

export function Confirm({ title, about, children, does, tone = "danger", typed, reason, onDo, onClose }: Props) {
  const { t } = useTranslation();
  const [word, setWord] = useState("");
  const [why, setWhy] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<unknown>(null);
  const ready = (!typed || word === typed) && (reason !== "needed" || why.trim() !== "");

  async function run(): Promise<void> {
    setBusy(true);
    setRefused(null);
    try {
      await onDo(why.trim());
      onClose();
    } catch (error) {
      setRefused(error);
      setBusy(false);
    }
  }

  return (
    <Dialog open onClose={onClose} title={title} about={about} tone={tone === "danger" ? "danger" : undefined}>
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          event.stopPropagation();
          if (ready && !busy) void run();
        }}
      >
        {children}
        {reason && <Field label={t("confirm.reason")} value={why} onChange={(event) => setWhy(event.target.value)} maxLength={512} required={reason === "needed"} />}
        {typed && <Field label={t("confirm.type", { word: typed })} value={word} onChange={(event) => setWord(event.target.value)} data-confirm="typed" />}
        {refused !== null && <Refused error={refused} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t("back")}</Button>
          <Button tone={tone} type="submit" disabled={!ready} busy={busy} data-confirm="do">
            {does}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
