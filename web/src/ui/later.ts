// Parts of the page that are brought when they are first looked at. One that does not come, since the desk was updated under an open
// page or is gone, is no fault of what it would show: the page has to be loaded anew, for a browser remembers what did not come.
import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import { i18n } from "@/i18n/languages";

export class NotBrought extends Error {
  constructor(options: ErrorOptions) {
    super(i18n.t("state.notBroughtMore"), options);
    this.name = "NotBrought";
  }
}

export function later<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): LazyExoticComponent<ComponentType<P>> {
  return lazy(async () => {
    try {
      return await load();
    } catch (cause) {
      throw new NotBrought({ cause });
    }
  });
}
