// Who is signed in, and what belongs to them; on a phone the look of the desk, too.
import clsx from "clsx";
import { User } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useTranslation } from "react-i18next";
import { PAGES } from "@/frame/pages";
import { go } from "@/frame/route";
import { useSession } from "@/access/session";
import { OTHER } from "@/i18n/languages";
import { useChoices } from "@/look/choices";
import { open } from "@/ui/dialogs";
import { complain } from "@/ui/toasts";

export default function UserMenu() {
  const { t } = useTranslation();
  const { language, theme, upDown, choose, chooseLanguage, chooseUpDown } = useChoices();
  const session = useSession((now) => now.session);
  const item = "flex cursor-pointer items-center gap-2 rounded px-2 py-1.5 outline-none data-[highlighted]:bg-hover";
  return (
  <DropdownMenu.Root modal={false}>
    <DropdownMenu.Trigger className="flex items-center gap-1 rounded p-1.5 text-soft hover:bg-hover hover:text-text" aria-label={t("top.user", { name: session?.name ?? "" })}>
      <User size={16} aria-hidden />
      <span className="hidden text-xs 2xl:inline">{session?.name}</span>
    </DropdownMenu.Trigger>
    <DropdownMenu.Portal>
      <DropdownMenu.Content align="end" className="z-[100] min-w-48 rounded border border-line bg-panel p-1 shadow-xl">
        <div className="px-2 py-1.5">
          <div className="font-medium">{session?.name}</div>
          <div className="text-xs text-faint">{session?.roles.map((role) => t(`role.${role}`)).join(" · ")}</div>
        </div>
        <DropdownMenu.Separator className="my-1 h-px bg-line" />
        <DropdownMenu.Item className={clsx(item, "sm:hidden")} onSelect={() => chooseLanguage(OTHER[language].language)}>{OTHER[language].name}</DropdownMenu.Item>
        <DropdownMenu.Item className={clsx(item, "sm:hidden")} onSelect={() => choose({ theme: theme === "dark" ? "light" : "dark" })}>{t(theme === "dark" ? "top.light" : "top.dark")}</DropdownMenu.Item>
        <DropdownMenu.Item className={clsx(item, "sm:hidden")} onSelect={() => chooseUpDown(upDown === "cn" ? "intl" : "cn")}>{t(upDown === "cn" ? "top.toGreenUp" : "top.toRedUp")}</DropdownMenu.Item>
        {PAGES.filter((each) => !each.phone && each.path !== "/settings").map((each) => (
          <DropdownMenu.Item key={each.path} className={clsx(item, "md:hidden")} onSelect={() => go(each.path)}>{t(`page.${each.word}`)}</DropdownMenu.Item>
        ))}
        <DropdownMenu.Item className={item} onSelect={() => go("/settings")}>{t("page.settings")}</DropdownMenu.Item>
        <DropdownMenu.Item className={item} onSelect={() => open({ keys: true })}>{t("keys.title")}</DropdownMenu.Item>
        <DropdownMenu.Item className={item} onSelect={() => void useSession.getState().signOut().catch(complain)}>{t("top.signOut")}</DropdownMenu.Item>
      </DropdownMenu.Content>
    </DropdownMenu.Portal>
  </DropdownMenu.Root>
  );
}
