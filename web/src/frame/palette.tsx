// Ctrl-K: every page, every command and every symbol by a few letters.
import { Command } from "cmdk";
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { go } from "@/frame/route";
import { ask } from "@/api/http";
import type { Instruments } from "@/api/types";
import { useMay } from "@/access/session";
import { PAGES } from "@/frame/pages";
import { OTHER } from "@/i18n/languages";
import { useChoices } from "@/look/choices";
import { close, open, useDialogs } from "@/ui/dialogs";

export default function Palette() {
  const { t } = useTranslation();
  const isOpen = useDialogs((now) => now.palette);
  const { language, theme, upDown, choose, chooseLanguage, chooseUpDown } = useChoices();
  const mayTrade = useMay("order:paper");
  const [text, setText] = useState("");
  const sought = useDeferredValue(text.trim());
  const symbols = useQuery({
    queryKey: ["instruments", sought],
    queryFn: async ({ signal }) => ask<Instruments>("GET", "/api/v1/instruments", { query: { q: sought, limit: 8 }, signal }),
    enabled: isOpen && sought.length > 0,
  }).data?.instruments;

  function run(what: () => void): () => void {
    return () => {
      close();
      setText("");
      what();
    };
  }

  return (
    <Command.Dialog
      open={isOpen}
      onOpenChange={(next) => (next ? open({ palette: true }) : close())}
      label={t("top.search")}
      overlayClassName="fixed inset-0 z-[90] bg-shade"
      contentClassName="fixed top-[12vh] left-1/2 z-[100] w-[calc(100vw-1rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-lg border border-line bg-panel shadow-2xl"
    >
      <Command.Input value={text} onValueChange={setText} placeholder={t("palette.ask")} className="h-11 w-full border-b border-line bg-transparent px-4 outline-none" />
      <Command.List className="max-h-[60vh] overflow-y-auto p-1 [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-2xs [&_[cmdk-group-heading]]:text-faint">
        <Command.Empty className="p-4 text-soft">{t("palette.none")}</Command.Empty>
        {symbols && symbols.length > 0 && mayTrade && (
          <Command.Group heading={t("palette.symbols")}>
            {symbols.map((each) => (
              <Item key={each.symbol} value={`${each.symbol} ${each.name} ${sought}`} onSelect={run(() => open({ ticket: { symbol: each.symbol } }))}>
                <span className="font-medium">{each.symbol}</span> <span className="text-soft">{each.name}</span>
              </Item>
            ))}
          </Command.Group>
        )}
        <Command.Group heading={t("palette.pages")}>
          {PAGES.map((each) => (
            <Item key={each.path} value={`${t(`page.${each.word}`)} ${each.word}`} onSelect={run(() => go(each.path))} keys={`g ${each.key}`}>
              {t(`page.${each.word}`)}
            </Item>
          ))}
        </Command.Group>
        <Command.Group heading={t("palette.commands")}>
          {mayTrade && <Item value={`${t("ticket.new")} order`} onSelect={run(() => open({ ticket: {} }))} keys="b / s">{t("ticket.new")}</Item>}
          <Item value={`${t("kill.title")} kill halt stop`} onSelect={run(() => open({ kill: true }))} keys="Ctrl Shift K">{t("kill.title")}</Item>
          <Item value={`${t("top.language")} language`} onSelect={run(() => chooseLanguage(OTHER[language].language))}>{OTHER[language].name}</Item>
          <Item value={`${t("top.theme")} theme`} onSelect={run(() => choose({ theme: theme === "dark" ? "light" : "dark" }))}>{t(theme === "dark" ? "top.light" : "top.dark")}</Item>
          <Item value={`${t("top.colours")} colours red green`} onSelect={run(() => chooseUpDown(upDown === "cn" ? "intl" : "cn"))}>{t(upDown === "cn" ? "top.toGreenUp" : "top.toRedUp")}</Item>
          <Item value={`${t("keys.title")} keys shortcuts`} onSelect={run(() => open({ keys: true }))} keys="?">{t("keys.title")}</Item>
        </Command.Group>
      </Command.List>
    </Command.Dialog>
  );
}

function Item({ children, keys, ...rest }: { children: ReactNode; keys?: string; value: string; onSelect: () => void }) {
  return (
    <Command.Item className="flex cursor-pointer items-center gap-2 rounded px-2 py-1.5 data-[selected=true]:bg-accent-soft" {...rest}>
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {keys && <kbd className="font-mono text-2xs text-faint">{keys}</kbd>}
    </Command.Item>
  );
}
