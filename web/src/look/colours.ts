// Colours for what is drawn on a canvas, which knows no style sheet: read anew whenever the theme changes.
export interface Colours {
  text: string;
  soft: string;
  faint: string;
  line: string;
  panel: string;
  accent: string;
  up: string;
  down: string;
}

export function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const one = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const solid = (name: string) => {
    const value = one(name);
    return value.startsWith("var(") ? one(value.slice(6, -1)) : value;
  };
  return {
    text: one("text"), soft: one("soft"), faint: one("faint"), line: one("line"), panel: one("panel"), accent: one("accent"),
    up: solid("up"), down: solid("down"),
  };
}
