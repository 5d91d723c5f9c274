"""What keeps somebody from using a page, found without a tool of others: controls without a name, text too pale for its ground,
landmarks that are missing or stand twice, an order of focus that is not that of the page, names that point nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

STEPS = 160
"""Presses of Tab within which one has been everywhere on a page."""
AT_ONCE = 10

_LOOK = r"""() => {
    const found = [];
    const say = (rule, each) => found.push(`${rule}: ${each.outerHTML.slice(0, 160)}`);
    const shown = each => {
        const style = getComputedStyle(each);
        const box = each.getBoundingClientRect();
        return style.visibility !== "hidden" && box.width > 1 && box.height > 1 && !each.closest("[aria-hidden=true], [inert]");
    };
    const all = (what, within = document) => [...within.querySelectorAll(what)].filter(shown);
    const textOf = ids => (ids ?? "").split(/\s+/).map(id => document.getElementById(id)?.textContent ?? "").join(" ").trim();
    const nameOf = each =>
        textOf(each.getAttribute("aria-labelledby")) || each.getAttribute("aria-label")?.trim()
        || [...(each.labels ?? [])].map(label => label.textContent).join(" ").trim() || each.getAttribute("alt")
        || each.textContent.trim() || each.getAttribute("title") || "";

    const controls = "a[href], button, input, select, textarea, summary, [role=button], [role=menuitem], [role=option]";
    for (const each of all(controls)) if (!nameOf(each)) say("a control has no name", each);
    for (const each of all("[role=grid], [role=dialog], [role=radiogroup], [role=img], [role=progressbar], nav, section, img"))
        if (!nameOf(each) && each.getAttribute("alt") !== "") say("what it is has no name", each);
    for (const each of all("[role=columnheader], th")) if (!nameOf(each)) say("a column has no head", each);

    for (const name of ["aria-labelledby", "aria-describedby", "aria-activedescendant", "aria-controls", "for"])
        for (const each of all(`[${name}]`))
            for (const id of each.getAttribute(name).split(/\s+/).filter(Boolean))
                if (!document.getElementById(id) && name !== "aria-controls") say(`${name} points nowhere`, each);
    const ids = [...document.querySelectorAll("[id]")].map(each => each.id);
    for (const id of new Set(ids.filter((each, place) => ids.indexOf(each) !== place))) found.push(`two have the id ${id}`);
    for (const each of all("[tabindex]")) if (each.tabIndex > 0) say("it pushes in front by tabindex", each);

    if (!document.documentElement.lang) found.push("the page names no language");
    if (!document.title.trim()) found.push("the page has no title");
    const modal = document.querySelector("[role=dialog][aria-modal=true], [data-radix-focus-guard]");
    if (!modal) {
        const once = (what, rule) => { const many = all(what).length; if (many !== 1) found.push(`${rule}: ${many}`); };
        once("main", "expected one main");
        once("body header:not(main header):not(section header):not([role=dialog] header)", "expected one banner");
        once("nav", "expected one menu");
        if (!all("main h2, main h1").length) found.push("the page has no heading");
    }

    const ink = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const known = new Map();
    const rgba = written => {
        if (!known.has(written)) {
            ink.clearRect(0, 0, 1, 1);
            ink.fillStyle = written;
            ink.fillRect(0, 0, 1, 1);
            const [r, g, b, a] = ink.getImageData(0, 0, 1, 1).data;
            known.set(written, [r, g, b, a / 255]);
        }
        return known.get(written);
    };
    const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
    const groundOf = each => {
        const layers = [];
        for (let now = each; now; now = now.parentElement) {
            const layer = rgba(getComputedStyle(now).backgroundColor);
            if (layer[3] > 0) layers.push(layer);
            if (layer[3] === 1) break;
        }
        return layers.reverse().reduce((ground, layer) => over(layer, ground), [255, 255, 255, 1]);
    };
    const linear = part => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
    const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
    const excused = ":disabled, [aria-disabled=true], .sr-only, option, .animate-pulse, .stale-age, script, style";
    const paleBy = each => (each ? Number(getComputedStyle(each).opacity) * paleBy(each.parentElement) : 1);
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const seen = new Set();
    while (walk.nextNode()) {
        const each = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || seen.has(each) || !shown(each) || each.closest(excused)) continue;
        seen.add(each);
        const style = getComputedStyle(each);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        const ground = groundOf(each);
        const [r, g, b, a] = rgba(style.color);
        const is = ratio(over([r, g, b, a * paleBy(each)], ground), ground);
        if (is < (large ? 3 : 4.5)) say(`contrast ${is.toFixed(2)}`, each);
    }
    return found;
}"""

_WATCH = """whole => {
    const main = document.querySelector("main");
    const first = document.querySelector("a[href], button, input, select, textarea, [tabindex='0']");
    const way = { found: [], passed: [], kill: false, over: false };
    window.way = way;
    const say = (fault, each) => way.found.push(`${fault}: ${each.outerHTML.slice(0, 120)}`);
    if (first.getAttribute("href") !== "#page") say("the first is not the way past the bar", first);
    const met = each => {
        if (way.over) return;
        way.over = way.passed.includes(each) || (!whole && !main.contains(each));
        if (way.over) return;
        const before = way.passed.at(-1);
        way.passed.push(each);
        way.kill ||= each.textContent.trim() === "KILL";
        if (each === main) return;
        const box = each.getBoundingClientRect();
        if (before && before.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_PRECEDING) say("backwards", each);
        if (box.width < 1 || box.height < 1 || getComputedStyle(each).outlineStyle === "none") say("unseen", each);
    };
    document.addEventListener("focusin", event => met(event.target));
    (whole ? first : main).focus({ focusVisible: true });
}"""


def unreadable(page: Page) -> list[str]:
    """What is wrong with what is shown now."""
    found: list[str] = page.evaluate(_LOOK)
    return found


def astray(page: Page, *, whole: bool) -> list[str]:
    """What is wrong with the way that Tab takes: `whole`, from the first control of the page until it comes by it again, else
    through the content, until it leaves it.
    """
    page.evaluate(_WATCH, whole)
    for _ in range(0, STEPS, AT_ONCE):
        for _ in range(AT_ONCE):
            page.keyboard.press("Tab")
        if page.evaluate("() => window.way.over"):
            break
    way = page.evaluate("() => ({ found: window.way.found, kill: window.way.kill, over: window.way.over })")
    found: list[str] = way["found"]
    return found + ["the stop was not reached"] * (whole and not way["kill"]) + ["there was no end"] * (not way["over"])
