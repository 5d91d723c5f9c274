// The pages of the desk: where they are, what they are called, and the key that goes there after `g`.
import { Activity, BookOpenCheck, Bot, CandlestickChart, Gauge, History, Layers, ListOrdered, ScrollText, Settings, ShieldAlert, Wallet, type LucideIcon } from "lucide-react";
import type { ComponentType, LazyExoticComponent } from "react";
import { later } from "@/ui/later";

export interface PageOf {
  path: string;
  word: "system" | "market" | "orders" | "positions" | "account" | "runs" | "strategy" | "trades" | "risk" | "breaks" | "audit" | "settings";
  key: string;
  icon: LucideIcon;
  page: LazyExoticComponent<ComponentType>;
  load: Load;
  /** On the bar at the foot of a phone. */
  phone?: boolean;
}

type Load = () => Promise<{ default: ComponentType }>;

function of(load: Load): { page: LazyExoticComponent<ComponentType>; load: Load } {
  return { page: later(load), load };
}

export const PAGES: PageOf[] = [
  { path: "/orders", word: "orders", key: "o", icon: ListOrdered, ...of(() => import("@/pages/orders")), phone: true },
  { path: "/positions", word: "positions", key: "p", icon: Layers, ...of(() => import("@/pages/positions")), phone: true },
  { path: "/market", word: "market", key: "m", icon: CandlestickChart, ...of(() => import("@/pages/market")), phone: true },
  { path: "/account", word: "account", key: "a", icon: Wallet, ...of(() => import("@/pages/account")), phone: true },
  { path: "/runs", word: "runs", key: "n", icon: Activity, ...of(() => import("@/pages/runs")) },
  { path: "/strategy", word: "strategy", key: "y", icon: Bot, ...of(() => import("@/pages/strategy")) },
  { path: "/trades", word: "trades", key: "t", icon: History, ...of(() => import("@/pages/trades")) },
  { path: "/risk", word: "risk", key: "r", icon: ShieldAlert, ...of(() => import("@/pages/risk")) },
  { path: "/breaks", word: "breaks", key: "b", icon: BookOpenCheck, ...of(() => import("@/pages/breaks")) },
  { path: "/audit", word: "audit", key: "l", icon: ScrollText, ...of(() => import("@/pages/audit")) },
  { path: "/", word: "system", key: "h", icon: Gauge, ...of(() => import("@/pages/system")), phone: true },
  { path: "/settings", word: "settings", key: "s", icon: Settings, ...of(() => import("@/pages/settings")) },
];

/** Bring the page of this address while it is asked who looks at it. */
export function ahead(path: string): void {
  void PAGES.find((each) => each.path === path)?.load().catch(() => undefined); // it is brought again, and told, where it is shown
}
