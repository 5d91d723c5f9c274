// The pages of the desk: where they are, what they are called, and the key that goes there after `g`.
import { Activity, BookOpenCheck, Bot, CandlestickChart, Gauge, History, Layers, ListOrdered, ScrollText, Settings, ShieldAlert, Wallet, type LucideIcon } from "lucide-react";
import { lazy, type ComponentType, type LazyExoticComponent } from "react";

export interface PageOf {
  path: string;
  word: "system" | "market" | "orders" | "positions" | "account" | "runs" | "strategy" | "trades" | "risk" | "breaks" | "audit" | "settings";
  key: string;
  icon: LucideIcon;
  page: LazyExoticComponent<ComponentType>;
  /** On the bar at the foot of a phone. */
  phone?: boolean;
}

export const PAGES: PageOf[] = [
  { path: "/orders", word: "orders", key: "o", icon: ListOrdered, page: lazy(() => import("@/pages/orders")), phone: true },
  { path: "/positions", word: "positions", key: "p", icon: Layers, page: lazy(() => import("@/pages/positions")), phone: true },
  { path: "/market", word: "market", key: "m", icon: CandlestickChart, page: lazy(() => import("@/pages/market")), phone: true },
  { path: "/account", word: "account", key: "a", icon: Wallet, page: lazy(() => import("@/pages/account")), phone: true },
  { path: "/runs", word: "runs", key: "n", icon: Activity, page: lazy(() => import("@/pages/runs")) },
  { path: "/strategy", word: "strategy", key: "y", icon: Bot, page: lazy(() => import("@/pages/strategy")) },
  { path: "/trades", word: "trades", key: "t", icon: History, page: lazy(() => import("@/pages/trades")) },
  { path: "/risk", word: "risk", key: "r", icon: ShieldAlert, page: lazy(() => import("@/pages/risk")) },
  { path: "/breaks", word: "breaks", key: "b", icon: BookOpenCheck, page: lazy(() => import("@/pages/breaks")) },
  { path: "/audit", word: "audit", key: "l", icon: ScrollText, page: lazy(() => import("@/pages/audit")) },
  { path: "/", word: "system", key: "h", icon: Gauge, page: lazy(() => import("@/pages/system")), phone: true },
  { path: "/settings", word: "settings", key: "s", icon: Settings, page: lazy(() => import("@/pages/settings")) },
];
