// Settings: how the desk looks here, who you are and how you prove it, your keys and sessions; for an admin
// everybody's, what brokers want to know, and who came in.
import { useTranslation } from "react-i18next";
import { useMay, useSession } from "@/access/session";
import { NewPassword } from "@/access/password";
import { SecondFactor } from "@/pages/settings_factor";
import { ApiKeys, Sessions } from "@/pages/settings_keys";
import { AccessLines } from "@/pages/settings_log";
import { Secrets } from "@/pages/settings_secrets";
import { Users } from "@/pages/settings_users";
import { LANGUAGES } from "@/i18n/languages";
import { useChoices, type Language, type Theme, type UpDown } from "@/look/choices";
import { full } from "@/text/times";
import { Check } from "@/ui/field";
import { Chips } from "@/ui/filters";
import { Facts, Panel } from "@/ui/panel";

export default function SettingsPage() {
  const { t } = useTranslation();
  const session = useSession((now) => now.session);
  const isAdmin = useMay("admin");
  const { language, theme, upDown, orderKeys, choose, chooseLanguage, chooseUpDown } = useChoices();
  return (
    <div className="grid gap-2 lg:grid-cols-2">
      <Panel title={t("settings.look")}>
        <div className="space-y-2">
          <Row name={t("top.language")}>
            <Chips<Language> label={t("top.language")} value={language} onChange={chooseLanguage} options={LANGUAGES.map((each) => [each.language, each.name])} />
          </Row>
          <Row name={t("top.theme")}>
            <Chips<Theme> label={t("top.theme")} value={theme} onChange={(next) => choose({ theme: next })} options={[["dark", t("settings.dark")], ["light", t("settings.light")]]} />
          </Row>
          <Row name={t("top.colours")}>
            <Chips<UpDown> label={t("top.colours")} value={upDown} onChange={chooseUpDown} options={[["cn", t("top.redUp")], ["intl", t("top.greenUp")]]} />
          </Row>
          <Check label={t("settings.orderKeys")} checked={orderKeys} onChange={(event) => choose({ orderKeys: event.target.checked })} />
        </div>
      </Panel>
      <Panel title={t("settings.you")}>
        {session && (
          <Facts
            of={[
              [t("signIn.name"), session.name],
              [t("settings.roles"), session.roles.map((role) => t(`role.${role}`)).join(", ")],
              [t("settings.sessionEnds"), full(session.ends_at)],
              [t("settings.factor"), session.factor_since ? t("settings.factorSince", { at: full(session.factor_since) }) : t("settings.noFactor")],
            ]}
          />
        )}
        <p className="mt-2 text-xs break-words text-faint">{session?.scopes.join("  ")}</p>
      </Panel>
      <SecondFactor />
      <Panel title={t("password.title")}>
        <NewPassword />
      </Panel>
      <ApiKeys />
      <Sessions />
      {isAdmin && (
        <>
          <Users />
          <Secrets />
          <AccessLines />
        </>
      )}
    </div>
  );
}

function Row({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex flex-wrap items-center gap-3">
      <span className="w-28 text-soft">{name}</span>
      {children}
    </div>
  );
}
