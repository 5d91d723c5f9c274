// Keys that work everywhere but in a field, and the list of all keys.
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { tinykeys } from "tinykeys";
import { go } from "@/frame/route";
import { useMay } from "@/access/session";
import { useEnvironment } from "@/frame/topbar";
import { PAGES } from "@/frame/pages";
import { useChoices } from "@/look/choices";
import { Dialog } from "@/ui/dialog";
import { close, open, useDialogs, type Preset } from "@/ui/dialogs";

function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function isBusy(): boolean {
  const now = useDialogs.getState();
  return now.palette || now.kill || now.keys || now.alerts || now.ticket !== null;
}

/** Order keys are off where real money is traded, until somebody turns them on. */
export function useOrderKeys(): boolean {
  const environment = useEnvironment();
  return useChoices((now) => now.orderKeys) && environment === "paper";
}

export function Keyboard() {
  const mayTrade = useMay("order:paper");
  const orderKeys = useOrderKeys();
  useEffect(() => {
    const quiet = (what: () => void) => (event: KeyboardEvent) => {
      if (isTyping(event) || isBusy()) return;
      event.preventDefault();
      what();
    };
    const always = (what: () => void) => (event: KeyboardEvent) => {
      event.preventDefault();
      what();
    };
    const ticket = (preset: Preset) => quiet(() => mayTrade && orderKeys && open({ ticket: preset }));
    return tinykeys(window, {
      "$mod+k": always(() => open({ palette: true })),
      "Control+Shift+KeyK": always(() => open({ kill: true })),
      "?": quiet(() => open({ keys: true })),
      "Shift+?": quiet(() => open({ keys: true })),
      "/": quiet(() => document.querySelector<HTMLInputElement>("[data-find]")?.focus()),
      b: ticket({ side: "buy" }),
      s: ticket({ side: "sell" }),
      ...Object.fromEntries(PAGES.map((each) => [`g ${each.key}`, quiet(() => go(each.path))])),
    });
  }, [mayTrade, orderKeys]);
  return null;
}

export function Keys() {
  const { t } = useTranslation();
  const isOpen = useDialogs((now) => now.keys);
  const rows: [string, string][] = [
    ["Ctrl K", t("top.search")],
    ["Ctrl Shift K", t("kill.title")],
    ["b / s", t("keys.ticket")],
    ["Ctrl Enter", t("keys.send")],
    ["/", t("keys.find")],
    ["Esc", t("close")],
    ["↑ ↓ PgUp PgDn", t("keys.move")],
    ["Enter", t("keys.open")],
    ["x", t("keys.cancel")],
    ["r", t("keys.amend")],
    ["f", t("keys.flatten")],
    ...PAGES.map((each): [string, string] => [`g ${each.key}`, t(`page.${each.word}`)]),
    ["?", t("keys.title")],
  ];
  return (
    <Dialog open={isOpen} onClose={close} title={t("keys.title")}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        {rows.map(([key, words]) => (
          <div key={key} className="contents">
            <dt>
              <kbd className="rounded border border-line bg-raised px-1.5 font-mono text-xs">{key}</kbd>
            </dt>
            <dd className="text-soft">{words}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
