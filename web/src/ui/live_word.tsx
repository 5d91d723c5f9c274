// What goes to a live account is confirmed here: what was shown stands above, the words are typed and the code of a device given.
// The desk looks at all of it once more; what has changed since is shown anew and confirmed anew.
import { useCallback, useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "@/api/http";
import type { LiveWord, OrderToConfirm, ToConfirm } from "@/api/types";
import { money, price, quantity } from "@/text/numbers";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { Facts } from "@/ui/panel";
import { Loading } from "@/ui/states";

interface Props {
  title: string;
  /** Ask the desk what there is to confirm; each answer has a token of its own. */
  shown: () => Promise<ToConfirm>;
  /** What leaves, where it is shown otherwise than order by order. */
  children?: ReactNode;
  onSend: (word: LiveWord) => Promise<void>;
  onClose: () => void;
}

/** How long a token may be used from when it came: the desk takes it for a minute. */
const GOOD_FOR_MS = 50_000;

export function LiveConfirm({ title, shown, children, onSend, onClose }: Props) {
  const { t } = useTranslation();
  const [confirm, setConfirm] = useState<ToConfirm | null>(null);
  const [phrase, setPhrase] = useState("");
  const [code, setCode] = useState("");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const cameAt = useRef(0);
  const look = useCallback(async (): Promise<ToConfirm | null> => {
    try {
      const found = await shown();
      cameAt.current = performance.now();
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
      let asked = confirm;
      if (performance.now() - cameAt.current > GOOD_FOR_MS) {
        const fresh = await look(); // a person may think for longer than a token is good, and prices move meanwhile
        if (!fresh) return;
        if (fresh.content !== confirm.content) {
          setWrong(t("live.changed"));
          return;
        }
        asked = fresh;
      }
      await onSend({ live_confirm_token: asked.live_confirm_token, phrase: phrase.trim(), code: code.trim() });
      onClose();
    } catch (error) {
      setWrong(error instanceof Problem || error instanceof Error ? error.message : String(error));
      setCode("");
      await look(); // its token may be used, and what stands there is what the next one is for
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
            {!children && confirm.lines.map((line) => <Order key={line.leg} line={line} />)}
            <Facts
              columns={2}
              of={[
                [t("live.account"), <b key="a">{confirm.account}</b>],
                [t("live.orders"), <b key="o">{confirm.orders}</b>],
                ...confirm.totals.map((each): [string, ReactNode] => [t("live.worth"), <b key={each.currency} data-live-total={each.currency}>{each.value === null ? t("live.unknown") : `${money(each.value)} ${each.currency}`}</b>]),
                [t("live.hash"), <span key="h" className="font-mono text-xs">{confirm.content.slice(0, 12)}</span>],
              ]}
            />
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

/** One order as it goes. Of one at the market the price that it was seen at stands there: no longer near that, it does not go. */
function Order({ line }: { line: OrderToConfirm }) {
  const { t } = useTranslation();
  return (
    <div className="rounded border border-line bg-raised p-2" data-live-order={line.symbol}>
      <p className="text-sm font-semibold">
        <span className={line.side === "BUY" ? "text-up" : "text-down"}>{t(`side.${line.side}`)}</span> {quantity(line.quantity)} {line.symbol} · {t(`type.${line.order_type}`)}
        {line.position_effect !== "AUTO" && <> · {t(`effect.${line.position_effect}`)}</>}
      </p>
      <Facts
        columns={2}
        of={[
          ...(line.price !== null ? [[t("col.limit"), price(line.price)] as [string, ReactNode]] : []),
          ...(line.stop_price !== null ? [[t("col.stop"), price(line.stop_price)] as [string, ReactNode]] : []),
          [t("live.seenAt"), <span key="p" data-live-price>{price(line.reference_price)}</span>],
          [t("live.worth"), line.value === null ? t("live.unknown") : `${money(line.value)} ${line.currency}`],
        ]}
      />
    </div>
  );
}
