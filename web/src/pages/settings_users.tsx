// Everybody who may use the desk, for an admin: roles, locks, passwords to be changed, second factors taken off.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ask, type Method } from "@/api/http";
import type { Said, UserDocument, UserList } from "@/api/types";
import { useSession } from "@/access/session";
import { client } from "@/stream/client";
import { full } from "@/text/times";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Check, Field } from "@/ui/field";
import { Panel } from "@/ui/panel";
import { Pill } from "@/ui/pill";
import { Loading, Trouble } from "@/ui/states";
import { say } from "@/ui/toasts";

const ROLES = ["viewer", "trader", "risk", "admin"] as const;
type Deed = "roles" | "password" | "disable" | "enable" | "reset-factor" | "unlock" | "remove";

export function Users() {
  const { t } = useTranslation();
  const own = useSession((now) => now.session?.name);
  const query = useQuery({ queryKey: ["users"], queryFn: async ({ signal }) => ask<UserList>("GET", "/api/v1/users", { signal }) });
  const [adding, setAdding] = useState(false);
  const [doing, setDoing] = useState<[Deed, UserDocument] | null>(null);
  const again = () => void client.invalidateQueries({ queryKey: ["users"] });
  return (
    <Panel title={t("settings.users")} className="lg:col-span-2" more={<Button small tone="main" onClick={() => setAdding(true)}>{t("user.add")}</Button>}>
      {query.error ? <Trouble error={query.error} again={again} /> : !query.data ? <Loading rows={3} /> : (
        <ul className="divide-y divide-line/60">
          {query.data.users.map((user) => (
            <li key={user.name} className="flex flex-wrap items-center gap-2 py-2" data-user={user.name}>
              <div className="min-w-0 flex-1">
                <div className="font-medium">{user.name} <span className="font-normal text-soft">{user.roles.map((role) => t(`role.${role}`)).join(" · ")}</span></div>
                <div className="flex flex-wrap gap-3 text-xs text-faint">
                  <span>{t("user.made", { at: full(user.made_at) })}</span>
                  {user.factor_since ? <Pill tone="good">{t("settings.factor")}</Pill> : <Pill tone="warn">{t("settings.noFactor")}</Pill>}
                  {user.disabled && <Pill tone="bad">{t("user.disabled")}</Pill>}
                  {user.locked_until && <Pill tone="bad">{t("user.locked", { at: full(user.locked_until) })}</Pill>}
                  {user.must_change && <Pill tone="warn">{t("user.mustChange")}</Pill>}
                </div>
              </div>
              <Button small onClick={() => setDoing(["roles", user])}>{t("user.roles")}</Button>
              <Button small onClick={() => setDoing(["password", user])}>{t("user.password")}</Button>
              {user.factor_since && <Button small onClick={() => setDoing(["reset-factor", user])}>{t("user.reset-factor")}</Button>}
              {user.locked_until && <Button small onClick={() => setDoing(["unlock", user])}>{t("user.unlock")}</Button>}
              {user.name !== own && <Button small onClick={() => setDoing([user.disabled ? "enable" : "disable", user])}>{t(user.disabled ? "user.enable" : "user.disable")}</Button>}
              {user.name !== own && <Button small onClick={() => setDoing(["remove", user])}>{t("user.remove")}</Button>}
            </li>
          ))}
        </ul>
      )}
      {adding && <Add onClose={() => setAdding(false)} onDone={again} />}
      {doing && <Change deed={doing[0]} user={doing[1]} onClose={() => setDoing(null)} onDone={again} />}
    </Panel>
  );
}

function Roles({ value, onChange }: { value: string[]; onChange: (roles: string[]) => void }) {
  const { t } = useTranslation();
  return (
    <div className="grid grid-cols-2 gap-1">
      {ROLES.map((role) => (
        <Check key={role} label={t(`role.${role}`)} checked={value.includes(role)} onChange={(event) => onChange(event.target.checked ? [...value, role] : value.filter((each) => each !== role))} />
      ))}
    </div>
  );
}

function Add({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [roles, setRoles] = useState<string[]>(["viewer"]);
  return (
    <Confirm title={t("user.add")} about={t("user.addMore")} does={t("user.add")} tone="main" onDo={async () => {
      say((await ask<Said>("POST", "/api/v1/users", { body: { name: name.trim(), password, roles } })).done);
      onDone();
    }} onClose={onClose}>
      <Field label={t("signIn.name")} value={name} onChange={(event) => setName(event.target.value)} required autoFocus />
      <Field label={t("signIn.password")} hint={t("setUp.passwordHint", { count: 12 })} type="password" autoComplete="new-password" minLength={12} value={password} onChange={(event) => setPassword(event.target.value)} required />
      <Roles value={roles} onChange={setRoles} />
    </Confirm>
  );
}

function Change({ deed, user, onClose, onDone }: { deed: Deed; user: UserDocument; onClose: () => void; onDone: () => void }) {
  const { t } = useTranslation();
  const [roles, setRoles] = useState<string[]>(user.roles);
  const [password, setPassword] = useState("");
  const method: Method = deed === "roles" ? "PUT" : deed === "remove" ? "DELETE" : "POST";
  const path = `/api/v1/users/${encodeURIComponent(user.name)}${deed === "remove" ? "" : `/${deed}`}`;
  const body = deed === "roles" ? { roles } : deed === "password" ? { password } : undefined;
  return (
    <Confirm title={`${t(`user.${deed}`)}: ${user.name}`} does={t(`user.${deed}`)} tone={deed === "remove" || deed === "disable" ? "danger" : "main"} {...(deed === "remove" ? { typed: user.name } : {})} onDo={async () => {
      say((await ask<Said>(method, path, { body })).done);
      onDone();
    }} onClose={onClose}>
      {deed === "roles" && <Roles value={roles} onChange={setRoles} />}
      {deed === "password" && <Field label={t("password.new")} hint={t("setUp.passwordHint", { count: 12 })} type="password" autoComplete="new-password" minLength={12} value={password} onChange={(event) => setPassword(event.target.value)} required />}
    </Confirm>
  );
}
