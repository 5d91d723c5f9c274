// A configuration as lines of a name and a value, and which of them differ between two.
import type { ConfigVersion } from "@/api/types";

/** Every setting by its name, those inside others by both: parameters.lot. The hash of the file is one of them. */
export function linesOf(version: Pick<ConfigVersion, "config_data" | "source_sha256">): [string, string][] {
  let read: unknown;
  try {
    read = JSON.parse(version.config_data);
  } catch {
    read = { config_data: version.config_data };
  }
  return [...flat(read, ""), ["sha256", version.source_sha256]];
}

function flat(value: unknown, name: string): [string, string][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([inner, each]) => flat(each, name ? `${name}.${inner}` : inner));
  }
  const shown = Array.isArray(value) ? value.join(" ") : value === null ? "–" : String(value);
  return shown === "" ? [] : [[name, shown]];
}

/** The names whose value differs, or that only one of the two has. */
export function changesOf(before: Pick<ConfigVersion, "config_data" | "source_sha256">, now: Pick<ConfigVersion, "config_data" | "source_sha256">): string[] {
  const [old, fresh] = [new Map(linesOf(before)), new Map(linesOf(now))];
  return [...new Set([...fresh.keys(), ...old.keys()])].filter((name) => old.get(name) !== fresh.get(name));
}
