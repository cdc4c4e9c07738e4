/** How many series are told apart; more begin again with the first. */
export const seriesCount = 6;

/** Each at least 4.5:1 against the page, light or dark; and told apart by dashes and shapes too, not by colour alone. */
const light = ["#1d5fb4", "#b04a00", "#1a7a45", "#7a3ad6", "#b91c1c", "#5c5c66"];
const dark = ["#7db3f5", "#f0a35e", "#6fce9b", "#bda3fa", "#f58a8a", "#b3b3be"];
const dashes = ["none", "7 4", "2 3", "9 3 2 3", "12 4", "4 4"];

const colours = (list: readonly string[]): string => list.map((colour, k) => `--s${k}:${colour}`).join(";");

const lightRules = `--ink:#1b1b1f;--soft:#5c5c66;--grid:#dfdfe6;--paper:#ffffff;${colours(light)}`;
const darkRules = `--ink:#ececf1;--soft:#a5a5b0;--grid:#35353e;--paper:#17171b;${colours(dark)}`;

const series = light
  .map((_, k) => `.plot .s${k}{--s:var(--s${k})}.plot .s${k}.line{stroke-dasharray:${dashes[k]}}`)
  .join("");

/** Carried by each plot, so that its file alone looks the same; light, dark, and light again on paper. */
export const plotStyle =
  `.plot{${lightRules};font:12px system-ui,sans-serif}` +
  `@media (prefers-color-scheme:dark){.plot{${darkRules}}}@media print{.plot{${lightRules}}}` +
  `.plot .paper{fill:var(--paper)}.plot text{fill:var(--soft)}.plot .name{fill:var(--ink);font-size:15px;font-weight:600}` +
  `.plot .label{fill:var(--ink)}.plot .halo{stroke:var(--paper);stroke-width:4;paint-order:stroke}.plot .grid{stroke:var(--grid)}.plot .mark{stroke:var(--soft);stroke-dasharray:5 4}` +
  `.plot .line{fill:none;stroke:var(--s);stroke-width:2}.plot .steady.line,.plot .key.steady{stroke-dasharray:none}` +
  `.plot .band{fill:var(--s);opacity:.18}.plot .dot{fill:var(--s);stroke:var(--paper)}.plot .whisker{stroke:var(--s);stroke-width:1.5}` +
  `.plot .bar{fill:var(--s)}${series}`;
