// Where the page is: its address, links that change it without loading anew, and which part of it is a name.
import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from "react";

const listeners = new Set<() => void>();

function told(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

/** Go to another page. */
export function go(to: string): void {
  if (to !== location.pathname + location.search) history.pushState(null, "", to);
  listeners.forEach((each) => each());
}

/** The path of the address, as it is now. */
export function usePath(): string {
  return useSyncExternalStore(told, () => location.pathname);
}

/** What stands behind `before` in a path, where it is one name: /runs/abc behind /runs/ is abc. */
export function nameBehind(before: string, path: string): string | null {
  const rest = path.startsWith(before) ? path.slice(before.length) : "";
  return rest && !rest.includes("/") ? decodeURIComponent(rest) : null;
}

export function Link({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  function follow(event: MouseEvent<HTMLAnchorElement>): void {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(href);
  }
  return <a href={href} onClick={follow} {...rest} />;
}
