// The stop, in three rungs, and the way back. To stop takes a click and never a reason; to close everything takes the account's
// name; to let the desk trade again takes a reason.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Halted, InForce, Said } from "@/api/types";
import { useMay } from "@/access/session";
import { refresh, useAccount, useHalts } from "@/stream/live";
import { clock } from "@/text/times";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { close, useDialogs } from "@/ui/dialogs";
import { Field } from "@/ui/field";
import { Boundary } from "@/ui/states";
import { complain, say } from "@/ui/toasts";

type Rung = "halt" | "cancel" | "flatten";

const SENT: Record<Rung, [string, Record<string, string>]> = {
  halt: ["/api/v1/halts", { tier: "HALT" }],
  cancel: ["/api/v1/halts/cancel-all", {}],
  flatten: ["/api/v1/halts/flatten", {}],
};

export function Kill() {
  const { t } = useTranslation();
  const isOpen = useDialogs((now) => now.kill);
  const halts = useHalts().data?.halts ?? [];
  const account = useAccount().data?.account ?? "";
  const mayRelease = useMay("risk:write");
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState<Rung | "">("");

  async function stop(rung: Rung): Promise<void> {
    const [path, body] = SENT[rung];
    setBusy(rung);
    try {
      const said = await ask<Halted>("POST", path, { body: { ...body, reason } });
      say(said.done);
      setTyped("");
    } catch (error) {
      complain(error);
    } finally {
      setBusy("");
      refresh("halts", "orders", "positions", "health", "account");
    }
  }

  return (
    <Dialog open={isOpen} onClose={close} title={t("kill.title")} about={t("kill.about")} tone="danger" wide>
      <Field label={t("kill.reason")} value={reason} onChange={(event) => setReason(event.target.value)} maxLength={512} hint={t("kill.reasonHint")} />
      <ol className="mt-4 grid gap-3 md:grid-cols-3">
        {(["halt", "cancel", "flatten"] as const).map((rung, place) => (
          <li key={rung} className="flex flex-col rounded border border-line p-3">
            <h3 className="font-semibold">
              {place + 1}. {t(`kill.${rung}`)}
            </h3>
            <p className="mt-1 mb-3 flex-1 text-soft">{t(`kill.${rung}More`)}</p>
            {rung === "flatten" && <Field className="mb-2" label={t("kill.type", { account })} value={typed} onChange={(event) => setTyped(event.target.value)} data-kill="account" />}
            <Button tone="danger" data-kill={rung} busy={busy === rung} disabled={busy !== "" || (rung === "flatten" && (typed !== account || !account))} onClick={() => void stop(rung)}>
              {t(`kill.${rung}Do`)}
            </Button>
          </li>
        ))}
      </ol>
      <h3 className="mt-5 mb-2 font-semibold">{t("kill.inForce")}</h3>
      {halts.length === 0 && <p className="text-soft">{t("kill.none")}</p>}
      <Boundary name="halts">
        <ul className="space-y-2">
          {halts.map((each) => (
            <li key={each.number}>
              <Release halt={each} may={mayRelease} />
            </li>
          ))}
        </ul>
      </Boundary>
    </Dialog>
  );
}

function Release({ halt, may }: { halt: InForce; may: boolean }) {
  const { t } = useTranslation();
  const isLive = useAccount().data?.is_live ?? false;
  const [reason, setReason] = useState("");
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);

  async function release(): Promise<void> {
    setBusy(true);
    try {
      const body = { reason, code, scope: halt.scope, name: halt.name, numbers: [halt.number], seen: halt.number };
      say((await ask<Said>("POST", "/api/v1/halts/release", { body })).done);
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
      refresh("halts", "health", "orders");
    }
  }

  return (
    <div className="rounded border border-line bg-raised p-3" data-halt={halt.number}>
      <p>
        <strong className="text-red">{t(`tier.${halt.tier}`, { defaultValue: halt.tier })}</strong> · {halt.scope === "global" ? t("kill.everything") : `${halt.scope} ${halt.name}`} · {halt.by} · {clock(halt.at)}
      </p>
      <p className="text-soft">{[halt.reason, halt.trigger, halt.found].filter(Boolean).join(" · ")}</p>
      {may ? (
        <div className="mt-2 flex flex-wrap items-end gap-2">
          <Field className="min-w-48 flex-1" label={t("kill.releaseReason")} value={reason} onChange={(event) => setReason(event.target.value)} data-kill="release-reason" />
          {isLive && <Field className="w-28" label={t("signIn.code")} value={code} onChange={(event) => setCode(event.target.value)} inputMode="numeric" autoComplete="one-time-code" />}
          <Button tone="main" busy={busy} disabled={!reason.trim() || (isLive && !code)} onClick={() => void release()}>
            {t("kill.resume")}
          </Button>
        </div>
      ) : (
        <p className="mt-1 text-xs text-faint">{t("kill.notYours")}</p>
      )}
    </div>
  );
}
