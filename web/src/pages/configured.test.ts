import { expect, test } from "vitest";
import { changesOf, linesOf } from "@/pages/configured";

const version = (config: object | string, hash = "a1") => ({ config_data: typeof config === "string" ? config : JSON.stringify(config), source_sha256: hash });

test("settings inside others have both names, and the file's hash is one of them", () => {
  expect(linesOf(version({ symbols: ["A.US", "B.US"], timer_s: null, class: "", parameters: { lot: "10" } }))).toEqual([
    ["symbols", "A.US B.US"], ["timer_s", "–"], ["parameters.lot", "10"], ["sha256", "a1"],
  ]);
});

test("what differs is named, also where only one of the two has it", () => {
  const before = version({ bar_s: 5, parameters: { lot: "10", down: "1" } });
  expect(changesOf(before, version({ bar_s: 5, parameters: { lot: "20", up: "2" } }, "b2"))).toEqual(["parameters.lot", "parameters.up", "sha256", "parameters.down"]);
  expect(changesOf(before, before)).toEqual([]);
});

test("what is no JSON is shown as it is", () => {
  expect(linesOf(version("no json"))).toEqual([["config_data", "no json"], ["sha256", "a1"]]);
});
